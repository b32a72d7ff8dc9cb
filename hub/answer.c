#include "answer.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/text.h"
#include "screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TIME_COLUMN,
    THING_COLUMN,
    LEAST_PAYLOAD = 20,     /* characters of a payload in a table, however narrow the screen is */
    MOST_PAYLOAD = 100,     /* characters of a payload where there is no screen */
    OUTPUT_BYTES = 64 << 10 /* gathered before they are written */
};

/* A value. Its text is in the bytes of the answer. */
struct cell_text {
    size_t column;
    enum read_kind kind;
    size_t offset, length;
};

struct answer_row {
    int64_t time;
    size_t first, count; /* its cells; columns without a value have none */
};

struct answer {
    enum answer_format format;
    bool items;   /* rows are items: columns appear with their members */
    bool hide_id; /* an id that only distinguishes items is not for a person */
    char **columns;
    size_t column_count, column_room;
    struct answer_row *rows; /* the newest first */
    size_t row_count, row_room;
    struct cell_text *cells;
    size_t cell_count, cell_room;
    struct text bytes;
};

/* --- gathering --- */

/* Looks at the column `expected` first: rows have their values in the same order. */
static size_t find_column(struct answer *answer, const char *name, size_t expected)
{
    if (expected < answer->column_count && strcmp(answer->columns[expected], name) == 0)
        return expected;
    for (size_t i = 0; i < answer->column_count; i++)
        if (strcmp(answer->columns[i], name) == 0)
            return i;
    answer->columns = must_grow(answer->columns, answer->column_count, &answer->column_room,
                                sizeof *answer->columns);
    answer->columns[answer->column_count] = must_copy(name);
    return answer->column_count++;
}

struct answer *answer_new(const struct store_table *table, enum answer_format format)
{
    struct answer *answer = must_alloc(sizeof *answer);
    answer->format = format;
    answer->items = table->kind == TABLE_ITEMS;
    answer->hide_id = table->by_id && format == ANSWER_TABLE;
    find_column(answer, "time", TIME_COLUMN);
    find_column(answer, "thing", THING_COLUMN);
    for (size_t i = 0; i < table->column_count; i++)
        find_column(answer, table->columns[i].name, answer->column_count);
    return answer;
}

void answer_free(struct answer *answer)
{
    for (size_t i = 0; i < answer->column_count; i++)
        free(answer->columns[i]);
    free(answer->columns);
    free(answer->rows);
    free(answer->cells);
    text_free(&answer->bytes);
    free(answer);
}

static void add_cell(struct answer *answer, size_t column, enum read_kind kind, const char *bytes,
                     size_t length)
{
    answer->cells =
        must_grow(answer->cells, answer->cell_count, &answer->cell_room, sizeof *answer->cells);
    answer->cells[answer->cell_count++] =
        (struct cell_text){column, kind, answer->bytes.length, length};
    text_add(&answer->bytes, bytes, length);
}

bool answer_add(void *context, const struct read_row *row)
{
    struct answer *answer = context;
    size_t first = answer->cell_count, column = THING_COLUMN;
    add_cell(answer, THING_COLUMN, READ_TEXT, row->thing, row->thing_length);
    for (size_t i = 0; i < row->count; i++) {
        const struct read_value *value = &row->values[i];
        if (answer->hide_id && strcmp(value->name, "id") == 0)
            continue;
        column = find_column(answer, value->name, column + 1);
        if (value->kind != READ_NULL)
            add_cell(answer, column, value->kind, value->bytes, value->length);
    }
    answer->rows =
        must_grow(answer->rows, answer->row_count, &answer->row_room, sizeof *answer->rows);
    answer->rows[answer->row_count++] =
        (struct answer_row){row->time, first, answer->cell_count - first};
    return true;
}

size_t answer_rows(const struct answer *answer)
{
    return answer->row_count;
}

/* --- rows to write --- */

/* Sets by_column[] to the row's cell for each column; NULL: it has no value. */
static void spread(const struct answer *answer, const struct answer_row *row,
                   const struct cell_text **by_column)
{
    memset(by_column, 0, answer->column_count * sizeof(struct cell_text *));
    for (size_t i = 0; i < row->count; i++) {
        const struct cell_text *cell = &answer->cells[row->first + i];
        by_column[cell->column] = cell;
    }
}

static const char *bytes_of(const struct answer *answer, const struct cell_text *cell)
{
    return answer->bytes.at + cell->offset;
}

/* --- JSON --- */

/* A column without a value is null in a reading, and left out of an item. */
static void add_json(const struct answer *answer, const struct answer_row *row,
                     const struct cell_text **by_column, struct text *out)
{
    text_add_format(out, "{\"time\": %lld", (long long)row->time);
    for (size_t k = THING_COLUMN; k < answer->column_count; k++) {
        const struct cell_text *cell = by_column[k];
        if (!cell && answer->items)
            continue;
        text_add_string(out, ", ");
        json_add_string(answer->columns[k], strlen(answer->columns[k]), out);
        text_add_string(out, ": ");
        if (!cell)
            text_add_string(out, "null");
        else if (cell->kind == READ_TEXT)
            json_add_string(bytes_of(answer, cell), cell->length, out);
        else
            text_add(out, bytes_of(answer, cell), cell->length);
    }
    text_add_string(out, "}\n");
}

/* --- CSV --- */

static void add_csv_value(const char *bytes, size_t length, struct text *out)
{
    bool quote = false;
    for (size_t i = 0; i < length; i++)
        quote |= memchr(",\"\r\n", bytes[i], 4) != NULL;
    if (quote)
        text_add_char(out, '"');
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == '"')
            text_add_char(out, '"');
        text_add_char(out, bytes[i]);
    }
    if (quote)
        text_add_char(out, '"');
}

static void add_csv(const struct answer *answer, const struct answer_row *row,
                    const struct cell_text **by_column, struct text *out)
{
    char time[CLOCK_TEXT];
    clock_write_milliseconds(row->time, time);
    text_add_string(out, time);
    for (size_t k = THING_COLUMN; k < answer->column_count; k++) {
        text_add_char(out, ',');
        if (by_column[k])
            add_csv_value(bytes_of(answer, by_column[k]), by_column[k]->length, out);
    }
    text_add_string(out, "\r\n");
}

static void add_csv_header(const struct answer *answer, struct text *out)
{
    for (size_t k = 0; k < answer->column_count; k++) {
        if (k)
            text_add_char(out, ',');
        add_csv_value(answer->columns[k], strlen(answer->columns[k]), out);
    }
    text_add_string(out, "\r\n");
}

/* --- a table --- */

/* Members of items that invalid-rule.json writes and that are shown in another form: "payload" is
 * base64, "expires" is in seconds since 1970. */
static bool is_member(const struct answer *answer, size_t column, const char *name)
{
    return answer->items && strcmp(answer->columns[column], name) == 0;
}

/* Control characters would move the cursor. */
static void replace_controls(struct text *out)
{
    for (size_t i = 0; i < out->length; i++)
        if ((unsigned char)out->at[i] < 0x20 || out->at[i] == 0x7f)
            out->at[i] = memchr("\t\r\n", out->at[i], 3) ? ' ' : '?';
}

static void show_cell(const struct answer *answer, const struct cell_text *cell, struct text *out)
{
    owned char *bytes = must_copy_bytes(bytes_of(answer, cell), cell->length);
    if (cell->kind == READ_NUMBER && is_member(answer, cell->column, "expires")) {
        char time[CLOCK_TEXT];
        clock_write_local(strtoll(bytes, NULL, 10), time);
        text_add_string(out, time);
    } else if (is_member(answer, cell->column, "payload")) {
        screen_add_payload(out, bytes, cell->length);
    } else {
        text_add(out, bytes, cell->length);
    }
    replace_controls(out);
}

/* The text of one place of the table; "" without a value. */
static void show(const struct answer *answer, const struct answer_row *row,
                 const struct cell_text **by_column, size_t column, struct text *out)
{
    char time[CLOCK_TEXT];
    text_clear(out);
    if (column == TIME_COLUMN) {
        clock_write_local_milliseconds(row->time, time);
        text_add_string(out, time);
    } else if (by_column[column]) {
        show_cell(answer, by_column[column], out);
    }
}

static size_t width_of(const struct text *text)
{
    return utf8_length(text_string(text), text->length);
}

/* Payloads get what the other columns leave of the line. */
static void fit_payloads(const struct answer *answer, size_t *widths)
{
    size_t all = 2 * (answer->column_count - 1), screen = screen_width();
    for (size_t k = 0; k < answer->column_count; k++)
        all += widths[k];
    for (size_t k = 0; k < answer->column_count; k++) {
        size_t others = all - widths[k];
        size_t room = screen > others + LEAST_PAYLOAD ? screen - others : LEAST_PAYLOAD;
        if (!screen)
            room = MOST_PAYLOAD;
        if (is_member(answer, k, "payload") && widths[k] > room)
            widths[k] = room;
    }
}

static void find_widths(const struct answer *answer, const struct cell_text **by_column,
                        size_t *widths)
{
    struct text text = {0};
    for (size_t k = 0; k < answer->column_count; k++)
        widths[k] = utf8_length(answer->columns[k], strlen(answer->columns[k]));
    for (size_t i = 0; i < answer->row_count; i++) {
        spread(answer, &answer->rows[i], by_column);
        for (size_t k = 0; k < answer->column_count; k++) {
            show(answer, &answer->rows[i], by_column, k, &text);
            size_t width = width_of(&text);
            widths[k] = width > widths[k] ? width : widths[k];
        }
    }
    text_free(&text);
    fit_payloads(answer, widths);
}

/* Adds one place, in the width of its column; the last column is not filled up with blanks. */
static void add_place(const struct answer *answer, struct text *text, size_t column, size_t width,
                      bool to_the_right, struct text *out)
{
    screen_cut(text, width);
    size_t blanks = width - width_of(text);
    if (to_the_right)
        text_add_repeated(out, ' ', blanks);
    text_add_string(out, text_string(text));
    if (column + 1 < answer->column_count)
        text_add_repeated(out, ' ', (to_the_right ? 0 : blanks) + 2);
    else
        text_add_char(out, '\n');
}

static void add_table(const struct answer *answer, const struct cell_text **by_column,
                      struct text *out)
{
    struct text text = {0};
    owned size_t *widths = must_array(answer->column_count, sizeof *widths);
    find_widths(answer, by_column, widths);
    for (size_t k = 0; k < answer->column_count; k++) {
        text_clear(&text);
        text_add_string(&text, answer->columns[k]);
        add_place(answer, &text, k, widths[k], false, out);
    }
    for (size_t i = answer->row_count; i-- > 0;) {
        spread(answer, &answer->rows[i], by_column);
        for (size_t k = 0; k < answer->column_count; k++) {
            bool number = by_column[k] && by_column[k]->kind != READ_TEXT;
            show(answer, &answer->rows[i], by_column, k, &text);
            add_place(answer, &text, k, widths[k], number, out);
        }
    }
    text_free(&text);
}

/* --- all of it --- */

static void flush(struct text *out)
{
    fwrite(text_string(out), 1, out->length, stdout);
    text_clear(out);
}

static void write_lines(const struct answer *answer, const struct cell_text **by_column,
                        struct text *out)
{
    if (answer->format == ANSWER_CSV)
        add_csv_header(answer, out);
    for (size_t i = answer->row_count; i-- > 0;) {
        const struct answer_row *row = &answer->rows[i];
        spread(answer, row, by_column);
        if (answer->format == ANSWER_JSON)
            add_json(answer, row, by_column, out);
        else
            add_csv(answer, row, by_column, out);
        if (out->length > OUTPUT_BYTES)
            flush(out);
    }
}

void answer_write(const struct answer *answer)
{
    struct text out = {0};
    owned const struct cell_text **by_column =
        must_array(answer->column_count, sizeof(struct cell_text *));
    if (answer->format != ANSWER_TABLE)
        write_lines(answer, by_column, &out);
    else if (answer->row_count)
        add_table(answer, by_column, &out);
    flush(&out);
    text_free(&out);
}
