/* A backend is a database behind store.h: a table of functions. Their contracts are those of the
 * functions of store.h. */
#ifndef STORE_BACKEND_H
#define STORE_BACKEND_H

#include "store.h"

struct backend {
    enum status (*open)(const char *url, bool read_only, struct store **store, struct error *error);
    void (*close)(struct store *store);
    enum status (*table)(struct store *store, const struct table_definition *definition,
                         struct store_table **table, struct error *error);
    enum status (*tables)(struct store *store, bool begin, struct error *error);
    bool (*takes_name)(const char *name); /* whether a column may have the name; NULL: any name */
    enum status (*add_column)(struct store_table *table, const char *name, enum column_kind kind,
                              struct error *error);
    enum status (*check)(struct store *store, struct error *error); /* NULL: always FINE */
    enum status (*begin)(struct store *store, struct error *error);
    enum status (*put)(struct store_table *table, const struct row *row, struct error *error);
    enum status (*settle)(struct store *store, struct settlement *settlement, struct error *error);
    enum status (*put_log)(struct store *store, int64_t time, const char *group,
                           const char *message, size_t length, struct error *error);
    enum status (*put_waiting)(struct store *store, const char *type,
                               const struct waiting_record *record, struct error *error);
    enum status (*read_waiting)(struct store *store, const char *type, size_t most,
                                bool (*each)(void *context, const struct waiting_record *record),
                                void *context, struct error *error);
    enum status (*drop_waiting)(struct store *store, const char *type, uint64_t upto,
                                struct error *error);
    enum status (*sum_waiting)(struct store *store,
                               void (*each)(void *context, const struct waiting_sum *sum),
                               void *context, struct error *error);
    enum status (*commit)(struct store *store, uint64_t position, const char *counts,
                          struct error *error);
    enum status (*position)(struct store *store, uint64_t *position, char counts[LONGEST_COUNTS],
                            struct error *error);
    enum status (*expire)(struct store_table *table, int64_t now, size_t most,
                          struct expired *expired, struct error *error);
    enum status (*expire_log)(struct store *store, const char *group, int64_t before, size_t most,
                              struct expired *expired, struct error *error);
    enum status (*query)(struct store_table *table, const struct store_query *query,
                         bool (*each)(void *context, const struct row *row), void *context,
                         struct error *error);
};

/* The first member of each backend's store. */
struct store {
    const struct backend *backend;
    const char *upgraded; /* store_upgraded(); static text */
    const char *troubled; /* store_troubled(): the name of a table of the store */
};

/* What store_upgraded() says of a database without the table "_waiting". */
#define WAITING_ADDED                                                                              \
    "the database was made by an earlier version: it gets the table _waiting, for readings of "    \
    "types "                                                                                       \
    "that cannot be stored for the time being"

/* What SELECTs of the table "_waiting" read. */
#define WAITING_COLUMNS "id, number, time, topic, client_id, principal, payload"

extern const struct backend sqlite_backend, postgres_backend;

/* A list of tokens of rows. */
struct tokens {
    uint64_t *at;
    size_t count, room;
};
bool tokens_add(struct tokens *tokens, uint64_t token); /* false: out of memory */

/* Initializes a table without columns; the name is copied. */
void store_table_begin(struct store_table *table, struct store *store,
                       const struct table_definition *definition);

/* Whether the table is the one that is defined. If so, it takes over the definition's retention and
 * key, and becomes *found. */
bool store_table_again(struct store_table *table, const struct table_definition *definition,
                       struct store_table **found);
void store_table_end(struct store_table *table);

/* Adds the declared columns that the table lacks. */
enum status store_declare(struct store_table *table, const struct table_definition *definition,
                          struct error *error);

/* What the database has under a table's name, gathered column by column. A table of items is
 * recognized by its column item of the type JSON, which no column of readings has. */
struct found_columns {
    bool columns;         /* it has columns, so there is a table */
    bool thing, time, id; /* these are in the primary key */
    bool item;            /* it has the column item */
    bool other_key;       /* a column of the primary key is another one */
};

/* A column of the table. type "": it is generated, has a default value, or must not be NULL. No column
 * that the store adds is so: it is foreign, as one whose type is not known here. */
void store_found(struct store_table *table, struct found_columns *found, bool key, const char *name,
                 const char *type);

/* WRONG_INPUT: it is another kind of table. */
enum status store_check_found(struct store_table *table, const struct found_columns *found,
                              struct error *error);

/* The database refused a statement because of this table. Puts the table's name before the message,
 * and returns WRONG_INPUT: see store_table(). */
enum status store_blame(const char *name, struct error *error);

/* Adds a name as a quoted identifier of SQL. */
void add_quoted(struct text *sql, const char *name);

#endif
