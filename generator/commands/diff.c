#include "commands.h"
#include "common/base/json.h"
#include "deployment.h"
#include "documents.h"

#include <string.h>

static enum status show(struct deployment *deployment)
{
    struct context *context = deployment->project->context;
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
        say(context, "%zu of %zu stacks would change", differing, looked);
    cJSON_Delete(answer);
    return deployment_verdict(deployment);
}

static enum status diff_stacks(struct project *project, const struct names *subjects)
{
    struct deployment deployment;
    bool whole = project->context->operand_count == 0;
    for (size_t i = 0; i < subjects->count; i++)
        whole |= strcmp(subjects->at[i], "system") == 0;
    enum status status = deployment_open(&deployment, project, subjects->at, subjects->count);
    if (!status)
        status = deployment_look(&deployment);
    if (!status)
        status = deployment_choose_system(&deployment, whole);
    if (!status) {
        stacks_plan(&deployment.stacks, false);
        status = deployment_ask_owners(&deployment);
        if (!status)
            status = show(&deployment);
        stacks_forget(&deployment.stacks);
    }
    if (!status && deployment.foreign && !project->context->json)
        say(project->context, "the database \"%s\" is there without a stack, and is used as it is",
            json_string(project_system(project), "database", ""));
    deployment_close(&deployment);
    return status;
}

enum status command_diff(struct context *context)
{
    struct project project;
    enum status status = project_load(context, &project);
    struct names *subjects = chosen_subjects(context, context->operand_count == 0);
    if (!status)
        status = project_check(&project, subjects->at, subjects->count);
    if (!status)
        status = is_account(&project) ? diff_stacks(&project, subjects)
                                      : diff_documents(&project, subjects);
    names_free(subjects);
    project_free(&project);
    return status;
}
