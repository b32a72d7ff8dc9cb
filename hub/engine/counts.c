#include "counts.h"
#include "common/base/json.h"

#include <inttypes.h>
#include <stdio.h>

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
};

enum { MEMBER_COUNT = sizeof members / sizeof *members };

void counts_write(const struct counts *counts, char text[LONGEST_COUNTS])
{
    size_t length = 0;
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        uint64_t count = *(const uint64_t *)(const void *)((const char *)counts + members[i].at);
        length += (size_t)snprintf(text + length, LONGEST_COUNTS - length, "%s\"%s\": %" PRIu64,
                                   i ? ", " : "{", members[i].name, count);
    }
    snprintf(text + length, LONGEST_COUNTS - length, "}");
}

void counts_read(const char *text, struct counts *counts)
{
    cJSON *object = cJSON_Parse(text);
    *counts = (struct counts){0};
    for (size_t i = 0; i < MEMBER_COUNT; i++)
        *(uint64_t *)(void *)((char *)counts + members[i].at) =
            (uint64_t)json_number(object, members[i].name, 0);
    cJSON_Delete(object);
}
