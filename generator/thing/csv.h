/* A CSV file (RFC 4180) as a table of text, by libcsv. Spaces are part of a field. */
#ifndef GENERATOR_THING_CSV_H
#define GENERATOR_THING_CSV_H

#include "common/base/error.h"

#include <stddef.h>

enum { CSV_LARGEST = 256 << 20 };

struct csv_row {
    size_t line;   /* where it begins in the file, from 1 */
    char **fields; /* as many as there are columns */
};

struct csv {
    char **columns;
    size_t column_count;
    struct csv_row *rows;
    size_t count, room;
};

/* Reads the file; its first row names the columns. WRONG_INPUT with the line for broken quotes, a
 * row with more or fewer fields than columns, a NUL, bytes that are not UTF-8, a column named
 * twice. */
enum status csv_read(const char *path, struct csv *table, struct error *error);

/* The field of the column called name, NULL when there is no such column. */
const char *csv_field(const struct csv *table, const struct csv_row *row, const char *name);

void csv_wipe(struct csv *table); /* overwrites the fields first: some are passwords */

#endif
