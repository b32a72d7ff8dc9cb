#include "table.h"
#include "common/base/memory.h"

#include <stdlib.h>
#include <string.h>

void table_add(struct table *table, const char *const *cells)
{
    for (size_t i = 0; i < table->column_count; i++) {
        table->cells = must_grow(table->cells, table->count, &table->room, sizeof *table->cells);
        table->cells[table->count++] = must_copy(cells[i]);
    }
}

static size_t width_of(const char *cell)
{
    return utf8_length(cell, strlen(cell));
}

/* The last cell is not padded. */
static void write_row(const struct table *table, const char *const *cells, const size_t *widths,
                      struct text *out)
{
    for (size_t i = 0; i < table->column_count; i++) {
        text_add_string(out, cells[i]);
        if (i + 1 < table->column_count)
            text_add_repeated(out, ' ', widths[i] - width_of(cells[i]) + 2);
    }
    text_add_char(out, '\n');
}

void table_write(const struct table *table, struct text *out)
{
    size_t *widths = must_array(table->column_count, sizeof *widths);
    for (size_t i = 0; i < table->column_count; i++)
        widths[i] = width_of(table->columns[i]);
    for (size_t row = 0; row < table->count; row += table->column_count) {
        for (size_t i = 0; i < table->column_count; i++) {
            size_t width = width_of(table->cells[row + i]);
            widths[i] = width > widths[i] ? width : widths[i];
        }
    }
    write_row(table, table->columns, widths, out);
    for (size_t i = 0; i < table->count; i += table->column_count)
        write_row(table, (const char *const *)&table->cells[i], widths, out);
    free(widths);
}

void table_free(struct table *table)
{
    for (size_t i = 0; i < table->count; i++)
        free(table->cells[i]);
    free(table->cells);
}
