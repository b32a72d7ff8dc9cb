#include "commands.h"
#include "common/base/json.h"
#include "common/base/subject.h"
#include "generate.h"
#include "generator/deploy/deployment.h"

#include <string.h>

static enum status show(struct context *context, struct deployment *deployment)
{
    const struct stacks *stacks = &deployment->stacks;
    cJSON *answer = json_array();
    size_t differing = 0, looked = 0;
    for (size_t i = 0; i < stacks->count; i++) {
        const struct stack *stack = &stacks->at[i];
        looked += !stack->left_out;
        differing += !stack->left_out && stack->differs;
        if (context->json && !stack->left_out)
            cJSON_AddItemToArray(answer, stack_json(stacks, stack));
        else if (!context->json)
            stack_write(stacks, stack, &context->out);
    }
    if (context->json)
        json_layout(answer, &context->out);
    else
        cli_say(context, "%zu of %zu stacks would change", differing, looked);
    cJSON_Delete(answer);
    return deployment_verdict(deployment, &context->error);
}

static enum status diff_stacks(struct context *context, struct project *project,
                               const struct names *subjects)
{
    struct error *error = &context->error;
    struct deployment deployment;
    bool whole = context->operand_count == 0;
    for (size_t i = 0; i < subjects->count; i++)
        whole |= subject_is_system(subjects->at[i]);
    enum status status =
        deployment_open(&deployment, project, subjects->at, subjects->count, NULL, error);
    if (!status)
        status = deployment_look(&deployment, error);
    if (!status)
        status = deployment_choose_system(&deployment, whole, error);
    if (!status) {
        stacks_plan(&deployment.stacks, false);
        status = deployment_ask_owners(&deployment, error);
        if (!status)
            status = show(context, &deployment);
        stacks_forget(&deployment.stacks);
    }
    if (!status && deployment.foreign && !context->json)
        cli_say(context, "the database \"%s\" is there without a stack, and is used as it is",
                project->system.database);
    deployment_close(&deployment);
    return status;
}

enum status command_diff(struct context *context)
{
    struct project project;
    enum status status = command_load(context, &project);
    struct names *subjects = generate_subjects(context, context->operand_count == 0);
    if (!status)
        status = project_check(&project, subjects->at, subjects->count, &context->error);
    if (!status)
        status = project_has_account(&project) ? diff_stacks(context, &project, subjects)
                                               : generate_diff(context, &project, subjects);
    names_free(subjects);
    project_free(&project);
    return status;
}
