/* encode() and decode(). Their scheme is base64 (RFC 4648, with padding). decode() has "proto",
 * too, for a Protocol Buffer, whose description it would read from Amazon S3. */
#include "function.h"
#include "common/base/base64.h"

#include <string.h>

static bool scheme_is(const struct rule_call *call, const char *name)
{
    const struct rule_value *scheme = call->arguments[1];
    return scheme->kind == RULE_STRING && scheme->string.length == strlen(name) &&
           memcmp(scheme->string.at, name, strlen(name)) == 0;
}

void function_encode(struct rule_call *call)
{
    struct rule_value string;
    if (!scheme_is(call, "base64") || !rule_string_argument(call, 0, &string))
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
    if (scheme_is(call, "proto") && call->count == 6)
        call->missing = "Amazon S3";
    if (!scheme_is(call, "base64") || call->count > 2 || !rule_string_argument(call, 0, &string))
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
