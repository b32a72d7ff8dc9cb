#include "backend.h"
#include "common/base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* --- what backends share --- */

static const struct {
    const char *name, *other;
} kind_names[] = {
    [COLUMN_DOUBLE] = {"DOUBLE", "double precision"},
    [COLUMN_BIGINT] = {"BIGINT", "bigint"},
    [COLUMN_BOOLEAN] = {"BOOLEAN", "boolean"},
    [COLUMN_VARCHAR] = {"VARCHAR", "text"},
};

enum { KIND_COUNT = sizeof kind_names / sizeof *kind_names };

const char *column_kind_name(enum column_kind kind)
{
    return kind_names[kind].name;
}

bool column_kind_named(const char *name, enum column_kind *kind)
{
    for (int i = 0; i < KIND_COUNT; i++) {
        if (strcasecmp(name, kind_names[i].name) == 0 ||
            strcasecmp(name, kind_names[i].other) == 0) {
            *kind = (enum column_kind)i;
            return true;
        }
    }
    return false;
}

bool tokens_add(struct tokens *tokens, uint64_t token)
{
    if (tokens->count == tokens->room) {
        size_t wanted = tokens->room ? 2 * tokens->room : 64;
        uint64_t *grown = realloc(tokens->at, wanted * sizeof *grown);
        if (!grown)
            return false;
        tokens->at = grown;
        tokens->room = wanted;
    }
    tokens->at[tokens->count++] = token;
    return true;
}

void store_table_begin(struct store_table *table, struct store *store,
                       const struct table_definition *definition)
{
    *table = (struct store_table){.name = must_copy(definition->name),
                                  .kind = definition->kind,
                                  .retention_seconds = definition->retention_seconds,
                                  .expires = definition->expires,
                                  .by_id = definition->by_id,
                                  .store = store};
}

bool store_table_again(struct store_table *table, const struct table_definition *definition,
                       struct store_table **found)
{
    if (table->kind != definition->kind || strcmp(table->name, definition->name) != 0)
        return false;
    table->retention_seconds = definition->retention_seconds;
    table->expires = definition->expires;
    table->by_id = definition->by_id;
    *found = table;
    return true;
}

void store_table_end(struct store_table *table)
{
    for (size_t i = 0; i < table->foreign_count; i++)
        free(table->foreign[i]);
    free(table->foreign);
    free(table->name);
    free(table->columns);
}

static void add_column(struct store_table *table, const char *name, enum column_kind kind)
{
    table->columns =
        must_grow(table->columns, table->column_count, &table->column_room, sizeof *table->columns);
    struct column *column = &table->columns[table->column_count++];
    size_t length = strnlen(name, LONGEST_COLUMN);
    memcpy(column->name, name, length);
    column->name[length] = '\0';
    column->length = length;
    column->kind = kind;
}

void add_quoted(struct text *sql, const char *name)
{
    text_add_char(sql, '"');
    for (; *name; name++) {
        if (*name == '"')
            text_add_char(sql, '"');
        text_add_char(sql, *name);
    }
    text_add_char(sql, '"');
}

enum status store_declare(struct store_table *table, const struct table_definition *definition,
                          struct error *error)
{
    enum status status = FINE;
    for (size_t i = 0; i < definition->declared_count && !status; i++) {
        const struct column *column = &definition->declared[i];
        if (store_may_add_column(table, column->name))
            status = store_add_column(table, column->name, column->kind, error);
    }
    table->declared_count = definition->declared_count;
    return status;
}

static void add_foreign(struct store_table *table, const char *name)
{
    table->foreign =
        must_grow(table->foreign, table->foreign_count, &table->foreign_room, sizeof(char *));
    table->foreign[table->foreign_count++] = must_copy(name);
}

void store_found(struct store_table *table, struct found_columns *found, bool key, const char *name,
                 const char *type)
{
    enum column_kind kind;
    found->columns = true;
    if (key && strcmp(name, "thing") == 0)
        found->thing = true;
    else if (key && strcmp(name, "time") == 0)
        found->time = true;
    else if (key && strcmp(name, "id") == 0)
        found->id = true;
    else if (!key && strcmp(name, "item") == 0 && strcasecmp(type, "json") == 0)
        found->item = true;
    else if (!key && column_kind_named(type, &kind) && table->column_count < MOST_COLUMNS)
        add_column(table, name, kind);
    else if (key)
        found->other_key = true;
    else
        add_foreign(table, name);
}

enum status store_check_found(struct store_table *table, const struct found_columns *found,
                              struct error *error)
{
    bool items = table->kind == TABLE_ITEMS;
    bool right = found->thing && found->time && found->id == items && found->item == items;
    if (items) {
        bool expires = false;
        for (size_t i = 0; table->columns && i < table->column_count; i++)
            expires |= strcmp(table->columns[i].name, "expires") == 0;
        right = right && expires;
        table->column_count = 0;
    }
    if (!found->columns || (right && !found->other_key))
        return FINE;
    fail(error, WRONG_INPUT,
         "the database has a table \"%s\" that is not what the documents ask for", table->name);
    return advise(error, "it was made for the other kind of store (Timestream or DynamoDB), or by "
                         "an older version: rename it, or drop it if nobody needs it; a new one is "
                         "made");
}

enum status store_blame(const char *name, struct error *error)
{
    owned char *where = must_format("table \"%s\"", name);
    error_in(error, where);
    return error->status = WRONG_INPUT;
}

/* --- dispatch --- */

enum status store_open(const char *url, bool read_only, struct store **store, struct error *error)
{
    const struct backend *backend =
        strcmp(url, "sqlite") == 0 || begins_with(url, "sqlite:")              ? &sqlite_backend
        : begins_with(url, "postgres://") || begins_with(url, "postgresql://") ? &postgres_backend
                                                                               : NULL;
    *store = NULL;
    if (!backend)
        return fail(error, WRONG_INPUT, "local.store is neither sqlite nor postgresql://...");
    return backend->open(url, read_only, store, error);
}

void store_close(struct store *store)
{
    if (store)
        store->backend->close(store);
}

const char *store_upgraded(const struct store *store)
{
    return store->upgraded;
}

const char *store_troubled(const struct store *store)
{
    return store->troubled;
}

enum status store_table(struct store *store, const struct table_definition *definition,
                        struct store_table **table, struct error *error)
{
    return store->backend->table(store, definition, table, error);
}

enum status store_tables_begin(struct store *store, struct error *error)
{
    return store->backend->tables(store, true, error);
}

enum status store_tables_end(struct store *store, struct error *error)
{
    return store->backend->tables(store, false, error);
}

/* For SQLite, names that differ only in case are the same. */
bool store_may_add_column(const struct store_table *table, const char *name)
{
    const struct backend *backend = table->store->backend;
    bool taken = strcasecmp(name, "thing") == 0 || strcasecmp(name, "time") == 0;
    for (size_t i = 0; table->columns && i < table->column_count && !taken; i++)
        taken = strcasecmp(table->columns[i].name, name) == 0;
    for (size_t i = 0; i < table->foreign_count && !taken; i++)
        taken = strcasecmp(table->foreign[i], name) == 0;
    return !taken && *name && strlen(name) <= LONGEST_COLUMN &&
           table->column_count < MOST_COLUMNS &&
           (!backend->takes_name || backend->takes_name(name));
}

enum status store_add_column(struct store_table *table, const char *name, enum column_kind kind,
                             struct error *error)
{
    if (!store_may_add_column(table, name))
        return fail(error, WRONG_INPUT, "table \"%s\" takes no column called \"%s\"", table->name,
                    name);
    enum status status = table->store->backend->add_column(table, name, kind, error);
    if (!status)
        add_column(table, name, kind);
    return status;
}

enum status store_check(struct store *store, struct error *error)
{
    return store->backend->check ? store->backend->check(store, error) : FINE;
}

enum status store_begin(struct store *store, struct error *error)
{
    store->troubled = NULL;
    return store->backend->begin(store, error);
}

enum status store_put(struct store_table *table, const struct row *row, struct error *error)
{
    return table->store->backend->put(table, row, error);
}

enum status store_settle(struct store *store, struct settlement *settlement, struct error *error)
{
    return store->backend->settle(store, settlement, error);
}

enum status store_put_log(struct store *store, int64_t time, const char *group, const char *message,
                          size_t length, struct error *error)
{
    return store->backend->put_log(store, time, group, message, length, error);
}

enum status store_put_waiting(struct store *store, const char *type,
                              const struct waiting_record *record, struct error *error)
{
    return store->backend->put_waiting(store, type, record, error);
}

enum status store_read_waiting(struct store *store, const char *type, size_t most,
                               bool (*each)(void *context, const struct waiting_record *record),
                               void *context, struct error *error)
{
    return store->backend->read_waiting(store, type, most, each, context, error);
}

enum status store_drop_waiting(struct store *store, const char *type, uint64_t upto,
                               struct error *error)
{
    return store->backend->drop_waiting(store, type, upto, error);
}

enum status store_sum_waiting(struct store *store,
                              void (*each)(void *context, const struct waiting_sum *sum),
                              void *context, struct error *error)
{
    return store->backend->sum_waiting(store, each, context, error);
}

enum status store_commit(struct store *store, uint64_t position, const char *counts,
                         struct error *error)
{
    return store->backend->commit(store, position, counts, error);
}

enum status store_position(struct store *store, uint64_t *position, char counts[LONGEST_COUNTS],
                           struct error *error)
{
    return store->backend->position(store, position, counts, error);
}

enum status store_expire(struct store_table *table, int64_t now, size_t most,
                         struct expired *expired, struct error *error)
{
    bool readings = table->kind == TABLE_READINGS;
    int64_t kept = readings ? (int64_t)(table->retention_seconds * 1000) : 0;
    table->store->troubled = NULL;
    *expired = (struct expired){.unit = "rows", .before = now - kept};
    if (readings ? kept <= 0 : !table->expires)
        return FINE;
    return table->store->backend->expire(table, now, most, expired, error);
}

enum status store_expire_log(struct store *store, const char *group, int64_t before, size_t most,
                             struct expired *expired, struct error *error)
{
    *expired = (struct expired){.unit = "messages", .before = before};
    return store->backend->expire_log(store, group, before, most, expired, error);
}

enum status store_query(struct store_table *table, const struct store_query *query,
                        bool (*each)(void *context, const struct row *row), void *context,
                        struct error *error)
{
    return table->store->backend->query(table, query, each, context, error);
}
