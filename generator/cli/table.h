/* A table for people: columns as wide as their widest cell, two spaces between them. */
#ifndef GENERATOR_CLI_TABLE_H
#define GENERATOR_CLI_TABLE_H

#include "common/base/text.h"

#include <stddef.h>

struct table {
    const char *const *columns; /* titles */
    size_t column_count;
    char **cells;       /* row after row */
    size_t count, room; /* of cells */
};

/* Copies as many cells as there are columns. */
void table_add(struct table *table, const char *const *cells);

/* Adds the table as lines. The last column is continued under itself where a line would be longer
 * than width; 0: lines may have any length. */
void table_write(const struct table *table, size_t width, struct text *out);

/* The width for standard output: of the terminal; 0 when it is none, so that each row is a line. */
size_t table_screen_width(void);

void table_free(struct table *table);

#endif
