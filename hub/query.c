/* The newest rows come first from the database, and go last to the reader; so they are gathered,
 * each as the text of its cells, and written from the end. */
#include "query.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/names.h"
#include "common/base/valid.h"
#include "common/base/clock.h"
#include "hub/engine/type.h"
#include "settings.h"
#include "common/base/paths.h"
#include "screen.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    KEY_COLUMNS = 2,
    MOST_ROWS = 10000000,
    SHOWN_ROWS = 1000,
    LEAST_PAYLOAD = 20, /* characters of one that are shown, however narrow the screen, */
    MOST_PAYLOAD = 100  /* and where there is no screen */
};

static const double default_seconds = 3600;

/* A cell: bytes of the text of all cells, or none. */
struct piece {
    size_t offset, length;
    bool set, quoted; /* quoted: JSON writes it as a string */
};

struct answer {
    const struct store_table *table;
    const struct query_options *options;
    struct text bytes;   /* of all cells, one behind the other */
    struct piece *cells; /* rows of column_count cells; NULL rows of items are parsed later */
    size_t cell_count, cell_room, row_count;
    char **names; /* of the columns: time, thing, ... */
    size_t column_count, column_room;
};

/* --- times --- */

/* A duration such as "5m"; without a unit it is seconds. */
static bool read_duration(const char *text, double *seconds)
{
    char *end;
    double number = strtod(text, &end);
    bool is_number = *text >= '0' && *text <= '9' && !*end;
    *seconds = is_number ? number : clock_duration(text);
    return *seconds > 0 && *seconds < 1e12;
}

/* A date, with or without a time; local unless it ends in Z. Or seconds since 1970. */
static bool read_time(const char *text, int64_t *milliseconds)
{
    char *end;
    double seconds = strtod(text, &end);
    if (end != text && !*end && fabs(seconds) < 1e12) {
        *milliseconds = (int64_t)(seconds * 1000);
        return true;
    }
    return clock_read_typed(text, milliseconds);
}

static enum status wrong_value(const char *option, const char *value, const char *wanted,
                               struct error *error)
{
    fail(error, WRONG_USAGE, "--%s %s is not understood", option, value);
    return advise(error, "it takes %s", wanted);
}

static enum status read_span(const struct query_options *options, struct store_query *query,
                             struct error *error)
{
    static const char moment[] = "2026-11-21, 2026-11-21T12:00:00Z (without Z: local time), or "
                                 "seconds since 1970";
    double seconds = default_seconds;
    int64_t now = clock_milliseconds();
    if (options->last && (options->from || options->to))
        return fail(error, WRONG_USAGE, "--last and --from or --to exclude each other");
    if (options->last && !read_duration(options->last, &seconds))
        return wrong_value("last", options->last, "30s, 5m, 1h, 7d or the like", error);
    query->until = INT64_MAX;
    query->from = now - (int64_t)(seconds * 1000);
    if (options->to && !read_time(options->to, &query->until))
        return wrong_value("to", options->to, moment, error);
    if (options->from && !read_time(options->from, &query->from))
        return wrong_value("from", options->from, moment, error);
    if (options->to && !options->from)
        query->from = INT64_MIN;
    return FINE;
}

static enum status read_limit(const struct query_options *options, struct store_query *query,
                              struct error *error)
{
    char *end;
    query->limit = options->json || options->csv ? MOST_ROWS : SHOWN_ROWS;
    if (!options->limit)
        return FINE;
    errno = 0;
    unsigned long limit = strtoul(options->limit, &end, 10);
    if (errno || *end || *options->limit < '0' || *options->limit > '9' || limit < 1 ||
        limit > MOST_ROWS)
        return wrong_value("limit", options->limit, "a number of rows, 1 to 10000000", error);
    query->limit = limit;
    return FINE;
}

/* --- gathering --- */

static size_t column_called(struct answer *answer, const char *name)
{
    for (size_t i = 0; i < answer->column_count; i++)
        if (strcmp(answer->names[i], name) == 0)
            return i;
    answer->names =
        must_grow(answer->names, answer->column_count, &answer->column_room, sizeof *answer->names);
    answer->names[answer->column_count] = must_copy(name);
    return answer->column_count++;
}

static void add_cell(struct answer *answer, const char *bytes, size_t length, bool set, bool quoted)
{
    answer->cells =
        must_grow(answer->cells, answer->cell_count, &answer->cell_room, sizeof *answer->cells);
    answer->cells[answer->cell_count++] = (struct piece){answer->bytes.length, length, set, quoted};
    text_add(&answer->bytes, bytes, length);
}

static void add_value(struct answer *answer, enum column_kind kind, const struct cell *cell)
{
    char made[32] = "";
    if (kind == COLUMN_VARCHAR && cell->set) {
        add_cell(answer, cell->as.text.bytes, cell->as.text.length, true, true);
        return;
    }
    if (cell->set && kind == COLUMN_DOUBLE)
        json_format_number(cell->as.number, made);
    else if (cell->set && kind == COLUMN_BOOLEAN)
        snprintf(made, sizeof made, "%s", cell->as.integer ? "true" : "false");
    else if (cell->set)
        snprintf(made, sizeof made, "%" PRId64, cell->as.integer);
    add_cell(answer, made, strlen(made), cell->set, false);
}

/* An item is kept as it is, and taken apart when the columns of all are known. */
static bool gather(void *context, const struct row *row)
{
    struct answer *answer = context;
    char time[32];
    int length = snprintf(time, sizeof time, "%" PRId64, row->time);
    add_cell(answer, time, (size_t)length, true, false);
    add_cell(answer, row->thing, row->thing_length, true, true);
    if (answer->table->kind == TABLE_ITEMS)
        add_cell(answer, row->item, row->item_length, true, false);
    for (size_t i = 0; i < answer->table->column_count; i++)
        add_value(answer, answer->table->columns[i].kind, &row->cells[i]);
    answer->row_count++;
    return true;
}

/* An id that is there to tell items apart tells a person nothing. */
static bool is_shown(const struct answer *answer, const char *member)
{
    bool complete = answer->options->json || answer->options->csv;
    return complete || !answer->table->by_id || strcmp(member, "id") != 0;
}

/* Items: a column for each member that any of them has. */
static void take_items_apart(struct answer *answer)
{
    struct answer flat = {.table = answer->table, .options = answer->options};
    owned cJSON **items = must_array(answer->row_count, sizeof(cJSON *));
    const cJSON *member;
    column_called(&flat, "time");
    column_called(&flat, "thing");
    for (size_t i = 0; i < answer->row_count; i++) {
        const struct piece *item = &answer->cells[i * 3 + 2];
        items[i] = cJSON_ParseWithLength(answer->bytes.at + item->offset, item->length);
        cJSON_ArrayForEach(member, items[i])
        {
            if (is_shown(answer, member->string))
                column_called(&flat, member->string);
        }
    }
    for (size_t i = 0; i < answer->row_count; i++) {
        for (size_t k = 0; k < flat.column_count; k++) {
            struct text text = {0};
            const cJSON *value = json_get(items[i], flat.names[k]);
            const struct piece *key = &answer->cells[i * 3 + (k < KEY_COLUMNS ? k : 0)];
            if (k < KEY_COLUMNS)
                add_cell(&flat, answer->bytes.at + key->offset, key->length, true, key->quoted);
            else if (cJSON_IsString(value))
                add_cell(&flat, value->valuestring, strlen(value->valuestring), true, true);
            else if (value)
                json_compact(value, &text);
            if (k >= KEY_COLUMNS && !cJSON_IsString(value))
                add_cell(&flat, text_string(&text), text.length, value && !cJSON_IsNull(value),
                         false);
            text_free(&text);
        }
        cJSON_Delete(items[i]);
    }
    flat.row_count = answer->row_count;
    text_free(&answer->bytes);
    free(answer->cells);
    *answer = flat;
}

/* --- writing --- */

static const struct piece *cell_at(const struct answer *answer, size_t row, size_t column)
{
    return &answer->cells[(answer->row_count - 1 - row) * answer->column_count + column];
}

static void write_quoted_json(const char *bytes, size_t length, struct text *out)
{
    text_add_char(out, '"');
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c == '"' || c == '\\')
            text_add_format(out, "\\%c", c);
        else if (c < 0x20)
            text_add_format(out, "\\u%04x", c);
        else
            text_add_char(out, (char)c);
    }
    text_add_char(out, '"');
}

static void write_json(const struct answer *answer, size_t row, struct text *out)
{
    for (size_t k = 0; k < answer->column_count; k++) {
        const struct piece *cell = cell_at(answer, row, k);
        const char *bytes = answer->bytes.at + cell->offset;
        if (!cell->set && answer->table->kind == TABLE_ITEMS)
            continue;
        text_add_string(out, k ? ", " : "{");
        write_quoted_json(answer->names[k], strlen(answer->names[k]), out);
        text_add_string(out, ": ");
        if (!cell->set)
            text_add_string(out, "null");
        else if (cell->quoted)
            write_quoted_json(bytes, cell->length, out);
        else
            text_add(out, bytes, cell->length);
    }
    text_add_string(out, "}\n");
}

static void write_moment(const char *milliseconds, bool local, struct text *out)
{
    int64_t time = strtoll(milliseconds, NULL, 10);
    char made[CLOCK_TEXT];
    if (local)
        clock_write_local_milliseconds(time, made);
    else
        clock_write_milliseconds(time, made);
    text_add_string(out, made);
}

/* A time to live: seconds since 1970. */
static void write_second(const char *seconds, struct text *out)
{
    char made[CLOCK_TEXT];
    clock_write_local(strtoll(seconds, NULL, 10), made);
    text_add_string(out, made);
}

/* RFC 4180: quoted where it must be. */
static void write_csv_value(const char *bytes, size_t length, struct text *out)
{
    bool quote = false;
    for (size_t i = 0; i < length; i++)
        quote |= strchr(",\"\r\n", bytes[i]) != NULL;
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

static void write_csv(const struct answer *answer, size_t row, struct text *out)
{
    for (size_t k = 0; k < answer->column_count; k++) {
        const struct piece *cell = cell_at(answer, row, k);
        owned char *bytes = must_copy_bytes(answer->bytes.at + cell->offset, cell->length);
        if (k)
            text_add_char(out, ',');
        if (k == 0)
            write_moment(bytes, false, out);
        else
            write_csv_value(bytes, cell->length, out);
    }
    text_add_string(out, "\r\n");
}

static void write_csv_head(const struct answer *answer, struct text *out)
{
    for (size_t k = 0; k < answer->column_count; k++) {
        if (k)
            text_add_char(out, ',');
        write_csv_value(answer->names[k], strlen(answer->names[k]), out);
    }
    text_add_string(out, "\r\n");
}

/* Of items: what has a meaning for people, by the names that invalid-rule.json gives. */
static bool is_item_column(const struct answer *answer, size_t column, const char *name)
{
    return answer->table->kind == TABLE_ITEMS && strcmp(answer->names[column], name) == 0;
}

/* As it is shown: control characters would move the cursor. */
static void show_cell(const struct answer *answer, size_t row, size_t column, struct text *out)
{
    const struct piece *cell = cell_at(answer, row, column);
    owned char *bytes = must_copy_bytes(answer->bytes.at + cell->offset, cell->length);
    text_clear(out);
    if (column == 0) {
        write_moment(bytes, true, out);
    } else if (cell->set && !cell->quoted && is_item_column(answer, column, "expires")) {
        write_second(bytes, out);
    } else if (is_item_column(answer, column, "payload")) {
        screen_add_payload(out, bytes, cell->length);
    } else {
        text_add(out, bytes, cell->length);
    }
    for (size_t i = 0; i < out->length; i++)
        if ((unsigned char)out->at[i] < 0x20 || out->at[i] == 0x7f)
            out->at[i] = strchr("\t\r\n", out->at[i]) ? ' ' : '?';
}

/* Payloads get what the other columns leave of the line. */
static void fit(const struct answer *answer, size_t *widths)
{
    size_t all = 2 * (answer->column_count - 1), screen = screen_width();
    for (size_t k = 0; k < answer->column_count; k++)
        all += widths[k];
    for (size_t k = 0; k < answer->column_count; k++) {
        size_t rest = all - widths[k];
        size_t room = screen > rest + LEAST_PAYLOAD ? screen - rest : LEAST_PAYLOAD;
        if (is_item_column(answer, k, "payload") && widths[k] > (screen ? room : MOST_PAYLOAD))
            widths[k] = screen ? room : MOST_PAYLOAD;
    }
}

static void find_widths(const struct answer *answer, size_t *widths)
{
    struct text cell = {0};
    for (size_t k = 0; k < answer->column_count; k++) {
        widths[k] = strlen(answer->names[k]);
        for (size_t i = 0; i < answer->row_count; i++) {
            show_cell(answer, i, k, &cell);
            size_t width = utf8_length(text_string(&cell), cell.length);
            widths[k] = width > widths[k] ? width : widths[k];
        }
    }
    text_free(&cell);
    fit(answer, widths);
}

static void write_table(const struct answer *answer, struct text *out)
{
    struct text cell = {0};
    owned size_t *widths = must_array(answer->column_count, sizeof *widths);
    find_widths(answer, widths);
    for (size_t i = 0; i <= answer->row_count; i++) {
        for (size_t k = 0; k < answer->column_count; k++) {
            text_clear(&cell);
            if (i)
                show_cell(answer, i - 1, k, &cell);
            else
                text_add_string(&cell, answer->names[k]);
            screen_cut(&cell, widths[k]);
            size_t width = utf8_length(text_string(&cell), cell.length);
            bool right =
                i && cell_at(answer, i - 1, k)->set && k && !cell_at(answer, i - 1, k)->quoted;
            if (right)
                text_add_repeated(out, ' ', widths[k] - width);
            text_add_string(out, text_string(&cell));
            if (k + 1 < answer->column_count)
                text_add_repeated(out, ' ', (right ? 0 : widths[k] - width) + 2);
        }
        text_add_char(out, '\n');
    }
    text_free(&cell);
}

static void write_answer(const struct answer *answer)
{
    struct text out = {0};
    if (answer->options->csv)
        write_csv_head(answer, &out);
    if (!answer->options->csv && !answer->options->json && answer->row_count)
        write_table(answer, &out);
    else if (answer->options->csv || answer->options->json)
        for (size_t i = 0; i < answer->row_count; i++) {
            if (answer->options->json)
                write_json(answer, i, &out);
            else
                write_csv(answer, i, &out);
            if (out.length > 1 << 16) {
                fwrite(out.at, 1, out.length, stdout);
                text_clear(&out);
            }
        }
    if (out.length)
        fwrite(out.at, 1, out.length, stdout);
    text_free(&out);
}

/* --- the command --- */

static enum status find_type(const char *name, struct error *error)
{
    owned char *spec = must_format(TYPE_SPEC, name);
    owned char *documents = must_format(TYPE_DOCUMENTS, name);
    struct text list = {0};
    if (type_name_valid(name) && (path_exists(spec) || path_exists(documents)))
        return FINE;
    struct names *names = names_of_folders(TYPES_FOLDER, "spec.yaml");
    for (size_t i = 0; i < names->count; i++)
        text_add_format(&list, "%s%s", i ? ", " : "", names->at[i]);
    fail(error, WRONG_INPUT, "there is no type \"%s\"", name);
    advise(error, names->count ? "there are: %s" : "there is none at all: make new makes one%s",
           text_string(&list));
    names_free(names);
    text_free(&list);
    return error->status;
}

static bool stop_at_first(void *context, const struct row *row)
{
    (void)row;
    *(bool *)context = true;
    return false;
}

/* Where nothing was found: one that was deleted has readings, one that is new has a folder. */
static enum status find_thing(const char *thing, struct store_table *table, struct error *error)
{
    const struct store_query any = {
        .thing = thing, .from = INT64_MIN, .until = INT64_MAX, .limit = 1};
    owned char *folder = path_join(THINGS_FOLDER, thing);
    bool found = thing_name_valid(thing) && path_exists(folder);
    enum status status =
        found || !table ? FINE : store_query(table, &any, stop_at_first, &found, error);
    if (status || found)
        return status;
    fail(error, WRONG_INPUT, "there is no thing \"%s\", and this table has no reading of it",
         thing);
    return advise(error, "make list shows those that there are");
}

static enum status find_table(const struct query_options *options, const struct settings *settings,
                              struct store *store, struct store_table **table, struct error *error)
{
    struct type *type = NULL;
    enum status status = type_load(options->type, settings->notify, &type, error);
    if (status)
        return status;
    const char *name = options->invalid ? type->invalid_table : type->valid_table;
    *table = NULL;
    if (!name)
        status = fail(error, WRONG_INPUT, "no rule of %s writes to a table", options->type);
    for (size_t i = 0; !status && name && i < type->table_count; i++)
        if (strcmp(type->tables[i].definition.name, name) == 0)
            status = store_table(store, &type->tables[i].definition, table, error);
    type_free(type);
    return status;
}

static void free_answer(struct answer *answer)
{
    for (size_t i = 0; i < answer->column_count; i++)
        free(answer->names[i]);
    free(answer->names);
    free(answer->cells);
    text_free(&answer->bytes);
}

static enum status answer_query(const struct query_options *options, struct store_table *table,
                                const struct store_query *query, struct error *error)
{
    struct answer answer = {.table = table, .options = options};
    if (table->kind == TABLE_READINGS) {
        column_called(&answer, "time");
        column_called(&answer, "thing");
        for (size_t i = 0; i < table->column_count; i++)
            column_called(&answer, table->columns[i].name);
    }
    enum status status = store_query(table, query, gather, &answer, error);
    if (!status && table->kind == TABLE_ITEMS)
        take_items_apart(&answer);
    if (!status)
        write_answer(&answer);
    if (!status && !answer.row_count && options->thing)
        status = find_thing(options->thing, table, error);
    if (!status && !answer.row_count)
        fprintf(stderr, "no readings in that time\n");
    free_answer(&answer);
    return status;
}

enum status query_readings(const struct query_options *options, struct error *error)
{
    struct settings settings = {0};
    struct store *store = NULL;
    struct store_table *table = NULL;
    struct store_query query = {.thing = options->thing};
    if (!options->type)
        return fail(error, WRONG_USAGE, "--type is missing");
    if (options->json && options->csv)
        return fail(error, WRONG_USAGE, "--json and --csv exclude each other");
    enum status status = read_span(options, &query, error);
    if (!status)
        status = read_limit(options, &query, error);
    if (!status)
        status = find_type(options->type, error);
    if (!status)
        status = settings_read(&settings, error);
    if (!status)
        status = store_open(settings.store, true, &store, error);
    if (!status)
        status = find_table(options, &settings, store, &table, error);
    if (!status && !table && options->thing)
        status = find_thing(options->thing, NULL, error);
    if (!status && !table)
        fprintf(stderr, "no readings yet\n");
    else if (!status)
        status = answer_query(options, table, &query, error);
    store_close(store);
    settings_free(&settings);
    return status;
}
