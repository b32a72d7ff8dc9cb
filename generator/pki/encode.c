/* PEM as RFC 7468 has it: base64 in lines of 64 between two lines with a label.
 *
 * Writing is lax in nothing, reading in what the RFC asks for: text before the block, any length of
 * line, white space at the ends of lines. Anything else inside the block makes it broken, where
 * OpenSSL's own reader would stop early or skip it. */
#include "pki_internal.h"

#include "common/base/memory.h"

#include <openssl/evp.h>
#include <string.h>

enum { LINE_BYTES = 48, LINE_CHARACTERS = 64 };

void der_to_pem(const char *label, const char *der, size_t length, struct text *pem)
{
    /* All the room at once: the text may hold a private key, and growing would leave a copy. */
    size_t lines = length / LINE_BYTES + 1;
    text_reserve(pem, pem->length + lines * (LINE_CHARACTERS + 1) + 2 * strlen(label) + 40);
    text_add_format(pem, "-----BEGIN %s-----\n", label);
    for (size_t done = 0; done < length; done += LINE_BYTES) {
        size_t left = length - done;
        pem->length += (size_t)EVP_EncodeBlock((unsigned char *)pem->at + pem->length,
                                               (const unsigned char *)der + done,
                                               (int)(left < LINE_BYTES ? left : LINE_BYTES));
        text_add_char(pem, '\n');
    }
    text_add_format(pem, "-----END %s-----\n", label);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* The first place of marker in text at which it is a line of its own; *after is the next line. */
static const char *line_find(const char *text, const char *end, const char *marker,
                             const char **after)
{
    size_t length = strlen(marker);
    const char *at = text;
    while ((at = memmem(at, (size_t)(end - at), marker, length))) {
        const char *next = at + length;
        while (next < end && is_blank(*next))
            next++;
        if ((at == text || at[-1] == '\n') && (next == end || *next == '\n')) {
            *after = next == end ? end : next + 1;
            return at;
        }
        at += length;
    }
    return NULL;
}

/* The characters from at to end without the white space at the ends of lines. */
static void lines_join(const char *at, const char *end, struct text *joined)
{
    text_reserve(joined, (size_t)(end - at) + 1);
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline ? newline : end;
        const char *next = newline ? newline + 1 : end;
        while (stop > at && is_blank(stop[-1]))
            stop--;
        text_add(joined, at, (size_t)(stop - at));
        at = next;
    }
}

/* The six bits of a character of base64 (RFC 4648, 4), -1 for any other. */
static int sextet(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Strict: padding at the end only, and no bits set that the padding says are unused. */
static bool base64_decode(const struct text *base64, struct text *bytes)
{
    size_t length = base64->length;
    unsigned held = 0, bits = 0;
    if (length % 4 != 0)
        return false;
    for (int i = 0; i < 2 && length && base64->at[length - 1] == '='; i++)
        length--;
    text_reserve(bytes, length / 4 * 3 + 3);
    for (size_t i = 0; i < length; i++) {
        int value = sextet(base64->at[i]);
        if (value < 0)
            return false;
        held = (held << 6 | (unsigned)value) & 0xFFFF;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            text_add_char(bytes, (char)(unsigned char)(held >> bits));
        }
    }
    return (held & ((1U << bits) - 1)) == 0;
}

enum status pem_to_der(const char *label, const char *pem, size_t length, struct text *der,
                       struct error *error)
{
    owned char *opening = must_format("-----BEGIN %s-----", label);
    owned char *closing = must_format("-----END %s-----", label);
    const char *end = length ? pem + length : NULL, *body = NULL, *after = NULL;
    if (!end || !line_find(pem, end, opening, &body))
        return fail(error, WRONG_INPUT, "there is no line \"%s\"", opening);
    const char *last = line_find(body, end, closing, &after);
    if (!last)
        return fail(error, WRONG_INPUT, "there is no line \"%s\"", closing);
    struct text base64 = {0}, bytes = {0};
    lines_join(body, last, &base64);
    enum status status = FINE;
    if (base64_decode(&base64, &bytes))
        text_add(der, text_string(&bytes), bytes.length);
    else
        status = fail(error, WRONG_INPUT, "what follows \"%s\" is not base64", opening);
    text_free(&base64);
    text_free(&bytes);
    return status;
}
