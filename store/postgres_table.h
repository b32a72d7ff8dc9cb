/* Tables of a PostgreSQL database, and the temporary table beside each, into which rows are copied.
 */
#ifndef STORE_POSTGRES_TABLE_H
#define STORE_POSTGRES_TABLE_H

#include "postgres_call.h"

struct postgres_table {
    struct store_table table; /* first */
    char *quoted;             /* its name, quoted */
    char *staging;            /* the name of its temporary table, quoted */
    bool hypertable;          /* it is one of TimescaleDB */

    /* Rows of the transaction that are not in the table yet. */
    struct buffer rows;   /* not yet in the temporary table; as binary COPY takes them */
    struct tokens tokens; /* of all rows since the last merge; a row's number n is its place here */
    bool merged;          /* what is in the temporary table was merged into the table */

    /* Removal of what is too old goes from thing to thing. */
    struct text expired_thing; /* the last thing that was looked at */
    bool expired_partly;       /* that thing may have more rows that are too old */

    struct postgres_table *next; /* of the store */
};

/* Backend.table. */
enum status postgres_table(struct store *base, const struct table_definition *definition,
                           struct store_table **table, struct error *error);
void postgres_table_free(struct postgres_table *table);

/* Backend.takes_name. */
bool postgres_takes_name(const char *name);

/* The type of a column in SQL. */
const char *postgres_type(enum column_kind kind);

/* Adds ", <before><column>" for each column of the table. */
void postgres_add_columns(const struct store_table *table, const char *before, struct text *sql);

#endif
