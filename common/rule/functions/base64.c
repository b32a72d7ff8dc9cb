/* encode() and decode(), whose only scheme is base64 (RFC 4648, with padding). */
#include "function.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static bool scheme_is_base64(const struct rule_call *call)
{
    const struct rule_value *scheme = call->arguments[1];
    return scheme->kind == RULE_STRING && scheme->string.length == 6 &&
           memcmp(scheme->string.at, "base64", 6) == 0;
}

/* Three bytes become four characters; where there are fewer, "=" stands for what is missing. */
static void encode_three(const unsigned char *from, size_t count, char to[4])
{
    unsigned bits = (unsigned)from[0] << 16 | (count > 1 ? (unsigned)from[1] << 8 : 0) |
                    (count > 2 ? from[2] : 0);
    for (size_t i = 0; i < 4; i++)
        to[i] = i <= count ? alphabet[bits >> (18 - 6 * i) & 63] : '=';
}

void function_encode(struct rule_call *call)
{
    struct rule_value string;
    if (!scheme_is_base64(call) || !rule_string_argument(call, 0, &string))
        return;
    const unsigned char *from = (const unsigned char *)string.string.at;
    size_t length = string.string.length, made_length = length / 3 * 4 + (length % 3 ? 4 : 0);
    char *made = rule_take(call->memory, made_length);
    if (!made)
        return;
    for (size_t i = 0; i < length; i += 3)
        encode_three(from + i, length - i, made + i / 3 * 4);
    *call->result = rule_string(made, made_length);
}

static int value_of(char character)
{
    const char *found = character ? strchr(alphabet, character) : NULL;
    return found ? (int)(found - alphabet) : -1;
}

/* Four characters to at most three bytes. Returns how many; 0: no base64. Bits that no byte takes
 * are 0. */
static size_t decode_four(const char *from, bool last, char to[3])
{
    size_t missing = !last ? 0 : from[3] != '=' ? 0 : from[2] != '=' ? 1 : 2;
    unsigned bits = 0;
    for (size_t i = 0; i < 4; i++) {
        int value = i < 4 - missing ? value_of(from[i]) : 0;
        if (value < 0)
            return 0;
        bits = bits << 6 | (unsigned)value;
    }
    if (bits & ((1U << 8 * missing) - 1))
        return 0;
    for (size_t i = 0; i < 3 - missing; i++)
        to[i] = (char)(bits >> (16 - 8 * i) & 255);
    return 3 - missing;
}

static bool decode(struct rule_call *call, const struct rule_value *string, char **made,
                   size_t *made_length)
{
    size_t length = string->string.length;
    *made_length = 0;
    if (length % 4)
        return false;
    if (!(*made = rule_take(call->memory, length / 4 * 3)))
        return false;
    for (size_t i = 0; i < length; i += 4) {
        size_t got = decode_four(string->string.at + i, i + 4 == length, *made + *made_length);
        if (!got)
            return false;
        *made_length += got;
    }
    return true;
}

/* Null for what cannot be decoded: no base64, or neither JSON nor UTF-8 inside. */
void function_decode(struct rule_call *call)
{
    struct rule_value string, document;
    char *made;
    size_t length;
    if (!scheme_is_base64(call) || !rule_string_argument(call, 0, &string))
        return;
    bool decoded = decode(call, &string, &made, &length);
    if (call->memory->failed)
        return;
    if (decoded && rule_json_read(call->memory, made, length, &document))
        *call->result = document;
    else if (decoded && !call->memory->failed && utf8_valid(made, length, NULL))
        *call->result = rule_string(made, length);
    else
        *call->result = rule_null();
}
