#include "postgres_table.h"
#include "common/base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { LONGEST_NAME = 63 /* bytes: the server cuts off the rest (NAMEDATALEN) */ };

#define CHUNK_MILLISECONDS "604800000" /* a week */

const char *postgres_type(enum column_kind kind)
{
    static const char *const names[] = {[COLUMN_DOUBLE] = "DOUBLE PRECISION",
                                        [COLUMN_BIGINT] = "BIGINT",
                                        [COLUMN_BOOLEAN] = "BOOLEAN",
                                        [COLUMN_VARCHAR] = "TEXT"};
    return names[kind];
}

/* The names of the columns that the server adds to every table (PostgreSQL manual, "System
 * Columns"). The schema of specs has the same list, for names of measures and attributes. */
bool postgres_takes_name(const char *name)
{
    static const char *const taken[] = {"ctid", "xmin", "cmin", "xmax", "cmax", "tableoid"};
    bool takes = strlen(name) <= LONGEST_NAME;
    for (size_t i = 0; i < sizeof taken / sizeof *taken && takes; i++)
        takes = strcmp(name, taken[i]) != 0;
    return takes;
}

/* The server cuts a longer name off, and the table is not found under its name. */
static enum status check_name(const struct store_table *table, struct error *error)
{
    if (strlen(table->name) <= LONGEST_NAME)
        return FINE;
    fail(error, WRONG_INPUT, "PostgreSQL takes no table called \"%s\": %zu bytes", table->name,
         strlen(table->name));
    return advise(error,
                  "a name may have %d bytes: choose a shorter database: in system.yaml, or "
                  "a shorter type",
                  LONGEST_NAME);
}

/* Reads the columns of the table as it is in the database. *there: there is such a table. */
static enum status read_columns(struct postgres_store *store, struct store_table *table,
                                bool *there, struct error *error)
{
    const char *const values[] = {table->name};
    struct found_columns found = {0};
    PGresult *list = NULL;
    enum status status = check_name(table, error);
    if (!status)
        status = postgres_ask(
            store,
            "SELECT a.attname, CASE WHEN (a.attnotnull OR a.atthasdef) AND NOT k.is AND"
            " a.atttypid <> 'json'::regtype THEN '' ELSE format_type(a.atttypid, NULL) END, k.is"
            " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid, LATERAL (SELECT EXISTS"
            " (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND a.attnum ="
            " ANY (i.indkey)) AS is) k WHERE c.relname = $1"
            " AND a.attnum > 0 AND NOT a.attisdropped AND pg_table_is_visible(c.oid)"
            " ORDER BY a.attnum",
            1, values, &list, error);
    if (status)
        return status;
    for (int i = 0; i < pq.ntuples(list); i++)
        store_found(table, &found, *pq.getvalue(list, i, 2) == 't', pq.getvalue(list, i, 0),
                    pq.getvalue(list, i, 1));
    pq.clear(list);
    *there = found.columns;
    return store_check_found(table, &found, error);
}

static enum status make_table(struct postgres_store *store, const struct postgres_table *own,
                              struct error *error)
{
    struct text sql = {0};
    text_add_format(&sql,
                    "CREATE TABLE %s (thing TEXT COLLATE \"C\" NOT NULL,"
                    " time BIGINT NOT NULL",
                    own->quoted);
    if (own->table.kind == TABLE_ITEMS) { /* the server chooses a free name for the index */
        text_add_format(&sql,
                        ", id TEXT COLLATE \"C\" NOT NULL, expires BIGINT, item JSON NOT NULL,"
                        " PRIMARY KEY (thing, time, id));"
                        "CREATE INDEX ON %s (expires) WHERE expires IS NOT NULL",
                        own->quoted);
    } else {
        text_add_string(&sql, ", PRIMARY KEY (thing, time))");
    }
    text_add_string(&sql, ";");
    if (store->timescale && own->table.kind == TABLE_READINGS) {
        char *literal = pq.escapeLiteral(store->connection, own->quoted, strlen(own->quoted));
        if (literal)
            text_add_format(&sql,
                            "SELECT create_hypertable(%s::regclass, 'time',"
                            " chunk_time_interval => " CHUNK_MILLISECONDS "::bigint);",
                            literal);
        pq.freemem(literal);
    }
    enum status status = postgres_run(store, text_string(&sql), error);
    text_free(&sql);
    return status;
}

/* Its own columns are n, thing, time, ...; those of the table are c0, c1, ..., so that no name of a
 * measure can be the same as one of them. */
static enum status make_staging(struct postgres_store *store, const struct postgres_table *own,
                                struct error *error)
{
    struct text sql = {0};
    text_add_format(&sql,
                    "CREATE TEMPORARY TABLE %s (n BIGINT, thing TEXT COLLATE \"C\","
                    " time BIGINT",
                    own->staging);
    if (own->table.kind == TABLE_ITEMS)
        text_add_string(&sql, ", id TEXT COLLATE \"C\", expires BIGINT, item JSON");
    for (size_t i = 0; i < own->table.column_count; i++)
        text_add_format(&sql, ", c%zu %s", i, postgres_type(own->table.columns[i].kind));
    text_add_string(&sql, ") ON COMMIT DELETE ROWS");
    enum status status = postgres_run(store, text_string(&sql), error);
    text_free(&sql);
    return status;
}

static enum status find_hypertable(struct postgres_store *store, struct postgres_table *own,
                                   struct error *error)
{
    const char *const values[] = {own->table.name};
    if (!store->timescale || own->table.kind != TABLE_READINGS)
        return FINE;
    return postgres_is_true(store,
                            "SELECT EXISTS (SELECT FROM timescaledb_information.hypertables"
                            " WHERE hypertable_name = $1)",
                            1, values, &own->hypertable, error);
}

/* Whether this role may do with the table what sensorhub does. Also a table that was made by another
 * role, or whose rights were taken away, is opened; only rows would be refused. */
static enum status check_rights(struct postgres_store *store, const struct postgres_table *own,
                                struct error *error)
{
    const char *const values[] = {own->quoted};
    bool may = false;
    enum status status = postgres_is_true(
        store,
        "SELECT bool_and(has_table_privilege($1::text, r)) FROM unnest(ARRAY['SELECT',"
        " 'INSERT', 'UPDATE', 'DELETE']) r",
        1, values, &may, error);
    if (status || may)
        return status;
    fail(error, WRONG_INPUT, "the database does not let this role read, insert, update and delete");
    store_blame(own->table.name, error);
    return advise(error, "GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO ...", own->quoted);
}

/* Makes the table if it is not there, and the temporary one. *there: the store has it now. */
static enum status set_up_table(struct postgres_store *store, struct postgres_table *made,
                                const struct table_definition *definition, bool *there,
                                struct error *error)
{
    if (*there) /* it was opened before */
        return store->read_only ? FINE : store_declare(&made->table, definition, error);
    enum status status = read_columns(store, &made->table, there, error);
    if (status || store->read_only)
        return status;
    if (!*there)
        status = make_table(store, made, error);
    else
        status = check_rights(store, made, error);
    *there = true;
    if (!status)
        status = make_staging(store, made, error);
    if (!status)
        status = store_declare(&made->table, definition, error);
    return status ? status : find_hypertable(store, made, error);
}

/* As set_up_table(). In a transaction, a table that cannot be made leaves the others alone. */
static enum status set_up_alone(struct postgres_store *store, struct postgres_table *made,
                                const struct table_definition *definition, bool *there,
                                struct error *error)
{
    enum status status = FINE;
    struct error ignored = {0};
    if (store->in_tables)
        status = postgres_run(store, "SAVEPOINT one_table", error);
    if (!status)
        status = set_up_table(store, made, definition, there, error);
    if (status == REFUSED && postgres_is_about_table(store))
        status = store_blame(made->table.name, error);
    if (store->in_tables && status == WRONG_INPUT &&
        postgres_run(store, "ROLLBACK TO one_table", &ignored))
        status = REFUSED;
    if (store->in_tables && status != REFUSED && postgres_run(store, "RELEASE one_table", &ignored))
        status = REFUSED;
    error_free(&ignored);
    return status;
}

enum status postgres_table(struct store *base, const struct table_definition *definition,
                           struct store_table **table, struct error *error)
{
    struct postgres_store *store = (struct postgres_store *)base;
    for (struct postgres_table *known = store->tables; known; known = known->next)
        if (store_table_again(&known->table, definition, table))
            return set_up_alone(store, known, definition, &(bool){true}, error);
    struct postgres_table *made = must_alloc(sizeof *made);
    struct text quoted = {0};
    bool found = false;
    store_table_begin(&made->table, base, definition);
    add_quoted(&quoted, definition->name);
    made->quoted = text_take(&quoted);
    made->staging = must_format("\"_in_%zu\"", store->table_count++);
    enum status status = set_up_alone(store, made, definition, &found, error);
    *table = NULL;
    if (status || !found) {
        postgres_table_free(made);
        return status;
    }
    made->next = store->tables;
    store->tables = made;
    *table = &made->table;
    return FINE;
}

void postgres_add_columns(const struct store_table *table, const char *before, struct text *sql)
{
    for (size_t i = 0; i < table->column_count; i++) {
        text_add_format(sql, ", %s", before);
        add_quoted(sql, table->columns[i].name);
    }
}

void postgres_table_free(struct postgres_table *table)
{
    free(table->staging);
    free(table->quoted);
    buffer_free(&table->rows);
    free(table->tokens.at);
    text_free(&table->expired_thing);
    store_table_end(&table->table);
    free(table);
}
