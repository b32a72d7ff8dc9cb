#include "commands.h"
#include "common/base/hint.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/subject.h"
#include "generator/local/capabilities.h"
#include "generator/deploy/deployment.h"
#include "generator/deploy/logging.h"
#include "generator/deploy/plan.h"
#include "generator/project/types.h"
#include "generator/targets/target.h"
#include "generator/thing/outdated.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- what becomes of readings --- */

static void tell_measure(struct context *context, const char *type, const cJSON *measure,
                         bool written)
{
    const char *name = json_string(measure, "measure", "");
    double count = json_number(measure, "things", 0);
    bool one = count == 1, optional = json_true(measure, "optional");
    cli_say(context, "%s: %.0f %s without the measure %s; %s", type, count,
            one ? "thing has a package" : "things have packages", name,
            written    ? "whether readings are valid is up to the rule in spec.yaml"
            : optional ? "readings stay valid, without it"
                       : "all readings become invalid until the boards have new packages");
    if (!optional && !written)
        cli_say(context, "  \"optional: true\" on %s in spec.yaml lets them stay valid", name);
}

/* Said before anything is done. A type whose spec is not right has failed project_check(). */
static enum status tell_outdated(struct context *context, struct project *project,
                                 const char *const *types, size_t count)
{
    enum status status = FINE;
    cJSON *packages = outdated_packages();
    for (size_t i = 0; i < count && !status; i++) {
        cJSON *model = NULL;
        const cJSON *measure;
        status = project_model(project, types[i], &model, &context->error);
        cJSON *measures = status ? NULL : outdated_measures(packages, model);
        bool written = json_true(json_get(json_get(model, "type"), "rules"), "written");
        cJSON_ArrayForEach(measure, measures) tell_measure(context, types[i], measure, written);
        if (cJSON_GetArraySize(measures))
            cli_say(
                context, "  new packages: make package type=%s, then flash each board%s", types[i],
                project_has_account(project) ? " (things of other clones are not counted)" : "");
        cJSON_Delete(measures);
        cJSON_Delete(model);
    }
    cJSON_Delete(packages);
    return status;
}

/* --- on this machine: a type needs only its documents --- */

static enum status deploy_type(struct context *context, struct project *project, const char *type,
                               cJSON *answer)
{
    struct error *error = &context->error;
    struct emit_report report = {0};
    bool dry_run = cli_given(context, "dry-run");
    owned char *folder = project_folder(type);
    enum status status = dry_run ? project_write(project, type, true, &report, error)
                                 : project_deploy(project, type, &report, error);
    if (status)
        return status;
    cJSON *item = json_object();
    json_put_string(item, "type", type);
    json_put_string(item, "folder", folder);
    json_put_number(item, "written", (double)report.written);
    cJSON_AddItemToArray(answer, item);
    if (!context->json)
        text_add_format(
            &context->out, "%s  %splugged in: %zu files in %s/, %zu of them new or changed\n", type,
            dry_run ? "would be " : "", report.written + report.unchanged, folder, report.written);
    return FINE;
}

static enum status deploy_here(struct context *context, struct project *project,
                               const char *const *types, size_t count)
{
    bool dry_run = cli_given(context, "dry-run");
    struct target target = {0};
    struct emit_report report = {0};
    cJSON *answer = json_array();
    enum status status = project_target(project, project->system.target, &target, &context->error);
    if (!status)
        status = project_write(project, "system", dry_run, &report, &context->error);
    for (size_t i = 0; i < count && !status; i++)
        status = deploy_type(context, project, types[i], answer);
    if (!status && !dry_run)
        capabilities_check(project->reporter, types, count);
    if (!status && context->json)
        json_layout(answer, &context->out);
    cJSON_Delete(answer);
    target_close(&target);
    return status;
}

/* --- in an account --- */

static enum status write_documents(struct deployment *deployment, const char *const *types,
                                   size_t count, struct error *error)
{
    struct project *project = deployment->project;
    struct emit_report report = {0};
    deployment_use_database(deployment, "system");
    enum status status = project_write(project, "system", false, &report, error);
    for (size_t i = 0; i < count && !status; i++) {
        deployment_use_database(deployment, types[i]);
        status = project_write(project, types[i], false, &report, error);
    }
    return status;
}

static void show_plan(const struct context *context, const struct deployment *deployment)
{
    struct text plan = {0};
    for (size_t i = 0; i < deployment->stacks.count; i++)
        stack_write(&deployment->stacks, &deployment->stacks.at[i], &plan);
    if (plan.length && !context->quiet)
        fputs(text_string(&plan), stderr);
    text_free(&plan);
}

static bool any_change(const struct deployment *deployment, bool (*is)(const cJSON *changes))
{
    for (size_t i = 0; i < deployment->stacks.count; i++) {
        const struct stack *stack = &deployment->stacks.at[i];
        if (!stack->left_out && !stack->error.status && is(stack->changes))
            return true;
    }
    return false;
}

static bool says_yes(void)
{
    char line[16] = "";
    fputs("apply? [y/N] ", stderr);
    fflush(stderr);
    if (!fgets(line, sizeof line, stdin))
        return false;
    return *line == 'y' || *line == 'Y';
}

/* A plan that only adds, or imports what an earlier deploy has made, needs no consent. Replacing or
 * removing what holds readings needs --data besides. */
static enum status consent(struct context *context, const struct deployment *deployment)
{
    if (any_change(deployment, plan_touches_data) && !cli_given(context, "data")) {
        fail(&context->error, WRONG_USAGE, "a table or database would be replaced or removed");
        return advise(&context->error,
                      "if its readings may stay behind: the same command with --data "
                      "(make: data=yes)");
    }
    if (cli_given(context, "yes") || !any_change(deployment, plan_changes_what_is_there))
        return FINE;
    if (isatty(STDIN_FILENO))
        return says_yes() ? FINE : fail(&context->error, WRONG_INPUT, "nothing was applied");
    fail(&context->error, WRONG_USAGE,
         "what is there would change or be taken over, and there is nobody to ask");
    return advise(&context->error, "to apply it: the same command with --yes (make: yes=yes)");
}

static const char *outcome(const struct stack *stack)
{
    return stack->error.status                         ? "failed"
           : !stack->changes->child && !stack->differs ? "unchanged"
                                                       : "plugged in";
}

static void report_stack(struct context *context, const struct deployment *deployment,
                         const struct stack *stack, cJSON *answer)
{
    bool dry_run = cli_given(context, "dry-run");
    const char *result = outcome(stack);
    if (context->json) {
        cJSON *item = stack_json(&deployment->stacks, stack);
        json_put_string(item, "outcome",
                        stack->error.status ? "failed"
                        : !stack->differs   ? "unchanged"
                        : dry_run           ? "planned"
                                            : "deployed");
        cJSON_AddItemToArray(answer, item);
    } else if (stack->error.status) {
        text_add_format(&context->out, "%s  failed: %s\n", stack->subject,
                        text_string(&stack->error.message));
    } else {
        text_add_format(&context->out, "%s  %s%s: stack %s in %s\n", stack->subject,
                        dry_run && stack->differs ? "would be " : "",
                        subject_is_system(stack->subject) && stack->differs ? "made" : result,
                        stack->name, deployment->region);
    }
}

/* A type gets its mark when its stack is as the plan says. */
static enum status conclude(struct context *context, struct deployment *deployment)
{
    cJSON *answer = json_array();
    enum status status = FINE;
    for (size_t i = 0; i < deployment->stacks.count && !status; i++) {
        const struct stack *stack = &deployment->stacks.at[i];
        if (stack->left_out)
            continue;
        report_stack(context, deployment, stack, answer);
        deployment_use_database(deployment, stack->subject);
        if (!stack->error.status && !subject_is_system(stack->subject) &&
            !cli_given(context, "dry-run"))
            status = project_mark(deployment->project, stack->subject, deployment->region,
                                  &context->error);
    }
    if (context->json)
        json_layout(answer, &context->out);
    cJSON_Delete(answer);
    return status ? status : deployment_verdict(deployment, &context->error);
}

/* What the rules cannot say when their SQL fails, only AWS IoT's own log says. */
static enum status offer_logging(struct context *context, const struct deployment *deployment)
{
    const struct system *system = &deployment->project->system;
    bool on = false, asked = cli_given(context, "logging");
    enum status status = logging_ask(deployment->aws, &on, &context->error);
    if (status && !asked) { /* it was not what deploy was called for */
        cli_say(context, "not known whether AWS IoT writes a log: %s",
                text_string(&context->error.message));
        error_free(&context->error);
        return FINE;
    }
    if (status || on)
        return status;
    cli_say(context, LOGGING_OFF);
    if (!asked) {
        cli_say(context, "  the same command with --logging turns it on (make: logging=yes)");
        return FINE;
    }
    status = logging_turn_on(deployment->aws, system, &context->error);
    if (!status)
        cli_say(context, "  now it does, from the level ERROR on, with the role %s-iot-logging",
                system->name);
    return status;
}

static enum status plan_and_apply(struct context *context, struct deployment *deployment,
                                  const char *const *types, size_t count)
{
    bool dry_run = cli_given(context, "dry-run");
    stacks_plan(&deployment->stacks, !dry_run);
    enum status status = deployment_ask_owners(deployment, &context->error);
    if (!status)
        show_plan(context, deployment);
    if (deployment->foreign && !context->json)
        cli_say(context, "the database \"%s\" is there already, and is used as it is",
                deployment->project->system.database);
    if (!status && !dry_run)
        status = consent(context, deployment);
    if (!status && !dry_run)
        status = write_documents(deployment, types, count, &context->error);
    if (status || dry_run)
        stacks_forget(&deployment->stacks);
    else
        stacks_apply(&deployment->stacks);
    if (!status)
        status = conclude(context, deployment);
    return status || dry_run ? status : offer_logging(context, deployment);
}

static enum status deploy_there(struct context *context, struct project *project,
                                const char *const *types, size_t count)
{
    struct deployment deployment;
    enum status status = deployment_open(&deployment, project, types, count, NULL, &context->error);
    if (!status)
        status = deployment_look(&deployment, &context->error);
    if (!status)
        status = deployment_choose_system(&deployment, cli_given(context, "all"), &context->error);
    if (!status)
        status = plan_and_apply(context, &deployment, types, count);
    deployment_close(&deployment);
    return status;
}

enum status command_deploy(struct context *context)
{
    struct project project;
    bool all = cli_given(context, "all");
    enum status status = command_load(context, &project);
    if (!status && all == (context->operand_count > 0))
        status = fail(&context->error, WRONG_USAGE,
                      all ? "--all leaves nothing to name" : "deploy needs a TYPE, or --all");
    struct names *types = all ? types_all() : NULL;
    const char *const *subjects = all ? types->at : context->operands;
    size_t count = all ? types->count : context->operand_count;
    if (!status)
        status = project_check(&project, subjects, count, &context->error);
    if (!status)
        status = tell_outdated(context, &project, subjects, count);
    if (!status)
        status = project_has_account(&project) ? deploy_there(context, &project, subjects, count)
                                               : deploy_here(context, &project, subjects, count);
    if (!status && !context->json && !cli_given(context, "dry-run"))
        hint_add(&context->out, "next  make create name=<thing> type=%s wifissid=...\n",
                 all ? "<type>" : context->operands[0]);
    names_free(types);
    project_free(&project);
    return status;
}
