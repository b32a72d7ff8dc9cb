#include "table.h"
#include "common/base/memory.h"
#include "common/spec/stores.h"
#include "member.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* --- compiling --- */

/* Sets the action's resource. NULL: the action cannot run here. */
static const struct action_table *find_table(const struct action_scope *scope,
                                             struct action *action, const char *name,
                                             enum table_kind kind)
{
    action->resource = must_copy(name);
    if (definition_is_template(name)) {
        definition_refuse(action, "the name of its table has ${...} in it: %s", name);
        return NULL;
    }
    for (size_t i = 0; i < scope->table_count; i++) {
        const struct table_definition *table = &scope->tables[i].definition;
        if (strcmp(table->name, name) == 0 && table->kind == kind)
            return &scope->tables[i];
    }
    definition_refuse(action, "no document of this type defines the table \"%s\"", name);
    return NULL;
}

enum status table_compile_timestream(const struct action_scope *scope, const cJSON *fields,
                                     struct action *action, struct error *error)
{
    static const struct {
        const char *name;
        double milliseconds;
    } units[] = {
        {"MILLISECONDS", 1}, {"SECONDS", 1e3}, {"MICROSECONDS", 1e-3}, {"NANOSECONDS", 1e-6}};
    const cJSON *dimension, *timestamp = json_get(fields, "timestamp");
    const char *unit = json_string(timestamp, "unit", "MILLISECONDS");
    const struct action_table *table =
        find_table(scope, action, json_string(fields, "tableName", ""), TABLE_READINGS);
    enum status status = FINE;
    if (table)
        action->oldest = table->oldest_seconds * 1000;
    if (json_get(timestamp, "value"))
        status = definition_template(action, "timestamp", json_string(timestamp, "value", ""),
                                     &action->time, error);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(unit, units[i].name) == 0)
            action->time_unit = units[i].milliseconds;
    if (action->time_unit == 0)
        definition_refuse(action, "\"%s\" is not a unit of time", unit);
    cJSON_ArrayForEach(dimension, json_get(fields, "dimensions"))
    {
        const char *name = json_string(dimension, "name", "");
        const char *value = json_string(dimension, "value", "");
        if (status)
            break;
        if (strcmp(name, "thing") == 0 && !action->thing)
            status = definition_template(action, name, value, &action->thing, error);
        else
            status = definition_add_field(action, name, value, error);
    }
    if (!action->thing)
        definition_refuse(action, "it has no dimension called \"thing\"");
    return status;
}

enum status table_compile_dynamodb(const struct action_scope *scope, const cJSON *fields,
                                   struct action *action, struct error *error)
{
    (void)error;
    find_table(scope, action, json_string(json_get(fields, "putItem"), "tableName", ""),
               TABLE_ITEMS);
    return FINE;
}

enum status table_compile_logs(const struct action_scope *scope, const cJSON *fields,
                               struct action *action, struct error *error)
{
    (void)scope, (void)error;
    action->resource = must_copy(json_string(fields, "logGroupName", ""));
    if (definition_is_template(action->resource))
        definition_refuse(action, "the name of its log group has ${...} in it: %s",
                          action->resource);
    if (json_true(fields, "batchMode"))
        definition_refuse(action, "batchMode is not supported here");
    return FINE;
}

/* --- columns --- */

/* Looks at the column `expected` first, then at those behind it, then at those before it. Members
 * mostly come in the order of the columns, so the first look mostly finds it. */
static struct column *find_column(const struct store_table *table, const char *name, size_t length,
                                  size_t expected)
{
    for (size_t i = 0; table->columns && i < table->column_count; i++) {
        size_t at =
            expected + i < table->column_count ? expected + i : expected + i - table->column_count;
        struct column *column = &table->columns[at];
        if (column->length == length && memcmp(column->name, name, length) == 0)
            return column;
    }
    return NULL;
}

/* FNV-1a */
static uint64_t hash_of(const char *bytes, size_t length)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(1099511628211);
    return hash;
}

/* Counts a column that this thing adds beyond the declared ones. False: it, or all together, have added as
 * many as they may. */
static bool may_add(struct store_table *table, const struct row *row)
{
    uint64_t thing = hash_of(row->thing, row->thing_length);
    size_t i = 0;
    if (!table->declared_count)
        return true;
    if (table->column_count >= table->declared_count + MOST_UNDECLARED)
        return false;
    while (i < table->adder_count && table->adders[i].thing != thing)
        i++;
    if (i == MOST_UNDECLARED || (i < table->adder_count && table->adders[i].count == MOST_OF_THING))
        return false;
    if (i == table->adder_count) {
        table->adders[i].thing = thing;
        table->adders[i].count = 0;
        table->adder_count++;
    }
    table->adders[i].count++;
    return true;
}

/* Finds the column, or adds it. *column is NULL when the table takes no such column. row: of the thing
 * whose reading has it; NULL: the rule has it. */
static enum status need_column(struct store_table *table, const char *name, size_t length,
                               enum column_kind kind, size_t expected, const struct row *row,
                               struct work *work, struct column **column, struct error *error)
{
    char copy[LONGEST_COLUMN + 1];
    *column = find_column(table, name, length, expected);
    if (*column)
        return FINE;
    if (length == 0 || length > LONGEST_COLUMN || memchr(name, '\0', length))
        return FINE;
    memcpy(copy, name, length);
    copy[length] = '\0';
    if (!store_may_add_column(table, copy) || (row && !may_add(table, row)))
        return FINE;
    enum status status = store_add_column(table, copy, kind, error);
    if (status)
        return status;
    *column = &table->columns[table->column_count - 1];
    work->cells[table->column_count - 1].set = false;
    return FINE;
}

/* --- Timestream --- */

static enum column_kind kind_of(const struct member *member)
{
    switch (member->kind) {
    case MEMBER_TRUE:
    case MEMBER_FALSE:
        return COLUMN_BOOLEAN;
    case MEMBER_INTEGER:
        return COLUMN_BIGINT;
    case MEMBER_DECIMAL:
        return COLUMN_DOUBLE;
    default:
        return COLUMN_VARCHAR;
    }
}

/* False: the column does not take the value. A column of decimals takes whole numbers too. */
static bool fill(const struct column *column, const struct member *member, struct cell *cell)
{
    enum column_kind kind = kind_of(member);
    cell->set = true;
    if (column->kind == COLUMN_DOUBLE && (kind == COLUMN_DOUBLE || kind == COLUMN_BIGINT))
        return member_number(member, &cell->as.number);
    if (column->kind != kind)
        return false;
    cell->as.integer = member->kind == MEMBER_TRUE;
    if (kind == COLUMN_BIGINT)
        return member_integer(member, &cell->as.integer);
    if (kind != COLUMN_VARCHAR)
        return true;
    cell->as.text.bytes = member->at;
    cell->as.text.length = member->length;
    return member->length <= STORES_LONGEST_TEXT && !memchr(member->at, '\0', member->length);
}

/* *filled: how many cells have a value. */
static enum status fill_measures(struct action *action, struct work *work, const struct row *row,
                                 size_t *filled, struct error *error)
{
    struct member_reader reader;
    struct member member;
    struct store_table *table = action->table;
    size_t expected = action->field_count < table->column_count ? action->field_count : 0;
    *filled = 0;
    if (work->raw || !member_begin(&reader, work->payload, work->length, work->unescaped)) {
        work_fail(work, action, "What was selected is not a JSON object");
        return FINE;
    }
    while (member_next(&reader, &member)) {
        struct column *column;
        if (member.kind == MEMBER_NULL)
            continue;
        enum status status = need_column(table, member.name, member.name_length, kind_of(&member),
                                         expected, row, work, &column, error);
        if (status)
            return status;
        if (!column) {
            work_fail(work, action, "The table takes no column called \"%.*s\"",
                      (int)(member.name_length < 64 ? member.name_length : 64), member.name);
            continue;
        }
        size_t at = (size_t)(column - table->columns);
        expected = at + 1 < table->column_count ? at + 1 : 0;
        work->cells[at].set = fill(column, &member, &work->cells[at]);
        *filled += work->cells[at].set;
        if (!work->cells[at].set)
            work_fail(work, action, "\"%.*s\" is not a value for column \"%s\" of type %s",
                      (int)(member.length < 64 ? member.length : 64), member.at, column->name,
                      column_kind_name(column->kind));
    }
    return FINE;
}

/* *done is false, and a failure is noted, when a dimension has no value that the table takes. */
static enum status fill_dimensions(struct action *action, struct work *work, bool *done,
                                   struct error *error)
{
    for (size_t i = 0; i < action->field_count; i++) {
        const struct action_field *field = &action->fields[i];
        struct column *column;
        struct rule_result text;
        *done = work_template(work, action, field->value, &text);
        if (!*done)
            return FINE;
        enum status status = need_column(action->table, field->name, field->length, COLUMN_VARCHAR,
                                         i, NULL, work, &column, error);
        if (status)
            return status;
        *done = column && column->kind == COLUMN_VARCHAR && text.length <= STORES_LONGEST_TEXT &&
                !memchr(text.bytes, '\0', text.length);
        if (!*done) {
            work_fail(work, action, "The table does not take the value of dimension \"%s\"",
                      field->name);
            return FINE;
        }
        struct cell *cell = &work->cells[column - action->table->columns];
        cell->set = text.length > 0;
        cell->as.text.bytes = text.bytes;
        cell->as.text.length = text.length;
    }
    return FINE;
}

static bool is_whole(const char *text, size_t length)
{
    size_t i = length > 0 && *text == '-';
    bool whole = i < length;
    for (; i < length && whole; i++)
        whole = text[i] >= '0' && text[i] <= '9';
    return whole;
}

/* The row's time, in milliseconds since 1970. False, and a failure is noted, when it is not a whole
 * number or outside the range that the table takes. */
static bool read_time(const struct action *action, const struct work *work, int64_t *time)
{
    struct rule_result text;
    int64_t accepted = work->message->time;
    *time = accepted;
    if (!action->time)
        return true;
    if (!work_template(work, action, action->time, &text))
        return false;
    const struct member number = {.at = text.bytes, .length = text.length};
    if (!is_whole(text.bytes, text.length) || !member_integer(&number, time)) {
        work_fail(work, action, "The timestamp \"%.*s\" is not a whole number",
                  (int)(text.length < 64 ? text.length : 64), text.bytes);
        return false;
    }
    if (action->time_unit != 1) {
        double scaled = floor((double)*time * action->time_unit);
        *time = fabs(scaled) < 9e18 ? (int64_t)scaled : INT64_MAX;
    }
    if (*time > accepted + STORES_AHEAD_MILLISECONDS ||
        (action->oldest > 0 && (double)*time < (double)accepted - action->oldest)) {
        work_fail(work, action,
                  "The record timestamp %" PRId64 " is outside the time range of the memory store",
                  *time);
        return false;
    }
    return true;
}

/* A time that is that of the arrival to the millisecond is this machine's. */
static void note_time(const struct work *work, int64_t time)
{
    if (work->newest && time != work->message->time && time > 0 && (uint64_t)time > *work->newest)
        *work->newest = (uint64_t)time;
}

enum status table_run_timestream(struct action *action, struct work *work, struct error *error)
{
    struct rule_result thing;
    struct row row = {.token = work->token, .cells = work->cells};
    bool done = true;
    size_t filled = 0;
    for (size_t i = 0; i < action->table->column_count; i++)
        work->cells[i].set = false;
    if (!work_template(work, action, action->thing, &thing))
        return FINE;
    if (!thing.length || thing.length > LONGEST_THING || memchr(thing.bytes, '\0', thing.length)) {
        work_fail(work, action, "The table does not take the value of dimension \"thing\"");
        return FINE;
    }
    row.thing = thing.bytes;
    row.thing_length = thing.length;
    if (!read_time(action, work, &row.time))
        return FINE;
    enum status status = fill_dimensions(action, work, &done, error);
    if (!status && done)
        status = fill_measures(action, work, &row, &filled, error);
    if (!status && done && filled) {
        note_time(work, row.time);
        status = store_put(action->table, &row, error);
    }
    return status;
}

/* --- DynamoDB --- */

static bool whole_number(const struct member *member, int64_t *integer)
{
    double number;
    if (member->kind == MEMBER_INTEGER)
        return member_integer(member, integer);
    if (member->kind != MEMBER_DECIMAL || !member_number(member, &number) || fabs(number) > 9e15)
        return false;
    *integer = (int64_t)number;
    return (double)*integer == number;
}

static bool is_called(const struct member *member, const char *name)
{
    return member->name_length == strlen(name) &&
           memcmp(member->name, name, member->name_length) == 0;
}

static bool is_key(const char *bytes, size_t length, size_t longest)
{
    return bytes && length > 0 && length <= longest && !memchr(bytes, '\0', length);
}

/* In a table whose sort key is id, time is an ordinary attribute. An item without it gets the time
 * at which its message was accepted. */
enum status table_run_dynamodb(struct action *action, struct work *work, struct error *error)
{
    struct row row = {.time = work->message->time,
                      .item = work->payload,
                      .item_length = work->length,
                      .token = work->token};
    const bool by_id = action->table->by_id;
    struct member_reader reader;
    struct member member;
    int64_t time;
    bool timed = false;
    if (work->raw || !member_begin(&reader, work->payload, work->length, work->unescaped)) {
        work_fail(work, action, "What was selected is not a JSON object");
        return FINE;
    }
    while (member_next(&reader, &member)) {
        if (is_called(&member, "thing") && member.kind == MEMBER_STRING) {
            row.thing = member.at;
            row.thing_length = member.length;
        } else if (is_called(&member, "time")) {
            timed = whole_number(&member, &time);
            row.time = timed ? time : row.time;
        } else if (by_id && is_called(&member, "id") && member.kind == MEMBER_STRING) {
            row.id = member.at;
            row.id_length = member.length;
        } else if (is_called(&member, "expires") && !whole_number(&member, &row.expires)) {
            row.expires = 0;
        }
    }
    if (!is_key(row.thing, row.thing_length, LONGEST_THING) ||
        !(by_id ? is_key(row.id, row.id_length, LONGEST_ID) : timed)) {
        work_fail(work, action, "The item lacks its key: thing (text) and %s",
                  by_id ? "id (text)" : "time (a whole number)");
        return FINE;
    }
    return work->failures->failed ? fail_memory(error) : store_put(action->table, &row, error);
}

/* --- the log table --- */

/* The log table holds text. A payload that is not UTF-8, or has a NUL, is put as a JSON string, in
 * which wrong bytes are replaced. */
enum status table_run_logs(struct action *action, struct work *work, struct error *error)
{
    struct buffer text = {0};
    enum status status = FINE;
    bool plain =
        !memchr(work->payload, '\0', work->length) && utf8_valid(work->payload, work->length, NULL);
    if (plain)
        return store_put_log(work->store, work->message->time, action->resource, work->payload,
                             work->length, error);
    buffer_add_json(&text, work->payload, work->length);
    if (text.failed)
        status = fail_memory(error);
    else
        status = store_put_log(work->store, work->message->time, action->resource, text.at,
                               text.length, error);
    buffer_free(&text);
    return status;
}
