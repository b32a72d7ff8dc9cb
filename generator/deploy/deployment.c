#include "deployment.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/paths.h"
#include "aws/timestream.h"
#include "common/base/subject.h"
#include "generator/targets/account.h"
#include "removal.h"

#include <stdlib.h>
#include <string.h>

static enum status open_account(struct deployment *deployment, struct error *error)
{
    struct project *project = deployment->project;
    struct aws *aws = NULL;
    enum status status = deployment->borrowed
                             ? FINE
                             : account_open(&project->system, &project->account, &aws, error);
    if (status)
        return status;
    if (deployment->borrowed)
        aws = deployment->aws;
    report_detail(project->reporter, "account of profile %s, credentials from %s, region %s",
                  aws_profile(aws), aws_credentials_source(aws), aws_region(aws));
    deployment->aws = deployment->stacks.aws = aws;
    deployment->region = aws_region(aws);
    return FINE;
}

static cJSON *stack_parameters(const struct project *project)
{
    cJSON *parameters = json_object();
    json_put_string(parameters, "DatabaseName", project->system.database);
    return parameters;
}

/* --- templates --- */

/* The CloudFormation template of a subject; NULL where it renders to nothing. */
static enum status subject_template(struct project *project, const char *subject, cJSON **template,
                                    struct error *error)
{
    struct artifacts artifacts = {0};
    enum status status = project_render(project, subject, "cloudformation", &artifacts, error);
    *template = NULL;
    for (size_t i = 0; i < artifacts.count && !status; i++) {
        const struct artifact *artifact = &artifacts.at[i];
        if (strcmp(artifact->path, "cloudformation/stack.json") == 0)
            status = json_parse(artifact->path, text_string(&artifact->bytes),
                                artifact->bytes.length, template, error);
    }
    artifacts_free(&artifacts);
    return status;
}

/* How the stack of a subject is called; freed by the caller. */
static enum status subject_stack(struct project *project, const char *subject, char **name,
                                 struct error *error)
{
    bool system = subject_is_system(subject);
    cJSON *model = NULL;
    *name = NULL;
    enum status status = project_model(project, subject, &model, error);
    if (!status)
        *name = must_copy(json_string(json_get(model, system ? "system" : "type"), "stack", ""));
    cJSON_Delete(model);
    return status;
}

static enum status add_subject(struct deployment *deployment, const char *subject,
                               struct error *error)
{
    struct project *project = deployment->project;
    char *name = NULL;
    cJSON *template = NULL, *parameters = stack_parameters(project);
    enum status status = FINE;
    if (!stacks_find(&deployment->stacks, subject))
        status = subject_template(project, subject, &template, error);
    if (!status && template)
        status = subject_stack(project, subject, &name, error);
    if (!status && template)
        stacks_add(&deployment->stacks, subject, name, template, parameters);
    else
        cJSON_Delete(template);
    cJSON_Delete(parameters);
    free(name);
    return status;
}

enum status deployment_open(struct deployment *deployment, struct project *project,
                            const char *const *subjects, size_t count, struct aws *aws,
                            struct error *error)
{
    *deployment = (struct deployment){.project = project, .aws = aws, .borrowed = aws};
    deployment->stacks.reporter = project->reporter;
    deployment->stacks.system = project->system.name;
    enum status status = add_subject(deployment, "system", error);
    for (size_t i = 0; i < count && !status; i++)
        status = add_subject(deployment, subjects[i], error);
    return status ? status : open_account(deployment, error);
}

void deployment_close(struct deployment *deployment)
{
    stacks_free(&deployment->stacks);
    if (!deployment->borrowed)
        aws_close(deployment->aws);
}

/* --- the database of each stack --- */

/* The one that a deployed stack has; NULL: it is not deployed. */
static const char *held_database(const struct stack *stack)
{
    return stack && !stack->left_out && !stack->error.status && stack_is_alive(stack)
               ? json_string(stack->deployed_parameters, "DatabaseName", NULL)
               : NULL;
}

void deployment_use_database(struct deployment *deployment, const char *subject)
{
    const struct stack *stack = stacks_find(&deployment->stacks, subject);
    const char *name = stack ? json_string(stack->parameters, "DatabaseName", NULL) : NULL;
    if (name)
        system_set_database(&deployment->project->system, name);
}

/* The template is rendered again, because the database is in it, too. */
static enum status set_database(struct deployment *deployment, struct stack *stack,
                                const char *database, struct error *error)
{
    struct project *project = deployment->project;
    owned char *before = must_copy(project->system.database), *held = must_copy(database);
    cJSON *template = NULL, *parameters = NULL;
    if (strcmp(before, held) == 0)
        return FINE;
    system_set_database(&project->system, held);
    enum status status = subject_template(project, stack->subject, &template, error);
    parameters = stack_parameters(project);
    if (!status && template)
        stack_change(stack, template, parameters);
    cJSON_Delete(parameters);
    system_set_database(&project->system, before);
    if (!status)
        report_line(project->reporter, "%s  its database is %s, as it is deployed (not %s)",
                    stack->subject, held, before);
    return status;
}

/* The database that types get which are not deployed yet: that of the system's stack. With a database
 * that no stack holds, it is that of the types that are deployed. */
static const char *usual_database(const struct deployment *deployment)
{
    const struct stacks *stacks = &deployment->stacks;
    const char *held = held_database(stacks_find(stacks, "system"));
    for (size_t i = 0; i < stacks->count && !held; i++)
        held = held_database(&stacks->at[i]);
    return held;
}

static enum status keep_databases(struct deployment *deployment, struct error *error)
{
    struct stacks *stacks = &deployment->stacks;
    const char *usual = usual_database(deployment);
    enum status status = FINE;
    if (deployment->project->database_chosen || !usual)
        return FINE;
    for (size_t i = 0; i < stacks->count && !status; i++) {
        struct stack *stack = &stacks->at[i];
        const char *held = held_database(stack);
        if (!stack->left_out && !stack->error.status)
            status = set_database(deployment, stack, held ? held : usual, error);
    }
    system_set_database(&deployment->project->system, usual);
    return status;
}

enum status deployment_look(struct deployment *deployment, struct error *error)
{
    struct stacks *stacks = &deployment->stacks;
    struct stack *first = NULL;
    stacks_look(stacks);
    enum status status = keep_databases(deployment, error);
    if (status)
        return status;
    for (size_t i = 0; i < stacks->count; i++) {
        struct stack *stack = &stacks->at[i];
        if (!stack->left_out && !stack->error.status)
            return FINE;
        if (!first && !stack->left_out)
            first = stack;
    }
    if (!first)
        return FINE;
    *error = first->error;
    first->error = (struct error){0};
    return error->status;
}

/* --- the database --- */

static enum status look_for_database(struct aws *aws, const char *name, bool *found,
                                     struct error *error)
{
    struct timestream timestream;
    struct aws_call call = {0};
    *found = false;
    enum status status = timestream_open(aws, &timestream, error);
    if (!status) {
        timestream_describe_database(&timestream, &call, name);
        status = aws_finish(aws, &call, error);
        *found = !status;
    }
    if (aws_failed_with(&call, "ResourceNotFoundException")) {
        error_free(error);
        *error = (struct error){0};
        status = FINE;
    }
    if (status)
        timestream_explain(&call, error);
    aws_call_free(&call);
    timestream_close(&timestream);
    return status;
}

static enum status refuse_second_database(const struct stack *system, const char *wanted,
                                          const char *held, struct error *error)
{
    fail(error, WRONG_INPUT, "there is no database \"%s\", and stack %s holds \"%s\"", wanted,
         system->name, held);
    advise(error,
           "make it (aws timestream-write create-database --database-name %s), then run "
           "this again",
           wanted);
    return advise(error, "or give this system another name in " SYSTEM_FILE);
}

enum status deployment_choose_system(struct deployment *deployment, bool whole, struct error *error)
{
    struct stack *system = stacks_find(&deployment->stacks, "system");
    const char *wanted = deployment->project->system.database;
    if (!system || system->error.status)
        return FINE;
    bool held = system->status && !stack_is_dead(system);
    const char *name = json_string(system->deployed_parameters, "DatabaseName", "");
    if (held && strcmp(name, wanted) == 0) {
        system->left_out = !whole;
        return FINE;
    }
    enum status status = look_for_database(deployment->aws, wanted, &deployment->foreign, error);
    if (status)
        return status;
    system->left_out = deployment->foreign;
    return held && !deployment->foreign ? refuse_second_database(system, wanted, name, error)
                                        : FINE;
}

/* --- what is taken over --- */

static enum status ask_owner(struct removal *removal, const struct stack *stack, cJSON *change,
                             struct error *error)
{
    const char *id = json_string(change, "id", "");
    const cJSON *resource = json_get(json_get(stack->template, "Resources"), id);
    bool found = false, ours = false;
    enum status status = FINE;
    if (resource && removal_knows(resource))
        status = removal_look(removal, resource, &found, &ours, error);
    json_put_bool(change, "ours", ours);
    return status;
}

enum status deployment_ask_owners(struct deployment *deployment, struct error *error)
{
    struct stacks *stacks = &deployment->stacks;
    struct removal removal = {.reporter = deployment->project->reporter,
                              .aws = deployment->aws,
                              .system = stacks->system};
    enum status status = FINE;
    for (size_t i = 0; i < stacks->count; i++) {
        struct stack *stack = &stacks->at[i];
        cJSON *change;
        removal.type = subject_is_system(stack->subject) ? NULL : stack->subject;
        cJSON_ArrayForEach(change, stack->changes)
        {
            if (!status && !stack->left_out && !stack->error.status &&
                strcmp(json_string(change, "action", ""), "import") == 0)
                status = ask_owner(&removal, stack, change, error);
        }
    }
    removal_close(&removal);
    return status;
}

/* --- how it went --- */

enum status deployment_verdict(struct deployment *deployment, struct error *error)
{
    struct stack *first = NULL;
    size_t failed = 0, all = 0;
    for (size_t i = 0; i < deployment->stacks.count; i++) {
        struct stack *stack = &deployment->stacks.at[i];
        if (stack->left_out)
            continue;
        all++;
        failed += stack->error.status != FINE;
        if (!first && stack->error.status)
            first = stack;
    }
    if (!failed)
        return FINE;
    if (failed > 1)
        return fail(error, REFUSED, "%zu of %zu stacks failed", failed, all);
    *error = first->error;
    first->error = (struct error){0};
    return error->status;
}
