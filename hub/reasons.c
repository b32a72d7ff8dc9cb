#include "reasons.h"
#include "common/base/base64.h"
#include "common/base/buffer.h"
#include "common/base/memory.h"
#include "common/rule/reasons.h"

#include <stdlib.h>
#include <string.h>

struct reasons {
    const struct type *type;
    const struct rule *rule;
    struct rule_scratch *scratch;
};

struct reasons *reasons_new(const struct type *type)
{
    const struct rule *rule = type_valid_rule(type);
    struct rule_scratch *scratch = rule ? rule_scratch_new(0) : NULL;
    if (!scratch)
        return NULL;
    struct reasons *reasons = must_alloc(sizeof *reasons);
    *reasons = (struct reasons){type, rule, scratch};
    return reasons;
}

void reasons_free(struct reasons *reasons)
{
    if (reasons)
        rule_scratch_free(reasons->scratch);
    free(reasons);
}

/* The message as it came; NULL: the row has none. Freed by the caller. */
static char *payload_of(const struct read_row *row, size_t *length)
{
    for (size_t i = 0; i < row->count; i++) {
        const struct read_value *value = &row->values[i];
        if (strcmp(value->name, "payload") != 0 || value->kind != READ_TEXT)
            continue;
        owned char *encoded = must_copy_bytes(value->bytes, value->length);
        char *bytes = must_alloc(base64_decoded_length(value->length) + 1);
        if (base64_decode(encoded, value->length, bytes, length))
            return bytes;
        free(bytes);
    }
    return NULL;
}

static void add_one(const char *reason, bool json, bool first, struct text *out)
{
    struct buffer written = {0};
    if (!first)
        text_add_string(out, json ? ", " : "; ");
    if (json)
        buffer_add_json(&written, reason, strlen(reason));
    text_add_string(out, json ? buffer_string(&written) : reason);
    buffer_free(&written);
}

void reasons_add(struct reasons *reasons, const struct read_row *row, bool json, struct text *out)
{
    struct rule_reason found[RULE_MOST_REASONS];
    size_t length = 0, count = 0;
    owned char *payload = payload_of(row, &length);
    owned char *thing = must_copy_bytes(row->thing, row->thing_length);
    owned char *topic = must_format("%s/%s", reasons->type->name, thing);
    const struct rule_message message = {
        .topic = topic, .payload = payload, .payload_length = length, .time = row->time};
    if (payload) {
        rule_begin(reasons->scratch, &message);
        count = rule_reasons(reasons->rule, reasons->scratch, found);
    }
    if (json)
        text_add_char(out, '[');
    for (size_t i = 0; i < count; i++)
        add_one(found[i].text, json, i == 0, out);
    if (!count)
        add_one(payload ? "the rule of today would select it" : "its message is not there", json,
                true, out);
    if (json)
        text_add_char(out, ']');
}
