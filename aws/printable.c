#include "printable.h"

#include <string.h>

enum { LONGEST = 600 };

static bool is_control(const char *at)
{
    unsigned char c = (unsigned char)at[0], next = (unsigned char)at[1];
    return c < 0x20 || c == 0x7F || (c == 0xC2 && next >= 0x80 && next < 0xA0);
}

/* Length of the character of valid UTF-8 at this place. */
static size_t width(const char *at)
{
    unsigned char c = (unsigned char)*at;
    return c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
}

void printable_add(const char *said, struct text *out)
{
    size_t bad, start = out->length;
    const char *end = said + strlen(said);
    if (!utf8_valid(said, (size_t)(end - said), &bad))
        end = said + bad;
    while (said < end && out->length - start < LONGEST) {
        size_t length = width(said);
        bool blank = is_control(said) || *said == ' ';
        if (!blank)
            text_add(out, said, length);
        else if (out->length > start && out->at[out->length - 1] != ' ')
            text_add_char(out, ' ');
        said += length;
    }
    while (out->length > start && out->at[out->length - 1] == ' ')
        out->at[--out->length] = '\0';
    if (*said)
        text_add_string(out, "...");
}
