/* The central database on a PostgreSQL server.
 *
 *   rows -> memory -> COPY (binary) -> temporary table -> INSERT ... SELECT -> the table
 *
 * So a batch costs a few round trips to the server for each table, not one for each row. When the
 * database has the extension TimescaleDB, tables of readings become hypertables with chunks of a
 * week, and retention drops whole chunks.
 *
 * The database holds one position in one spool. An advisory lock keeps a second sensorhub from
 * writing to it. */
#include "backend.h"
#include "common/base/memory.h"
#include "postgres_expire.h"
#include "postgres_read.h"
#include "postgres_table.h"
#include "postgres_waiting.h"
#include "postgres_write.h"

#include <stdlib.h>
#include <string.h>

enum { LOCK_KEY = 0x53464855 /* of the advisory lock: "SFHU" */ };

#define LOCK_NOT_AVAILABLE "55P03" /* its SQLSTATE */

static enum status check_url(const char *url, struct error *error)
{
    char *said = NULL;
    PQconninfoOption *options = pq.conninfoParse(url, &said);
    bool right = options != NULL;
    pq.conninfoFree(options);
    pq.freemem(said); /* not shown: it may contain the password */
    return right ? FINE
                 : fail(error, WRONG_INPUT, "local.store is not a URL that PostgreSQL reads");
}

/* The rows of a batch, and things, are to be looked up by the primary key, one by one. With hash
 * and merge joins allowed, the planner reads a small table as a whole, and a prepared plan stays
 * slow when the table has grown. */
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
        postgres_trim(&error->message);
        return REFUSED;
    }
    const char *encoding = pq.parameterStatus(store->connection, "server_encoding");
    if (!encoding || strcmp(encoding, "UTF8") != 0) {
        fail(error, REFUSED, "the encoding of the database is %s", encoding ? encoding : "unknown");
        return advise(error, "it must be UTF8 (CREATE DATABASE ... ENCODING 'UTF8')");
    }
    return postgres_run(
        store, "SET client_min_messages = warning; SET synchronous_commit = on;" LOOK_UP, error);
}

/* Waits up to two seconds: the server may not have noticed yet that the last connection of this
 * sensorhub is closed. */
static enum status lock_database(struct postgres_store *store, struct error *error)
{
    owned char *sql = must_format("SELECT pg_advisory_lock(%d)", LOCK_KEY);
    enum status status = postgres_run(store, "SET lock_timeout = '2s'", error);
    if (status)
        return status;
    postgres_call_begins(store);
    PGresult *result = pq.exec(store->connection, sql);
    postgres_call_ends(store);
    const char *code = pq.resultErrorField(result, PG_DIAG_SQLSTATE);
    if (code && strcmp(code, LOCK_NOT_AVAILABLE) == 0) {
        status = fail(error, REFUSED, "another sensorhub writes to this database");
        advise(error, "each system needs a database of its own");
    } else if (pq.resultStatus(result) != PGRES_TUPLES_OK) {
        status = postgres_failed(store, result, error);
    }
    pq.clear(result);
    return status ? status : postgres_run(store, "SET lock_timeout = '5s'", error);
}

static enum status make_own_tables(struct postgres_store *store, struct error *error)
{
    bool older = false;
    enum status status = lock_database(store, error);
    if (!status)
        status = postgres_is_true(
            store,
            "SELECT to_regclass('\"_hub\"') IS NOT NULL AND to_regclass('\"_waiting\"') IS NULL", 0,
            NULL, &older, error);
    if (older)
        store->store.upgraded = WAITING_ADDED;
    if (!status)
        status = postgres_run(
            store,
            "CREATE TABLE IF NOT EXISTS \"_hub\" (id INTEGER PRIMARY KEY CHECK (id = 1),"
            " position BIGINT NOT NULL, counts TEXT NOT NULL);"
            "CREATE TABLE IF NOT EXISTS \"_log\" (id BIGSERIAL PRIMARY KEY,"
            " time BIGINT NOT NULL, log_group TEXT NOT NULL, message TEXT NOT NULL);"
            "CREATE INDEX IF NOT EXISTS \"_log_time\" ON \"_log\" (log_group, time);"
            "CREATE TABLE IF NOT EXISTS \"_waiting\" (id BIGSERIAL PRIMARY KEY, type TEXT COLLATE"
            " \"C\" NOT NULL, number BIGINT NOT NULL, time BIGINT NOT NULL, topic TEXT NOT NULL,"
            " client_id TEXT NOT NULL, principal TEXT NOT NULL, payload BYTEA NOT NULL);"
            "CREATE INDEX IF NOT EXISTS \"_waiting_type\" ON \"_waiting\" (type, id)",
            error);
    if (!status)
        status = postgres_is_true(
            store, "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb')", 0,
            NULL, &store->timescale, error);
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
        status = postgres_guard_start(store, error);
    if (!status && !read_only)
        status = make_own_tables(store, error);
    if (status)
        postgres_close(&store->store);
    else
        *made = &store->store;
    return status;
}

static void postgres_close(struct store *base)
{
    struct postgres_store *store = (struct postgres_store *)base;
    while (store->tables) {
        struct postgres_table *table = store->tables;
        store->tables = table->next;
        postgres_table_free(table);
    }
    postgres_guard_stop(store);
    pq.finish(store->connection);
    free(store->rejected.at);
    buffer_free(&store->waiting);
    free(store);
}

static enum status postgres_tables(struct store *base, bool begin, struct error *error)
{
    struct postgres_store *store = (struct postgres_store *)base;
    store->in_tables = begin;
    return postgres_run(store, begin ? "BEGIN" : "COMMIT", error);
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
    .put_waiting = postgres_put_waiting,
    .read_waiting = postgres_read_waiting,
    .drop_waiting = postgres_drop_waiting,
    .sum_waiting = postgres_sum_waiting,
    .commit = postgres_commit,
    .position = postgres_position,
    .expire = postgres_expire,
    .expire_log = postgres_expire_log,
    .query = postgres_query,
};
