/* create --from FILE */
#include "commands.h"
#include "things.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "generator/local/plug.h"
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
    size_t made, existed, failed;
    cJSON *failures;
    char *advised; /* the advice that was shown last: it is not repeated for the next thing */
    struct progress progress;
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
    return status ? status : roster_check(&run->roster, error);
}

static void announce(const struct run *run)
{
    const struct roster *roster = &run->roster;
    cli_say(run->context, "%s: %zu thing%s of %zu type%s, %zu exist already", roster->file,
            roster->table.count, roster->table.count == 1 ? "" : "s", roster->type_count,
            roster->type_count == 1 ? "" : "s", roster->existed);
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

static void take_failure(struct run *run, const struct bulk_result *result)
{
    const struct roster *roster = &run->roster;
    const char *name = roster->things[result->index].record->name;
    size_t line = roster->lines[result->index];
    cJSON *failure = json_object();
    json_put_string(failure, "name", name);
    json_put_number(failure, "line", (double)line);
    json_put_string(failure, "message", result->message);
    json_put_string(failure, "advice", *result->advice ? result->advice : NULL);
    cJSON_AddItemToArray(run->failures, failure);
    if (run->failed++ >= MOST_SHOWN || run->context->json)
        return;
    progress_hide(&run->progress);
    fprintf(stderr, "%s:%zu: %s: %s\n", roster->file, line, name, result->message);
    advise_once(run, result->advice);
}

static void observe(void *context, const struct bulk_result *result)
{
    struct run *run = context;
    run->made += result->outcome == MADE;
    run->existed += result->outcome == EXISTED;
    if (result->outcome == FAILED)
        take_failure(run, result);
    progress_step(&run->progress, run->made + run->failed);
}

static enum status plug_types_in(struct run *run)
{
    enum status status = FINE;
    for (size_t i = 0; i < run->roster.type_count && !status && !run->target.remote; i++)
        status = plug_in(&run->project, run->roster.types[i]->name, &run->context->error);
    return status;
}

static enum status prepare(struct run *run)
{
    enum status status = roster_lock(&run->roster, &run->context->error);
    if (!status)
        status = plug_types_in(run);
    return status ? status : roster_prepare(&run->roster, &run->context->error);
}

static void answer(struct run *run)
{
    struct context *context = run->context;
    if (!context->json) {
        text_add_format(&context->out, "created %zu, existed %zu, failed %zu in %.1f s\n",
                        run->made, run->existed, run->failed, progress_seconds(&run->progress));
        return;
    }
    cJSON *answer = json_object();
    json_put_number(answer, "created", (double)run->made);
    json_put_number(answer, "existed", (double)run->existed);
    json_put_number(answer, "failed", (double)run->failed);
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
    status = roster_make(&run->roster, observe, run, &context->error);
    progress_end(&run->progress);
    answer(run);
    return status || !run->failed
               ? status
               : fail(&context->error, REFUSED, "%zu things could not be made", run->failed);
}

/* What --dry-run answers to programs; people have read the announcement. */
static void answer_planned(struct run *run)
{
    cJSON *answer = json_object();
    json_put_string(answer, "outcome", "planned");
    json_put_number(answer, "create", (double)run->roster.count);
    json_put_number(answer, "existed", (double)run->roster.existed);
    json_layout(answer, &run->context->out);
    cJSON_Delete(answer);
}

enum status create_from_table(struct context *context, const char *file)
{
    struct run run = {.context = context, .failures = json_array(), .roster.lock = -1};
    bool dry_run = cli_given(context, "dry-run");
    enum status status = command_load(context, &run.project);
    if (!status)
        status = check(&run, file);
    if (!status)
        announce(&run);
    if (!status && !dry_run)
        status = make(&run);
    else if (!status && context->json)
        answer_planned(&run);
    free(run.advised);
    cJSON_Delete(run.failures);
    roster_free(&run.roster);
    target_close(&run.target);
    project_free(&run.project);
    return status;
}
