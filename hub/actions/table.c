/* Actions that put rows: Timestream's and DynamoDB's. */
#include "action.h"
#include "member.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum {
    LONGEST_VALUE = 2048,               /* bytes of a string or dimension (Timestream's quotas) */
    AHEAD_MILLISECONDS = 15 * 60 * 1000 /* how far ahead a reading may be (the same) */
};

/* --- columns --- */

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

/* The column of this name, made where there is none yet; *column NULL when it may not be made. */
static enum status need_column(struct store_table *table, const char *name, size_t length,
                               enum column_kind kind, size_t expected, struct work *work,
                               struct column **column, struct error *error)
{
    char copy[LONGEST_COLUMN + 1];
    *column = find_column(table, name, length, expected);
    if (*column)
        return FINE;
    if (length == 0 || length > LONGEST_COLUMN || memchr(name, '\0', length))
        return FINE;
    memcpy(copy, name, length);
    copy[length] = '\0';
    if (!store_may_add_column(table, copy))
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

/* False when the column takes no such value. A whole number is a decimal as well, where decimals
 * are. */
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
    return member->length <= LONGEST_VALUE && !memchr(member->at, '\0', member->length);
}

static enum status fill_measures(struct action *action, struct work *work, size_t *filled,
                                 struct error *error)
{
    struct members members;
    struct member member;
    struct store_table *table = action->table;
    size_t expected = action->pair_count < table->column_count ? action->pair_count : 0;
    *filled = 0;
    if (work->raw || !members_begin(&members, work->payload, work->length, work->spare)) {
        failure_add(work->failures, action, "What was selected is not a JSON object");
        return FINE;
    }
    while (members_next(&members, &member)) {
        struct column *column;
        if (member.kind == MEMBER_NULL)
            continue;
        enum status status = need_column(table, member.name, member.name_length, kind_of(&member),
                                         expected, work, &column, error);
        if (status)
            return status;
        if (!column) {
            failure_add(work->failures, action, "The table takes no column called \"%.*s\"",
                        (int)(member.name_length < 64 ? member.name_length : 64), member.name);
            continue;
        }
        size_t at = (size_t)(column - table->columns);
        expected = at + 1 < table->column_count ? at + 1 : 0;
        work->cells[at].set = fill(column, &member, &work->cells[at]);
        *filled += work->cells[at].set;
        if (!work->cells[at].set)
            failure_add(work->failures, action, "\"%.*s\" is no value for column \"%s\", %s",
                        (int)(member.length < 64 ? member.length : 64), member.at, column->name,
                        column_kind_name(column->kind));
    }
    return FINE;
}

static enum status fill_dimensions(struct action *action, struct work *work, bool *done,
                                   struct error *error)
{
    for (size_t i = 0; i < action->pair_count; i++) {
        const struct pair *pair = &action->pairs[i];
        struct column *column;
        struct rule_result text;
        *done = run_template(action, work, pair->value, &text);
        if (!*done)
            return FINE;
        enum status status = need_column(action->table, pair->name, pair->length, COLUMN_VARCHAR, i,
                                         work, &column, error);
        if (status)
            return status;
        *done = column && column->kind == COLUMN_VARCHAR && text.length <= LONGEST_VALUE &&
                !memchr(text.bytes, '\0', text.length);
        if (!*done) {
            failure_add(work->failures, action, "The value of dimension \"%s\" is not taken",
                        pair->name);
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

/* In milliseconds since 1970. */
static bool read_time(const struct action *action, const struct work *work, int64_t *time)
{
    struct rule_result text;
    int64_t came = work->message->time;
    *time = came;
    if (!action->time)
        return true;
    if (!run_template(action, work, action->time, &text))
        return false;
    const struct member number = {.at = text.bytes, .length = text.length};
    if (!is_whole(text.bytes, text.length) || !member_integer(&number, time)) {
        failure_add(work->failures, action, "The timestamp \"%.*s\" is not a whole number",
                    (int)(text.length < 64 ? text.length : 64), text.bytes);
        return false;
    }
    if (action->time_unit != 1) {
        double scaled = floor((double)*time * action->time_unit);
        *time = fabs(scaled) < 9e18 ? (int64_t)scaled : INT64_MAX;
    }
    /* Without an upper end for the table's retention there is none for how old a reading may be. */
    if (*time > came + AHEAD_MILLISECONDS ||
        (action->oldest > 0 && (double)*time < (double)came - action->oldest)) {
        failure_add(work->failures, action,
                    "The record timestamp %" PRId64
                    " is outside the time range of the memory store",
                    *time);
        return false;
    }
    return true;
}

enum status run_timestream(struct action *action, struct work *work, struct error *error)
{
    struct rule_result thing;
    struct row row = {.token = work->token, .cells = work->cells};
    bool done = true;
    size_t filled = 0;
    for (size_t i = 0; i < action->table->column_count; i++)
        work->cells[i].set = false;
    if (!run_template(action, work, action->thing, &thing))
        return FINE;
    if (!thing.length || thing.length > LONGEST_THING || memchr(thing.bytes, '\0', thing.length)) {
        failure_add(work->failures, action, "The value of dimension \"thing\" is not taken");
        return FINE;
    }
    row.thing = thing.bytes;
    row.thing_length = thing.length;
    if (!read_time(action, work, &row.time))
        return FINE;
    enum status status = fill_dimensions(action, work, &done, error);
    if (!status && done)
        status = fill_measures(action, work, &filled, error);
    if (!status && done && filled)
        status = store_put(action->table, &row, error);
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

/* A text that a key may be. */
static bool is_key(const char *bytes, size_t length, size_t longest)
{
    return bytes && length > 0 && length <= longest && !memchr(bytes, '\0', length);
}

/* Where the sort key is id, time is an attribute like others, and a row without it has the time at
 * which its message came. */
enum status run_dynamodb(struct action *action, struct work *work, struct error *error)
{
    struct row row = {.time = work->message->time,
                      .item = work->payload,
                      .item_length = work->length,
                      .token = work->token};
    const bool by_id = action->table->by_id;
    struct members members;
    struct member member;
    int64_t time;
    bool timed = false;
    if (work->raw || !members_begin(&members, work->payload, work->length, work->spare)) {
        failure_add(work->failures, action, "What was selected is not a JSON object");
        return FINE;
    }
    while (members_next(&members, &member)) {
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
        failure_add(work->failures, action, "The item lacks its key: thing (text) and %s",
                    by_id ? "id (text)" : "time (a whole number)");
        return FINE;
    }
    return work->failures->failed ? fail_memory(error) : store_put(action->table, &row, error);
}
