#include "csv.h"
#include "common/base/files.h"
#include "common/base/memory.h"

#include <csv.h>
#include <stdlib.h>
#include <string.h>

struct reading {
    struct csv *csv;
    const char *path;
    size_t line;     /* the one that is being parsed, from 1 */
    size_t row_line; /* the one in which the row began; 0: between rows */
    char **fields;   /* of the row so far */
    size_t count, room;
    struct error *error;
    enum status status; /* of the first error */
};

static void wipe_fields(char **fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        explicit_bzero(fields[i], strlen(fields[i]));
        free(fields[i]);
    }
    free(fields);
}

static void take_field(void *bytes, size_t length, void *context)
{
    struct reading *reading = context;
    if (!reading->status && (memchr(bytes, '\0', length) || !utf8_valid(bytes, length, NULL)))
        reading->status = fail(reading->error, WRONG_INPUT, "%s:%zu: a field is not UTF-8 text",
                               reading->path, reading->line);
    reading->fields =
        must_grow(reading->fields, reading->count, &reading->room, sizeof *reading->fields);
    reading->fields[reading->count++] = must_copy_bytes(bytes, strnlen(bytes, length));
}

static enum status take_header(struct reading *reading)
{
    struct csv *csv = reading->csv;
    csv->columns = reading->fields;
    csv->column_count = reading->count;
    for (size_t i = 0; i < csv->column_count; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(csv->columns[i], csv->columns[j]) == 0)
                return fail(reading->error, WRONG_INPUT, "%s:%zu: the column \"%s\" is there twice",
                            reading->path, reading->row_line, csv->columns[i]);
    return FINE;
}

static void take_row(int ending, void *context)
{
    struct reading *reading = context;
    struct csv *csv = reading->csv;
    (void)ending;
    if (!reading->row_line) /* the row before ended with a carriage return alone, in this line */
        reading->row_line = reading->line;
    if (!csv->columns) {
        enum status status = take_header(reading);
        reading->status = reading->status ? reading->status : status;
    } else if (reading->count != csv->column_count) {
        if (!reading->status)
            reading->status =
                fail(reading->error, WRONG_INPUT, "%s:%zu: %zu field%s; the header has %zu",
                     reading->path, reading->row_line, reading->count,
                     reading->count == 1 ? "" : "s", csv->column_count);
        wipe_fields(reading->fields, reading->count);
    } else {
        csv->rows = must_grow(csv->rows, csv->count, &csv->room, sizeof *csv->rows);
        csv->rows[csv->count++] = (struct csv_row){reading->row_line, reading->fields};
    }
    reading->fields = NULL;
    reading->count = reading->room = 0;
    reading->row_line = 0;
}

/* libcsv takes no character for a space, so it strips none. */
static int is_space(unsigned char character)
{
    (void)character;
    return 0;
}

/* Line by line, so that the callbacks know the number of the line. */
static enum status parse(struct reading *reading, const char *bytes, size_t length)
{
    struct csv_parser parser;
    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI))
        return fail(reading->error, REFUSED, "cannot read CSV: out of memory");
    csv_set_space_func(&parser, is_space);
    /* libcsv's buffer holds each field for a moment, passwords too. */
    csv_set_realloc_func(&parser, must_move_wiped);
    csv_set_free_func(&parser, free_wiped);
    while (length && !reading->status) {
        const char *newline = memchr(bytes, '\n', length);
        size_t step = newline ? (size_t)(newline - bytes) + 1 : length;
        reading->line++;
        bool blank = step == 1 || (step == 2 && bytes[0] == '\r');
        if (!reading->row_line && !(blank && newline))
            reading->row_line = reading->line;
        if (csv_parse(&parser, bytes, step, take_field, take_row, reading) != step)
            reading->status =
                fail(reading->error, WRONG_INPUT, "%s:%zu: a quote in the wrong place",
                     reading->path, reading->line);
        bytes += step;
        length -= step;
    }
    if (!reading->status && csv_fini(&parser, take_field, take_row, reading))
        reading->status = fail(reading->error, WRONG_INPUT,
                               "%s:%zu: a quoted field that begins here does not end",
                               reading->path, reading->row_line);
    csv_free(&parser);
    return reading->status;
}

/* By its byte order mark; without one, by every second byte of the header being 0. */
static bool is_utf16(const struct text *bytes)
{
    const char *at = text_string(bytes);
    if (bytes->length < 2)
        return false;
    return memcmp(at, "\xFF\xFE", 2) == 0 || memcmp(at, "\xFE\xFF", 2) == 0 ||
           (bytes->length >= 4 &&
            ((at[0] && !at[1] && at[2] && !at[3]) || (!at[0] && at[1] && !at[2] && at[3])));
}

enum status csv_read(const char *path, struct csv *csv, struct error *error)
{
    struct text bytes = {.secret = true};
    struct reading reading = {.csv = csv, .path = path, .error = error};
    *csv = (struct csv){0};
    enum status status = read_file(path, CSV_LARGEST, &bytes, error);
    if (!status && is_utf16(&bytes)) {
        fail(error, WRONG_INPUT, "%s is UTF-16", path);
        status =
            advise(error, "save it as UTF-8: Excel calls that \"CSV UTF-8 (comma delimited)\"");
    } else if (!status) {
        size_t mark = bytes.length >= 3 && memcmp(bytes.at, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
        status = parse(&reading, text_string(&bytes) + mark, bytes.length - mark);
    }
    if (!status && !csv->columns)
        status =
            fail(error, WRONG_INPUT, "%s is empty; expected a header such as name,type,zone", path);
    wipe_fields(reading.fields, reading.count);
    text_free(&bytes);
    return status;
}

bool csv_has(const struct csv *csv, const char *name)
{
    for (size_t i = 0; i < csv->column_count; i++)
        if (strcmp(csv->columns[i], name) == 0)
            return true;
    return false;
}

const char *csv_field(const struct csv *csv, const struct csv_row *row, const char *name)
{
    for (size_t i = 0; i < csv->column_count; i++)
        if (strcmp(csv->columns[i], name) == 0)
            return row->fields[i];
    return NULL;
}

void csv_wipe(struct csv *csv)
{
    for (size_t i = 0; i < csv->count; i++)
        wipe_fields(csv->rows[i].fields, csv->column_count);
    free(csv->rows);
    if (csv->columns)
        wipe_fields(csv->columns, csv->column_count);
    *csv = (struct csv){0};
}
