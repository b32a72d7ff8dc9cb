/* The central database behind one interface: SQLite (WAL) by default, PostgreSQL by URL.
 *
 * Tables are called as the emitted documents call them. There are two kinds:
 *
 *   readings  Timestream's: thing, time, and a column for each dimension and measure. A row is
 *             never changed: the same one again is a duplicate; another value for the same thing
 *             and time is rejected, as Timestream does. A value where there was none is added.
 *   items     DynamoDB's: thing, time, id, and the item as JSON. A new one takes the place of the
 *             old, as PutItem does. expires, in seconds since 1970, is the table's time to live.
 *
 * The primary key of readings is (thing, time), that of items (thing, time, id): id is the sort key
 * of the documents, or "" if their sort key is time. time is in milliseconds since 1970.
 *
 * There are three more tables: "_log" (time, log_group, message); "_waiting", records of types whose
 * readings cannot be stored now; and "_hub" with one row: the position in the spool up to which
 * records are stored, and the counts. No type and no table of DynamoDB can have these names. The
 * position changes in the same transaction as the rows, so each record is stored exactly once.
 *
 * A store is used by one thread. When a call fails with REFUSED, nothing since store_begin() is in
 * the database: close the store, open it again later, and do everything since store_begin() again.
 * When memory is exhausted, making a table, a column or an error message ends the program; putting
 * a row is REFUSED. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "common/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum column_kind { COLUMN_DOUBLE, COLUMN_BIGINT, COLUMN_BOOLEAN, COLUMN_VARCHAR };

/* "DOUBLE", "BIGINT", "BOOLEAN", "VARCHAR". */
const char *column_kind_name(enum column_kind kind);

/* The kind of this name, in upper or lower case; PostgreSQL's names too. False: there is none. */
bool column_kind_named(const char *name, enum column_kind *kind);

enum {
    LONGEST_COLUMN = 256, /* bytes of a name: Timestream's limit for a measure's */
    MOST_COLUMNS = 256,   /* of a table, besides thing and time */
    MOST_UNDECLARED = 64, /* columns that readings add to those that are declared, and */
    MOST_OF_THING = 16,   /* those that one thing adds */
    LONGEST_THING = 2048, /* bytes, as a partition key in DynamoDB, a dimension in Timestream */
    LONGEST_ID = 512      /* bytes: an index of PostgreSQL has room for both */
};

struct column {
    char name[LONGEST_COLUMN + 1];
    size_t length; /* of the name */
    enum column_kind kind;
};

enum table_kind { TABLE_READINGS, TABLE_ITEMS };

struct table_definition {
    const char *name;
    enum table_kind kind;
    double retention_seconds;      /* of readings, by their time; 0: for ever */
    bool expires;                  /* of items: those past their time to live are deleted */
    bool by_id;                    /* of items: their sort key is id, not time */
    const struct column *declared; /* of readings: columns that the table has from the start */
    size_t declared_count;
};

struct store;

/* Belongs to the store. Only store_add_column() changes columns. */
struct store_table {
    char *name;
    enum table_kind kind;
    struct column *columns; /* besides thing and time; none for items */
    size_t column_count, column_room;
    char **foreign; /* names of columns that others added: they are not written, nor read */
    size_t foreign_count, foreign_room;
    double retention_seconds;
    bool expires, by_id;
    struct store *store;

    /* Columns beyond the declared ones: how many each thing has added since the table was opened. */
    size_t declared_count; /* 0: nothing is declared, and there is no bound but MOST_COLUMNS */
    struct {
        uint64_t thing; /* a hash of its name */
        size_t count;
    } adders[MOST_UNDECLARED];
    size_t adder_count;
};

/* url: "sqlite", "sqlite:FILE" or "postgresql://...". Its password never appears in a message.
 * Makes the store's own tables where they are missing. read_only: for queries, while another store
 * writes. */
enum status store_open(const char *url, bool read_only, struct store **store, struct error *error);
void store_close(struct store *store);

/* What opening changed in a database of an earlier version, in words; NULL: nothing. */
const char *store_upgraded(const struct store *store);

/* The name of the table because of which the last call failed with REFUSED, when the other tables can
 * be used all the same: a right of it is missing, or it has a column or a constraint that refuses
 * rows. NULL: the failure was not due to one table. Valid until store_close(). */
const char *store_troubled(const struct store *store);

/* Opens the table, and makes it if the database does not have it. WRONG_INPUT: this table cannot be
 * made or used (the database reserves its name, has something else of that name, or does not give the
 * right to it), and others can. Declared columns that it lacks are added. *table belongs to the store; it is NULL when a read-only store has no
 * such table. */
enum status store_table(struct store *store, const struct table_definition *definition,
                        struct store_table **table, struct error *error);

/* Tables that are opened in between are made in one transaction, which costs as much as making one.
 */
enum status store_tables_begin(struct store *store, struct error *error);
enum status store_tables_end(struct store *store, struct error *error);

/* Whether a table of readings can have one more column of this name. */
bool store_may_add_column(const struct store_table *table, const char *name);

/* Adds a column to a table of readings, as part of the transaction if there is one. WRONG_INPUT:
 * store_may_add_column() is false. */
enum status store_add_column(struct store_table *table, const char *name, enum column_kind kind,
                             struct error *error);

/* --- writing: begin, put..., settle, put_log..., commit --- */

struct cell {
    bool set; /* false: no value */
    union {
        double number;   /* COLUMN_DOUBLE */
        int64_t integer; /* COLUMN_BIGINT, COLUMN_BOOLEAN */
        struct {
            const char *bytes; /* UTF-8 without NUL */
            size_t length;
        } text; /* COLUMN_VARCHAR */
    } as;
};

/* What it points to is not needed any more when store_put() returns. */
struct row {
    const char *thing;
    size_t thing_length;
    int64_t time;
    const struct cell *cells; /* of readings: one for each column of the table */
    const char *id;           /* of items: up to LONGEST_ID bytes, UTF-8 without NUL */
    size_t id_length;         /* 0: the sort key is time */
    const char *item;         /* of items: JSON */
    size_t item_length;
    int64_t expires; /* of items; 0: never */
    uint64_t token;  /* what store_settle() calls it by */
};

/* Whether the database is still the one that was opened. REFUSED: its file was deleted or replaced, so
 * nobody would see what is written. store_begin() and store_commit() ask the same. */
enum status store_check(struct store *store, struct error *error);

enum status store_begin(struct store *store, struct error *error);
enum status store_put(struct store_table *table, const struct row *row, struct error *error);

/* What became of the rows. */
struct settlement {
    uint64_t stored, duplicates;
    const uint64_t *rejected; /* tokens; until the next store_begin() */
    size_t rejected_count;
};

/* Ends the putting of rows: all rows since store_begin() are in their tables, or rejected. */
enum status store_settle(struct store *store, struct settlement *settlement, struct error *error);
enum status store_put_log(struct store *store, int64_t time, const char *group, const char *message,
                          size_t length, struct error *error);

/* position: number of the last record of the spool whose rows are in this transaction. counts: a
 * text that store_position() hands back. */
enum status store_commit(struct store *store, uint64_t position, const char *counts,
                         struct error *error);

/* 0 and "" before the first commit. */
enum { LONGEST_COUNTS = 16 << 10 /* bytes of counts, with the NUL */ };
enum status store_position(struct store *store, uint64_t *position, char counts[LONGEST_COUNTS],
                           struct error *error);

/* --- records that wait ---
 *
 * In the table "_waiting": records of the spool whose type has no table, or no documents, at present. */

struct waiting_record {
    uint64_t id; /* set when it is read; ascending in the order in which records were put */
    uint64_t number;
    int64_t time;
    const char *topic, *client_id, *principal; /* these are not NUL-terminated */
    const void *payload;
    uint32_t topic_length, client_id_length, principal_length, payload_length;
};

/* Puts a record, between store_begin() and store_commit(). */
enum status store_put_waiting(struct store *store, const char *type,
                              const struct waiting_record *record, struct error *error);

/* Reads records of the type, the oldest first, at most `most`. each() returns false to end it; what
 * record points to is there until it returns. */
enum status store_read_waiting(struct store *store, const char *type, size_t most,
                               bool (*each)(void *context, const struct waiting_record *record),
                               void *context, struct error *error);

/* Deletes the records of the type up to this id, between store_begin() and store_commit(). */
enum status store_drop_waiting(struct store *store, const char *type, uint64_t upto,
                               struct error *error);

struct waiting_sum {
    const char *type;
    uint64_t count, bytes; /* records; bytes of their payloads */
    int64_t since;         /* when the oldest was accepted: milliseconds since 1970 */
};

/* Calls each() for every type that has records there. It reads all of them. */
enum status store_sum_waiting(struct store *store,
                              void (*each)(void *context, const struct waiting_sum *sum),
                              void *context, struct error *error);

/* --- retention --- */

struct expired {
    uint64_t count;
    const char *unit; /* of count: rows, or chunks of a hypertable */
    int64_t before;   /* what is deleted is older: milliseconds since 1970 */
    bool more;        /* there may be more of it */
};

/* Deletes rows that are too old, about `most` rows at most. */
enum status store_expire(struct store_table *table, int64_t now, size_t most,
                         struct expired *expired, struct error *error);
enum status store_expire_log(struct store *store, const char *group, int64_t before, size_t most,
                             struct expired *expired, struct error *error);

/* --- reading --- */

struct store_query {
    const char *thing;   /* NULL: all */
    int64_t from, until; /* milliseconds; until exclusive */
    size_t limit;        /* the newest so many; 0: all */
};

/* Rows by time, the newest first; items without their id. each() returns false to end it; what row
 * points to is there until it returns. */
enum status store_query(struct store_table *table, const struct store_query *query,
                        bool (*each)(void *context, const struct row *row), void *context,
                        struct error *error);

#endif
