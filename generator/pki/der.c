#include "der.h"

#include <string.h>

enum { LONGEST_HEAD = 1 + 1 + sizeof(size_t) };

/* Tag and length (X.690, 8.1.3) into head; returns how many bytes that takes. */
static size_t head_make(unsigned char head[LONGEST_HEAD], enum der_tag tag, size_t length)
{
    head[0] = (unsigned char)tag;
    if (length < 0x80) {
        head[1] = (unsigned char)length;
        return 2;
    }
    unsigned count = 0;
    for (size_t left = length; left; left >>= 8)
        count++;
    head[1] = (unsigned char)(0x80 | count);
    for (unsigned i = 0; i < count; i++)
        head[2 + i] = (unsigned char)(length >> 8 * (count - 1 - i));
    return 2 + count;
}

void der_add(struct text *der, enum der_tag tag, const void *bytes, size_t length)
{
    unsigned char head[LONGEST_HEAD];
    text_add(der, head, head_make(head, tag, length));
    text_add(der, bytes, length);
}

void der_add_view(struct text *der, struct der_view view)
{
    text_add(der, view.at, view.length);
}

void der_wrap(struct text *der, size_t begin, enum der_tag tag)
{
    unsigned char head[LONGEST_HEAD];
    size_t length = der->length - begin;
    size_t taken = head_make(head, tag, length);
    text_add(der, head, taken); /* for the room only */
    memmove(der->at + begin + taken, der->at + begin, length);
    memcpy(der->at + begin, head, taken);
}

void der_add_unsigned(struct text *der, const unsigned char *bytes, size_t length)
{
    size_t begin = der->length;
    while (length > 1 && bytes[0] == 0) {
        bytes++;
        length--;
    }
    if (length == 0 || bytes[0] & 0x80)
        text_add_char(der, '\0');
    text_add(der, bytes, length);
    der_wrap(der, begin, DER_INTEGER);
}

void der_add_bits(struct text *der, const void *bytes, size_t length)
{
    size_t begin = der->length;
    text_add_char(der, '\0');
    text_add(der, bytes, length);
    der_wrap(der, begin, DER_BIT_STRING);
}

/* Reads the length behind the tag; *taken is the size of the head. DER allows the shortest form
 * only (X.690, 10.1), so that nobody can give one certificate two encodings. */
static bool length_read(struct der_view from, size_t *length, size_t *taken)
{
    if (from.length < 2)
        return false;
    size_t first = from.at[1], count = first & 0x7F, value = 0;
    *taken = first < 0x80 ? 2 : 2 + count;
    *length = first;
    if (first < 0x80)
        return true;
    if (count == 0 || count > sizeof value || *taken > from.length || from.at[2] == 0)
        return false;
    for (size_t i = 0; i < count; i++)
        value = value << 8 | from.at[2 + i];
    *length = value;
    return value >= 0x80;
}

bool der_next(struct der_view *rest, enum der_tag tag, struct der_view *whole,
              struct der_view *inside)
{
    size_t length, taken;
    if (!length_read(*rest, &length, &taken) || rest->at[0] != (unsigned char)tag ||
        length > rest->length - taken)
        return false;
    if (whole)
        *whole = (struct der_view){rest->at, taken + length};
    if (inside)
        *inside = (struct der_view){rest->at + taken, length};
    *rest = (struct der_view){rest->at + taken + length, rest->length - taken - length};
    return true;
}

bool der_next_bits(struct der_view *rest, struct der_view *inside)
{
    struct der_view before = *rest, bits;
    if (!der_next(rest, DER_BIT_STRING, NULL, &bits))
        return false;
    if (bits.length == 0 || bits.at[0] != 0) {
        *rest = before;
        return false;
    }
    *inside = (struct der_view){bits.at + 1, bits.length - 1};
    return true;
}

bool der_equal(struct der_view one, struct der_view other)
{
    return one.length == other.length &&
           (one.length == 0 || memcmp(one.at, other.at, one.length) == 0);
}

struct der_view der_view_of(const struct text *text)
{
    return (struct der_view){(const unsigned char *)text_string(text), text->length};
}
