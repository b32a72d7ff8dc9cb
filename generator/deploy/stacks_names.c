/* Whether the names that new stacks need are free.
 *
 * Thing types, policies and rules have one name in an account and region, whichever system made them.
 * CloudFormation finds a name taken half-way through making a stack, rolls back, and leaves a stack
 * that can only be deleted. So the names are looked for before a change set is made. */
#include "stacks_parts.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/names.h"
#include "aws/cloudformation.h"
#include "aws/iot_types.h"
#include "aws/pages.h"
#include "resource.h"

#include <stdlib.h>
#include <string.h>

static const char *const thing_type = "AWS::IoT::ThingType", *const policy = "AWS::IoT::Policy",
                         *const rule = "AWS::IoT::TopicRule";

static bool is_new(const struct stack *stack)
{
    return stack->template && !stack_is_alive(stack) && !stack_is_stuck(stack);
}

static const cJSON *resource_of(const struct stack *stack, const char *id)
{
    return json_get(json_get(stack->template, "Resources"), id);
}

static bool is_type(const cJSON *resource, const char *type)
{
    return strcmp(json_string(resource, "Type", ""), type) == 0;
}

/* --- whose it is --- */

static enum status read_tag(void *context, const cJSON *tag, struct error *error)
{
    char **system = context;
    (void)error;
    if (strcmp(json_string(tag, "Key", ""), SYSTEM_TAG) == 0)
        must_replace(system, json_string(tag, "Value", ""));
    return FINE;
}

static void ask_tags(struct aws *aws, struct aws_call *call, const char *token, const void *about)
{
    iot_list_tags(aws, call, about, token);
}

/* Another command may be making this very stack: its names are not taken by anybody else. */
static bool is_being_made(struct stacks *all, const struct stack *stack, struct error *error)
{
    struct aws_call call = {0};
    cloudformation_describe_stack(all->aws, &call, stack->name);
    enum status status = aws_finish(all->aws, &call, NULL);
    const cJSON *list = json_get(json_get(call.answer, "DescribeStacksResult"), "Stacks");
    const char *state = json_string(cJSON_GetArrayItem(list, 0), "StackStatus", "");
    bool made =
        !status && ends_with(state, "_IN_PROGRESS") && strcmp(state, "REVIEW_IN_PROGRESS") != 0;
    made |= !status && ends_with(state, "_COMPLETE") && strcmp(state, "ROLLBACK_COMPLETE") != 0;
    if (status && !cloudformation_missing(&call)) {
        *error = call.error;
        call.error = (struct error){0};
    }
    aws_call_free(&call);
    return made;
}

static void refuse_taken(struct stacks *all, struct stack *stack, const cJSON *resource,
                         const char *system)
{
    const char *title = resource_kind_of(resource)->title, *name = resource_name(resource);
    struct error *error = &stack->error;
    if (!system) {
        fail(error, WRONG_INPUT, "there is a %s %s in %s already, and sensorforge did not make it",
             title, name, aws_region(all->aws));
        advise(error,
               "remove it, or give the type %s another name (its folder and `name:` in spec.yaml)",
               stack->subject);
    } else if (strcmp(system, all->system) == 0) {
        fail(error, WRONG_INPUT, "%s %s is left of an earlier deploy of this system", title, name);
        advise(error, "make destroy NAME=%s removes what is left; then run this again",
               stack->subject);
    } else {
        fail(error, WRONG_INPUT, "%s %s is in %s already: the system \"%s\" has a type %s too",
             title, name, aws_region(all->aws), system, stack->subject);
        advise(error, "two systems in one account and region need different types: give the type "
                      "another name (its folder and `name:` in spec.yaml),");
        advise(error, "or this system another region or account (aws.region, aws.profile in "
                      "system.yaml)");
    }
}

static void found(struct stacks *all, struct stack *stack, const cJSON *resource, const char *arn)
{
    const struct aws_list list = {ask_tags, arn, "tags", "nextToken"};
    owned char *system = NULL;
    if (is_being_made(all, stack, &stack->error) || stack->error.status)
        return;
    if (aws_each(all->aws, &list, read_tag, &system, NULL, &stack->error))
        return;
    refuse_taken(all, stack, resource, system);
}

/* --- thing types and policies: one after another --- */

/* The id of the next resource to ask for behind this one (NULL: the first); NULL: none. */
static const char *next_id(const struct stack *stack, const char *behind)
{
    const cJSON *resource;
    bool passed = !behind;
    cJSON_ArrayForEach(resource, json_get(stack->template, "Resources"))
    {
        if (passed && (is_type(resource, thing_type) || is_type(resource, policy)))
            return resource->string;
        passed |= behind && strcmp(resource->string, behind) == 0;
    }
    return NULL;
}

static bool has_next(const struct stack *stack)
{
    return is_new(stack) && stack->next;
}

static void ask_next(struct stacks *all, struct stack *stack)
{
    const cJSON *resource = resource_of(stack, stack->next);
    if (is_type(resource, thing_type))
        iot_describe_thing_type(all->aws, &stack->call, resource_name(resource));
    else
        iot_get_policy(all->aws, &stack->call, resource_name(resource));
}

static void hear_next(struct stacks *all, struct stack *stack)
{
    const cJSON *resource = resource_of(stack, stack->next), *answer = stack->call.answer;
    const char *member = is_type(resource, thing_type) ? "thingTypeArn" : "policyArn";
    owned char *arn = must_copy(json_string(answer, member, ""));
    if (!stack->call.error.status)
        found(all, stack, resource, arn);
    else if (!aws_failed_with(&stack->call, "ResourceNotFoundException"))
        stack_refuse(stack);
    owned char *last = must_copy(stack->next);
    stack_set_string(&stack->next, next_id(stack, last));
}

/* --- rules: from one list, because GetTopicRule answers UnauthorizedException for one that does not
 * exist --- */

static void ask_rules(struct aws *aws, struct aws_call *call, const char *token, const void *about)
{
    (void)about;
    iot_list_topic_rules(aws, call, token);
}

static enum status compare_rule(void *context, const cJSON *listed, struct error *error)
{
    struct stacks *all = context;
    (void)error;
    for (size_t i = 0; i < all->count; i++) {
        struct stack *stack = &all->at[i];
        const cJSON *resource;
        if (stack->left_out || stack->error.status || !is_new(stack))
            continue;
        cJSON_ArrayForEach(resource, json_get(stack->template, "Resources"))
        {
            if (!stack->error.status && is_type(resource, rule) &&
                strcmp(resource_name(resource), json_string(listed, "ruleName", "")) == 0)
                found(all, stack, resource, json_string(listed, "ruleArn", ""));
        }
    }
    return FINE;
}

static void check_rules(struct stacks *all)
{
    const struct aws_list list = {ask_rules, NULL, "rules", "nextToken"};
    struct error error = {0};
    bool any = false;
    for (size_t i = 0; i < all->count; i++)
        any |= !all->at[i].left_out && !all->at[i].error.status && is_new(&all->at[i]) &&
               all->at[i].names_asked;
    if (!any || !aws_each(all->aws, &list, compare_rule, all, NULL, &error))
        return;
    for (size_t i = 0; i < all->count; i++) {
        struct stack *stack = &all->at[i];
        if (!stack->left_out && !stack->error.status && is_new(stack))
            fail(&stack->error, error.status, "%s", text_string(&error.message));
        if (stack->error.status && error.advice.length && !stack->error.advice.length)
            advise(&stack->error, "%s", text_string(&error.advice));
    }
    error_free(&error);
}

void stacks_check_names(struct stacks *all)
{
    for (size_t i = 0; i < all->count; i++) {
        struct stack *stack = &all->at[i];
        if (stack->left_out || stack->error.status || !is_new(stack))
            continue;
        stack_set_string(&stack->next, next_id(stack, NULL));
        stack->names_asked = stack->next;
    }
    while (stacks_round(all, has_next, ask_next, hear_next, 0))
        continue;
    for (size_t i = 0; i < all->count; i++)
        if (is_new(&all->at[i]))
            stack_set_string(&all->at[i].next, NULL);
    check_rules(all);
}
