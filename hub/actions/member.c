#include "member.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- strings --- */

static unsigned hex(const char *at)
{
    unsigned code = 0;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        code = code << 4 | (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return code;
}

static char *put_utf8(char *to, unsigned code)
{
    if (code < 0x80) {
        *to++ = (char)code;
    } else if (code < 0x800) {
        *to++ = (char)(0xc0 | code >> 6);
        *to++ = (char)(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        *to++ = (char)(0xe0 | code >> 12);
        *to++ = (char)(0x80 | (code >> 6 & 0x3f));
        *to++ = (char)(0x80 | (code & 0x3f));
    } else {
        *to++ = (char)(0xf0 | code >> 18);
        *to++ = (char)(0x80 | (code >> 12 & 0x3f));
        *to++ = (char)(0x80 | (code >> 6 & 0x3f));
        *to++ = (char)(0x80 | (code & 0x3f));
    }
    return to;
}

/* *at is behind the backslash, and is moved behind the escape. */
static char *unescape(const char **at, char *to)
{
    static const char escapes[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    char c = *(*at)++;
    if (c != 'u') {
        const char *found = memchr(escapes, c, sizeof escapes - 1);
        *to++ = found ? meant[found - escapes] : c;
        return to;
    }
    unsigned code = hex(*at);
    *at += 4;
    if (code >= 0xd800 && code < 0xdc00 && (*at)[0] == '\\' && (*at)[1] == 'u') {
        code = 0x10000 + ((code - 0xd800) << 10) + (hex(*at + 2) - 0xdc00);
        *at += 6;
    }
    return put_utf8(to, code);
}

/* The reader is behind the opening quote, and is moved behind the closing one. */
static void read_string(struct member_reader *reader, const char **text, size_t *length)
{
    const char *at = reader->at;
    while (*at != '"' && *at != '\\')
        at++;
    *text = reader->at;
    *length = (size_t)(at - reader->at);
    if (*at == '\\') {
        char *to = reader->unescaped;
        memcpy(to, *text, *length);
        to += *length;
        while (*at != '"') {
            if (*at != '\\') {
                *to++ = *at++;
            } else {
                at++;
                to = unescape(&at, to);
            }
        }
        *text = reader->unescaped;
        *length = (size_t)(to - reader->unescaped);
        reader->unescaped = to;
    }
    reader->at = at + 1;
}

/* --- other values --- */

static const char *skip_nested(const char *at)
{
    int depth = 0;
    do {
        if (*at == '"')
            for (at++; *at != '"'; at++)
                at += *at == '\\';
        else if (*at == '{' || *at == '[')
            depth++;
        else if (*at == '}' || *at == ']')
            depth--;
        at++;
    } while (depth);
    return at;
}

static void read_plain(struct member_reader *reader, struct member *member)
{
    const char *at = reader->at;
    member->at = at;
    if (*at == '{' || *at == '[') {
        member->kind = MEMBER_NESTED;
        at = skip_nested(at);
    } else {
        member->kind = *at == 'n'   ? MEMBER_NULL
                       : *at == 't' ? MEMBER_TRUE
                       : *at == 'f' ? MEMBER_FALSE
                                    : MEMBER_INTEGER;
        for (; *at != ',' && *at != '}'; at++)
            if (member->kind == MEMBER_INTEGER && (*at == '.' || *at == 'e' || *at == 'E'))
                member->kind = MEMBER_DECIMAL;
    }
    member->length = (size_t)(at - member->at);
    reader->at = at;
}

bool member_begin(struct member_reader *reader, const char *json, size_t length, char *unescaped)
{
    *reader = (struct member_reader){json + 1, json + length, unescaped};
    return length >= 2 && *json == '{';
}

bool member_next(struct member_reader *reader, struct member *member)
{
    if (reader->end - reader->at < 2)
        return false;
    reader->at += *reader->at == ',';
    reader->at++; /* the quote */
    read_string(reader, &member->name, &member->name_length);
    reader->at++; /* the colon */
    if (*reader->at != '"') {
        read_plain(reader, member);
        return true;
    }
    reader->at++;
    member->kind = MEMBER_STRING;
    read_string(reader, &member->at, &member->length);
    return true;
}

/* --- numbers --- */

bool member_integer(const struct member *member, int64_t *integer)
{
    bool negative = *member->at == '-';
    uint64_t sum = 0;
    for (size_t i = negative; i < member->length; i++)
        if (__builtin_mul_overflow(sum, 10, &sum) ||
            __builtin_add_overflow(sum, (uint64_t)(member->at[i] - '0'), &sum))
            return false;
    if (sum > (uint64_t)INT64_MAX + negative)
        return false;
    *integer = negative ? (int64_t)(0 - sum) : (int64_t)sum;
    return true;
}

/* A number of at most 15 digits and a power of ten up to 22 are both exact as doubles, and so their
 * quotient is the nearest one (Clinger 1990); anything else is strtod()'s. */
bool member_number(const struct member *member, double *number)
{
    static const double powers[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    const char *at = member->at, *end = at + member->length;
    bool negative = *at == '-', point = false;
    uint64_t digits = 0;
    size_t places = 0;
    at += negative;
    for (; end - at > 0 && member->length <= 16; at++) {
        if (*at == '.') {
            point = true;
            continue;
        }
        if (*at < '0' || *at > '9')
            break;
        digits = digits * 10 + (uint64_t)(*at - '0');
        places += point;
    }
    if (at == end && places <= 15) {
        *number = (double)digits / powers[places];
        if (negative)
            *number = -*number;
        return true;
    }
    char copy[64];
    if (member->length >= sizeof copy)
        return false;
    memcpy(copy, member->at, member->length);
    copy[member->length] = '\0';
    *number = strtod(copy, NULL);
    return isfinite(*number);
}
