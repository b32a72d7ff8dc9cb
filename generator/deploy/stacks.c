/* The list of stacks, its rounds, and looking at what is deployed. */
#include "stacks_parts.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "aws/cloudformation.h"
#include "plan.h"
#include "template.h"

#include <stdlib.h>
#include <string.h>

void stack_set_string(char **string, const char *value)
{
    char *copy = value ? must_copy(value) : NULL;
    free(*string);
    *string = copy;
}

void stack_set_json(cJSON **tree, cJSON *value)
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

void stack_change(struct stack *stack, cJSON *template, const cJSON *parameters)
{
    stack_set_json(&stack->template, template_resolve(template, parameters, RESOLVE_RETAINED));
    stack_set_json(&stack->parameters, cJSON_Duplicate(parameters, true));
    cJSON_Delete(template);
}

void stacks_free(struct stacks *all)
{
    for (size_t i = 0; i < all->count; i++) {
        struct stack *stack = &all->at[i];
        char *strings[] = {stack->subject, stack->name, stack->status, stack->why,   stack->id,
                           stack->set,     stack->next, stack->newest, stack->reason};
        cJSON *trees[] = {
            stack->template,  stack->parameters, stack->deployed, stack->deployed_parameters,
            stack->changes,   stack->notes,      stack->pages,    stack->wanted,
            stack->thing_type};
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

double stacks_pause(double last)
{
    const double first = 0.2, longest = 5;
    double next = last > 0 ? last * 1.5 : first;
    return next < longest ? next : longest;
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

bool stack_is_stuck(const struct stack *stack)
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
    return stack->status && !stack_is_dead(stack) && !stack_is_stuck(stack) && !is_busy(stack);
}

/* --- looking --- */

void stack_ask_status(struct stacks *all, struct stack *stack)
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

void stack_hear_status(struct stacks *all, struct stack *stack)
{
    const cJSON *list = json_get(json_get(stack->call.answer, "DescribeStacksResult"), "Stacks");
    const cJSON *found = cJSON_GetArrayItem(list, 0);
    (void)all;
    stack_set_string(&stack->status, NULL);
    if (cloudformation_missing(&stack->call))
        return;
    if (stack->call.error.status) {
        stack_refuse(stack);
        return;
    }
    const char *status = json_string(found, "StackStatus", NULL);
    /* A stack that has only a change set counts as none: the next change set of the kind CREATE is
     * made for the same stack. It is not deleted, because another command may be executing that
     * change set. */
    bool planned = status && strcmp(status, "REVIEW_IN_PROGRESS") == 0;
    stack_set_string(&stack->status, planned ? NULL : status);
    stack_set_string(&stack->why, json_string(found, "StackStatusReason", NULL));
    stack_set_string(&stack->id, json_string(found, "StackId", stack->name));
    stack_set_json(&stack->deployed_parameters, parameters_of(json_get(found, "Parameters")));
}

/* A stack may be busy with what a killed command began, or with another command. */
static void wait_for_others(struct stacks *all)
{
    for (size_t i = 0; i < all->count; i++)
        if (is_busy(&all->at[i]))
            report_line(all->reporter, "waiting for stack %s: %s", all->at[i].name,
                        all->at[i].status);
    for (double pause = stacks_pause(0);
         stacks_round(all, is_busy, stack_ask_status, stack_hear_status, pause);)
        pause = stacks_pause(pause);
}

static bool has_template(const struct stack *stack)
{
    return stack_is_alive(stack) || stack_is_stuck(stack);
}

static void ask_template(struct stacks *all, struct stack *stack)
{
    cloudformation_get_template(all->aws, &stack->call, stack->name);
}

/* A template that was deployed as YAML by other means is not read: then everything counts as
 * changed. */
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
    stack_set_json(&stack->deployed, template);
}

void stacks_look(struct stacks *all)
{
    stacks_round(all, any_stack, stack_ask_status, stack_hear_status, 0);
    wait_for_others(all);
    stacks_round(all, has_template, ask_template, hear_template, 0);
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
