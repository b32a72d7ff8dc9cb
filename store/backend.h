/* What stands behind store.h: one table of functions for each database. */
#ifndef STORE_BACKEND_H
#define STORE_BACKEND_H

#include "store.h"

struct backend {
    enum status (*open)(const char *url, bool read_only, struct store **store, struct error *error);
    void (*close)(struct store *store);
    enum status (*table)(struct store *store, const struct table_definition *definition,
                         struct store_table **table, struct error *error);
    enum status (*tables)(struct store *store, bool begin, struct error *error);
    bool (*takes_name)(const char *name); /* as a column's; NULL: any */
    enum status (*add_column)(struct store_table *table, const char *name, enum column_kind kind,
                              struct error *error);
    enum status (*begin)(struct store *store, struct error *error);
    enum status (*put)(struct store_table *table, const struct row *row, struct error *error);
    enum status (*settle)(struct store *store, struct settlement *settlement, struct error *error);
    enum status (*put_log)(struct store *store, int64_t time, const char *group,
                           const char *message, size_t length, struct error *error);
    enum status (*commit)(struct store *store, uint64_t position, const char *counts,
                          struct error *error);
    enum status (*position)(struct store *store, uint64_t *position, char counts[LONGEST_COUNTS],
                            struct error *error);
    enum status (*expire)(struct store_table *table, int64_t now, size_t most, bool *more,
                          struct error *error);
    enum status (*expire_log)(struct store *store, const char *group, int64_t before, size_t most,
                              bool *more, struct error *error);
    enum status (*query)(struct store_table *table, const struct store_query *query,
                         bool (*each)(void *context, const struct row *row), void *context,
                         struct error *error);
};

/* The first member of each backend's store. */
struct store {
    const struct backend *backend;
};

extern const struct backend sqlite_backend, postgres_backend;

/* Tokens that were rejected, kept for store_settle(). */
struct tokens {
    uint64_t *at;
    size_t count, room;
};
bool tokens_add(struct tokens *tokens, uint64_t token); /* false without memory */

/* What every backend's table begins as; name is copied. */
void store_table_begin(struct store_table *table, struct store *store,
                       const struct table_definition *definition);

/* Whether this table is the one wished for: it then takes the wish's retention, and is *found. */
bool store_table_again(struct store_table *table, const struct table_definition *definition,
                       struct store_table **found);
void store_table_end(struct store_table *table);
void store_table_add(struct store_table *table, const char *name, enum column_kind kind);

/* What there is under a table's name, gathered column by column: a table of items is known by its
 * column item, whose type is JSON, which no column of readings has. */
struct found {
    bool thing, time, id;        /* in the primary key */
    bool item, unknown, columns; /* columns: there are any, and so a table */
};
void store_found(struct store_table *table, struct found *found, bool key, const char *name,
                 const char *type);

/* WRONG_INPUT where it is another kind of table. */
enum status store_check_found(struct store_table *table, const struct found *found,
                              struct error *error);

/* The kind that a database calls by this name (as column_kind_name(), or PostgreSQL's own words);
 * false for any other. */
bool column_kind_read(const char *name, enum column_kind *kind);

/* Adds a name in quotes, quotes in it doubled: as both databases read it. */
void add_quoted(struct text *sql, const char *name);

#endif
