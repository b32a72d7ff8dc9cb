#include "postgres_read.h"
#include "common/base/memory.h"
#include "postgres_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum status postgres_position(struct store *base, uint64_t *position, char counts[LONGEST_COUNTS],
                              struct error *error)
{
    struct postgres_store *store = (struct postgres_store *)base;
    PGresult *result;
    *position = 0;
    *counts = '\0';
    enum status status =
        postgres_ask(store, "SELECT position, counts FROM \"_hub\"", 0, NULL, &result, error);
    if (status)
        return status;
    if (pq.ntuples(result)) {
        *position = strtoull(pq.getvalue(result, 0, 0), NULL, 10);
        snprintf(counts, LONGEST_COUNTS, "%s", pq.getvalue(result, 0, 1));
    }
    pq.clear(result);
    return FINE;
}

/* --- rows --- */

static void add_query(const struct postgres_table *own, const struct store_query *query,
                      struct text *sql)
{
    if (!query->thing)
        text_add_format(sql,
                        "WITH RECURSIVE _one(name) AS (SELECT min(thing) FROM %s UNION ALL"
                        " SELECT (SELECT min(thing) FROM %s WHERE thing > _one.name) FROM _one"
                        " WHERE _one.name IS NOT NULL) ",
                        own->quoted, own->quoted);
    text_add_string(sql, "SELECT t.thing, t.time");
    if (own->table.kind == TABLE_ITEMS)
        text_add_string(sql, ", t.item");
    postgres_add_columns(&own->table, "t.", sql);
    text_add_format(sql,
                    " FROM %s t%s WHERE t.thing = %s AND t.time >= $1::bigint"
                    " AND t.time < $2::bigint ORDER BY t.time DESC%s%s LIMIT $3::bigint",
                    own->quoted, query->thing ? "" : " JOIN _one ON t.thing = _one.name",
                    query->thing ? "$4::text" : "_one.name", query->thing ? "" : ", t.thing DESC",
                    own->table.kind == TABLE_ITEMS ? ", t.id DESC" : "");
}

static void read_cell(const PGresult *result, int at, enum column_kind kind, struct cell *cell)
{
    const char *value = pq.getvalue(result, 0, at);
    cell->set = !pq.getisnull(result, 0, at);
    if (kind == COLUMN_DOUBLE) {
        cell->as.number = strtod(value, NULL);
    } else if (kind == COLUMN_BIGINT) {
        cell->as.integer = strtoll(value, NULL, 10);
    } else if (kind == COLUMN_BOOLEAN) {
        cell->as.integer = *value == 't';
    } else {
        cell->as.text.bytes = value;
        cell->as.text.length = (size_t)pq.getlength(result, 0, at);
    }
}

static bool hand_out(const struct store_table *table, const PGresult *result, struct cell *cells,
                     bool (*each)(void *context, const struct row *row), void *context)
{
    struct row row = {.thing = pq.getvalue(result, 0, 0),
                      .thing_length = (size_t)pq.getlength(result, 0, 0),
                      .time = strtoll(pq.getvalue(result, 0, 1), NULL, 10),
                      .cells = cells};
    if (table->kind == TABLE_ITEMS) {
        row.item = pq.getvalue(result, 0, 2);
        row.item_length = (size_t)pq.getlength(result, 0, 2);
    }
    for (size_t i = 0; i < table->column_count; i++)
        read_cell(result, (int)i + 2, table->columns[i].kind, &cells[i]);
    return each(context, &row);
}

enum status postgres_query(struct store_table *table, const struct store_query *query,
                           bool (*each)(void *context, const struct row *row), void *context,
                           struct error *error)
{
    struct postgres_store *store = (struct postgres_store *)table->store;
    owned struct cell *cells = must_array(table->column_count, sizeof *cells);
    char from[POSTGRES_NUMBER], until[POSTGRES_NUMBER], limit[POSTGRES_NUMBER];
    const char *const values[] = {
        postgres_print(query->from, from), postgres_print(query->until, until),
        query->limit ? postgres_print((int64_t)query->limit, limit) : NULL, query->thing};
    struct text sql = {0};
    enum status status = FINE;
    PGresult *result;
    bool wanted = true;
    add_query((struct postgres_table *)table, query, &sql);
    if (!pq.sendQueryParams(store->connection, text_string(&sql), query->thing ? 4 : 3, NULL,
                            values, NULL, NULL, 0) ||
        !pq.setSingleRowMode(store->connection))
        status = postgres_failed(store, NULL, error);
    text_free(&sql);
    while ((result = pq.getResult(store->connection))) {
        ExecStatusType state = pq.resultStatus(result);
        if (state == PGRES_SINGLE_TUPLE && wanted && !status)
            wanted = hand_out(table, result, cells, each, context);
        else if (state != PGRES_SINGLE_TUPLE && state != PGRES_TUPLES_OK && !status)
            status = postgres_failed(store, result, error);
        pq.clear(result);
    }
    return status;
}
