/* Reads rows as named values, whatever kind of table they are in: a row of readings has a value for
 * each column of its table, an item has one for each member of its JSON. For programs that show or
 * hand on readings. */
#ifndef STORE_READ_H
#define STORE_READ_H

#include "store.h"

enum read_kind {
    READ_NULL, /* no value */
    READ_NUMBER,
    READ_BOOLEAN,
    READ_TEXT,
    READ_JSON /* of items: an object or an array */
};

struct read_value {
    const char *name;
    enum read_kind kind;
    const char *bytes; /* as JSON writes the value; READ_TEXT: the text itself; READ_NULL: "" */
    size_t length;
};

struct read_row {
    int64_t time; /* milliseconds since 1970 */
    const char *thing;
    size_t thing_length;
    const struct read_value *values; /* of an item: in its order, without thing and time */
    size_t count;
};

/* Calls each() with the rows that the query selects, the newest first, until it returns false. What
 * the row points to is valid until each() returns; the names of a table's columns are valid as long
 * as the table. */
enum status read_rows(struct store_table *table, const struct store_query *query,
                      bool (*each)(void *context, const struct read_row *row), void *context,
                      struct error *error);

#endif
