/* Planning what changes, and forgetting a plan.
 *
 * A stack whose template and parameters equal what is deployed gets no change set: CloudFormation
 * would change nothing. So a plan of fifty types that need no change costs two calls for each. What
 * was changed by other means than CloudFormation (drift) is not looked at. */
#include "stacks_parts.h"
#include "common/base/hex.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "aws/cloudformation.h"
#include "common/base/subject.h"
#include "plan.h"
#include "template.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define SET_PREFIX "sensorforge-"

/* --- by the templates --- */

static void refuse_stuck(const struct stacks *all, struct stack *stack)
{
    fail(&stack->error, REFUSED, "stack %s is stuck in %s%s%s", stack->name, stack->status,
         stack->why ? ": " : "", stack->why ? stack->why : "");
    if (strcmp(stack->status, "DELETE_FAILED") == 0)
        advise(&stack->error, "finish what was begun: make destroy NAME=%s", stack->subject);
    else
        advise(&stack->error,
               "remove what it says, then: aws cloudformation continue-update-rollback "
               "--stack-name %s --region %s",
               stack->name, aws_region(all->aws));
}

static void refuse_large(struct stack *stack)
{
    struct text body = {0};
    json_compact(stack->template, &body);
    if (body.length > CLOUDFORMATION_LARGEST_TEMPLATE)
        fail(&stack->error, WRONG_INPUT,
             "the template of stack %s has %zu bytes; CloudFormation takes %d", stack->name,
             body.length, CLOUDFORMATION_LARGEST_TEMPLATE);
    text_free(&body);
}

static void compare(struct stack *stack)
{
    const cJSON *before = stack_is_alive(stack) ? stack->deployed : NULL;
    if (before)
        stack_set_json(&stack->wanted, template_keep_fixed(stack->template, before));
    stack->differs = !before || !ends_with(stack->status, "_COMPLETE") ||
                     !cJSON_Compare(stack->template, before, true) ||
                     !cJSON_Compare(stack->parameters, stack->deployed_parameters, true);
    if (stack->differs)
        stack_set_json(&stack->changes, plan_compare(before, stack->deployed_parameters,
                                                     stack->template, stack->parameters));
    if (stack->differs)
        refuse_large(stack);
}

/* --- by change sets --- */

static bool differs_alive(const struct stack *stack)
{
    return stack->differs && stack_is_alive(stack) && !stack->listed;
}

static void ask_sets(struct stacks *all, struct stack *stack)
{
    cloudformation_list_change_sets(all->aws, &stack->call, stack->name, stack->next);
}

static void hear_sets(struct stacks *all, struct stack *stack)
{
    const cJSON *result = json_get(stack->call.answer, "ListChangeSetsResult"), *item;
    (void)all;
    if (stack->call.error.status) {
        stack_refuse(stack);
        return;
    }
    if (!stack->pages)
        stack->pages = json_array();
    cJSON_ArrayForEach(item, json_get(result, "Summaries"))
    {
        const char *name = json_string(item, "ChangeSetName", "");
        bool executed = begins_with(json_string(item, "ExecutionStatus", ""), "EXECUTE_");
        if (begins_with(name, SET_PREFIX) && !executed &&
            strcmp(json_string(item, "StackName", ""), stack->name) == 0)
            cJSON_AddItemToArray(stack->pages, cJSON_CreateString(name));
    }
    stack_set_string(&stack->next, json_string(result, "NextToken", NULL));
    stack->listed = !stack->next;
}

static bool has_leftover(const struct stack *stack)
{
    return stack->pages && stack->pages->child;
}

static void ask_removal(struct stacks *all, struct stack *stack)
{
    cloudformation_delete_change_set(all->aws, &stack->call, stack->name,
                                     stack->pages->child->valuestring);
}

/* A change set that is not deleted does no harm: the next plan tries again. */
static void hear_removal(struct stacks *all, struct stack *stack)
{
    (void)all;
    cJSON_DeleteItemFromArray(stack->pages, 0);
}

static void remove_leftovers(struct stacks *all)
{
    while (stacks_round(all, differs_alive, ask_sets, hear_sets, 0))
        continue;
    while (stacks_round(all, has_leftover, ask_removal, hear_removal, 0))
        continue;
}

/* No change set can be made for a dead stack. A plan that is only shown does not delete it, and so
 * has no change set for it. */
static bool needs_set(const struct stack *stack)
{
    return stack->differs && !stack->set && (!stack->status || stack_is_alive(stack));
}

static char *new_set_name(void)
{
    unsigned char random[8];
    char digits[2 * sizeof random + 1];
    if (getrandom(random, sizeof random, 0) != sizeof random)
        abort(); /* never for up to 256 bytes: getrandom(2) */
    hex_lower(random, sizeof random, digits);
    return must_format(SET_PREFIX "%s", digits);
}

static void ask_set(struct stacks *all, struct stack *stack)
{
    struct text body = {0};
    cJSON *tags = json_object();
    json_compact(stack->template, &body);
    json_put_string(tags, SYSTEM_TAG, all->system);
    if (!subject_is_system(stack->subject))
        json_put_string(tags, TYPE_TAG, stack->subject);
    stack->set = new_set_name();
    stack->created = !stack->status;
    cloudformation_create_change_set(all->aws, &stack->call,
                                     &(struct change_set){.stack = stack->name,
                                                          .name = stack->set,
                                                          .create = stack->created,
                                                          .template_body = text_string(&body),
                                                          .parameters = stack->parameters,
                                                          .tags = tags,
                                                          .import = stack->import});
    cJSON_Delete(tags);
    text_free(&body);
}

static bool says_no_changes(const char *text)
{
    return strstr(text, "didn't contain changes") || strstr(text, "No updates are to be performed");
}

static void nothing_changes(struct stack *stack)
{
    stack_set_json(&stack->changes, json_array());
    stack->differs = false;
}

static void hear_set(struct stacks *all, struct stack *stack)
{
    const cJSON *result = json_get(stack->call.answer, "CreateChangeSetResult");
    bool ours = stack->call.attempts > 1 && aws_failed_with(&stack->call, "AlreadyExistsException");
    (void)all;
    stack->running = !stack->call.error.status || ours;
    stack_set_json(&stack->pages, json_array());
    stack_set_string(&stack->next, NULL);
    if (stack->running) {
        stack_set_string(&stack->id, json_string(result, "StackId", stack->name));
        return;
    }
    stack_set_string(&stack->set, NULL);
    if (says_no_changes(text_string(&stack->call.error.message)))
        nothing_changes(stack);
    else
        stack_refuse(stack);
}

static bool is_planning(const struct stack *stack)
{
    return stack->running;
}

static void ask_plan(struct stacks *all, struct stack *stack)
{
    cloudformation_describe_change_set(all->aws, &stack->call, stack->name, stack->set,
                                       stack->next);
}

/* When a resource cannot be imported, the plan is made once more without imports: perhaps the
 * resource does not exist. */
static bool may_go_without_import(struct stack *stack, const char *reason)
{
    bool may = stack->import && (strstr(reason, "mport"));
    if (may) {
        stack->import = false;
        cJSON_AddItemToArray(stack->pages, cJSON_CreateString(stack->set));
        stack_set_string(&stack->set, NULL);
    }
    return may;
}

static void hear_failed_set(struct stack *stack, const char *reason)
{
    if (says_no_changes(reason)) {
        nothing_changes(stack);
        stack_set_json(&stack->pages, json_array());
        cJSON_AddItemToArray(stack->pages, cJSON_CreateString(stack->set));
        stack_set_string(&stack->set, NULL);
    } else if (!may_go_without_import(stack, reason)) {
        fail(&stack->error, REFUSED, "CloudFormation cannot plan stack %s: %s", stack->name,
             reason);
    }
}

static void hear_plan(struct stacks *all, struct stack *stack)
{
    const cJSON *result = json_get(stack->call.answer, "DescribeChangeSetResult"), *item;
    const char *status = json_string(result, "Status", "");
    (void)all;
    if (stack->call.error.status) {
        stack->running = false;
        stack_refuse(stack);
        return;
    }
    if (ends_with(status, "_PENDING") || ends_with(status, "_IN_PROGRESS"))
        return;
    if (strcmp(status, "CREATE_COMPLETE") != 0) {
        stack->running = false;
        hear_failed_set(stack, json_string(result, "StatusReason", "it does not say why"));
        return;
    }
    cJSON_ArrayForEach(item, json_get(result, "Changes"))
    {
        cJSON_AddItemToArray(stack->pages, cJSON_Duplicate(item, true));
    }
    stack_set_string(&stack->id, json_string(result, "StackId", stack->id));
    stack_set_string(&stack->next, json_string(result, "NextToken", NULL));
    stack->running = stack->next;
    if (stack->running)
        return;
    plan_correct(stack->changes, stack->pages);
    stack_set_json(&stack->pages, NULL);
}

static void make_sets(struct stacks *all)
{
    while (stacks_round(all, needs_set, ask_set, hear_set, 0)) {
        double pause = 0;
        while (stacks_round(all, is_planning, ask_plan, hear_plan, pause))
            pause = stacks_pause(pause);
        while (stacks_round(all, has_leftover, ask_removal, hear_removal, 0))
            continue;
    }
}

/* Deletes the stacks whose creation failed. They hold nothing. */
static void clear_dead(struct stacks *all)
{
    bool *had = must_array(all->count + 1, sizeof *had), any = false;
    for (size_t i = 0; i < all->count; i++) {
        struct stack *stack = &all->at[i];
        had[i] = stack->left_out;
        any |= !had[i] && stack_is_dead(stack);
        stack->left_out |= !stack_is_dead(stack);
    }
    if (any)
        stacks_delete(all);
    for (size_t i = 0; i < all->count; i++)
        all->at[i].left_out = had[i];
    free(had);
}

void stacks_plan(struct stacks *all, bool apply)
{
    for (size_t i = 0; i < all->count; i++) {
        struct stack *stack = &all->at[i];
        if (stack->left_out || stack->error.status)
            continue;
        if (stack_is_stuck(stack))
            refuse_stuck(all, stack);
        else
            compare(stack);
    }
    stacks_check_names(all);
    stacks_plan_thing_types(all);
    if (apply)
        clear_dead(all);
    remove_leftovers(all);
    make_sets(all);
}

/* --- forgetting a plan --- */

/* For an answer that does not matter. */
static void hear_nothing(struct stacks *all, struct stack *stack)
{
    (void)all;
    (void)stack;
}

static bool has_set(const struct stack *stack)
{
    return stack->set;
}

static void ask_forget_set(struct stacks *all, struct stack *stack)
{
    cloudformation_delete_change_set(all->aws, &stack->call, stack->name, stack->set);
}

/* The stack that was made for the change set, and holds nothing else. */
static bool has_empty_stack(const struct stack *stack)
{
    return stack->set && stack->created && !stack->status && !stack->contested;
}

/* The change sets are listed before the status is asked for: when the change set of another command
 * is not listed any more, it is being executed, and the status says so. */
static void hear_rivals(struct stacks *all, struct stack *stack)
{
    const cJSON *result = json_get(stack->call.answer, "ListChangeSetsResult");
    (void)all;
    stack->contested = stack->call.error.status || json_string(result, "NextToken", NULL) ||
                       cJSON_GetArraySize(json_get(result, "Summaries")) > 0;
}

static void ask_forget_stack(struct stacks *all, struct stack *stack)
{
    cloudformation_delete_stack(all->aws, &stack->call, stack->id, stack->set);
}

/* Also those of stacks with an error. What is not deleted now is deleted by the next plan. */
void stacks_forget(struct stacks *all)
{
    struct error *errors = must_array(all->count + 1, sizeof *errors);
    for (size_t i = 0; i < all->count; i++) {
        errors[i] = all->at[i].error;
        all->at[i].error = (struct error){0};
        stack_set_string(&all->at[i].next, NULL);
    }
    stacks_round(all, has_set, ask_forget_set, hear_nothing, 0);
    stacks_round(all, has_empty_stack, ask_sets, hear_rivals, 0);
    stacks_round(all, has_empty_stack, stack_ask_status, stack_hear_status, 0);
    stacks_round(all, has_empty_stack, ask_forget_stack, hear_nothing, 0);
    for (size_t i = 0; i < all->count; i++) {
        all->at[i].error = errors[i];
        stack_set_string(&all->at[i].set, NULL);
    }
    free(errors);
}
