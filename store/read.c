#include "read.h"
#include "common/base/json.h"
#include "common/base/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_ROOM = 32 };

struct reading {
    const struct store_table *table;
    bool (*each)(void *context, const struct read_row *row);
    void *context;

    /* Of the row that is handed out. */
    struct read_value *values;
    size_t count, room;
    char (*numbers)[NUMBER_ROOM]; /* of readings: the text of each value that is not a text */
    struct text parts;            /* of an item: the JSON of its numbers, objects and arrays */
};

static bool hand_out(struct reading *reading, const struct row *row)
{
    const struct read_row made = {.time = row->time,
                                  .thing = row->thing,
                                  .thing_length = row->thing_length,
                                  .values = reading->values,
                                  .count = reading->count};
    return reading->each(reading->context, &made);
}

/* --- readings --- */

static struct read_value read_cell(const struct column *column, const struct cell *cell,
                                   char number[NUMBER_ROOM])
{
    struct read_value value = {.name = column->name, .kind = READ_NUMBER, .bytes = number};
    *number = '\0';
    if (!cell->set) {
        value.kind = READ_NULL;
    } else if (column->kind == COLUMN_VARCHAR) {
        value.kind = READ_TEXT;
        value.bytes = cell->as.text.bytes;
        value.length = cell->as.text.length;
        return value;
    } else if (column->kind == COLUMN_BOOLEAN) {
        value.kind = READ_BOOLEAN;
        snprintf(number, NUMBER_ROOM, "%s", cell->as.integer ? "true" : "false");
    } else if (column->kind == COLUMN_DOUBLE) {
        json_format_number(cell->as.number, number);
    } else {
        snprintf(number, NUMBER_ROOM, "%" PRId64, cell->as.integer);
    }
    value.length = strlen(number);
    return value;
}

static bool take_reading(void *context, const struct row *row)
{
    struct reading *reading = context;
    for (size_t i = 0; i < reading->count; i++)
        reading->values[i] =
            read_cell(&reading->table->columns[i], &row->cells[i], reading->numbers[i]);
    return hand_out(reading, row);
}

/* --- items --- */

/* The bytes of what is not a text follow each other in reading->parts, which may move as it grows:
 * until it is complete, bytes is NULL. */
static void add_member(struct reading *reading, const cJSON *member)
{
    size_t before = reading->parts.length;
    struct read_value value = {.name = member->string, .kind = READ_JSON};
    if (cJSON_IsString(member)) {
        value.kind = READ_TEXT;
        value.bytes = member->valuestring;
        value.length = strlen(member->valuestring);
    } else if (cJSON_IsNull(member)) {
        value.kind = READ_NULL;
    } else {
        json_compact(member, &reading->parts);
        value.length = reading->parts.length - before;
        if (cJSON_IsNumber(member))
            value.kind = READ_NUMBER;
        else if (cJSON_IsBool(member))
            value.kind = READ_BOOLEAN;
    }
    reading->values =
        must_grow(reading->values, reading->count, &reading->room, sizeof *reading->values);
    reading->values[reading->count++] = value;
}

static void point_to_parts(struct reading *reading)
{
    const char *at = text_string(&reading->parts);
    for (size_t i = 0; i < reading->count; i++) {
        struct read_value *value = &reading->values[i];
        if (value->bytes)
            continue;
        value->bytes = value->kind == READ_NULL ? "" : at;
        at += value->length;
    }
}

static bool take_item(void *context, const struct row *row)
{
    struct reading *reading = context;
    cJSON *item = cJSON_ParseWithLength(row->item, row->item_length);
    const cJSON *member;
    reading->count = 0;
    text_clear(&reading->parts);
    cJSON_ArrayForEach(member, item)
    {
        if (member->string && strcmp(member->string, "thing") != 0 &&
            strcmp(member->string, "time") != 0)
            add_member(reading, member);
    }
    point_to_parts(reading);
    bool more = hand_out(reading, row);
    cJSON_Delete(item);
    return more;
}

enum status read_rows(struct store_table *table, const struct store_query *query,
                      bool (*each)(void *context, const struct read_row *row), void *context,
                      struct error *error)
{
    struct reading reading = {.table = table, .each = each, .context = context};
    bool items = table->kind == TABLE_ITEMS;
    if (!items) {
        reading.count = table->column_count;
        reading.values = must_array(reading.count, sizeof *reading.values);
        reading.numbers = must_array(reading.count, sizeof *reading.numbers);
    }
    enum status status =
        store_query(table, query, items ? take_item : take_reading, &reading, error);
    free(reading.values);
    free(reading.numbers);
    text_free(&reading.parts);
    return status;
}
