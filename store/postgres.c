/* The central database on a PostgreSQL server.
 *
 * Rows of a batch are gathered in memory, copied into a temporary table (COPY, binary), and merged
 * from there with one statement for each table, so a batch costs a few round trips and not one for
 * each row. Where the extension TimescaleDB is, tables of readings become hypertables of a week's
 * chunks, and what is too old goes chunk by chunk.
 *
 * An advisory lock keeps a second sensorhub from writing to the same database: there is one
 * position. */
#include "common/base/memory.h"
#include "common/base/buffer.h"
#include "backend.h"
#include "libpq.h"

#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    COPY_BYTES = 1 << 20, /* gathered before they are sent */
    LONGEST_NAME = 63,    /* bytes: the server cuts off the rest (NAMEDATALEN) */
    THINGS_AT_ONCE = 200,
    NUMBER_ROOM = 32,
    LOCK_KEY = 0x53464855 /* "SFHU" */
};

#define LOCK_NOT_AVAILABLE "55P03" /* its SQLSTATE */
#define CHUNK_MILLISECONDS "604800000"

struct postgres_table {
    struct store_table table; /* first */
    char *staging;            /* the temporary table, quoted */
    char *quoted;             /* the table itself */
    struct buffer rows;       /* as COPY has them */
    struct tokens tokens;     /* of all rows since the last merge, by their number */
    bool merged;              /* what is in the temporary table is in the table too */
    bool hypertable;
    struct text looked_at; /* the thing that was looked at last for what is too old, */
    bool unfinished;       /* and it has more of it */
    struct postgres_table *next;
};

struct postgres_store {
    struct store store; /* first */
    PGconn *connection;
    bool read_only, timescale;
    struct postgres_table *tables;
    size_t table_count;
    struct settlement settlement;
    struct tokens rejected;
};

/* --- calls and their failures --- */

/* The first line; what libpq says in others is advice. */
static void trim(struct text *text)
{
    text->length = strcspn(text_string(text), "\n");
    text->at[text->length] = '\0';
}

static enum status failed(struct postgres_store *store, const PGresult *result, struct error *error)
{
    const char *said = result ? pq.resultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    fail(error, REFUSED, "the database refuses: %s",
         said ? said : pq.errorMessage(store->connection));
    trim(&error->message);
    return REFUSED;
}

/* The caller clears *result; NULL on failure. */
static enum status ask(struct postgres_store *store, const char *sql, int count,
                       const char *const *values, PGresult **result, struct error *error)
{
    *result = pq.execParams(store->connection, sql, count, NULL, values, NULL, NULL, 0);
    ExecStatusType state = pq.resultStatus(*result);
    if (state == PGRES_COMMAND_OK || state == PGRES_TUPLES_OK)
        return FINE;
    enum status status = failed(store, *result, error);
    pq.clear(*result);
    *result = NULL;
    return status;
}

static enum status tell(struct postgres_store *store, const char *sql, int count,
                        const char *const *values, uint64_t *rows, struct error *error)
{
    PGresult *result;
    enum status status = ask(store, sql, count, values, &result, error);
    if (status)
        return status;
    if (rows)
        *rows = strtoull(pq.cmdTuples(result), NULL, 10);
    pq.clear(result);
    return FINE;
}

static enum status run(struct postgres_store *store, const char *sql, struct error *error)
{
    PGresult *result = pq.exec(store->connection, sql);
    ExecStatusType state = pq.resultStatus(result);
    enum status status = FINE;
    if (state != PGRES_COMMAND_OK && state != PGRES_TUPLES_OK)
        status = failed(store, result, error);
    pq.clear(result);
    return status;
}

/* The first cell of the answer is "t". */
static enum status is_true(struct postgres_store *store, const char *sql, int count,
                           const char *const *values, bool *yes, struct error *error)
{
    PGresult *result;
    enum status status = ask(store, sql, count, values, &result, error);
    if (status)
        return status;
    *yes = pq.ntuples(result) == 1 && strcmp(pq.getvalue(result, 0, 0), "t") == 0;
    pq.clear(result);
    return FINE;
}

static const char *print(int64_t number, char made[NUMBER_ROOM])
{
    snprintf(made, NUMBER_ROOM, "%" PRId64, number);
    return made;
}

/* --- opening --- */

static enum status check_url(const char *url, struct error *error)
{
    char *said = NULL;
    PQconninfoOption *options = pq.conninfoParse(url, &said);
    bool right = options != NULL;
    pq.conninfoFree(options);
    pq.freemem(said); /* it may hold the password */
    return right ? FINE
                 : fail(error, WRONG_INPUT, "local.store is not a URL that PostgreSQL reads");
}

/* Rows of a batch, and things, are looked up one by one by a table's key. Left to itself the
 * planner reads the whole table instead as long as that is small, and slows down as it grows. */
#define LOOK_UP " SET enable_hashjoin = off; SET enable_mergejoin = off"

static enum status connect_to(struct postgres_store *store, const char *url, struct error *error)
{
    const char *const names[] = {"dbname",          "connect_timeout",  "application_name",
                                 "client_encoding", "tcp_user_timeout", NULL};
    const char *const values[] = {url, "5", "sensorhub", "UTF8", "15000", NULL};
    enum status status = check_url(url, error);
    if (status)
        return status;
    store->connection = pq.connectdbParams(names, values, 1);
    if (pq.status(store->connection) != CONNECTION_OK) {
        fail(error, REFUSED, "cannot reach the database: %s", pq.errorMessage(store->connection));
        trim(&error->message);
        return REFUSED;
    }
    const char *encoding = pq.parameterStatus(store->connection, "server_encoding");
    if (!encoding || strcmp(encoding, "UTF8") != 0) {
        fail(error, REFUSED, "the database's encoding is %s", encoding ? encoding : "unknown");
        return advise(error, "it must be UTF8 (CREATE DATABASE ... ENCODING 'UTF8')");
    }
    return run(store, "SET client_min_messages = warning; SET synchronous_commit = on;" LOOK_UP,
               error);
}

/* Waited for a little: the server may not have noticed yet that we closed the last connection. */
static enum status lock_database(struct postgres_store *store, struct error *error)
{
    owned char *sql = must_format("SELECT pg_advisory_lock(%d)", LOCK_KEY);
    enum status status = run(store, "SET lock_timeout = '2s'", error);
    if (status)
        return status;
    PGresult *result = pq.exec(store->connection, sql);
    const char *code = pq.resultErrorField(result, PG_DIAG_SQLSTATE);
    if (code && strcmp(code, LOCK_NOT_AVAILABLE) == 0) {
        status = fail(error, REFUSED, "another sensorhub writes to this database");
        advise(error, "each system needs a database of its own");
    } else if (pq.resultStatus(result) != PGRES_TUPLES_OK) {
        status = failed(store, result, error);
    }
    pq.clear(result);
    return status ? status : run(store, "SET lock_timeout = 0", error);
}

static enum status make_own_tables(struct postgres_store *store, struct error *error)
{
    enum status status = lock_database(store, error);
    if (!status)
        status = run(store,
                     "CREATE TABLE IF NOT EXISTS \"_hub\" (id INTEGER PRIMARY KEY CHECK (id = 1),"
                     " position BIGINT NOT NULL, counts TEXT NOT NULL);"
                     "CREATE TABLE IF NOT EXISTS \"_log\" (id BIGSERIAL PRIMARY KEY,"
                     " time BIGINT NOT NULL, log_group TEXT NOT NULL, message TEXT NOT NULL);"
                     "CREATE INDEX IF NOT EXISTS \"_log_time\" ON \"_log\" (log_group, time)",
                     error);
    if (!status)
        status =
            is_true(store, "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb')",
                    0, NULL, &store->timescale, error);
    return status;
}

static void postgres_close(struct store *base);

static enum status postgres_open(const char *url, bool read_only, struct store **made,
                                 struct error *error)
{
    struct postgres_store *store = must_alloc(sizeof *store);
    store->store.backend = &postgres_backend;
    store->read_only = read_only;
    enum status status = libpq_load(error);
    if (!status)
        status = connect_to(store, url, error);
    if (!status && !read_only)
        status = make_own_tables(store, error);
    if (status)
        postgres_close(&store->store);
    else
        *made = &store->store;
    return status;
}

static void free_table(struct postgres_table *table)
{
    free(table->staging);
    free(table->quoted);
    buffer_free(&table->rows);
    free(table->tokens.at);
    text_free(&table->looked_at);
    store_table_end(&table->table);
    free(table);
}

static void postgres_close(struct store *base)
{
    struct postgres_store *store = (struct postgres_store *)base;
    while (store->tables) {
        struct postgres_table *table = store->tables;
        store->tables = table->next;
        free_table(table);
    }
    pq.finish(store->connection);
    free(store->rejected.at);
    free(store);
}

/* --- tables --- */

static const char *type_name(enum column_kind kind)
{
    static const char *const names[] = {[COLUMN_DOUBLE] = "DOUBLE PRECISION",
                                        [COLUMN_BIGINT] = "BIGINT",
                                        [COLUMN_BOOLEAN] = "BOOLEAN",
                                        [COLUMN_VARCHAR] = "TEXT"};
    return names[kind];
}

/* Every table has columns of these names of the server's own ("System Columns" of the manual). The
 * same list is in the schema of specs, for names of measures and attributes. */
static bool postgres_takes_name(const char *name)
{
    static const char *const taken[] = {"ctid", "xmin", "cmin", "xmax", "cmax", "tableoid"};
    bool takes = strlen(name) <= LONGEST_NAME;
    for (size_t i = 0; i < sizeof taken / sizeof *taken && takes; i++)
        takes = strcmp(name, taken[i]) != 0;
    return takes;
}

/* What would be cut off is not found again under its own name. */
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

/* Columns of what is there, as SQLite's backend reads them. */
static enum status read_columns(struct postgres_store *store, struct store_table *table,
                                bool *there, struct error *error)
{
    const char *const values[] = {table->name};
    struct found found = {0};
    PGresult *list = NULL;
    enum status status = check_name(table, error);
    if (!status)
        status =
            ask(store,
                "SELECT a.attname, format_type(a.atttypid, NULL), EXISTS (SELECT FROM pg_index i"
                " WHERE i.indrelid = c.oid AND i.indisprimary AND a.attnum = ANY (i.indkey))"
                " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relname = $1"
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
    if (own->table.kind == TABLE_ITEMS) { /* the server finds a name for the index that is free */
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
    enum status status = run(store, text_string(&sql), error);
    text_free(&sql);
    return status;
}

/* Its columns have numbers, so that no field is called as one that it has besides: n. */
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
        text_add_format(&sql, ", c%zu %s", i, type_name(own->table.columns[i].kind));
    text_add_string(&sql, ") ON COMMIT DELETE ROWS");
    enum status status = run(store, text_string(&sql), error);
    text_free(&sql);
    return status;
}

static enum status find_hypertable(struct postgres_store *store, struct postgres_table *own,
                                   struct error *error)
{
    const char *const values[] = {own->table.name};
    if (!store->timescale || own->table.kind != TABLE_READINGS)
        return FINE;
    return is_true(store,
                   "SELECT EXISTS (SELECT FROM timescaledb_information.hypertables"
                   " WHERE hypertable_name = $1)",
                   1, values, &own->hypertable, error);
}

static enum status postgres_table(struct store *base, const struct table_definition *definition,
                                  struct store_table **table, struct error *error)
{
    struct postgres_store *store = (struct postgres_store *)base;
    for (struct postgres_table *known = store->tables; known; known = known->next)
        if (store_table_again(&known->table, definition, table))
            return FINE;
    struct postgres_table *made = must_alloc(sizeof *made);
    struct text quoted = {0};
    bool found = false;
    store_table_begin(&made->table, base, definition);
    add_quoted(&quoted, definition->name);
    made->quoted = text_take(&quoted);
    made->staging = must_format("\"_in_%zu\"", store->table_count++);
    enum status status = read_columns(store, &made->table, &found, error);
    if (!status && !found && !store->read_only)
        status = make_table(store, made, error);
    if (!status && !store->read_only)
        status = make_staging(store, made, error);
    if (!status && !store->read_only)
        status = find_hypertable(store, made, error);
    *table = NULL;
    if (status || (!found && store->read_only)) {
        free_table(made);
        return status;
    }
    made->next = store->tables;
    store->tables = made;
    *table = &made->table;
    return FINE;
}

/* --- copying --- */

static void add_16(struct buffer *rows, uint16_t number)
{
    number = htobe16(number);
    buffer_add(rows, &number, sizeof number);
}

static void add_32(struct buffer *rows, uint32_t number)
{
    number = htobe32(number);
    buffer_add(rows, &number, sizeof number);
}

static void add_number(struct buffer *rows, int64_t number)
{
    uint64_t turned = htobe64((uint64_t)number);
    add_32(rows, sizeof turned);
    buffer_add(rows, &turned, sizeof turned);
}

static void add_bytes(struct buffer *rows, const char *bytes, size_t length)
{
    add_32(rows, (uint32_t)length);
    buffer_add(rows, bytes, length);
}

static void add_cell(struct buffer *rows, enum column_kind kind, const struct cell *cell)
{
    int64_t bits;
    char truth = cell->as.integer != 0;
    if (!cell->set) {
        add_32(rows, UINT32_MAX);
    } else if (kind == COLUMN_DOUBLE) {
        memcpy(&bits, &cell->as.number, sizeof bits);
        add_number(rows, bits);
    } else if (kind == COLUMN_BIGINT) {
        add_number(rows, cell->as.integer);
    } else if (kind == COLUMN_BOOLEAN) {
        add_bytes(rows, &truth, 1);
    } else {
        add_bytes(rows, cell->as.text.bytes, cell->as.text.length);
    }
}

/* Header, rows and end as "COPY", "Binary Format" of PostgreSQL's manual has them. */
static enum status copy_rows(struct postgres_store *store, struct postgres_table *own,
                             struct error *error)
{
    static const char header[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0", end[] = "\377\377";
    owned char *sql = must_format("COPY %s FROM STDIN (FORMAT binary)", own->staging);
    PGresult *result = pq.exec(store->connection, sql);
    bool sent = pq.resultStatus(result) == PGRES_COPY_IN &&
                pq.putCopyData(store->connection, header, sizeof header) == 1 &&
                pq.putCopyData(store->connection, own->rows.at, (int)own->rows.length) == 1 &&
                pq.putCopyData(store->connection, end, 2) == 1 &&
                pq.putCopyEnd(store->connection, NULL) == 1;
    enum status status = FINE;
    if (!sent)
        status = failed(store, result, error);
    pq.clear(result);
    while ((result = pq.getResult(store->connection))) {
        if (!status && pq.resultStatus(result) != PGRES_COMMAND_OK)
            status = failed(store, result, error);
        pq.clear(result);
    }
    buffer_clear(&own->rows);
    return status;
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
        status = run(store, sql, error);
        own->merged = false;
    }
    return status ? status : copy_rows(store, own, error);
}

static enum status postgres_tables(struct store *base, bool begin, struct error *error)
{
    return run((struct postgres_store *)base, begin ? "BEGIN" : "COMMIT", error);
}

static enum status postgres_add_column(struct store_table *table, const char *name,
                                       enum column_kind kind, struct error *error)
{
    struct postgres_store *store = (struct postgres_store *)table->store;
    struct postgres_table *own = (struct postgres_table *)table;
    struct text column = {0};
    add_quoted(&column, name);
    owned char *sql = must_format("ALTER TABLE %s ADD COLUMN %s %s", own->quoted,
                                  text_string(&column), type_name(kind));
    owned char *staging = must_format("ALTER TABLE %s ADD COLUMN c%zu %s", own->staging,
                                      table->column_count, type_name(kind));
    text_free(&column);
    enum status status = send_rows(store, own, error);
    if (!status)
        status = run(store, sql, error);
    return status ? status : run(store, staging, error);
}

/* --- writing --- */

static enum status postgres_begin(struct store *base, struct error *error)
{
    struct postgres_store *store = (struct postgres_store *)base;
    store->rejected.count = 0;
    store->settlement = (struct settlement){0};
    return run(store, "BEGIN", error);
}

static enum status postgres_put(struct store_table *table, const struct row *row,
                                struct error *error)
{
    struct postgres_table *own = (struct postgres_table *)table;
    struct buffer *rows = &own->rows;
    bool items = table->kind == TABLE_ITEMS;
    add_16(rows, (uint16_t)(3 + (items ? 3 : table->column_count)));
    add_number(rows, (int64_t)own->tokens.count);
    add_bytes(rows, row->thing, row->thing_length);
    add_number(rows, row->time);
    if (items) {
        add_bytes(rows, row->id_length ? row->id : "", row->id_length);
        if (row->expires)
            add_number(rows, row->expires);
        else
            add_32(rows, UINT32_MAX);
        add_bytes(rows, row->item, row->item_length);
    }
    for (size_t i = 0; i < table->column_count; i++)
        add_cell(rows, table->columns[i].kind, &row->cells[i]);
    if (!tokens_add(&own->tokens, row->token) || rows->failed)
        return fail_memory(error);
    if (rows->length < COPY_BYTES)
        return FINE;
    return send_rows((struct postgres_store *)table->store, own, error);
}

static void add_columns(const struct store_table *table, const char *before, struct text *sql)
{
    for (size_t i = 0; i < table->column_count; i++) {
        text_add_format(sql, ", %s", before);
        add_quoted(sql, table->columns[i].name);
    }
}

/* The form for each column, with what stands between two of them. In it, $ is the column of the
 * table and % that of the temporary table. */
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

/* No value of i is another than that of t. */
static void add_agreement(const struct store_table *table, struct text *sql)
{
    add_each(table, " AND ", "coalesce(t.$ = i.%, true)", sql);
}

/* Values where there was none, of rows that agree with what is there. Each takes part in its turn,
 * as it would alone: the first of a thing and time is merged, and what is left is compared with
 * what that made of it. Each turn fills a column, so there are no more turns than columns, and
 * mostly there is nothing to fill. Rows that disagree never agree later: what is there stays. */
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
        status = tell(store, text_string(&sql), 0, NULL, &filled, error);
    text_free(&sql);
    return status;
}

/* Some rows were there already: their values where there was none, and who disagrees. */
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
        status = ask(store, text_string(&sql), 0, NULL, &list, error);
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
    add_columns(&own->table, "", &sql);
    text_add_string(&sql, ") SELECT thing, time");
    for (size_t i = 0; i < own->table.column_count; i++)
        text_add_format(&sql, ", c%zu", i);
    text_add_format(&sql, " FROM %s ORDER BY n ON CONFLICT DO NOTHING", own->staging);
    enum status status = tell(store, text_string(&sql), 0, NULL, &stored, error);
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
    return run(store, sql, error);
}

static enum status merge(struct postgres_store *store, struct error *error)
{
    enum status status = FINE;
    for (struct postgres_table *own = store->tables; own && !status; own = own->next) {
        if (!own->tokens.count)
            continue;
        status = send_rows(store, own, error);
        if (!status)
            status = own->table.kind == TABLE_ITEMS ? merge_items(store, own, error)
                                                    : merge_readings(store, own, error);
        own->tokens.count = 0;
        own->merged = true;
    }
    return status;
}

static enum status postgres_settle(struct store *base, struct settlement *settlement,
                                   struct error *error)
{
    struct postgres_store *store = (struct postgres_store *)base;
    enum status status = merge(store, error);
    store->settlement.rejected = store->rejected.at;
    store->settlement.rejected_count = store->rejected.count;
    *settlement = store->settlement;
    return status;
}

static enum status postgres_put_log(struct store *base, int64_t time, const char *group,
                                    const char *message, size_t length, struct error *error)
{
    char number[NUMBER_ROOM];
    const char *const values[] = {print(time, number), group, message};
    const int lengths[] = {0, 0, (int)length}, formats[] = {0, 0, 1};
    struct postgres_store *store = (struct postgres_store *)base;
    PGresult *result = pq.execParams(
        store->connection,
        "INSERT INTO \"_log\" (time, log_group, message) VALUES ($1::bigint, $2::text, $3::text)",
        3, NULL, values, lengths, formats, 0);
    enum status status =
        pq.resultStatus(result) == PGRES_COMMAND_OK ? FINE : failed(store, result, error);
    pq.clear(result);
    return status;
}

static enum status postgres_commit(struct store *base, uint64_t position, const char *counts,
                                   struct error *error)
{
    char number[NUMBER_ROOM];
    const char *const values[] = {print((int64_t)position, number), counts};
    struct postgres_store *store = (struct postgres_store *)base;
    enum status status = merge(store, error); /* of what error actions put */
    if (!status)
        status = tell(store,
                      "INSERT INTO \"_hub\" VALUES (1, $1::bigint, $2::text)"
                      " ON CONFLICT (id) DO UPDATE SET position = excluded.position,"
                      " counts = excluded.counts",
                      2, values, NULL, error);
    if (!status)
        status = run(store, "COMMIT", error);
    for (struct postgres_table *own = store->tables; own; own = own->next)
        own->merged = false; /* ON COMMIT DELETE ROWS */
    return status;
}

static enum status postgres_position(struct store *base, uint64_t *position,
                                     char counts[LONGEST_COUNTS], struct error *error)
{
    struct postgres_store *store = (struct postgres_store *)base;
    PGresult *result;
    *position = 0;
    *counts = '\0';
    enum status status =
        ask(store, "SELECT position, counts FROM \"_hub\"", 0, NULL, &result, error);
    if (status)
        return status;
    if (pq.ntuples(result)) {
        *position = strtoull(pq.getvalue(result, 0, 0), NULL, 10);
        snprintf(counts, LONGEST_COUNTS, "%s", pq.getvalue(result, 0, 1));
    }
    pq.clear(result);
    return FINE;
}

/* --- retention --- */

static enum status next_thing(struct postgres_store *store, struct postgres_table *own, bool *found,
                              struct error *error)
{
    owned char *sql = must_format("SELECT min(thing) FROM %s WHERE thing > $1::text", own->quoted);
    const char *const values[] = {text_string(&own->looked_at)};
    PGresult *result;
    enum status status = ask(store, sql, 1, values, &result, error);
    if (status)
        return status;
    *found = !pq.getisnull(result, 0, 0);
    text_clear(&own->looked_at);
    if (*found)
        text_add_string(&own->looked_at, pq.getvalue(result, 0, 0));
    pq.clear(result);
    return FINE;
}

static enum status expire_readings(struct postgres_store *store, struct postgres_table *own,
                                   int64_t before, size_t most, bool *more, struct error *error)
{
    char time[NUMBER_ROOM], limit[NUMBER_ROOM];
    owned char *sql =
        must_format("DELETE FROM %s WHERE thing = $1::text AND time IN (SELECT time FROM %s"
                    " WHERE thing = $1::text AND time < $2::bigint ORDER BY time LIMIT $3::bigint)",
                    own->quoted, own->quoted);
    enum status status = FINE;
    uint64_t deleted = 0, some;
    *more = true;
    for (int i = 0; i < THINGS_AT_ONCE && deleted < most && !status; i++) {
        if (!own->unfinished)
            status = next_thing(store, own, more, error);
        if (status || !*more)
            break;
        const char *const values[] = {text_string(&own->looked_at), print(before, time),
                                      print((int64_t)(most - deleted), limit)};
        status = tell(store, sql, 3, values, &some, error);
        deleted += status ? 0 : some;
        own->unfinished = deleted == most;
    }
    return status;
}

static enum status drop_chunks(struct postgres_store *store, struct postgres_table *own,
                               int64_t before, struct error *error)
{
    char time[NUMBER_ROOM];
    const char *const values[] = {own->quoted, print(before, time)};
    PGresult *result;
    enum status status = ask(store, "SELECT drop_chunks($1::regclass, older_than => $2::bigint)", 2,
                             values, &result, error);
    pq.clear(result);
    return status;
}

static enum status postgres_expire(struct store_table *table, int64_t now, size_t most, bool *more,
                                   struct error *error)
{
    struct postgres_store *store = (struct postgres_store *)table->store;
    struct postgres_table *own = (struct postgres_table *)table;
    char time[NUMBER_ROOM], limit[NUMBER_ROOM];
    *more = false;
    if (table->kind == TABLE_READINGS) {
        int64_t before = now - (int64_t)(table->retention_seconds * 1000);
        if (table->retention_seconds <= 0)
            return FINE;
        return own->hypertable ? drop_chunks(store, own, before, error)
                               : expire_readings(store, own, before, most, more, error);
    }
    if (!table->expires)
        return FINE;
    const char *const values[] = {print(now / 1000, time), print((int64_t)most, limit)};
    uint64_t deleted = 0;
    owned char *sql =
        must_format("DELETE FROM %s WHERE (thing, time, id) IN (SELECT thing, time, id FROM %s"
                    " WHERE expires IS NOT NULL AND expires < $1::bigint LIMIT $2::bigint)",
                    own->quoted, own->quoted);
    enum status status = tell(store, sql, 2, values, &deleted, error);
    *more = deleted == most;
    return status;
}

static enum status postgres_expire_log(struct store *base, const char *group, int64_t before,
                                       size_t most, bool *more, struct error *error)
{
    char time[NUMBER_ROOM], limit[NUMBER_ROOM];
    const char *const values[] = {group, print(before, time), print((int64_t)most, limit)};
    uint64_t deleted = 0;
    enum status status =
        tell((struct postgres_store *)base,
             "DELETE FROM \"_log\" WHERE id IN (SELECT id FROM \"_log\" WHERE log_group = $1::text"
             " AND time < $2::bigint ORDER BY time LIMIT $3::bigint)",
             3, values, &deleted, error);
    *more = deleted == most;
    return status;
}

/* --- reading --- */

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
    add_columns(&own->table, "t.", sql);
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

static enum status postgres_query(struct store_table *table, const struct store_query *query,
                                  bool (*each)(void *context, const struct row *row), void *context,
                                  struct error *error)
{
    struct postgres_store *store = (struct postgres_store *)table->store;
    owned struct cell *cells = must_array(table->column_count, sizeof *cells);
    char from[NUMBER_ROOM], until[NUMBER_ROOM], limit[NUMBER_ROOM];
    const char *const values[] = {print(query->from, from), print(query->until, until),
                                  query->limit ? print((int64_t)query->limit, limit) : NULL,
                                  query->thing};
    struct text sql = {0};
    enum status status = FINE;
    PGresult *result;
    bool wanted = true;
    add_query((struct postgres_table *)table, query, &sql);
    if (!pq.sendQueryParams(store->connection, text_string(&sql), query->thing ? 4 : 3, NULL,
                            values, NULL, NULL, 0) ||
        !pq.setSingleRowMode(store->connection))
        status = failed(store, NULL, error);
    text_free(&sql);
    while ((result = pq.getResult(store->connection))) {
        ExecStatusType state = pq.resultStatus(result);
        if (state == PGRES_SINGLE_TUPLE && wanted && !status)
            wanted = hand_out(table, result, cells, each, context);
        else if (state != PGRES_SINGLE_TUPLE && state != PGRES_TUPLES_OK && !status)
            status = failed(store, result, error);
        pq.clear(result);
    }
    return status;
}

const struct backend postgres_backend = {
    .open = postgres_open,
    .close = postgres_close,
    .table = postgres_table,
    .tables = postgres_tables,
    .takes_name = postgres_takes_name,
    .add_column = postgres_add_column,
    .begin = postgres_begin,
    .put = postgres_put,
    .settle = postgres_settle,
    .put_log = postgres_put_log,
    .commit = postgres_commit,
    .position = postgres_position,
    .expire = postgres_expire,
    .expire_log = postgres_expire_log,
    .query = postgres_query,
};
