/* create --from FILE: the whole table is checked before the first thing is made. */
#include "commands.h"
#include "things.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/paths.h"
#include "generator/local/plug.h"
#include "generator/project/project.h"
#include "generator/targets/target.h"
#include "generator/thing/bulk.h"
#include "generator/thing/record.h"
#include "generator/thing/csv.h"
#include "generator/thing/wifi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_COMPLAINTS = 20 };

struct type_plan {
    char *type;
    struct package_plan plan;
};

struct run {
    struct context *context;
    struct project project;
    struct target target;
    struct csv table;
    const char *file;
    struct type_plan **types; /* pointers, because things point to the plans */
    size_t type_count, type_room;
    struct making *things;
    size_t *lines; /* of each thing */
    size_t thing_count;
    struct wifi wifi; /* for rows that have none of their own */
    size_t existed, made, failed, complaints;
    cJSON *failures;
    char *advised; /* what was advised last; it is not said for each thing again */
    bool begun;    /* there is something to report */
    struct progress progress;
};

/* --- checking --- */

/* One line for each row that is wrong; all rows are looked at. */
static void complain(struct run *run, struct error *error)
{
    if (run->complaints++ < MOST_COMPLAINTS) {
        fprintf(stderr, "%s\n", text_string(&error->message));
        if (error->advice.length)
            fprintf(stderr, "       %s\n", text_string(&error->advice));
    }
    error_free(error);
}

/* The plan for a type, with nothing but its model until the whole table is known to be right. */
static enum status find_plan(struct run *run, const char *type, const char *where,
                             const struct package_plan **plan, struct error *error)
{
    for (size_t i = 0; i < run->type_count; i++) {
        if (strcmp(run->types[i]->type, type) == 0) {
            *plan = &run->types[i]->plan;
            return FINE;
        }
    }
    cJSON *model = NULL;
    struct error wrong = {0};
    enum status status = project_model(&run->project, type, &model, &wrong);
    if (status) {
        fail(error, status, "%s%s", where, text_string(&wrong.message));
        if (wrong.advice.length)
            advise(error, "%s", text_string(&wrong.advice));
        error_free(&wrong);
        return status;
    }
    struct type_plan *made = must_alloc(sizeof *made);
    made->plan.model = model;
    made->type = must_copy(type);
    run->types = must_grow(run->types, run->type_count, &run->type_room, sizeof *run->types);
    run->types[run->type_count++] = made;
    *plan = &made->plan;
    return FINE;
}

/* The attribute columns of a row that are not empty. */
static struct attributes row_attributes(const struct run *run, const struct csv_row *row)
{
    static const char *const others[] = {"name", "type", "wifissid", "wifipassword"};
    struct attributes attributes = {0};
    for (size_t i = 0; i < run->table.column_count; i++) {
        bool other = false;
        for (size_t j = 0; j < sizeof others / sizeof *others; j++)
            other |= strcmp(run->table.columns[i], others[j]) == 0;
        if (!other && *row->fields[i])
            attributes_put(&attributes, run->table.columns[i], row->fields[i]);
    }
    return attributes;
}

/* The wifi of a row: its own where it has one, otherwise that of all rows, which is looked for when
 * the first row needs it. A network of the row's own without a password is an open one. *wifi borrows
 * its parts from the table and the run; it is not freed. */
static enum status row_wifi(struct run *run, const struct csv_row *row, const char *where,
                            struct wifi *wifi, struct error *error)
{
    const char *ssid = csv_field(&run->table, row, "wifissid");
    const char *password = csv_field(&run->table, row, "wifipassword");
    bool own_ssid = ssid && *ssid, own_password = password && *password;
    if (!own_ssid && !run->wifi.ssid) {
        enum status status =
            wifi_find(cli_value(run->context, "wifi-ssid"), cli_asker(), &run->wifi, error);
        if (status)
            return status;
    }
    wifi->ssid = own_ssid ? (char *)ssid : run->wifi.ssid;
    if (own_password)
        wifi->password = (struct secret){(char *)password, strlen(password)};
    else
        wifi->password = own_ssid ? (struct secret){(char *)"", 0} : run->wifi.password;
    return wifi_check(wifi, where, error);
}

/* Whether it exists already: the same thing is skipped, another of that name is an error. */
static enum status row_exists(const char *name, const char *type, const char *where, bool *exists,
                              struct error *error)
{
    struct record *record = NULL;
    enum status status = record_read(name, &record, error);
    *exists = record && record->state == RECORD_ACTIVE;
    if (!status && record && strcmp(record->type, type) != 0)
        status = fail(error, WRONG_INPUT, "%s%s exists already, as %s", where, name, record->type);
    record_free(record);
    return status;
}

static enum status check_row(struct run *run, const struct csv_row *row, struct error *error)
{
    owned char *where = must_format("%s:%zu: ", run->file, row->line);
    const char *name = csv_field(&run->table, row, "name");
    const char *type = csv_field(&run->table, row, "type");
    const struct package_plan *plan = NULL;
    struct attributes given = row_attributes(run, row), attributes = {0};
    struct wifi wifi = {0};
    bool exists = false;
    enum status status = thing_check_name(name, where, error);
    if (!status)
        status = find_plan(run, type, where, &plan, error);
    if (!status)
        status =
            attributes_complete(json_get(plan->model, "type"), &given, where, &attributes, error);
    if (!status)
        status = row_wifi(run, row, where, &wifi, error);
    if (!status)
        status = row_exists(name, type, where, &exists, error);
    if (!status && exists)
        run->existed++;
    if (!status && !exists) {
        run->lines[run->thing_count] = row->line;
        run->things[run->thing_count++] =
            (struct making){.record = record_new(name, type, run->target.kind, &attributes, &wifi),
                            .plan = plan,
                            .lock = -1};
    }
    attributes_free(&given);
    attributes_free(&attributes);
    return status;
}

static int by_name(const void *one, const void *other)
{
    const struct csv_row *a = *(const struct csv_row *const *)one;
    const struct csv_row *b = *(const struct csv_row *const *)other;
    int order = strcmp(a->fields[0], b->fields[0]);
    return order ? order : a->line < b->line ? -1 : 1;
}

/* Names that are there twice. Rows are sorted by their first field; name is moved there to that
 * end. */
static void check_twins(struct run *run)
{
    size_t count = run->table.count, column = 0;
    while (strcmp(run->table.columns[column], "name") != 0)
        column++;
    struct csv_row *keys = must_array(count, sizeof *keys);
    const struct csv_row **rows = must_array(count, sizeof *rows);
    for (size_t i = 0; i < count; i++) {
        keys[i] = (struct csv_row){run->table.rows[i].line, &run->table.rows[i].fields[column]};
        rows[i] = &keys[i];
    }
    if (count)
        qsort(rows, count, sizeof *rows, by_name);
    for (size_t i = 1; i < count; i++) {
        if (strcmp(rows[i]->fields[0], rows[i - 1]->fields[0]) != 0)
            continue;
        struct error error = {0};
        fail(&error, WRONG_INPUT, "%s:%zu: \"%s\" is in line %zu already", run->file, rows[i]->line,
             rows[i]->fields[0], rows[i - 1]->line);
        complain(run, &error);
    }
    free(rows);
    free(keys);
}

static enum status check_table(struct run *run)
{
    struct error *error = &run->context->error;
    static const char *const needed[] = {"name", "type"};
    for (size_t i = 0; i < 2; i++) {
        bool found = false;
        for (size_t j = 0; j < run->table.column_count; j++)
            found |= strcmp(run->table.columns[j], needed[i]) == 0;
        if (!found) {
            fail(error, WRONG_INPUT, "%s:1: the column \"%s\" is missing; expected name,type,...",
                 run->file, needed[i]);
            return run->table.column_count == 1 && strchr(run->table.columns[0], ';')
                       ? advise(error, "fields are separated by commas, not by semicolons")
                       : WRONG_INPUT;
        }
    }
    run->things = must_array(run->table.count, sizeof *run->things);
    run->lines = must_array(run->table.count, sizeof *run->lines);
    check_twins(run);
    for (size_t i = 0; i < run->table.count; i++) {
        struct error wrong = {0};
        enum status status = check_row(run, &run->table.rows[i], &wrong);
        if (status == WRONG_USAGE || status == REFUSED) { /* no row's fault */
            *error = wrong;
            return status;
        }
        if (status)
            complain(run, &wrong);
    }
    if (!run->complaints)
        return FINE;
    return fail(error, WRONG_INPUT, "%s: %zu error%s; nothing was made", run->file, run->complaints,
                run->complaints == 1 ? "" : "s");
}

/* --- making --- */

static void advise_once(struct run *run, const char *advice)
{
    if (!*advice || (run->advised && strcmp(run->advised, advice) == 0))
        return;
    fprintf(stderr, "       %s\n", advice);
    free(run->advised);
    run->advised = must_copy(advice);
}

static void observe(void *context, const struct bulk_result *result)
{
    struct run *run = context;
    const char *name = run->things[result->index].record->name;
    run->made += result->outcome == MADE;
    run->existed += result->outcome == EXISTED;
    if (result->outcome == FAILED) {
        cJSON *failure = json_object();
        json_put_string(failure, "name", name);
        json_put_number(failure, "line", (double)run->lines[result->index]);
        json_put_string(failure, "message", result->message);
        json_put_string(failure, "advice", *result->advice ? result->advice : NULL);
        cJSON_AddItemToArray(run->failures, failure);
        if (run->failed++ < MOST_COMPLAINTS && !run->context->json) {
            fprintf(stderr, "%s%s:%zu: %s: %s\n", run->progress.terminal ? "\r\033[K" : "",
                    run->file, run->lines[result->index], name, result->message);
            advise_once(run, result->advice);
        }
    }
    progress_step(&run->progress, run->made + run->failed);
}

static enum status plug_types_in(struct run *run)
{
    struct error *error = &run->context->error;
    struct project *project = &run->project;
    enum status status = FINE;
    for (size_t i = 0; i < run->type_count && !status; i++) {
        struct package_plan *plan = &run->types[i]->plan;
        if (!run->target.remote)
            status = plug_in(project, run->types[i]->type, error);
        if (!status)
            status = package_plan_make(project->templates, &project->catalog, &run->target,
                                       plan->model, plan, error);
    }
    return status;
}

static void announce(const struct run *run)
{
    cli_say(run->context, "%s: %zu thing%s of %zu type%s, %zu exist already", run->file,
            run->table.count, run->table.count == 1 ? "" : "s", run->type_count,
            run->type_count == 1 ? "" : "s", run->existed);
}

static void tell_plan(const struct run *run)
{
    if (!run->context->json)
        return; /* it was announced */
    cJSON *answer = json_object();
    json_put_string(answer, "outcome", "planned");
    json_put_number(answer, "create", (double)run->thing_count);
    json_put_number(answer, "existed", (double)run->existed);
    json_layout(answer, &run->context->out);
    cJSON_Delete(answer);
}

static enum status make_all(struct run *run)
{
    struct error *error = &run->context->error;
    int lock = -1;
    enum status status = make_folders(THINGS_FOLDER, FOLDER_PUBLIC, error);
    if (status)
        return status;
    status = lock_folder(THINGS_FOLDER, false, &lock, error);
    if (status)
        advise(error, "is another create --from at work? Wait for it, or stop it");
    if (!status)
        status = plug_types_in(run);
    run->begun = !status;
    progress_begin(&run->progress, run->context->quiet, "created", run->thing_count);
    if (!status && run->thing_count)
        status = bulk_make(&run->target, run->things, run->thing_count, observe, run, error);
    progress_end(&run->progress);
    unlock(&lock);
    return status;
}

static void conclude(struct run *run)
{
    struct context *context = run->context;
    double seconds = progress_seconds(&run->progress);
    if (context->json) {
        cJSON *answer = json_object();
        json_put_number(answer, "created", (double)run->made);
        json_put_number(answer, "existed", (double)run->existed);
        json_put_number(answer, "failed", (double)run->failed);
        json_put(answer, "failures", cJSON_Duplicate(run->failures, true));
        json_layout(answer, &context->out);
        cJSON_Delete(answer);
    } else {
        text_add_format(&context->out, "created %zu, existed %zu, failed %zu in %.1f s\n",
                        run->made, run->existed, run->failed, seconds);
    }
}

static void run_free(struct run *run)
{
    for (size_t i = 0; i < run->thing_count; i++)
        make_free(&run->things[i]);
    for (size_t i = 0; i < run->type_count; i++) {
        package_plan_free(&run->types[i]->plan);
        free(run->types[i]->type);
        free(run->types[i]);
    }
    free(run->advised);
    free(run->things);
    free(run->lines);
    free(run->types);
    wifi_free(&run->wifi);
    cJSON_Delete(run->failures);
    csv_wipe(&run->table);
    target_close(&run->target);
    project_free(&run->project);
}

enum status create_from_table(struct context *context, const char *file)
{
    struct run run = {.context = context, .failures = json_array()};
    enum status status = command_load(context, &run.project);
    owned char *path = project_path(&run.project, file);
    run.file = file;
    if (!status)
        status = csv_read(path, &run.table, &context->error);
    if (!status)
        status =
            project_target(&run.project, run.project.system.target, &run.target, &context->error);
    if (!status)
        status = check_table(&run);
    if (!status)
        announce(&run);
    if (!status && cli_given(context, "dry-run")) {
        tell_plan(&run);
    } else if (!status) {
        status = make_all(&run);
        if (run.begun)
            conclude(&run);
        if (!status && run.failed)
            status = fail(&context->error, REFUSED, "%zu things could not be made", run.failed);
    }
    run_free(&run);
    return status;
}
