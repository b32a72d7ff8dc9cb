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
void table_write(const struct table *table, struct text *out);
void table_free(struct table *table);

#endif
