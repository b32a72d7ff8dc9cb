/* encode() and decode(). Their only scheme is base64 (RFC 4648, with padding). */
#include "function.h"
#include "common/base/base64.h"

#include <string.h>

static bool scheme_is_base64(const struct rule_call *call)
{
    const struct rule_value *scheme = call->arguments[1];
    return scheme->kind == RULE_STRING && scheme->string.length == 6 &&
           memcmp(scheme->string.at, "base64", 6) == 0;
}

void function_encode(struct rule_call *call)
{
    struct rule_value string;
    if (!scheme_is_base64(call) || !rule_string_argument(call, 0, &string))
        return;
    size_t length = base64_encoded_length(string.string.length);
    char *made = rule_take(call->memory, length + 1);
    if (!made)
        return;
    base64_encode(string.string.at, string.string.length, made);
    *call->result = rule_string(made, length);
}

/* Null for what cannot be decoded: not base64, or neither JSON nor UTF-8 in it. */
void function_decode(struct rule_call *call)
{
    struct rule_value string, document;
    size_t length;
    if (!scheme_is_base64(call) || !rule_string_argument(call, 0, &string))
        return;
    char *made = rule_take(call->memory, base64_decoded_length(string.string.length));
    if (!made)
        return;
    bool decoded = base64_decode(string.string.at, string.string.length, made, &length);
    if (decoded && rule_json_read(call->memory, made, length, &document))
        *call->result = document;
    else if (decoded && !call->memory->failed && utf8_valid(made, length, NULL))
        *call->result = rule_string(made, length);
    else
        *call->result = rule_null();
}
