#include "counts.h"
#include "common/base/buffer.h"
#include "common/base/json.h"
#include "common/rule/reasons.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    size_t at;
} members[] = {
    {"readings", offsetof(struct counts, readings)},
    {"valid", offsetof(struct counts, valid)},
    {"invalid", offsetof(struct counts, invalid)},
    {"unmatched", offsetof(struct counts, unmatched)},
    {"duplicates", offsetof(struct counts, duplicates)},
    {"rejected", offsetof(struct counts, rejected)},
    {"errors", offsetof(struct counts, errors)},
    {"missing", offsetof(struct counts, missing)},
    {"spool", offsetof(struct counts, spool)},
    {"newest", offsetof(struct counts, newest)},
    {"clock", offsetof(struct counts, clock)},
};

enum { MEMBER_COUNT = sizeof members / sizeof *members };

/* --- reasons --- */

#define OTHER_REASONS "other reasons"

static struct reason_count *find_reason(struct counts *counts, const char *text)
{
    for (size_t i = 0; i < counts->reason_count; i++)
        if (strcmp(counts->reasons[i].text, text) == 0)
            return &counts->reasons[i];
    return NULL;
}

static struct reason_count *need_reason(struct counts *counts, const char *text)
{
    struct reason_count *reason = find_reason(counts, text);
    if (reason)
        return reason;
    bool is_last = counts->reason_count + 1 >= MOST_COUNTED_REASONS;
    if (is_last && (reason = find_reason(counts, OTHER_REASONS)))
        return reason;
    reason = &counts->reasons[counts->reason_count++];
    *reason = (struct reason_count){0};
    snprintf(reason->text, sizeof reason->text, "%.*s", LONGEST_COUNTED_REASON - 1,
             is_last ? OTHER_REASONS : text);
    return reason;
}

void counts_add_reason(struct counts *counts, const char *type, const char *kind)
{
    char text[2 * RULE_LONGEST_REASON];
    snprintf(text, sizeof text, "%s: %s", type, kind);
    if (strlen(text) >= LONGEST_COUNTED_REASON) {
        size_t length = LONGEST_COUNTED_REASON - 1;
        while (length && (text[length] & 0xc0) == 0x80)
            length--; /* to the beginning of a character */
        text[length] = '\0';
    }
    need_reason(counts, text)->count++;
}

/* --- as JSON --- */

/* Puts the most frequent ones first; those with the same count stay in their order. */
static void sort_reasons(const struct counts *counts,
                         const struct reason_count *sorted[MOST_COUNTED_REASONS])
{
    for (size_t i = 0; i < counts->reason_count; i++) {
        size_t at = i;
        for (; at && sorted[at - 1]->count < counts->reasons[i].count; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = &counts->reasons[i];
    }
}

static void write_reasons(const struct counts *counts, struct buffer *out)
{
    const struct reason_count *sorted[MOST_COUNTED_REASONS];
    char number[32];
    sort_reasons(counts, sorted);
    buffer_add_string(out, ", \"reasons\": {");
    for (size_t i = 0; i < counts->reason_count; i++) {
        if (i)
            buffer_add_string(out, ", ");
        buffer_add_json(out, sorted[i]->text, strlen(sorted[i]->text));
        snprintf(number, sizeof number, ": %" PRIu64, sorted[i]->count);
        buffer_add_string(out, number);
    }
    buffer_add_string(out, "}");
}

void counts_write(const struct counts *counts, char text[LONGEST_COUNTS])
{
    size_t length = 0;
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        uint64_t count = *(const uint64_t *)(const void *)((const char *)counts + members[i].at);
        length += (size_t)snprintf(text + length, LONGEST_COUNTS - length, "%s\"%s\": %" PRIu64,
                                   i ? ", " : "{", members[i].name, count);
    }
    struct buffer reasons = {0};
    write_reasons(counts, &reasons);
    bool fits = !reasons.failed && reasons.length + 2 <= LONGEST_COUNTS - length;
    snprintf(text + length, LONGEST_COUNTS - length, "%s}", fits ? buffer_string(&reasons) : "");
    buffer_free(&reasons);
}

static void read_reasons(const cJSON *reasons, struct counts *counts)
{
    const cJSON *read;
    cJSON_ArrayForEach(read, reasons)
    {
        if (!read->string || strlen(read->string) >= LONGEST_COUNTED_REASON ||
            !cJSON_IsNumber(read) || counts->reason_count == MOST_COUNTED_REASONS)
            continue;
        struct reason_count *reason = &counts->reasons[counts->reason_count++];
        snprintf(reason->text, sizeof reason->text, "%.*s", LONGEST_COUNTED_REASON - 1,
                 read->string);
        reason->count = (uint64_t)read->valuedouble;
    }
}

void counts_read(const char *text, struct counts *counts)
{
    cJSON *object = cJSON_Parse(text);
    *counts = (struct counts){0};
    for (size_t i = 0; i < MEMBER_COUNT; i++)
        *(uint64_t *)(void *)((char *)counts + members[i].at) =
            (uint64_t)json_number(object, members[i].name, 0);
    read_reasons(json_get(object, "reasons"), counts);
    cJSON_Delete(object);
}
