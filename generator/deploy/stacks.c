/* Looking at stacks, and planning what changes.
 *
 * A stack whose template and parameters are equal to what is deployed needs no change set: there is
 * nothing that CloudFormation could change. So a plan of fifty types that are as they shall be
 * costs two calls each. What was changed behind CloudFormation's back (drift) is not looked at. */
#include "stacks.h"
#include "common/base/hex.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "aws/cloudformation.h"
#include "plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define SET_PREFIX "sensorforge-"

void replace_string(char **string, const char *value)
{
    char *copy = value ? must_copy(value) : NULL;
    free(*string);
    *string = copy;
}

static void replace_json(cJSON **tree, cJSON *value)
{
    cJSON_Delete(*tree);
    *tree = value;
}

/* --- the list --- */

void stacks_add(struct stacks *all, const char *subject, const char *name, cJSON *template,
                const cJSON *parameters)
{
    all->at = must_grow(all->at, all->count, &all->room, sizeof *all->at);
    struct stack *stack = &all->at[all->count++];
    *stack = (struct stack){.subject = must_copy(subject),
                            .name = must_copy(name),
                            .parameters = cJSON_Duplicate(parameters, true),
                            .changes = json_array(),
                            .notes = json_array(),
                            .import = true};
    if (template)
        stack->template = template_resolve(template, parameters, RESOLVE_RETAINED);
    cJSON_Delete(template);
}

void stacks_free(struct stacks *all)
{
    for (size_t i = 0; i < all->count; i++) {
        struct stack *stack = &all->at[i];
        char *strings[] = {stack->subject, stack->name,  stack->status, stack->why,   stack->id,
                           stack->set,     stack->token, stack->newest, stack->reason};
        cJSON *trees[] = {
            stack->template, stack->parameters, stack->deployed, stack->deployed_parameters,
            stack->changes,  stack->notes,      stack->pages};
        for (size_t j = 0; j < sizeof strings / sizeof *strings; j++)
            free(strings[j]);
        for (size_t j = 0; j < sizeof trees / sizeof *trees; j++)
            cJSON_Delete(trees[j]);
        error_free(&stack->error);
        aws_call_free(&stack->call);
    }
    free(all->at);
    all->at = NULL;
    all->count = all->room = 0;
}

struct stack *stacks_find(const struct stacks *all, const char *subject)
{
    for (size_t i = 0; i < all->count; i++)
        if (strcmp(all->at[i].subject, subject) == 0)
            return &all->at[i];
    return NULL;
}

/* --- rounds --- */

bool stacks_round(struct stacks *all, stack_filter *which, stack_ask *ask, stack_hear *hear,
                  double pause)
{
    bool any = false;
    for (size_t i = 0; i < all->count; i++) {
        struct stack *stack = &all->at[i];
        stack->asked = !stack->left_out && !stack->error.status && which(stack);
        if (!stack->asked)
            continue;
        stack->call.pause = pause;
        ask(all, stack);
        any = true;
    }
    if (any)
        aws_run(all->aws);
    for (size_t i = 0; i < all->count; i++) {
        struct stack *stack = &all->at[i];
        if (!stack->asked)
            continue;
        hear(all, stack);
        aws_call_free(&stack->call);
        stack->call = (struct aws_call){0};
    }
    return any;
}

double longer_pause(double pause)
{
    const double first = 0.2, longest = 5;
    pause = pause > 0 ? pause * 1.5 : first;
    return pause < longest ? pause : longest;
}

void stack_refuse(struct stack *stack)
{
    error_free(&stack->error);
    stack->error = stack->call.error;
    stack->call.error = (struct error){0};
}

static bool any_stack(const struct stack *stack)
{
    (void)stack;
    return true;
}

/* An answer that does not matter. */
static void hear_nothing(struct stacks *all, struct stack *stack)
{
    (void)all;
    (void)stack;
}

/* --- states --- */

static bool is_one_of(const char *status, const char *const *list)
{
    for (; status && *list; list++)
        if (strcmp(*list, status) == 0)
            return true;
    return false;
}

bool stack_is_dead(const struct stack *stack)
{
    static const char *const dead[] = {"ROLLBACK_COMPLETE", "CREATE_FAILED", "ROLLBACK_FAILED",
                                       NULL};
    return is_one_of(stack->status, dead);
}

/* Only a person can say what shall become of it. */
static bool is_stuck(const struct stack *stack)
{
    static const char *const stuck[] = {"UPDATE_ROLLBACK_FAILED", "IMPORT_ROLLBACK_FAILED",
                                        "DELETE_FAILED", NULL};
    return is_one_of(stack->status, stuck);
}

static bool is_busy(const struct stack *stack)
{
    return stack->status && ends_with(stack->status, "_IN_PROGRESS") && !stack_is_dead(stack);
}

bool stack_is_alive(const struct stack *stack)
{
    return stack->status && !stack_is_dead(stack) && !is_stuck(stack) && !is_busy(stack);
}

/* --- looking --- */

static void ask_state(struct stacks *all, struct stack *stack)
{
    cloudformation_describe_stack(all->aws, &stack->call, stack->name);
}

/* [{"ParameterKey": "a", "ParameterValue": "b"}] as {"a": "b"} */
static cJSON *parameters_of(const cJSON *list)
{
    cJSON *made = json_object();
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        json_put_string(made, json_string(item, "ParameterKey", ""),
                        json_string(item, "ParameterValue", ""));
    }
    return made;
}

static void hear_state(struct stacks *all, struct stack *stack)
{
    const cJSON *list = json_get(json_get(stack->call.answer, "DescribeStacksResult"), "Stacks");
    const cJSON *found = cJSON_GetArrayItem(list, 0);
    (void)all;
    replace_string(&stack->status, NULL);
    if (cloudformation_missing(&stack->call))
        return;
    if (stack->call.error.status) {
        stack_refuse(stack);
        return;
    }
    const char *status = json_string(found, "StackStatus", NULL);
    /* One that has only a change set is as good as none: the next change set of kind CREATE is of
     * the same one. It is not deleted, because another command may just be executing that set. */
    bool planned = status && strcmp(status, "REVIEW_IN_PROGRESS") == 0;
    replace_string(&stack->status, planned ? NULL : status);
    replace_string(&stack->why, json_string(found, "StackStatusReason", NULL));
    replace_string(&stack->id, json_string(found, "StackId", stack->name));
    replace_json(&stack->deployed_parameters, parameters_of(json_get(found, "Parameters")));
}

/* Of an earlier command that was killed, or of somebody else. */
static void wait_for_others(struct stacks *all)
{
    for (size_t i = 0; i < all->count; i++)
        if (is_busy(&all->at[i]))
            report_line(all->reporter, "waiting for stack %s: %s", all->at[i].name,
                        all->at[i].status);
    for (double pause = longer_pause(0); stacks_round(all, is_busy, ask_state, hear_state, pause);)
        pause = longer_pause(pause);
}

static bool has_template(const struct stack *stack)
{
    return stack_is_alive(stack) || is_stuck(stack);
}

static void ask_template(struct stacks *all, struct stack *stack)
{
    cloudformation_get_template(all->aws, &stack->call, stack->name);
}

/* A template that somebody put there as YAML is no JSON; then all of it counts as changed. */
static void hear_template(struct stacks *all, struct stack *stack)
{
    const cJSON *result = json_get(stack->call.answer, "GetTemplateResult");
    const char *body = json_string(result, "TemplateBody", "{}");
    (void)all;
    if (stack->call.error.status) {
        stack_refuse(stack);
        return;
    }
    struct error unread = {0};
    cJSON *template = NULL;
    if (json_parse(stack->name, body, strlen(body), &template, &unread))
        template = json_object();
    error_free(&unread);
    replace_json(&stack->deployed, template);
}

void stacks_look(struct stacks *all)
{
    stacks_round(all, any_stack, ask_state, hear_state, 0);
    wait_for_others(all);
    stacks_round(all, has_template, ask_template, hear_template, 0);
}

/* --- planning: by the templates --- */

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
        template_keep_fixed(stack->template, before, stack->notes);
    stack->differs = !before || !ends_with(stack->status, "_COMPLETE") ||
                     !cJSON_Compare(stack->template, before, true) ||
                     !cJSON_Compare(stack->parameters, stack->deployed_parameters, true);
    if (stack->differs)
        replace_json(&stack->changes, plan_compare(before, stack->deployed_parameters,
                                                   stack->template, stack->parameters));
    if (stack->differs)
        refuse_large(stack);
}

/* --- planning: by change sets --- */

static bool differs_alive(const struct stack *stack)
{
    return stack->differs && stack_is_alive(stack) && !stack->listed;
}

static void ask_sets(struct stacks *all, struct stack *stack)
{
    cloudformation_list_change_sets(all->aws, &stack->call, stack->name, stack->token);
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
    replace_string(&stack->token, json_string(result, "NextToken", NULL));
    stack->listed = !stack->token;
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

/* One that is not removed does no harm. */
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

/* A dead stack is in the way of a change set; a plan that is only shown leaves it where it is. */
static bool needs_set(const struct stack *stack)
{
    return stack->differs && !stack->set && (!stack->status || stack_is_alive(stack));
}

static char *new_set_name(void)
{
    unsigned char random[8];
    char digits[2 * sizeof random + 1];
    if (getrandom(random, sizeof random, 0) != sizeof random)
        abort(); /* cannot happen for so few bytes: getrandom(2) */
    hex_lower(random, sizeof random, digits);
    return must_format(SET_PREFIX "%s", digits);
}

static void ask_set(struct stacks *all, struct stack *stack)
{
    struct text body = {0};
    cJSON *tags = json_object();
    json_compact(stack->template, &body);
    json_put_string(tags, SYSTEM_TAG, all->system);
    if (strcmp(stack->subject, "system") != 0)
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
    replace_json(&stack->changes, json_array());
    stack->differs = false;
}

static void hear_set(struct stacks *all, struct stack *stack)
{
    const cJSON *result = json_get(stack->call.answer, "CreateChangeSetResult");
    bool ours = stack->call.attempts > 1 && aws_failed_with(&stack->call, "AlreadyExistsException");
    (void)all;
    stack->running = !stack->call.error.status || ours;
    replace_json(&stack->pages, json_array());
    replace_string(&stack->token, NULL);
    if (stack->running) {
        replace_string(&stack->id, json_string(result, "StackId", stack->name));
        return;
    }
    replace_string(&stack->set, NULL);
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
                                       stack->token);
}

/* Where a resource cannot be taken over, making it may still go well: it may not be there. */
static bool may_go_without_import(struct stack *stack, const char *reason)
{
    bool may = stack->import && (strstr(reason, "mport"));
    if (may) {
        stack->import = false;
        cJSON_AddItemToArray(stack->pages, cJSON_CreateString(stack->set));
        replace_string(&stack->set, NULL);
    }
    return may;
}

static void hear_failed_set(struct stack *stack, const char *reason)
{
    if (says_no_changes(reason)) {
        nothing_changes(stack);
        replace_json(&stack->pages, json_array());
        cJSON_AddItemToArray(stack->pages, cJSON_CreateString(stack->set));
        replace_string(&stack->set, NULL);
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
    replace_string(&stack->id, json_string(result, "StackId", stack->id));
    replace_string(&stack->token, json_string(result, "NextToken", NULL));
    stack->running = stack->token;
    if (stack->running)
        return;
    plan_correct(stack->changes, stack->pages);
    replace_json(&stack->pages, NULL);
}

static void make_sets(struct stacks *all)
{
    while (stacks_round(all, needs_set, ask_set, hear_set, 0)) {
        double pause = 0;
        while (stacks_round(all, is_planning, ask_plan, hear_plan, pause))
            pause = longer_pause(pause);
        while (stacks_round(all, has_leftover, ask_removal, hear_removal, 0))
            continue;
    }
}

/* Deletes what failed creations left: it holds nothing. */
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
        if (is_stuck(stack))
            refuse_stuck(all, stack);
        else
            compare(stack);
    }
    if (apply)
        clear_dead(all);
    remove_leftovers(all);
    make_sets(all);
}

/* --- forgetting a plan --- */

static bool has_set(const struct stack *stack)
{
    return stack->set;
}

static void ask_forget_set(struct stacks *all, struct stack *stack)
{
    cloudformation_delete_change_set(all->aws, &stack->call, stack->name, stack->set);
}

/* Unless another command made something of it meanwhile, or is about to. */
static bool has_empty_stack(const struct stack *stack)
{
    return stack->set && stack->created && !stack->status && !stack->contested;
}

/* Asked before the state: a set that is gone by then was executed, and the state says so. */
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

/* Those of stacks that went wrong too; what is not removed now is removed by the next plan. */
void stacks_forget(struct stacks *all)
{
    struct error *errors = must_array(all->count + 1, sizeof *errors);
    for (size_t i = 0; i < all->count; i++) {
        errors[i] = all->at[i].error;
        all->at[i].error = (struct error){0};
        replace_string(&all->at[i].token, NULL);
    }
    stacks_round(all, has_set, ask_forget_set, hear_nothing, 0);
    stacks_round(all, has_empty_stack, ask_sets, hear_rivals, 0);
    stacks_round(all, has_empty_stack, ask_state, hear_state, 0);
    stacks_round(all, has_empty_stack, ask_forget_stack, hear_nothing, 0);
    for (size_t i = 0; i < all->count; i++) {
        all->at[i].error = errors[i];
        replace_string(&all->at[i].set, NULL);
    }
    free(errors);
}

/* --- showing --- */

void stack_write(const struct stacks *all, const struct stack *stack, struct text *out)
{
    const cJSON *note;
    if (stack->left_out ||
        (!stack->changes->child && !stack->set && !stack->error.status && !stack->notes->child))
        return;
    text_add_format(out, "stack %s in %s\n", stack->name, aws_region(all->aws));
    if (stack->error.status) {
        text_add_format(out, "  error: %s\n", text_string(&stack->error.message));
        return;
    }
    if (stack_is_dead(stack))
        text_add_format(out, "  what an earlier creation left is removed first (%s)\n",
                        stack->status);
    plan_write(stack->changes, out);
    if (!stack->changes->child && stack->set)
        text_add_string(out, "  ~ descriptions or outputs only\n");
    cJSON_ArrayForEach(note, stack->notes)
    {
        text_add_format(out, "    %s\n", note->valuestring);
    }
}

cJSON *stack_json(const struct stacks *all, const struct stack *stack)
{
    cJSON *made = json_object();
    json_put_string(made, "stack", stack->name);
    json_put_string(made, "subject", stack->subject);
    json_put_string(made, "region", aws_region(all->aws));
    json_put_string(made, "status", stack->status);
    json_put(made, "changes", cJSON_Duplicate(stack->changes, true));
    json_put(made, "notes", cJSON_Duplicate(stack->notes, true));
    json_put_string(made, "error", stack->error.status ? text_string(&stack->error.message) : NULL);
    return made;
}
