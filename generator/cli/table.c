#include "table.h"
#include "common/base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Columns that the last cell has at least; a narrower screen wraps by itself. */
enum { LEAST_WIDTH = 20 };

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

size_t table_screen_width(void)
{
    struct winsize size;
    if (!isatty(STDOUT_FILENO))
        return 0;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
}

/* Adds words, continued at column on the next line where they would pass width. */
static void write_wrapped(const char *cell, size_t column, size_t width, struct text *out)
{
    size_t at = column;
    while (*cell) {
        size_t length = strcspn(cell, " "), columns = utf8_length(cell, length);
        if (at > column && at + 1 + columns > width) {
            text_add_char(out, '\n');
            text_add_repeated(out, ' ', column);
            at = column;
        } else if (at > column) {
            text_add_char(out, ' ');
            at++;
        }
        text_add(out, cell, length);
        at += columns;
        cell += length + strspn(cell + length, " ");
    }
}

/* The last cell is not padded. */
static void write_row(const struct table *table, const char *const *cells, const size_t *widths,
                      size_t width, struct text *out)
{
    size_t column = 0, last = table->column_count - 1;
    for (size_t i = 0; i < last; i++) {
        text_add_string(out, cells[i]);
        text_add_repeated(out, ' ', widths[i] - width_of(cells[i]) + 2);
        column += widths[i] + 2;
    }
    if (width > column + LEAST_WIDTH)
        write_wrapped(cells[last], column, width, out);
    else
        text_add_string(out, cells[last]);
    text_add_char(out, '\n');
}

void table_write(const struct table *table, size_t width, struct text *out)
{
    size_t *widths = must_array(table->column_count, sizeof *widths);
    for (size_t i = 0; i < table->column_count; i++)
        widths[i] = width_of(table->columns[i]);
    for (size_t row = 0; row < table->count; row += table->column_count) {
        for (size_t i = 0; i < table->column_count; i++) {
            size_t cell = width_of(table->cells[row + i]);
            widths[i] = cell > widths[i] ? cell : widths[i];
        }
    }
    write_row(table, table->columns, widths, width, out);
    for (size_t i = 0; i < table->count; i += table->column_count)
        write_row(table, (const char *const *)&table->cells[i], widths, width, out);
    free(widths);
}

void table_free(struct table *table)
{
    for (size_t i = 0; i < table->count; i++)
        free(table->cells[i]);
    free(table->cells);
}
