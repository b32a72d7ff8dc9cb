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
    struct text parts;            /* of an item: its values */
    struct text marked;           /* of an item with \u0000: the item for cJSON */
    struct text compact;          /* a value of an item as JSON, with marks */
};

/* cJSON ends a string at a NUL. A NUL on its way through cJSON is this sequence, which no valid
 * UTF-8 has (RFC 3629, 3). */
#define NUL_MARK "\xc0\x80"
enum { NUL_MARK_LENGTH = 2 };
#define NUL_ESCAPE "\\u0000"
enum { NUL_ESCAPE_LENGTH = 6 };

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

/* A copy of an item with marks in place of its \u0000; the item itself when it has none. */
static cJSON *parse_item(struct reading *reading, const struct row *row)
{
    const char *at = row->item, *end = at + row->item_length;
    struct text *marked = &reading->marked;
    if (!memmem(at, row->item_length, NUL_ESCAPE, NUL_ESCAPE_LENGTH))
        return cJSON_ParseWithLength(row->item, row->item_length);
    text_clear(marked);
    while (at < end) {
        size_t left = (size_t)(end - at), step = *at == '\\' && left > 1 ? 2 : 1;
        if (left >= NUL_ESCAPE_LENGTH && memcmp(at, NUL_ESCAPE, NUL_ESCAPE_LENGTH) == 0) {
            text_add(marked, NUL_MARK, NUL_MARK_LENGTH);
            step = NUL_ESCAPE_LENGTH;
        } else {
            text_add(marked, at, step);
        }
        at += step;
    }
    return cJSON_ParseWithLength(marked->at, marked->length);
}

/* Adds bytes with the NUL in another form in place of each mark. */
static void add_unmarked(struct text *out, const char *bytes, size_t length, const char *nul,
                         size_t nul_length)
{
    const char *end = bytes + length, *mark;
    while ((mark = memmem(bytes, (size_t)(end - bytes), NUL_MARK, NUL_MARK_LENGTH))) {
        text_add(out, bytes, (size_t)(mark - bytes));
        text_add(out, nul, nul_length);
        bytes = mark + NUL_MARK_LENGTH;
    }
    text_add(out, bytes, (size_t)(end - bytes));
}

/* The bytes of the values follow each other in reading->parts, which may move as it grows: until it
 * is complete, bytes is NULL. */
static void add_member(struct reading *reading, const cJSON *member)
{
    size_t before = reading->parts.length;
    struct read_value value = {.name = member->string, .kind = READ_JSON};
    if (cJSON_IsString(member)) {
        value.kind = READ_TEXT;
        add_unmarked(&reading->parts, member->valuestring, strlen(member->valuestring), "", 1);
    } else if (cJSON_IsNull(member)) {
        value.kind = READ_NULL;
    } else {
        text_clear(&reading->compact);
        json_compact(member, &reading->compact);
        add_unmarked(&reading->parts, text_string(&reading->compact), reading->compact.length,
                     NUL_ESCAPE, NUL_ESCAPE_LENGTH);
        if (cJSON_IsNumber(member))
            value.kind = READ_NUMBER;
        else if (cJSON_IsBool(member))
            value.kind = READ_BOOLEAN;
    }
    value.length = reading->parts.length - before;
    reading->values =
        must_grow(reading->values, reading->count, &reading->room, sizeof *reading->values);
    reading->values[reading->count++] = value;
}

static void point_to_parts(struct reading *reading)
{
    const char *at = text_string(&reading->parts);
    for (size_t i = 0; i < reading->count; i++) {
        struct read_value *value = &reading->values[i];
        value->bytes = at;
        at += value->length;
    }
}

static bool take_item(void *context, const struct row *row)
{
    struct reading *reading = context;
    cJSON *item = parse_item(reading, row);
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
    text_free(&reading.marked);
    text_free(&reading.compact);
    return status;
}
