#include "commands.h"
#include "common/base/json.h"
#include "common/base/subject.h"
#include "common/base/memory.h"
#include "generator/deploy/destruction.h"
#include "generator/project/types.h"

#include <stdio.h>
#include <stdlib.h>
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

static void tell_outcome(struct context *context, const struct destruction *destruction,
                         enum outcome outcome)
{
    if (context->json)
        return;
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
        tell_outcome(context, destruction, outcome);
    if (!status && context->json)
        json_layout(json, &context->out);
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
    enum status status =
        destruction_open(&destruction, project, subject, data, NULL, &context->error);
    if (!status)
        status = destruction_check(&destruction, &context->error);
    if (!status)
        status = destroy_what_is_there(context, &destruction);
    destruction_close(&destruction);
    return status;
}

/* --- all of it, in an account --- */

/* The destructions of all types and, last, of the system. */
struct ruin {
    struct names *subjects;
    struct aws *aws;
    struct destruction *at; /* of each subject */
    size_t opened;
    char *database; /* of system.yaml or the command line */
};

static enum status open_one(struct context *context, struct project *project, struct ruin *ruin,
                            struct destruction *destruction, const char *subject)
{
    system_set_database(&project->system, ruin->database);
    if (!cli_given(context, "database"))
        project_use_marked_database(project, subject);
    return destruction_open(destruction, project, subject, cli_given(context, "data"), ruin->aws,
                            &context->error);
}

/* With store: dynamodb there is no stack of the system. */
static struct names *all_subjects(const struct project *project)
{
    struct names *subjects = types_all();
    if (project->system.aws.store == STORE_TIMESTREAM)
        names_append(subjects, SUBJECT_SYSTEM);
    return subjects;
}

/* Types are plugged in until they are destroyed, so the system is checked then. */
static enum status open_all(struct context *context, struct project *project, struct ruin *ruin)
{
    enum status status =
        account_open(&project->system, &project->account, &ruin->aws, &context->error);
    ruin->at = must_array(ruin->subjects->count + 1, sizeof *ruin->at);
    for (size_t i = 0; i < ruin->subjects->count && !status; i++) {
        struct destruction *one = &ruin->at[ruin->opened++];
        status = open_one(context, project, ruin, one, ruin->subjects->at[i]);
        if (!status && !one->system)
            status = destruction_check(one, &context->error);
    }
    return status;
}

static void close_all(struct ruin *ruin)
{
    for (size_t i = 0; i < ruin->opened; i++)
        destruction_close(&ruin->at[i]);
    free(ruin->at);
    free(ruin->database);
    names_free(ruin->subjects);
    aws_close(ruin->aws);
}

static enum status wait_for_all(struct ruin *ruin, struct error *error)
{
    struct destruction **list = must_array(ruin->opened + 1, sizeof(struct destruction *));
    size_t count = 0;
    for (size_t i = 0; i < ruin->opened; i++)
        if (destruction_has_work(&ruin->at[i]))
            list[count++] = &ruin->at[i];
    enum status status = count ? destruction_wait(list, count, error) : FINE;
    free(list);
    return status;
}

/* The system is looked at again: its types are gone now. */
static enum status run_one(struct context *context, struct ruin *ruin, struct destruction *one,
                           cJSON *answers)
{
    bool system = one->system;
    enum status status = FINE;
    if (system) {
        struct project *project = one->project;
        const char *subject = one->subject;
        destruction_close(one);
        status = open_one(context, project, ruin, one, subject);
        if (!status)
            status = destruction_check(one, &context->error);
    }
    if (status)
        return status;
    enum outcome outcome = destruction_has_work(one) ? DESTROYED : NOTHING;
    cJSON *json = destruction_json(one, outcome_names[outcome]);
    if (outcome == DESTROYED)
        status = destruction_run(one, &context->error);
    if (status) {
        cJSON_Delete(json);
        return status;
    }
    cJSON_AddItemToArray(answers, json);
    tell_outcome(context, one, outcome);
    return FINE;
}

/* One that fails does not stop the others; but the system stays then, because the type needs it. */
static enum status run_all(struct context *context, struct ruin *ruin, cJSON *answers)
{
    enum status first = FINE;
    size_t failed = 0;
    for (size_t i = 0; i < ruin->opened; i++) {
        struct destruction *one = &ruin->at[i];
        if (one->system && failed)
            break;
        enum status status = run_one(context, ruin, one, answers);
        if (!status)
            continue;
        first = first ? first : status;
        failed++;
        fprintf(stderr, "%s: %s\n", ruin->subjects->at[i], text_string(&context->error.message));
        error_free(&context->error);
    }
    return failed ? fail(&context->error, first, "%zu of %zu could not be destroyed", failed,
                         ruin->subjects->count)
                  : FINE;
}

static bool show_all(struct context *context, struct ruin *ruin, bool dry_run, cJSON *answers)
{
    bool work = false;
    for (size_t i = 0; i < ruin->opened; i++) {
        bool has = destruction_has_work(&ruin->at[i]);
        if (has)
            show_plan(context, &ruin->at[i], dry_run);
        if (dry_run)
            cJSON_AddItemToArray(
                answers, destruction_json(&ruin->at[i], outcome_names[has ? PLANNED : NOTHING]));
        work |= has;
    }
    return work;
}

static enum status destroy_all_there(struct context *context, struct project *project)
{
    struct ruin ruin = {.subjects = all_subjects(project),
                        .database = must_copy(project->system.database)};
    bool dry_run = cli_given(context, "dry-run");
    cJSON *answers = json_array();
    enum status status = open_all(context, project, &ruin);
    bool work = !status && show_all(context, &ruin, dry_run, answers);
    if (work && !dry_run)
        status = consent(context, project->system.name);
    if (!status && work && !dry_run)
        status = wait_for_all(&ruin, &context->error);
    if (!status && !dry_run)
        status = run_all(context, &ruin, answers);
    if (context->json && (!status || answers->child))
        json_layout(answers, &context->out);
    cJSON_Delete(answers);
    close_all(&ruin);
    return status;
}

/* --- on this machine: a type is plugged in by its mark --- */

/* answers: with --json, what was done is added to it. */
static enum status destroy_here(struct context *context, const char *subject, cJSON *answers)
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
        cJSON_AddItemToArray(answers, answer);
    } else {
        text_add_format(&context->out, "%s  %s; there is no account on the target local\n", subject,
                        outcome == NOTHING   ? "is not plugged in here"
                        : outcome == PLANNED ? "would be unplugged"
                                             : "unplugged");
    }
    return FINE;
}

static enum status destroy_all_here(struct context *context)
{
    struct names *types = types_all();
    cJSON *answers = json_array();
    enum status status = FINE;
    for (size_t i = 0; i < types->count && !status; i++)
        status = destruction_check_things(types->at[i], TARGET_LOCAL, &context->error);
    for (size_t i = 0; i < types->count && !status; i++)
        status = destroy_here(context, types->at[i], answers);
    if (!status && context->json)
        json_layout(answers, &context->out);
    cJSON_Delete(answers);
    names_free(types);
    return status;
}

static enum status destroy_one_here(struct context *context, const char *subject)
{
    cJSON *answers = json_array();
    enum status status = destroy_here(context, subject, answers);
    if (!status && context->json)
        json_layout(answers->child, &context->out);
    cJSON_Delete(answers);
    return status;
}

static enum status destroy_all(struct context *context, struct project *project)
{
    return project_has_account(project) ? destroy_all_there(context, project)
                                        : destroy_all_here(context);
}

enum status command_destroy(struct context *context)
{
    struct project project;
    bool all = cli_given(context, "all");
    const char *subject = all ? NULL : context->operand_count ? context->operands[0] : "";
    enum status status = command_load(context, &project);
    if (!status && all == (context->operand_count > 0))
        status = fail(&context->error, WRONG_USAGE,
                      all ? "--all leaves nothing to name" : "destroy needs TYPE|system, or --all");
    if (!status && all) {
        status = destroy_all(context, &project);
    } else if (!status) {
        if (!subject_is_system(subject))
            status = project_check(&project, &subject, 1, &context->error);
        if (!status)
            status = project_has_account(&project) ? destroy_there(context, &project, subject)
                                                   : destroy_one_here(context, subject);
    }
    project_free(&project);
    return status;
}
