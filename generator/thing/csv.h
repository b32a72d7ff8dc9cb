/* A CSV file (RFC 4180) as a table of text, by libcsv. Spaces are part of a field. */
#ifndef GENERATOR_THING_CSV_H
#define GENERATOR_THING_CSV_H

#include "common/base/error.h"

#include <stddef.h>

enum { TABLE_LARGEST = 256 << 20 };

struct table_row {
    size_t line;   /* where it begins in the file, from 1 */
    char **fields; /* as many as there are columns */
};

struct table {
    char **columns;
    size_t column_count;
    struct table_row *rows;
    size_t count, room;
};

/* Reads the file; its first row names the columns. WRONG_INPUT with the line for broken quotes, a
 * row with more or fewer fields than columns, a NUL, bytes that are not UTF-8, a column named
 * twice. */
enum status table_read(const char *path, struct table *table, struct error *error);

/* The field of the column called name, NULL when there is no such column. */
const char *table_field(const struct table *table, const struct table_row *row, const char *name);

void table_free(struct table *table); /* overwrites the fields first: some are passwords */

#endif
