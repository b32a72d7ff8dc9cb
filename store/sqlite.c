/* The central database as a file: SQLite in WAL mode, with synchronous=FULL, so that a commit is on
 * the disk when it returns.
 *
 * A table of readings is one B-tree, ordered by (thing, time) (WITHOUT ROWID). So a day of one
 * thing lies together, and there is no second index. The cost of a transaction is the number of
 * pages that it touches: about one for each thing that reported, however many readings it sent. */
#include "backend.h"
#include "common/base/memory.h"
#include "common/base/owner.h"
#include "common/base/paths.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    BUSY_MILLISECONDS = 1000, /* timeout for the lock of another process */
    CACHE_KILOBYTES = 16384,
    CHECKPOINT_PAGES = 4000, /* of 4096 bytes: size of the WAL at which it is checkpointed */
    THINGS_AT_ONCE = 1000    /* looked at in one call of store_expire() */
};

struct sqlite_table {
    struct store_table table; /* first */
    sqlite3_stmt *insert;     /* NULL after a column was added, until the next row */
    sqlite3_stmt *merge;      /* of readings: see add_merge() */

    /* Removal of what is too old goes from thing to thing. */
    sqlite3_stmt *next_thing, *expire;
    struct text expired_thing; /* the last thing that was looked at */
    bool expired_partly;       /* that thing may have more rows that are too old */

    struct sqlite_table *next; /* of the store */
};

struct sqlite_store {
    struct store store; /* first */
    sqlite3 *database;
    struct sqlite_table *tables;
    sqlite3_stmt *begin, *commit, *put_log, *put_position, *expire_log, *put_waiting;
    struct settlement settlement; /* of the transaction */
    struct tokens rejected;       /* what settlement.rejected points to */
};

/* --- calls and their failures --- */

static enum status failed(struct sqlite_store *store, struct error *error)
{
    int code = sqlite3_extended_errcode(store->database);
    fail(error, REFUSED, "the database refuses: %s", sqlite3_errmsg(store->database));
    if ((code & 0xff) == SQLITE_BUSY)
        return advise(error, "another program holds its lock");
    if ((code & 0xff) == SQLITE_FULL)
        return advise(error, "the disk is full");
    return REFUSED;
}

/* Whether the statement was refused because of the table that it names: the others can be used. */
static bool is_about_table(struct sqlite_store *store)
{
    int code = sqlite3_errcode(store->database);
    return code == SQLITE_ERROR || code == SQLITE_CONSTRAINT || code == SQLITE_MISMATCH ||
           code == SQLITE_AUTH;
}

/* A statement about this table failed. */
static enum status table_failed(struct sqlite_table *own, struct error *error)
{
    struct sqlite_store *store = (struct sqlite_store *)own->table.store;
    if (is_about_table(store))
        store->store.troubled = own->table.name;
    return failed(store, error);
}

static enum status run(struct sqlite_store *store, const char *sql, struct error *error)
{
    return sqlite3_exec(store->database, sql, NULL, NULL, NULL) ? failed(store, error) : FINE;
}

static enum status prepare(struct sqlite_store *store, const char *sql, sqlite3_stmt **statement,
                           struct error *error)
{
    sqlite3_finalize(*statement);
    *statement = NULL;
    return sqlite3_prepare_v3(store->database, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL)
               ? failed(store, error)
               : FINE;
}

/* Runs a statement without a result, and resets it. Returns the error code of the run, or 0. */
static inline int step(sqlite3_stmt *statement)
{
    sqlite3_step(statement);
    return sqlite3_reset(statement);
}

static enum status must_step(struct sqlite_store *store, sqlite3_stmt *statement,
                             struct error *error)
{
    return step(statement) ? failed(store, error) : FINE;
}

static void bind_text(sqlite3_stmt *statement, int at, const char *bytes, size_t length)
{
    sqlite3_bind_text64(statement, at, bytes, length, SQLITE_STATIC, SQLITE_UTF8);
}

/* --- opening --- */

/* *known: this database was written before, *waiting: and has the table _waiting already. */
static enum status look_at_own_tables(struct sqlite_store *store, bool *known, bool *waiting,
                                      struct error *error)
{
    sqlite3_stmt *look = NULL;
    enum status status = prepare(store,
                                 "SELECT coalesce(max(name = '_hub'), 0), coalesce(max(name ="
                                 " '_waiting'), 0) FROM sqlite_master WHERE type = 'table'",
                                 &look, error);
    if (status)
        return status;
    bool read = sqlite3_step(look) == SQLITE_ROW;
    *known = read && sqlite3_column_int(look, 0);
    *waiting = read && sqlite3_column_int(look, 1);
    sqlite3_finalize(look);
    return read ? FINE : failed(store, error);
}

static enum status make_own_tables(struct sqlite_store *store, struct error *error)
{
    bool known = false, waiting = false;
    enum status status = look_at_own_tables(store, &known, &waiting, error);
    store->store.upgraded = known && !waiting ? WAITING_ADDED : NULL;
    if (!status)
        status =
            run(store,
                "CREATE TABLE IF NOT EXISTS \"_hub\" (id INTEGER PRIMARY KEY CHECK (id = 1),"
                " position INTEGER NOT NULL, counts VARCHAR NOT NULL);"
                "CREATE TABLE IF NOT EXISTS \"_log\" (id INTEGER PRIMARY KEY, time BIGINT NOT NULL,"
                " log_group VARCHAR NOT NULL, message VARCHAR NOT NULL);"
                "CREATE INDEX IF NOT EXISTS \"_log_time\" ON \"_log\" (log_group, time);"
                "CREATE TABLE IF NOT EXISTS \"_waiting\" (id INTEGER PRIMARY KEY, type VARCHAR NOT "
                "NULL,"
                " number BIGINT NOT NULL, time BIGINT NOT NULL, topic VARCHAR NOT NULL, client_id"
                " VARCHAR NOT NULL, principal VARCHAR NOT NULL, payload BLOB NOT NULL);"
                "CREATE INDEX IF NOT EXISTS \"_waiting_type\" ON \"_waiting\" (type);",
                error);
    if (!status)
        status = prepare(store, "BEGIN IMMEDIATE", &store->begin, error);
    if (!status)
        status = prepare(store, "COMMIT", &store->commit, error);
    if (!status)
        status =
            prepare(store, "INSERT INTO \"_log\" (time, log_group, message) VALUES (?1, ?2, ?3)",
                    &store->put_log, error);
    if (!status)
        status = prepare(store,
                         "INSERT INTO \"_hub\" VALUES (1, ?1, ?2) ON CONFLICT (id) DO UPDATE SET"
                         " position = excluded.position, counts = excluded.counts",
                         &store->put_position, error);
    if (!status)
        status = prepare(store,
                         "DELETE FROM \"_log\" WHERE id IN (SELECT id FROM \"_log\""
                         " WHERE log_group = ?1 AND time < ?2 ORDER BY time LIMIT ?3)",
                         &store->expire_log, error);
    if (!status)
        status =
            prepare(store,
                    "INSERT INTO \"_waiting\" (type, number, time, topic, client_id, principal,"
                    " payload) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                    &store->put_waiting, error);
    return status;
}

static enum status set_up(struct sqlite_store *store, bool read_only, struct error *error)
{
    owned char *settings =
        must_format("PRAGMA cache_size = -%d; PRAGMA temp_store = MEMORY;", CACHE_KILOBYTES);
    owned char *durable = must_format("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                                      "PRAGMA wal_autocheckpoint = %d;",
                                      CHECKPOINT_PAGES);
    sqlite3_busy_timeout(store->database, BUSY_MILLISECONDS);
    enum status status = run(store, settings, error);
    if (!status && !read_only)
        status = run(store, durable, error);
    if (!status && !read_only)
        status = make_own_tables(store, error);
    return status;
}

static void sqlite_close(struct store *base);

static enum status sqlite_open(const char *url, bool read_only, struct store **made,
                               struct error *error)
{
    const char *path = strchr(url, ':');
    path = path ? path + 1 : DATABASE_FILE;
    struct sqlite_store *store = must_alloc(sizeof *store);
    store->store.backend = &sqlite_backend;
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); /* the statistics cost a lock for each allocation */
    int flags = read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    enum status status = FINE;
    if (sqlite3_open_v2(path, &store->database, flags | SQLITE_OPEN_NOMUTEX, NULL)) {
        status = fail(error, REFUSED, "cannot open %s: %s", path, sqlite3_errmsg(store->database));
        if (sqlite3_system_errno(store->database) == EACCES)
            owner_advise(error, path);
        else if (read_only)
            advise(error, "nothing was stored yet? make up starts the system");
    } else {
        status = set_up(store, read_only, error);
    }
    if (status)
        sqlite_close(&store->store);
    else
        *made = &store->store;
    return status;
}

static void free_table(struct sqlite_table *table)
{
    sqlite3_finalize(table->insert);
    sqlite3_finalize(table->merge);
    sqlite3_finalize(table->next_thing);
    sqlite3_finalize(table->expire);
    text_free(&table->expired_thing);
    store_table_end(&table->table);
    free(table);
}

static void sqlite_close(struct store *base)
{
    struct sqlite_store *store = (struct sqlite_store *)base;
    while (store->tables) {
        struct sqlite_table *table = store->tables;
        store->tables = table->next;
        free_table(table);
    }
    sqlite3_finalize(store->begin);
    sqlite3_finalize(store->commit);
    sqlite3_finalize(store->put_log);
    sqlite3_finalize(store->put_position);
    sqlite3_finalize(store->expire_log);
    sqlite3_finalize(store->put_waiting);
    sqlite3_close(store->database);
    free(store->rejected.at);
    free(store);
}

/* --- tables --- */

/* Reads the columns of the table as it is in the database. *there: there is such a table. */
static enum status read_columns(struct sqlite_store *store, struct store_table *table, bool *there,
                                struct error *error)
{
    sqlite3_stmt *list = NULL;
    struct found_columns found = {0};
    int code;
    enum status status = prepare(
        store,
        "SELECT name, iif(pk = 0 AND type <> 'JSON' AND (hidden OR \"notnull\" OR dflt_value IS"
        " NOT NULL), '', type), pk FROM pragma_table_xinfo(?1) ORDER BY cid",
        &list, error);
    if (status)
        return status;
    bind_text(list, 1, table->name, strlen(table->name));
    while ((code = sqlite3_step(list)) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(list, 0);
        const char *type = (const char *)sqlite3_column_text(list, 1);
        if (!name || !type)
            break;
        store_found(table, &found, sqlite3_column_int(list, 2) > 0, name, type);
    }
    sqlite3_finalize(list);
    if (code != SQLITE_DONE)
        return failed(store, error);
    *there = found.columns;
    return store_check_found(table, &found, error);
}

static enum status make_table(struct sqlite_store *store, const struct store_table *table,
                              struct error *error)
{
    struct text sql = {0};
    text_add_string(&sql, "CREATE TABLE ");
    add_quoted(&sql, table->name);
    text_add_string(&sql, " (thing VARCHAR NOT NULL, time BIGINT NOT NULL");
    if (table->kind == TABLE_ITEMS) {
        owned char *index = must_format("%s-expires", table->name);
        text_add_string(&sql, ", id VARCHAR NOT NULL, expires BIGINT, item JSON NOT NULL,"
                              " PRIMARY KEY (thing, time, id)); CREATE INDEX ");
        add_quoted(&sql, index);
        text_add_string(&sql, " ON ");
        add_quoted(&sql, table->name);
        text_add_string(&sql, " (expires) WHERE expires IS NOT NULL");
    } else {
        text_add_string(&sql, ", PRIMARY KEY (thing, time)) WITHOUT ROWID");
    }
    enum status status = run(store, text_string(&sql), error);
    text_free(&sql);
    return status;
}

static void add_insert(const struct store_table *table, struct text *sql)
{
    text_add_string(sql, "INSERT INTO ");
    add_quoted(sql, table->name);
    if (table->kind == TABLE_ITEMS) {
        text_add_string(sql, " (thing, time, id, item, expires) VALUES (?1, ?2, ?3, ?4, ?5)"
                             " ON CONFLICT (thing, time, id) DO UPDATE SET item = excluded.item,"
                             " expires = excluded.expires");
        return;
    }
    text_add_string(sql, " (thing, time");
    for (size_t i = 0; i < table->column_count; i++) {
        text_add_string(sql, ", ");
        add_quoted(sql, table->columns[i].name);
    }
    text_add_string(sql, ") VALUES (?1, ?2");
    for (size_t i = 0; i < table->column_count; i++)
        text_add_format(sql, ", ?%zu", i + 3);
    text_add_string(sql, ") ON CONFLICT (thing, time) DO NOTHING");
}

/* For a thing and time that are in the table already: fills columns that are NULL. Changes no row
 * when one of the other columns has another value. */
static void add_merge(const struct store_table *table, struct text *sql)
{
    text_add_string(sql, "UPDATE ");
    add_quoted(sql, table->name);
    text_add_string(sql, " SET time = time");
    for (size_t i = 0; i < table->column_count; i++) {
        text_add_string(sql, ", ");
        add_quoted(sql, table->columns[i].name);
        text_add_string(sql, " = coalesce(");
        add_quoted(sql, table->columns[i].name);
        text_add_format(sql, ", ?%zu)", i + 3);
    }
    text_add_string(sql, " WHERE thing = ?1 AND time = ?2");
    for (size_t i = 0; i < table->column_count; i++) {
        text_add_format(sql, " AND coalesce(");
        add_quoted(sql, table->columns[i].name);
        text_add_format(sql, " = ?%zu, true)", i + 3);
    }
}

static enum status prepare_writing(struct sqlite_table *made, struct error *error)
{
    struct sqlite_store *store = (struct sqlite_store *)made->table.store;
    struct text sql = {0};
    add_insert(&made->table, &sql);
    enum status status = prepare(store, text_string(&sql), &made->insert, error);
    text_clear(&sql);
    if (!status && made->table.kind == TABLE_READINGS) {
        add_merge(&made->table, &sql);
        status = prepare(store, text_string(&sql), &made->merge, error);
    }
    text_free(&sql);
    return status;
}

static enum status prepare_expiring(struct sqlite_table *made, struct error *error)
{
    struct sqlite_store *store = (struct sqlite_store *)made->table.store;
    struct text sql = {0}, name = {0};
    enum status status = FINE;
    add_quoted(&name, made->table.name);
    if (made->table.kind == TABLE_ITEMS) {
        text_add_format(&sql,
                        "DELETE FROM %s WHERE rowid IN (SELECT rowid FROM %s"
                        " WHERE expires IS NOT NULL AND expires < ?1 LIMIT ?2)",
                        text_string(&name), text_string(&name));
    } else {
        text_add_format(&sql, "SELECT min(thing) FROM %s WHERE thing > ?1", text_string(&name));
        status = prepare(store, text_string(&sql), &made->next_thing, error);
        text_clear(&sql);
        text_add_format(&sql,
                        "DELETE FROM %s WHERE thing = ?1 AND time IN (SELECT time FROM %s"
                        " WHERE thing = ?1 AND time < ?2 ORDER BY time LIMIT ?3)",
                        text_string(&name), text_string(&name));
    }
    if (!status)
        status = prepare(store, text_string(&sql), &made->expire, error);
    text_free(&sql);
    text_free(&name);
    return status;
}

/* Makes the table if it is not there. *there: the store has it now. */
static enum status set_up_table(struct sqlite_table *made,
                                const struct table_definition *definition, bool *there,
                                struct error *error)
{
    struct sqlite_store *store = (struct sqlite_store *)made->table.store;
    bool read_only = sqlite3_db_readonly(store->database, "main") == 1;
    enum status status = read_columns(store, &made->table, there, error);
    if (status || read_only)
        return status;
    if (!*there)
        status = make_table(store, &made->table, error);
    *there = true;
    if (!status)
        status = store_declare(&made->table, definition, error);
    if (!status)
        status = prepare_writing(made, error);
    return status ? status : prepare_expiring(made, error);
}

/* The table was opened before, and its documents changed. */
static enum status declare_alone(struct sqlite_table *known,
                                 const struct table_definition *definition, struct error *error)
{
    enum status status = store_declare(&known->table, definition, error);
    if (status == REFUSED && is_about_table((struct sqlite_store *)known->table.store))
        status = store_blame(definition->name, error);
    return status;
}

static enum status sqlite_table(struct store *base, const struct table_definition *definition,
                                struct store_table **table, struct error *error)
{
    struct sqlite_store *store = (struct sqlite_store *)base;
    for (struct sqlite_table *known = store->tables; known; known = known->next)
        if (store_table_again(&known->table, definition, table))
            return sqlite3_db_readonly(store->database, "main") == 1
                       ? FINE
                       : declare_alone(known, definition, error);
    struct sqlite_table *made = must_alloc(sizeof *made);
    bool there = false;
    store_table_begin(&made->table, base, definition);
    *table = NULL;
    enum status status = run(store, "SAVEPOINT one_table", error);
    if (!status)
        status = set_up_table(made, definition, &there, error);
    if (status == REFUSED && is_about_table(store))
        status = store_blame(definition->name, error);
    if (status || !there)
        free_table(made);
    if (status)
        sqlite3_exec(store->database, "ROLLBACK TO one_table", NULL, NULL, NULL);
    sqlite3_exec(store->database, "RELEASE one_table", NULL, NULL, NULL);
    if (status || !there)
        return status;
    made->next = store->tables;
    store->tables = made;
    *table = &made->table;
    return FINE;
}

static enum status sqlite_tables(struct store *base, bool begin, struct error *error)
{
    struct sqlite_store *store = (struct sqlite_store *)base;
    return must_step(store, begin ? store->begin : store->commit, error);
}

static enum status sqlite_add_column(struct store_table *table, const char *name,
                                     enum column_kind kind, struct error *error)
{
    struct sqlite_store *store = (struct sqlite_store *)table->store;
    struct sqlite_table *own = (struct sqlite_table *)table;
    struct text sql = {0};
    text_add_string(&sql, "ALTER TABLE ");
    add_quoted(&sql, table->name);
    text_add_string(&sql, " ADD COLUMN ");
    add_quoted(&sql, name);
    text_add_format(&sql, " %s", column_kind_name(kind));
    enum status status = run(store, text_string(&sql), error);
    if (status)
        status = table_failed(own, error);
    text_free(&sql);
    sqlite3_finalize(own->insert);
    own->insert = NULL;
    return status;
}

/* --- writing --- */

/* The WAL belongs to the database: what is committed may be in it only. */
static enum status sqlite_check(struct store *base, struct error *error)
{
    struct sqlite_store *store = (struct sqlite_store *)base;
    int moved = 0;
    const char *path = sqlite3_db_filename(store->database, "main");
    sqlite3_file_control(store->database, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
    if (!moved && (!path || access(sqlite3_filename_wal(path), F_OK) == 0 || errno != ENOENT))
        return FINE;
    fail(error, REFUSED, "%s was deleted or replaced while sensorhub had it open",
         path ? path : "the database");
    return advise(error, "it is opened again, or made anew; what is in the spool is stored there");
}

static enum status sqlite_begin(struct store *base, struct error *error)
{
    struct sqlite_store *store = (struct sqlite_store *)base;
    store->rejected.count = 0;
    store->settlement = (struct settlement){0};
    enum status status = must_step(store, store->begin, error);
    return status ? status : sqlite_check(base, error);
}

static void bind_cells(sqlite3_stmt *statement, const struct store_table *table,
                       const struct cell *cells)
{
    for (size_t i = 0; i < table->column_count; i++) {
        int at = (int)i + 3;
        if (!cells[i].set)
            sqlite3_bind_null(statement, at);
        else if (table->columns[i].kind == COLUMN_DOUBLE)
            sqlite3_bind_double(statement, at, cells[i].as.number);
        else if (table->columns[i].kind == COLUMN_VARCHAR)
            bind_text(statement, at, cells[i].as.text.bytes, cells[i].as.text.length);
        else
            sqlite3_bind_int64(statement, at, cells[i].as.integer);
    }
}

static void bind_row(sqlite3_stmt *statement, const struct store_table *table,
                     const struct row *row)
{
    bind_text(statement, 1, row->thing, row->thing_length);
    sqlite3_bind_int64(statement, 2, row->time);
    if (table->kind == TABLE_READINGS) {
        bind_cells(statement, table, row->cells);
        return;
    }
    bind_text(statement, 3, row->id_length ? row->id : "", row->id_length);
    bind_text(statement, 4, row->item, row->item_length);
    if (row->expires)
        sqlite3_bind_int64(statement, 5, row->expires);
    else
        sqlite3_bind_null(statement, 5);
}

/* Called when the table has the thing and time already. */
static enum status merge(struct sqlite_store *store, struct sqlite_table *own,
                         const struct row *row, struct error *error)
{
    bind_row(own->merge, &own->table, row);
    if (step(own->merge))
        return table_failed(own, error);
    if (sqlite3_changes(store->database))
        store->settlement.duplicates++;
    else if (!tokens_add(&store->rejected, row->token))
        return fail_memory(error);
    return FINE;
}

static enum status sqlite_put(struct store_table *table, const struct row *row, struct error *error)
{
    struct sqlite_store *store = (struct sqlite_store *)table->store;
    struct sqlite_table *own = (struct sqlite_table *)table;
    if (!own->insert && prepare_writing(own, error))
        return table_failed(own, error);
    bind_row(own->insert, table, row);
    if (step(own->insert))
        return table_failed(own, error);
    if (!sqlite3_changes(store->database))
        return merge(store, own, row, error);
    store->settlement.stored++;
    return FINE;
}

static enum status sqlite_settle(struct store *base, struct settlement *settlement,
                                 struct error *error)
{
    struct sqlite_store *store = (struct sqlite_store *)base;
    (void)error;
    store->settlement.rejected = store->rejected.at;
    store->settlement.rejected_count = store->rejected.count;
    *settlement = store->settlement;
    return FINE;
}

static enum status sqlite_put_log(struct store *base, int64_t time, const char *group,
                                  const char *message, size_t length, struct error *error)
{
    struct sqlite_store *store = (struct sqlite_store *)base;
    sqlite3_bind_int64(store->put_log, 1, time);
    bind_text(store->put_log, 2, group, strlen(group));
    bind_text(store->put_log, 3, message, length);
    return must_step(store, store->put_log, error);
}

/* --- records that wait --- */

static enum status sqlite_put_waiting(struct store *base, const char *type,
                                      const struct waiting_record *record, struct error *error)
{
    struct sqlite_store *store = (struct sqlite_store *)base;
    sqlite3_stmt *put = store->put_waiting;
    const char *payload = record->payload;
    bind_text(put, 1, type, strlen(type));
    sqlite3_bind_int64(put, 2, (sqlite3_int64)record->number);
    sqlite3_bind_int64(put, 3, record->time);
    bind_text(put, 4, record->topic, record->topic_length);
    bind_text(put, 5, record->client_id, record->client_id_length);
    bind_text(put, 6, record->principal, record->principal_length);
    sqlite3_bind_blob64(put, 7, payload ? payload : "", record->payload_length, SQLITE_STATIC);
    return must_step(store, put, error);
}

static const char *read_text(sqlite3_stmt *statement, int at, uint32_t *length)
{
    const void *bytes = sqlite3_column_blob(statement, at);
    *length = (uint32_t)sqlite3_column_bytes(statement, at);
    return bytes ? bytes : "";
}

static void read_record(sqlite3_stmt *statement, struct waiting_record *record)
{
    record->id = (uint64_t)sqlite3_column_int64(statement, 0);
    record->number = (uint64_t)sqlite3_column_int64(statement, 1);
    record->time = sqlite3_column_int64(statement, 2);
    record->topic = read_text(statement, 3, &record->topic_length);
    record->client_id = read_text(statement, 4, &record->client_id_length);
    record->principal = read_text(statement, 5, &record->principal_length);
    record->payload = read_text(statement, 6, &record->payload_length);
}

static enum status sqlite_read_waiting(struct store *base, const char *type, size_t most,
                                       bool (*each)(void *context,
                                                    const struct waiting_record *record),
                                       void *context, struct error *error)
{
    struct sqlite_store *store = (struct sqlite_store *)base;
    sqlite3_stmt *select = NULL;
    struct waiting_record record;
    int code;
    enum status status = prepare(
        store, "SELECT " WAITING_COLUMNS " FROM \"_waiting\" WHERE type = ?1 ORDER BY id LIMIT ?2",
        &select, error);
    if (status)
        return status;
    bind_text(select, 1, type, strlen(type));
    sqlite3_bind_int64(select, 2, (sqlite3_int64)most);
    while ((code = sqlite3_step(select)) == SQLITE_ROW) {
        read_record(select, &record);
        if (!each(context, &record))
            break;
    }
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        status = failed(store, error);
    sqlite3_finalize(select);
    return status;
}

static enum status sqlite_drop_waiting(struct store *base, const char *type, uint64_t upto,
                                       struct error *error)
{
    struct sqlite_store *store = (struct sqlite_store *)base;
    sqlite3_stmt *drop = NULL;
    enum status status =
        prepare(store, "DELETE FROM \"_waiting\" WHERE type = ?1 AND id <= ?2", &drop, error);
    if (status)
        return status;
    bind_text(drop, 1, type, strlen(type));
    sqlite3_bind_int64(drop, 2, (sqlite3_int64)upto);
    status = must_step(store, drop, error);
    sqlite3_finalize(drop);
    return status;
}

static enum status sqlite_sum_waiting(struct store *base,
                                      void (*each)(void *context, const struct waiting_sum *sum),
                                      void *context, struct error *error)
{
    struct sqlite_store *store = (struct sqlite_store *)base;
    sqlite3_stmt *select = NULL;
    int code;
    enum status status = prepare(store,
                                 "SELECT type, count(*), sum(length(payload)), min(time)"
                                 " FROM \"_waiting\" GROUP BY type ORDER BY type",
                                 &select, error);
    if (status)
        return status;
    while ((code = sqlite3_step(select)) == SQLITE_ROW) {
        const struct waiting_sum sum = {.type = (const char *)sqlite3_column_text(select, 0),
                                        .count = (uint64_t)sqlite3_column_int64(select, 1),
                                        .bytes = (uint64_t)sqlite3_column_int64(select, 2),
                                        .since = sqlite3_column_int64(select, 3)};
        each(context, &sum);
    }
    if (code != SQLITE_DONE)
        status = failed(store, error);
    sqlite3_finalize(select);
    return status;
}

static enum status sqlite_commit(struct store *base, uint64_t position, const char *counts,
                                 struct error *error)
{
    struct sqlite_store *store = (struct sqlite_store *)base;
    sqlite3_bind_int64(store->put_position, 1, (sqlite3_int64)position);
    bind_text(store->put_position, 2, counts, strlen(counts));
    enum status status = must_step(store, store->put_position, error);
    if (!status)
        status = must_step(store, store->commit, error);
    return status ? status : sqlite_check(base, error);
}

static enum status sqlite_position(struct store *base, uint64_t *position,
                                   char counts[LONGEST_COUNTS], struct error *error)
{
    struct sqlite_store *store = (struct sqlite_store *)base;
    sqlite3_stmt *get = NULL;
    *position = 0;
    *counts = '\0';
    enum status status = prepare(store, "SELECT position, counts FROM \"_hub\"", &get, error);
    if (status)
        return status;
    int code = sqlite3_step(get);
    if (code == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(get, 1);
        *position = (uint64_t)sqlite3_column_int64(get, 0);
        snprintf(counts, LONGEST_COUNTS, "%s", text ? text : "");
    } else if (code != SQLITE_DONE) {
        status = failed(store, error);
    }
    sqlite3_finalize(get);
    return status;
}

/* --- retention --- */

/* Moves expired_thing to the next thing of the table. *found: there is one. */
static enum status next_thing(struct sqlite_store *store, struct sqlite_table *own, bool *found,
                              struct error *error)
{
    sqlite3_stmt *next = own->next_thing;
    bind_text(next, 1, text_string(&own->expired_thing), own->expired_thing.length);
    int code = sqlite3_step(next);
    const char *thing = code == SQLITE_ROW ? (const char *)sqlite3_column_text(next, 0) : NULL;
    *found = thing != NULL;
    text_clear(&own->expired_thing);
    if (thing)
        text_add(&own->expired_thing, thing, (size_t)sqlite3_column_bytes(next, 0));
    return sqlite3_reset(next) ? failed(store, error) : FINE;
}

static enum status expire_readings(struct sqlite_store *store, struct sqlite_table *own,
                                   size_t most, struct expired *expired, struct error *error)
{
    enum status status = FINE;
    expired->more = true;
    for (int i = 0; i < THINGS_AT_ONCE && expired->count < most && !status; i++) {
        if (!own->expired_partly)
            status = next_thing(store, own, &expired->more, error);
        if (status || !expired->more)
            break;
        bind_text(own->expire, 1, own->expired_thing.at, own->expired_thing.length);
        sqlite3_bind_int64(own->expire, 2, expired->before);
        sqlite3_bind_int64(own->expire, 3, (sqlite3_int64)(most - expired->count));
        status = step(own->expire) ? table_failed(own, error) : FINE;
        expired->count += status ? 0 : (uint64_t)sqlite3_changes(store->database);
        own->expired_partly = expired->count == most;
    }
    return status;
}

static enum status expire_items(struct sqlite_store *store, struct sqlite_table *own, int64_t now,
                                size_t most, struct expired *expired, struct error *error)
{
    sqlite3_bind_int64(own->expire, 1, now / 1000);
    sqlite3_bind_int64(own->expire, 2, (sqlite3_int64)most);
    if (step(own->expire))
        return table_failed(own, error);
    expired->count = (uint64_t)sqlite3_changes(store->database);
    expired->more = expired->count == most;
    return FINE;
}

static enum status sqlite_expire(struct store_table *table, int64_t now, size_t most,
                                 struct expired *expired, struct error *error)
{
    struct sqlite_store *store = (struct sqlite_store *)table->store;
    struct sqlite_table *own = (struct sqlite_table *)table;
    enum status status = must_step(store, store->begin, error);
    if (status)
        return status;
    status = table->kind == TABLE_READINGS ? expire_readings(store, own, most, expired, error)
                                           : expire_items(store, own, now, most, expired, error);
    if (!status)
        return must_step(store, store->commit, error);
    sqlite3_exec(store->database, "ROLLBACK", NULL, NULL, NULL);
    *expired = (struct expired){.unit = expired->unit};
    return status;
}

static enum status sqlite_expire_log(struct store *base, const char *group, int64_t before,
                                     size_t most, struct expired *expired, struct error *error)
{
    struct sqlite_store *store = (struct sqlite_store *)base;
    bind_text(store->expire_log, 1, group, strlen(group));
    sqlite3_bind_int64(store->expire_log, 2, before);
    sqlite3_bind_int64(store->expire_log, 3, (sqlite3_int64)most);
    enum status status = must_step(store, store->expire_log, error);
    expired->count = status ? 0 : (uint64_t)sqlite3_changes(store->database);
    expired->more = expired->count == most;
    return status;
}

/* --- reading --- */

/* Of one thing, the rows are one range of the B-tree. Of all things, a recursive query finds one
 * thing after the other, and for each its range, so that the table is never read as a whole. */
static void add_query(const struct store_table *table, const struct store_query *query,
                      struct text *sql)
{
    struct text name = {0};
    add_quoted(&name, table->name);
    if (!query->thing)
        text_add_format(sql,
                        "WITH RECURSIVE _one(name) AS (SELECT min(thing) FROM %s UNION ALL"
                        " SELECT (SELECT min(thing) FROM %s WHERE thing > _one.name) FROM _one"
                        " WHERE _one.name IS NOT NULL) ",
                        text_string(&name), text_string(&name));
    text_add_string(sql, "SELECT t.thing, t.time");
    if (table->kind == TABLE_ITEMS)
        text_add_string(sql, ", t.item");
    for (size_t i = 0; i < table->column_count; i++) {
        text_add_string(sql, ", t.");
        add_quoted(sql, table->columns[i].name);
    }
    text_add_format(sql,
                    " FROM %s%s t WHERE t.thing = %s AND t.time >= ?2 AND t.time < ?3"
                    " ORDER BY t.time DESC%s%s LIMIT ?4",
                    query->thing ? "" : "_one CROSS JOIN ", text_string(&name),
                    query->thing ? "?1" : "_one.name", query->thing ? "" : ", t.thing DESC",
                    table->kind == TABLE_ITEMS ? ", t.id DESC" : "");
    text_free(&name);
}

static void read_cell(sqlite3_stmt *statement, int at, enum column_kind kind, struct cell *cell)
{
    cell->set = sqlite3_column_type(statement, at) != SQLITE_NULL;
    if (kind == COLUMN_DOUBLE) {
        cell->as.number = sqlite3_column_double(statement, at);
    } else if (kind == COLUMN_VARCHAR) {
        cell->as.text.bytes = (const char *)sqlite3_column_text(statement, at);
        cell->as.text.length = (size_t)sqlite3_column_bytes(statement, at);
    } else {
        cell->as.integer = sqlite3_column_int64(statement, at);
    }
}

static enum status sqlite_query(struct store_table *table, const struct store_query *query,
                                bool (*each)(void *context, const struct row *row), void *context,
                                struct error *error)
{
    struct sqlite_store *store = (struct sqlite_store *)table->store;
    owned struct cell *cells = must_array(table->column_count, sizeof *cells);
    sqlite3_stmt *select = NULL;
    struct text sql = {0};
    int code = SQLITE_DONE;
    add_query(table, query, &sql);
    enum status status = prepare(store, text_string(&sql), &select, error);
    text_free(&sql);
    if (status)
        return status;
    if (query->thing)
        bind_text(select, 1, query->thing, strlen(query->thing));
    sqlite3_bind_int64(select, 2, query->from);
    sqlite3_bind_int64(select, 3, query->until);
    sqlite3_bind_int64(select, 4, query->limit ? (sqlite3_int64)query->limit : -1);
    while ((code = sqlite3_step(select)) == SQLITE_ROW) {
        struct row row = {.thing = (const char *)sqlite3_column_text(select, 0),
                          .thing_length = (size_t)sqlite3_column_bytes(select, 0),
                          .time = sqlite3_column_int64(select, 1),
                          .cells = cells};
        if (table->kind == TABLE_ITEMS) {
            row.item = (const char *)sqlite3_column_text(select, 2);
            row.item_length = (size_t)sqlite3_column_bytes(select, 2);
        }
        for (size_t i = 0; i < table->column_count; i++)
            read_cell(select, (int)i + 2, table->columns[i].kind, &cells[i]);
        if (!each(context, &row))
            break;
    }
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        status = failed(store, error);
    sqlite3_finalize(select);
    return status;
}

const struct backend sqlite_backend = {
    .open = sqlite_open,
    .close = sqlite_close,
    .table = sqlite_table,
    .tables = sqlite_tables,
    .add_column = sqlite_add_column,
    .check = sqlite_check,
    .begin = sqlite_begin,
    .put = sqlite_put,
    .settle = sqlite_settle,
    .put_log = sqlite_put_log,
    .put_waiting = sqlite_put_waiting,
    .read_waiting = sqlite_read_waiting,
    .drop_waiting = sqlite_drop_waiting,
    .sum_waiting = sqlite_sum_waiting,
    .commit = sqlite_commit,
    .position = sqlite_position,
    .expire = sqlite_expire,
    .expire_log = sqlite_expire_log,
    .query = sqlite_query,
};
