#include "commands.h"
#include "common/base/json.h"
#include "common/base/subject.h"
#include "generator/deploy/destruction.h"
#include "generator/project/types.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* --- consent --- */

static enum status ask_for_name(struct context *context, const char *name)
{
    char line[256] = "";
    fprintf(stderr, "type \"%s\" to go on: ", name);
    fflush(stderr);
    if (!fgets(line, sizeof line, stdin))
        *line = '\0';
    line[strcspn(line, "\r\n")] = '\0';
    return strcmp(line, name) == 0 ? FINE
                                   : fail(&context->error, WRONG_INPUT, "nothing was destroyed");
}

static enum status consent(struct context *context, const char *name)
{
    const char *given = cli_value(context, "confirm");
    if (given && strcmp(given, name) == 0)
        return FINE;
    if (given)
        return fail(&context->error, WRONG_USAGE, "--confirm names \"%s\", not \"%s\"", given,
                    name);
    if (isatty(STDIN_FILENO))
        return ask_for_name(context, name);
    fail(&context->error, WRONG_USAGE,
         "destroying %s has to be confirmed, and there is nobody to ask", name);
    return advise(&context->error, "the same command with --confirm %s (make: confirm=%s)", name,
                  name);
}

/* --- in an account --- */

static void show_plan(struct context *context, const struct destruction *destruction, bool dry_run)
{
    struct text plan = {0};
    destruction_write(destruction, &plan);
    if (dry_run && !context->json)
        text_add(&context->out, text_string(&plan), plan.length);
    else if (!context->quiet)
        fputs(text_string(&plan), stderr);
    text_free(&plan);
}

enum outcome { NOTHING, PLANNED, DESTROYED };

static const char *const outcome_names[] = {
    [NOTHING] = "nothing", [PLANNED] = "planned", [DESTROYED] = "destroyed"};

static void answer(struct context *context, const struct destruction *destruction, cJSON *json,
                   enum outcome outcome)
{
    if (context->json) {
        json_layout(json, &context->out);
        return;
    }
    if (outcome == NOTHING)
        text_add_format(&context->out, "%s  is not in %s\n", destruction->subject,
                        destruction->deployment.region);
    else if (outcome == DESTROYED)
        text_add_format(&context->out, "%s  destroyed\n", destruction->subject);
    if (outcome != PLANNED)
        destruction_write_rest(destruction, &context->out);
}

static enum status destroy_what_is_there(struct context *context, struct destruction *destruction)
{
    bool nothing = !destruction_has_work(destruction), dry_run = cli_given(context, "dry-run");
    enum outcome outcome = nothing ? NOTHING : dry_run ? PLANNED : DESTROYED;
    cJSON *json = destruction_json(destruction, outcome_names[outcome]); /* of what is there now */
    enum status status = FINE;
    if (!nothing)
        show_plan(context, destruction, dry_run);
    if (!nothing && !dry_run)
        status = consent(context, destruction->subject);
    if (!status && !nothing && !dry_run)
        status = destruction_run(destruction, &context->error);
    if (!status)
        answer(context, destruction, json, outcome);
    cJSON_Delete(json);
    return status;
}

static enum status destroy_there(struct context *context, struct project *project,
                                 const char *subject)
{
    struct destruction destruction;
    bool data = cli_given(context, "data");
    if (!cli_given(context, "database"))
        project_use_marked_database(project, subject);
    enum status status = destruction_open(&destruction, project, subject, data, &context->error);
    if (!status)
        status = destruction_check(&destruction, &context->error);
    if (!status)
        status = destroy_what_is_there(context, &destruction);
    destruction_close(&destruction);
    return status;
}

/* --- on this machine: a type is plugged in by its mark --- */

static enum status destroy_here(struct context *context, const char *subject)
{
    bool marked = types_is_deployed_on(subject, TARGET_LOCAL, NULL);
    bool dry_run = cli_given(context, "dry-run");
    enum outcome outcome = !marked ? NOTHING : dry_run ? PLANNED : DESTROYED;
    enum status status = destruction_check_things(subject, TARGET_LOCAL, &context->error);
    if (!status && marked && !dry_run)
        status = types_unmark(subject, &context->error);
    if (status)
        return status;
    if (context->json) {
        cJSON *answer = json_object();
        json_put_string(answer, "subject", subject);
        json_put_string(answer, "outcome", outcome_names[outcome]);
        json_layout(answer, &context->out);
        cJSON_Delete(answer);
    } else {
        text_add_format(&context->out, "%s  %s; there is no account on the target local\n", subject,
                        outcome == NOTHING   ? "is not plugged in here"
                        : outcome == PLANNED ? "would be unplugged"
                                             : "unplugged");
    }
    return FINE;
}

enum status command_destroy(struct context *context)
{
    struct project project;
    const char *subject = context->operands[0];
    bool system = subject_is_system(subject);
    enum status status = command_load(context, &project);
    if (!status && !system)
        status = project_check(&project, &subject, 1, &context->error);
    if (!status)
        status = project_has_account(&project) ? destroy_there(context, &project, subject)
                                               : destroy_here(context, subject);
    project_free(&project);
    return status;
}
