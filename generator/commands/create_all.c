/* create --from FILE */
#include "commands.h"
#include "things.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "generator/local/plug.h"
#include "generator/cli/table.h"
#include "generator/project/project.h"
#include "generator/targets/target.h"
#include "generator/thing/roster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SHOWN = 20 /* errors of rows, and of things */ };

struct run {
    struct context *context;
    struct project project;
    struct target target;
    struct roster roster;
    size_t shown; /* errors of rows */
    size_t made, existed, updated, failed;
    cJSON *failures;
    char *advised; /* the advice that was shown last: it is not repeated for the next thing */
    struct progress progress;
    double seconds; /* that the making took */
};

/* --- checking --- */

static void show_wrong_row(void *context, const struct error *error)
{
    struct run *run = context;
    if (run->shown++ >= MOST_SHOWN)
        return;
    fprintf(stderr, "%s\n", text_string(&error->message));
    if (error->advice.length)
        fprintf(stderr, "       %s\n", text_string(&error->advice));
}

static enum status check(struct run *run, const char *file)
{
    struct context *context = run->context;
    struct error *error = &context->error;
    owned char *path = project_path(&run->project, file);
    run->roster = (struct roster){.project = &run->project,
                                  .target = &run->target,
                                  .file = file,
                                  .ssid = cli_value(context, "wifi-ssid"),
                                  .ask = cli_asker(),
                                  .complain = show_wrong_row,
                                  .context = run,
                                  .lock = -1};
    enum status status = roster_read(&run->roster, path, error);
    if (!status)
        status = project_target(&run->project, run->project.system.target, &run->target, error);
    if (!status && run->target.kind == TARGET_LOCAL)
        project_warn_of_authority(&run->project);
    return status ? status : roster_check(&run->roster, error);
}

static void announce(const struct run *run)
{
    const struct roster *roster = &run->roster;
    owned char *differ = roster->change_count
                             ? must_format(", %zu of them with other values", roster->change_count)
                             : must_copy("");
    cli_say(run->context, "%s: %zu thing%s of %zu type%s, %zu exist already%s", roster->file,
            roster->table.count, roster->table.count == 1 ? "" : "s", roster->type_count,
            roster->type_count == 1 ? "" : "s", roster->existed, differ);
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

static void take_failure(struct run *run, const char *name, size_t line, const char *message,
                         const char *advice)
{
    cJSON *failure = json_object();
    json_put_string(failure, "name", name);
    json_put_number(failure, "line", (double)line);
    json_put_string(failure, "message", message);
    json_put_string(failure, "advice", *advice ? advice : NULL);
    cJSON_AddItemToArray(run->failures, failure);
    if (run->failed++ >= MOST_SHOWN || run->context->json)
        return;
    progress_hide(&run->progress);
    fprintf(stderr, "%s:%zu: %s: %s\n", run->roster.file, line, name, message);
    advise_once(run, advice);
}

static void observe(void *context, const struct bulk_result *result)
{
    struct run *run = context;
    run->made += result->outcome == MADE;
    run->existed += result->outcome == EXISTED;
    if (result->outcome == FAILED)
        take_failure(run, run->roster.things[result->index].record->name,
                     run->roster.lines[result->index], result->message, result->advice);
    progress_step(&run->progress, run->made + run->failed);
}

static enum status plug_types_in(struct run *run)
{
    enum status status = FINE;
    for (size_t i = 0; i < run->roster.type_count && !status && !run->target.remote; i++)
        status = plug_in(&run->project, run->roster.types[i]->name, &run->context->error);
    return status;
}

/* Once, however many things there are. */
static void warn_once(struct run *run)
{
    const struct roster *roster = &run->roster;
    bool warned = run->target.remote || (!roster->count && !roster->change_count);
    for (size_t i = 0; i < roster->type_count && !warned; i++)
        warned = warn_of_host(run->context, &run->project, roster->types[i]->plan.platform);
}

static enum status prepare(struct run *run)
{
    enum status status = roster_lock(&run->roster, &run->context->error);
    if (!status)
        status = plug_types_in(run);
    if (!status)
        status = roster_prepare(&run->roster, &run->context->error);
    if (!status)
        warn_once(run);
    return status;
}

/* --- things that exist and differ --- */

static bool updates(const struct run *run)
{
    return cli_given(run->context, "update");
}

static void show_differences(struct run *run)
{
    static const char *const columns[] = {"THING", "COLUMN", "OLD", "NEW"}, *const secret =
                                                                                "(not shown)";
    struct table table = {.columns = columns, .column_count = 4};
    const struct roster *roster = &run->roster;
    for (size_t i = 0; i < roster->difference_count; i++) {
        const struct difference *difference = &roster->differences[i];
        const char *cells[] = {roster->changes[difference->change].name, difference->column,
                               difference->was ? difference->was : secret,
                               difference->is ? difference->is : secret};
        table_add(&table, cells);
    }
    if (table.count)
        table_write(&table, table_screen_width(), &run->context->out);
    table_free(&table);
}

/* [{"name": "kitchen", "line": 2, "column": "zone", "was": "1", "is": "2"}, ...]; a secret is null */
static cJSON *differences_json(const struct roster *roster)
{
    cJSON *list = json_array();
    for (size_t i = 0; i < roster->difference_count; i++) {
        const struct difference *difference = &roster->differences[i];
        cJSON *item = json_object();
        json_put_string(item, "name", roster->changes[difference->change].name);
        json_put_number(item, "line", (double)roster->changes[difference->change].line);
        json_put_string(item, "column", difference->column);
        json_put_string(item, "was", difference->was);
        json_put_string(item, "is", difference->is);
        cJSON_AddItemToArray(list, item);
    }
    return list;
}

static void update(struct run *run)
{
    struct roster *roster = &run->roster;
    progress_begin(&run->progress, run->context->quiet, "updated", roster->change_count);
    for (size_t i = 0; i < roster->change_count; i++) {
        struct package_size size;
        struct error error = {0};
        const struct roster_change *change = &roster->changes[i];
        if (roster_update(roster, change, &size, &error))
            take_failure(run, change->name, change->line, text_string(&error.message),
                         text_string(&error.advice));
        else
            run->updated++;
        error_free(&error);
        progress_step(&run->progress, i + 1);
    }
    progress_end(&run->progress);
}

static enum status refuse_differences(struct run *run)
{
    const struct roster *roster = &run->roster;
    struct error *error = &run->context->error;
    fail(error, WRONG_INPUT, "%zu of the %zu things that exist differ%s from %s",
         roster->change_count, roster->existed, roster->change_count == 1 ? "s" : "", roster->file);
    return advise(error,
                  "make create-all file=%s update=yes changes them, and makes their packages again",
                  roster->file);
}

/* --- the answer --- */

static void answer(struct run *run)
{
    struct context *context = run->context;
    if (!context->json) {
        show_differences(run);
        text_add_format(&context->out, "created %zu, existed %zu, ", run->made, run->existed);
        if (updates(run))
            text_add_format(&context->out, "updated %zu, ", run->updated);
        text_add_format(&context->out, "failed %zu in %.1f s\n", run->failed, run->seconds);
        if (run->updated)
            cli_say(context, "next     each board that was updated needs its new package: "
                             "make flash name=NAME port=/dev/ttyUSB0");
        return;
    }
    cJSON *answer = json_object();
    json_put_number(answer, "created", (double)run->made);
    json_put_number(answer, "existed", (double)run->existed);
    json_put_number(answer, "updated", (double)run->updated);
    json_put_number(answer, "failed", (double)run->failed);
    json_put(answer, "differences", differences_json(&run->roster));
    json_put(answer, "failures", cJSON_Duplicate(run->failures, true));
    json_layout(answer, &context->out);
    cJSON_Delete(answer);
}

static enum status make(struct run *run)
{
    struct context *context = run->context;
    enum status status = prepare(run);
    if (status)
        return status;
    run->existed = run->roster.existed;
    progress_begin(&run->progress, context->quiet, "created", run->roster.count);
    double started = clock_monotonic();
    status = roster_make(&run->roster, observe, run, &context->error);
    progress_end(&run->progress);
    if (!status && updates(run))
        update(run);
    run->seconds = clock_monotonic() - started;
    answer(run);
    if (status || run->failed)
        return status ? status
                      : fail(&context->error, REFUSED, "%zu things could not be made", run->failed);
    return run->roster.change_count && !updates(run) ? refuse_differences(run) : FINE;
}

/* What --dry-run answers; people have read the announcement. */
static enum status answer_planned(struct run *run)
{
    struct roster *roster = &run->roster;
    if (!run->context->json) {
        show_differences(run);
    } else {
        cJSON *answer = json_object();
        json_put_string(answer, "outcome", "planned");
        json_put_number(answer, "create", (double)roster->count);
        json_put_number(answer, "existed", (double)roster->existed);
        json_put_number(answer, "update", (double)(updates(run) ? roster->change_count : 0));
        json_put(answer, "differences", differences_json(roster));
        json_layout(answer, &run->context->out);
        cJSON_Delete(answer);
    }
    return roster->change_count && !updates(run) ? refuse_differences(run) : FINE;
}

enum status create_from_table(struct context *context, const char *file)
{
    struct run run = {.context = context, .failures = json_array(), .roster.lock = -1};
    enum status status = command_load(context, &run.project);
    if (!status)
        status = check(&run, file);
    if (!status) {
        announce(&run);
        status = cli_given(context, "dry-run") ? answer_planned(&run) : make(&run);
    }
    free(run.advised);
    cJSON_Delete(run.failures);
    roster_free(&run.roster);
    target_close(&run.target);
    project_free(&run.project);
    return status;
}
