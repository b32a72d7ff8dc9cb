#include "postgres_write.h"
#include "common/base/memory.h"
#include "postgres_copy.h"
#include "postgres_table.h"
#include "postgres_waiting.h"

#include <stdlib.h>
#include <string.h>

/* --- copying --- */

static void add_cell(struct buffer *rows, enum column_kind kind, const struct cell *cell)
{
    int64_t bits;
    char truth = cell->as.integer != 0;
    if (!cell->set) {
        copy_add_32(rows, UINT32_MAX);
    } else if (kind == COLUMN_DOUBLE) {
        memcpy(&bits, &cell->as.number, sizeof bits);
        copy_add_number(rows, bits);
    } else if (kind == COLUMN_BIGINT) {
        copy_add_number(rows, cell->as.integer);
    } else if (kind == COLUMN_BOOLEAN) {
        copy_add_bytes(rows, &truth, 1);
    } else {
        copy_add_bytes(rows, cell->as.text.bytes, cell->as.text.length);
    }
}

static enum status send_rows(struct postgres_store *store, struct postgres_table *own,
                             struct error *error)
{
    enum status status = FINE;
    if (!own->rows.length)
        return FINE;
    if (own->rows.failed)
        return fail_memory(error);
    if (own->merged) {
        owned char *sql = must_format("DELETE FROM %s", own->staging);
        status = postgres_run(store, sql, error);
        own->merged = false;
    }
    return status ? status : copy_send(store, own->staging, &own->rows, error);
}

/* A statement about this table failed, or not. */
static enum status blame(struct postgres_table *own, enum status status)
{
    struct postgres_store *store = (struct postgres_store *)own->table.store;
    if (status && postgres_is_about_table(store))
        store->store.troubled = own->table.name;
    return status;
}

enum status postgres_add_column(struct store_table *table, const char *name, enum column_kind kind,
                                struct error *error)
{
    struct postgres_store *store = (struct postgres_store *)table->store;
    struct postgres_table *own = (struct postgres_table *)table;
    struct text column = {0};
    add_quoted(&column, name);
    owned char *sql = must_format("ALTER TABLE %s ADD COLUMN %s %s", own->quoted,
                                  text_string(&column), postgres_type(kind));
    owned char *staging = must_format("ALTER TABLE %s ADD COLUMN c%zu %s", own->staging,
                                      table->column_count, postgres_type(kind));
    text_free(&column);
    enum status status = send_rows(store, own, error);
    if (!status)
        status = postgres_run(store, sql, error);
    if (!status)
        status = postgres_run(store, staging, error);
    return blame(own, status);
}

/* --- writing --- */

enum status postgres_begin(struct store *base, struct error *error)
{
    struct postgres_store *store = (struct postgres_store *)base;
    store->rejected.count = 0;
    store->sqlstate[0] = '\0';
    store->settlement = (struct settlement){0};
    return postgres_run(store, "BEGIN", error);
}

enum status postgres_put(struct store_table *table, const struct row *row, struct error *error)
{
    struct postgres_table *own = (struct postgres_table *)table;
    struct buffer *rows = &own->rows;
    bool items = table->kind == TABLE_ITEMS;
    copy_add_16(rows, (uint16_t)(3 + (items ? 3 : table->column_count)));
    copy_add_number(rows, (int64_t)own->tokens.count);
    copy_add_bytes(rows, row->thing, row->thing_length);
    copy_add_number(rows, row->time);
    if (items) {
        copy_add_bytes(rows, row->id_length ? row->id : "", row->id_length);
        if (row->expires)
            copy_add_number(rows, row->expires);
        else
            copy_add_32(rows, UINT32_MAX);
        copy_add_bytes(rows, row->item, row->item_length);
    }
    for (size_t i = 0; i < table->column_count; i++)
        add_cell(rows, table->columns[i].kind, &row->cells[i]);
    if (!tokens_add(&own->tokens, row->token) || rows->failed)
        return fail_memory(error);
    if (rows->length < COPY_BYTES)
        return FINE;
    return blame(own, send_rows((struct postgres_store *)table->store, own, error));
}

/* Adds the form for each column, and between two of them the text `between`. In the form, $ stands
 * for the column of the table, and % for that of the temporary table. */
static void add_each(const struct store_table *table, const char *between, const char *form,
                     struct text *sql)
{
    for (size_t i = 0; i < table->column_count; i++) {
        text_add_string(sql, i ? between : "");
        for (const char *c = form; *c; c++) {
            if (*c == '$')
                add_quoted(sql, table->columns[i].name);
            else if (*c == '%')
                text_add_format(sql, "c%zu", i);
            else
                text_add_char(sql, *c);
        }
    }
}

/* The condition that no value of the temporary row i differs from that of the row t. */
static void add_agreement(const struct store_table *table, struct text *sql)
{
    add_each(table, " AND ", "coalesce(t.$ = i.%, true)", sql);
}

/* Fills columns that are NULL in the table with values of temporary rows that agree with it.
 *
 * The result must be the same as if the rows came one by one. So each turn of the loop takes, for
 * each thing and time, the first temporary row that agrees and has something to fill; the next turn
 * compares the rest with the result. A turn fills at least one column of a row, so there are at
 * most as many turns as columns; mostly there is only one, which finds nothing. A row that
 * disagrees never agrees later, because a value is never changed. */
static enum status fill_gaps(struct postgres_store *store, struct postgres_table *own,
                             struct error *error)
{
    struct text sql = {0};
    uint64_t filled = 1;
    enum status status = FINE;
    text_add_format(&sql, "UPDATE %s t SET ", own->quoted);
    add_each(&own->table, ", ", "$ = coalesce(t.$, i.%)", &sql);
    text_add_format(&sql,
                    " FROM (SELECT DISTINCT ON (i.thing, i.time) i.* FROM %s i JOIN %s t"
                    " ON t.thing = i.thing AND t.time = i.time WHERE (",
                    own->staging, own->quoted);
    add_each(&own->table, " OR ", "t.$ IS NULL AND i.% IS NOT NULL", &sql);
    text_add_string(&sql, ") AND ");
    add_agreement(&own->table, &sql);
    text_add_string(&sql, " ORDER BY i.thing, i.time, i.n) i"
                          " WHERE t.thing = i.thing AND t.time = i.time");
    while (!status && filled)
        status = postgres_tell(store, text_string(&sql), 0, NULL, &filled, error);
    text_free(&sql);
    return status;
}

/* Called when some thing and time were in the table already: fills gaps, and finds the rows that
 * disagree. */
static enum status merge_again(struct postgres_store *store, struct postgres_table *own,
                               struct error *error)
{
    struct text sql = {0};
    PGresult *list = NULL;
    if (!own->table.column_count)
        return FINE;
    enum status status = fill_gaps(store, own, error);
    text_add_format(&sql,
                    "SELECT i.n FROM %s i JOIN %s t ON t.thing = i.thing AND t.time = i.time"
                    " WHERE NOT (",
                    own->staging, own->quoted);
    add_agreement(&own->table, &sql);
    text_add_string(&sql, ") ORDER BY i.n");
    if (!status)
        status = postgres_ask(store, text_string(&sql), 0, NULL, &list, error);
    for (int i = 0; !status && i < pq.ntuples(list); i++) {
        size_t number = strtoull(pq.getvalue(list, i, 0), NULL, 10);
        if (number >= own->tokens.count || !tokens_add(&store->rejected, own->tokens.at[number]))
            status = fail_memory(error);
    }
    pq.clear(list);
    text_free(&sql);
    return status;
}

static enum status merge_readings(struct postgres_store *store, struct postgres_table *own,
                                  struct error *error)
{
    struct text sql = {0};
    uint64_t stored = 0, staged = own->tokens.count;
    size_t rejected = store->rejected.count;
    text_add_format(&sql, "INSERT INTO %s (thing, time", own->quoted);
    postgres_add_columns(&own->table, "", &sql);
    text_add_string(&sql, ") SELECT thing, time");
    for (size_t i = 0; i < own->table.column_count; i++)
        text_add_format(&sql, ", c%zu", i);
    text_add_format(&sql, " FROM %s ORDER BY n ON CONFLICT DO NOTHING", own->staging);
    enum status status = postgres_tell(store, text_string(&sql), 0, NULL, &stored, error);
    text_free(&sql);
    if (!status && stored < staged)
        status = merge_again(store, own, error);
    rejected = store->rejected.count - rejected;
    store->settlement.stored += stored;
    store->settlement.duplicates += staged - stored - rejected;
    return status;
}

static enum status merge_items(struct postgres_store *store, struct postgres_table *own,
                               struct error *error)
{
    owned char *sql = must_format(
        "INSERT INTO %s (thing, time, id, expires, item) SELECT DISTINCT ON (thing, time, id)"
        " thing, time, id, expires, item FROM %s ORDER BY thing, time, id, n DESC"
        " ON CONFLICT (thing, time, id) DO UPDATE SET item = excluded.item,"
        " expires = excluded.expires",
        own->quoted, own->staging);
    store->settlement.stored += own->tokens.count;
    return postgres_run(store, sql, error);
}

static enum status merge(struct postgres_store *store, struct error *error)
{
    enum status status = postgres_send_waiting(store, error);
    for (struct postgres_table *own = store->tables; own && !status; own = own->next) {
        if (!own->tokens.count)
            continue;
        status = send_rows(store, own, error);
        if (!status)
            status = own->table.kind == TABLE_ITEMS ? merge_items(store, own, error)
                                                    : merge_readings(store, own, error);
        status = blame(own, status);
        own->tokens.count = 0;
        own->merged = true;
    }
    return status;
}

enum status postgres_settle(struct store *base, struct settlement *settlement, struct error *error)
{
    struct postgres_store *store = (struct postgres_store *)base;
    enum status status = merge(store, error);
    store->settlement.rejected = store->rejected.at;
    store->settlement.rejected_count = store->rejected.count;
    *settlement = store->settlement;
    return status;
}

enum status postgres_put_log(struct store *base, int64_t time, const char *group,
                             const char *message, size_t length, struct error *error)
{
    char number[POSTGRES_NUMBER];
    const char *const values[] = {postgres_print(time, number), group, message};
    const int lengths[] = {0, 0, (int)length}, formats[] = {0, 0, 1};
    struct postgres_store *store = (struct postgres_store *)base;
    postgres_call_begins(store);
    PGresult *result = pq.execParams(
        store->connection,
        "INSERT INTO \"_log\" (time, log_group, message) VALUES ($1::bigint, $2::text, $3::text)",
        3, NULL, values, lengths, formats, 0);
    postgres_call_ends(store);
    enum status status =
        pq.resultStatus(result) == PGRES_COMMAND_OK ? FINE : postgres_failed(store, result, error);
    pq.clear(result);
    return status;
}

enum status postgres_commit(struct store *base, uint64_t position, const char *counts,
                            struct error *error)
{
    char number[POSTGRES_NUMBER];
    const char *const values[] = {postgres_print((int64_t)position, number), counts};
    struct postgres_store *store = (struct postgres_store *)base;
    enum status status = merge(store, error); /* rows that error actions put after the settling */
    if (!status)
        status = postgres_tell(store,
                               "INSERT INTO \"_hub\" VALUES (1, $1::bigint, $2::text)"
                               " ON CONFLICT (id) DO UPDATE SET position = excluded.position,"
                               " counts = excluded.counts",
                               2, values, NULL, error);
    if (!status)
        status = postgres_run(store, "COMMIT", error);
    for (struct postgres_table *own = store->tables; own; own = own->next)
        own->merged = false; /* the commit emptied the temporary table: ON COMMIT DELETE ROWS */
    return status;
}
