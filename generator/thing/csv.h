/* A CSV file (RFC 4180) as a table of text, parsed by libcsv. Spaces are part of a field. The fields
 * are overwritten when the table is freed, because a column may hold passwords. */
#ifndef GENERATOR_THING_CSV_H
#define GENERATOR_THING_CSV_H

#include "common/base/error.h"

#include <stdbool.h>
#include <stddef.h>

enum { CSV_LARGEST = 256 << 20 /* bytes of a file */ };

struct csv_row {
    size_t line;   /* where it begins in the file, from 1 */
    char **fields; /* as many as there are columns */
};

struct csv {
    char **columns; /* their names; NULL until the header is read */
    size_t column_count;
    struct csv_row *rows; /* without the header */
    size_t count, room;
};

/* Reads the file, whose first row names the columns. The caller frees the table with csv_wipe(), also
 * on failure. WRONG_INPUT, with the line, when a quote is in the wrong place or missing, a row has
 * more or fewer fields than there are columns, a field holds a NUL or is not UTF-8, or two columns
 * have the same name. */
enum status csv_read(const char *path, struct csv *csv, struct error *error);

/* Whether the first row names this column. */
bool csv_has(const struct csv *csv, const char *name);

/* The field of the column called name; NULL when there is no such column. */
const char *csv_field(const struct csv *csv, const struct csv_row *row, const char *name);

/* Overwrites all fields, then frees them. */
void csv_wipe(struct csv *csv);

#endif
