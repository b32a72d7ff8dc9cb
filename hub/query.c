#include "query.h"
#include "answer.h"
#include "common/base/clock.h"
#include "common/base/files.h"
#include "common/base/memory.h"
#include "common/base/names.h"
#include "common/base/paths.h"
#include "common/base/valid.h"
#include "hub/engine/type.h"
#include "common/spec/system.h"
#include "reasons.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_ROWS = 10000000, /* in all: an answer is in memory before it is written */
    SHOWN_ROWS = 1000     /* of a table, without --limit */
};

static const double default_seconds = 3600;

/* --- options --- */

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

/* --- the command --- */

static enum status find_type(const char *name, struct error *error)
{
    owned char *spec = must_format(TYPE_SPEC, name);
    owned char *documents = must_format(TYPE_DOCUMENTS, name);
    struct text list = {0};
    if (valid_type_name(name) && (path_exists(spec) || path_exists(documents)))
        return FINE;
    struct names *names = names_of_folders(TYPES_FOLDER, SPEC_FILE);
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

/* Called when the query found nothing. A thing exists if it has a folder, or a reading in the table
 * (it may have been deleted). table may be NULL. */
static enum status find_thing(const char *thing, struct store_table *table, struct error *error)
{
    const struct store_query any = {
        .thing = thing, .from = INT64_MIN, .until = INT64_MAX, .limit = 1};
    owned char *folder = path_join(THINGS_FOLDER, thing);
    bool found = valid_thing_name(thing) && path_exists(folder);
    enum status status =
        found || !table ? FINE : store_query(table, &any, stop_at_first, &found, error);
    if (status || found)
        return status;
    fail(error, WRONG_INPUT, "there is no thing \"%s\", and this table has no reading of it",
         thing);
    return advise(error, "make list shows those that there are");
}

static enum status find_table(const struct query_options *options, const struct type *type,
                              struct store *store, struct store_table **table, struct error *error)
{
    enum status status = FINE;
    const char *name = options->invalid ? type->invalid_table : type->valid_table;
    *table = NULL;
    if (!name)
        status = fail(error, WRONG_INPUT, "no rule of %s writes to a table", options->type);
    for (size_t i = 0; !status && name && i < type->table_count; i++)
        if (strcmp(type->tables[i].definition.name, name) == 0)
            status = store_table(store, &type->tables[i].definition, table, error);
    return status;
}

static enum answer_format format_of(const struct query_options *options)
{
    return options->json ? ANSWER_JSON : options->csv ? ANSWER_CSV : ANSWER_TABLE;
}

/* Rows on their way to the answer. */
struct passage {
    struct answer *answer;
    size_t most;             /* rows of the answer */
    bool more;               /* there are more */
    struct reasons *reasons; /* of invalid readings; NULL: not wanted */
    bool json;
    struct text text;
};

/* Adds the row with one more value before the others: its reasons. */
static bool add_explained(struct passage *explained, const struct read_row *row)
{
    owned struct read_value *values = must_array(row->count + 1, sizeof *values);
    text_clear(&explained->text);
    reasons_add(explained->reasons, row, explained->json, &explained->text);
    values[0] = (struct read_value){.name = "reasons",
                                    .kind = explained->json ? READ_JSON : READ_TEXT,
                                    .bytes = text_string(&explained->text),
                                    .length = explained->text.length};
    if (row->count)
        memcpy(values + 1, row->values, row->count * sizeof *values);
    struct read_row longer = *row;
    longer.values = values;
    longer.count++;
    return answer_add(explained->answer, &longer);
}

static bool pass(void *context, const struct read_row *row)
{
    struct passage *passage = context;
    passage->more = answer_rows(passage->answer) == passage->most;
    if (passage->more)
        return false;
    return passage->reasons ? add_explained(passage, row) : answer_add(passage->answer, row);
}

/* Reads one row more than it takes. *more: there was one. */
static enum status read_answer(const struct query_options *options, const struct type *type,
                               struct store_table *table, const struct store_query *query,
                               struct answer *answer, bool *more, struct error *error)
{
    struct store_query longer = *query;
    struct passage passage = {.answer = answer,
                              .most = query->limit,
                              .reasons = options->invalid ? reasons_new(type) : NULL,
                              .json = options->json};
    longer.limit++;
    enum status status = read_rows(table, &longer, pass, &passage, error);
    *more = passage.more;
    reasons_free(passage.reasons);
    text_free(&passage.text);
    return status;
}

/* Without --limit nothing is left out in silence. A program would take what it gets for all there
 * is, so that it gets nothing then. */
static enum status tell_more(const struct query_options *options, size_t rows, struct error *error)
{
    if (options->limit)
        return FINE;
    if (options->json || options->csv) {
        fail(error, WRONG_INPUT, "there are more than %zu readings in that time", rows);
        return advise(error, "ask for less with --from and --to, or for the newest with --limit");
    }
    fprintf(stderr,
            "these are the newest %zu, and there are more: --limit %zu shows so many,\n"
            "--csv and --json have all\n",
            rows, 10 * rows);
    return FINE;
}

static enum status answer_query(const struct query_options *options, const struct type *type,
                                struct store_table *table, const struct store_query *query,
                                struct error *error)
{
    struct answer *answer = answer_new(table, format_of(options));
    bool more = false;
    enum status status = read_answer(options, type, table, query, answer, &more, error);
    bool empty = answer_rows(answer) == 0;
    if (!status && more)
        status = tell_more(options, query->limit, error);
    if (!status)
        answer_write(answer);
    answer_free(answer);
    if (!status && empty && options->thing)
        status = find_thing(options->thing, table, error);
    if (!status && empty)
        fprintf(stderr, "no readings in that time\n");
    return status;
}

enum status query_readings(const struct query_options *options, struct error *error)
{
    struct system system = {0};
    struct store *store = NULL;
    struct store_table *table = NULL;
    struct type *type = NULL;
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
        status = system_read(&system, error);
    if (!status)
        status = type_load(options->type, &system.local.notify, &type, error);
    if (!status)
        status = store_open(system.local.store, true, &store, error);
    if (!status)
        status = find_table(options, type, store, &table, error);
    if (!status && !table && options->thing)
        status = find_thing(options->thing, NULL, error);
    if (!status && !table)
        fprintf(stderr, "no readings yet\n");
    else if (!status)
        status = answer_query(options, type, table, &query, error);
    store_close(store);
    type_free(type);
    system_free(&system);
    return status;
}
