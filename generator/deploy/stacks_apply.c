/* Executing change sets, deleting stacks, and following what CloudFormation does.
 *
 * The end of an operation is read from the events of the stack, not from its status: right after
 * ExecuteChangeSet the status may still be that of the last operation. Of the events, only those
 * are read that are newer than the newest one before the operation. */
#include "stacks_parts.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "aws/cloudformation.h"
#include "aws/iot_types.h"
#include "plan.h"
#include "resource.h"

#include <stdlib.h>
#include <string.h>

/* --- events --- */

static void ask_events(struct stacks *all, struct stack *stack)
{
    cloudformation_describe_events(all->aws, &stack->call, stack->id, stack->next);
}

static const cJSON *events_of(const struct stack *stack)
{
    return json_get(json_get(stack->call.answer, "DescribeStackEventsResult"), "StackEvents");
}

/* "rule esp8266temp_valid": the kind of the resource, and its name in the template. */
static char *event_title(const struct stack *stack, const cJSON *event)
{
    const char *id = json_string(event, "LogicalResourceId", "");
    const cJSON *resource = json_get(json_get(stack->template, "Resources"), id);
    if (!resource)
        resource = json_get(json_get(stack->deployed, "Resources"), id);
    return must_format("%s %s", resource_kind(json_string(event, "ResourceType", ""))->title,
                       resource ? resource_name(resource) : id);
}

static void note_failure(struct stack *stack, const cJSON *event)
{
    const char *why = json_string(event, "ResourceStatusReason", "");
    owned char *title = event_title(stack, event);
    if (!stack->reason && *why && !strstr(why, "cancelled"))
        stack->reason = must_format("%s: %s", title, why);
}

static bool is_own(const struct stack *stack, const cJSON *event)
{
    return strcmp(json_string(event, "ResourceType", ""), "AWS::CloudFormation::Stack") == 0 &&
           strcmp(json_string(event, "PhysicalResourceId", ""), stack->id) == 0;
}

static void take_event(struct stacks *all, struct stack *stack, const cJSON *event)
{
    const char *status = json_string(event, "ResourceStatus", "");
    bool ended = !ends_with(status, "_IN_PROGRESS");
    if (ends_with(status, "_FAILED"))
        note_failure(stack, event);
    if (is_own(stack, event)) {
        stack_set_string(&stack->status, status);
        if (json_string(event, "ResourceStatusReason", NULL))
            stack_set_string(&stack->why, json_string(event, "ResourceStatusReason", NULL));
        stack->over = ended;
    } else if (ended) {
        owned char *title = event_title(stack, event);
        report_line(all->reporter, "%s  %s  %s", stack->name, title, status);
        all->steps++;
    }
}

/* The newest event comes first. Events are collected until one that is known, then read from the
 * oldest to the newest. */
static void hear_events(struct stacks *all, struct stack *stack)
{
    const cJSON *result = json_get(stack->call.answer, "DescribeStackEventsResult"), *event;
    bool known = false;
    if (stack->call.error.status) {
        stack->over = true;
        stack_refuse(stack);
        return;
    }
    if (!stack->pages)
        stack->pages = json_array();
    cJSON_ArrayForEach(event, json_get(result, "StackEvents"))
    {
        known |= stack->newest && strcmp(json_string(event, "EventId", ""), stack->newest) == 0;
        if (!known)
            cJSON_AddItemToArray(stack->pages, cJSON_Duplicate(event, true));
    }
    stack_set_string(&stack->next, known ? NULL : json_string(result, "NextToken", NULL));
    if (stack->next)
        return;
    if (stack->pages->child)
        stack_set_string(&stack->newest, json_string(stack->pages->child, "EventId", NULL));
    for (int i = cJSON_GetArraySize(stack->pages) - 1; i >= 0; i--)
        take_event(all, stack, cJSON_GetArrayItem(stack->pages, i));
    cJSON_Delete(stack->pages);
    stack->pages = NULL;
}

static void hear_newest(struct stacks *all, struct stack *stack)
{
    (void)all;
    if (stack->call.error.status)
        stack_refuse(stack);
    else
        stack_set_string(&stack->newest,
                         json_string(cJSON_GetArrayItem(events_of(stack), 0), "EventId", NULL));
}

static bool is_followed(const struct stack *stack)
{
    return stack->running && !stack->over;
}

static bool has_more_events(const struct stack *stack)
{
    return is_followed(stack) && stack->next;
}

/* The events of a stack that imports something may say more than once that it has ended, and a
 * stack that never held anything may be deleted without an event. Then its status decides. */
static bool needs_status(const struct stack *stack)
{
    return stack->running && !stack->sure && (stack->over || stack->deleting);
}

static void ask_end(struct stacks *all, struct stack *stack)
{
    cloudformation_describe_stack(all->aws, &stack->call, stack->id);
}

static void hear_end(struct stacks *all, struct stack *stack)
{
    const cJSON *list = json_get(json_get(stack->call.answer, "DescribeStacksResult"), "Stacks");
    const char *state = json_string(cJSON_GetArrayItem(list, 0), "StackStatus", "");
    (void)all;
    if (cloudformation_missing(&stack->call))
        state = "DELETE_COMPLETE";
    else if (stack->call.error.status)
        stack_refuse(stack);
    if (ends_with(state, "_IN_PROGRESS"))
        stack->over = false;
    if (stack->deleting && strcmp(state, "DELETE_COMPLETE") == 0) {
        stack_set_string(&stack->status, state);
        stack->over = true;
    }
    stack->sure = stack->over;
}

static void follow(struct stacks *all, size_t steps)
{
    double pause = 0;
    all->steps = 0;
    report_progress(all->reporter, "resources", 0, steps);
    while (stacks_round(all, is_followed, ask_events, hear_events, pause)) {
        while (stacks_round(all, has_more_events, ask_events, hear_events, 0))
            continue;
        stacks_round(all, needs_status, ask_end, hear_end, 0);
        pause = stacks_pause(pause);
        report_progress(all->reporter, "resources", all->steps < steps ? all->steps : steps, steps);
    }
    report_end(all->reporter);
}

static void judge(struct stack *stack)
{
    static const char *const fine[] = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE",
                                       "DELETE_COMPLETE"};
    stack->running = false;
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
        if (stack->error.status || strcmp(stack->status, fine[i]) == 0)
            return;
    const char *why = stack->reason ? stack->reason
                      : stack->why  ? stack->why
                                    : "CloudFormation does not say why";
    fail(&stack->error, REFUSED, "stack %s ended as %s: %s", stack->name, stack->status, why);
}

static void conclude(struct stacks *all)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->at[i].running)
            judge(&all->at[i]);
}

static void begin(struct stack *stack, bool deleting)
{
    stack->running = true;
    stack->over = stack->sure = false;
    stack->deleting = deleting;
    stack_set_string(&stack->reason, NULL);
    stack_set_string(&stack->why, NULL);
    stack_set_string(&stack->next, NULL);
    cJSON_Delete(stack->pages);
    stack->pages = NULL;
}

/* --- what AWS demands before --- */

static const char *const policy_type = "AWS::IoT::Policy", *const thing_type =
                                                               "AWS::IoT::ThingType";

/* The name of the first resource of a type in what is deployed. */
static const char *deployed_name(const struct stack *stack, const char *type)
{
    const cJSON *resource;
    cJSON_ArrayForEach(resource, json_get(stack->deployed, "Resources"))
    {
        if (strcmp(json_string(resource, "Type", ""), type) == 0)
            return resource_name(resource);
    }
    return NULL;
}

static bool changes_policy(const struct stack *stack)
{
    return stack->set && plan_has(stack->changes, "modify", policy_type) &&
           deployed_name(stack, policy_type);
}

static void ask_versions(struct stacks *all, struct stack *stack)
{
    iot_list_policy_versions(all->aws, &stack->call, deployed_name(stack, policy_type));
}

/* The oldest version that is not the default one. Versions are numbered upwards. */
static const char *oldest_version(const cJSON *versions)
{
    const char *oldest = NULL;
    const cJSON *version;
    cJSON_ArrayForEach(version, versions)
    {
        const char *id = json_string(version, "versionId", "");
        if (!json_true(version, "isDefaultVersion") &&
            (!oldest || strtol(id, NULL, 10) < strtol(oldest, NULL, 10)))
            oldest = id;
    }
    return oldest;
}

static void hear_versions(struct stacks *all, struct stack *stack)
{
    enum { MOST_VERSIONS = 5 }; /* of a policy: "AWS IoT Core quotas" */
    const cJSON *versions = json_get(stack->call.answer, "policyVersions");
    (void)all;
    if (stack->call.error.status && !aws_failed_with(&stack->call, "ResourceNotFoundException"))
        stack_refuse(stack);
    else if (cJSON_GetArraySize(versions) >= MOST_VERSIONS)
        stack_set_string(&stack->next, oldest_version(versions));
}

static bool has_old_version(const struct stack *stack)
{
    return stack->set && stack->next;
}

static void ask_version_removal(struct stacks *all, struct stack *stack)
{
    iot_delete_policy_version(all->aws, &stack->call, deployed_name(stack, policy_type),
                              stack->next);
}

static void hear_version_removal(struct stacks *all, struct stack *stack)
{
    (void)all;
    stack_set_string(&stack->next, NULL);
    if (stack->call.error.status && !aws_failed_with(&stack->call, "ResourceNotFoundException"))
        stack_refuse(stack);
}

static void make_room_for_policies(struct stacks *all)
{
    stacks_round(all, changes_policy, ask_versions, hear_versions, 0);
    stacks_round(all, has_old_version, ask_version_removal, hear_version_removal, 0);
}

/* A destroy that was stopped may have deprecated the thing type. Deploying it takes that back. */
static bool has_thing_type(const struct stack *stack)
{
    return stack_is_alive(stack) && deployed_name(stack, thing_type);
}

static void ask_thing_type(struct stacks *all, struct stack *stack)
{
    iot_describe_thing_type(all->aws, &stack->call, deployed_name(stack, thing_type));
}

static void hear_thing_type(struct stacks *all, struct stack *stack)
{
    const cJSON *facts = json_get(stack->call.answer, "thingTypeMetadata");
    (void)all;
    if (stack->call.error.status && !aws_failed_with(&stack->call, "ResourceNotFoundException"))
        stack_refuse(stack);
    else if (json_true(facts, "deprecated"))
        stack_set_string(&stack->next, deployed_name(stack, thing_type));
}

static bool is_deprecated(const struct stack *stack)
{
    return stack->next;
}

static void ask_undo(struct stacks *all, struct stack *stack)
{
    iot_deprecate_thing_type(all->aws, &stack->call, stack->next, true);
}

static void hear_undo(struct stacks *all, struct stack *stack)
{
    if (stack->call.error.status)
        stack_refuse(stack);
    else
        report_line(all->reporter, "%s  thing type %s is in use again", stack->name, stack->next);
    stack_set_string(&stack->next, NULL);
}

static void bring_types_back(struct stacks *all)
{
    stacks_round(all, has_thing_type, ask_thing_type, hear_thing_type, 0);
    stacks_round(all, is_deprecated, ask_undo, hear_undo, 0);
}

/* --- executing --- */

static bool waits_to_run(const struct stack *stack)
{
    return stack->set;
}

static bool is_update(const struct stack *stack)
{
    return stack->set && !stack->created;
}

static bool takes_over(const struct stack *stack)
{
    const cJSON *change;
    cJSON_ArrayForEach(change, stack->changes)
    {
        if (strcmp(json_string(change, "action", ""), "import") == 0)
            return true;
    }
    return false;
}

/* When the operation fails, resources that it made are deleted: they hold nothing yet. Not when
 * something was imported: that may hold readings. */
static void ask_execution(struct stacks *all, struct stack *stack)
{
    cloudformation_execute_change_set(all->aws, &stack->call, stack->name, stack->set, stack->set,
                                      !takes_over(stack));
}

static void hear_execution(struct stacks *all, struct stack *stack)
{
    /* The call was retried after an answer was lost: the first attempt succeeded. */
    bool done =
        stack->call.attempts > 1 && (aws_failed_with(&stack->call, "InvalidChangeSetStatus") ||
                                     aws_failed_with(&stack->call, "ChangeSetNotFound"));
    (void)all;
    if (!stack->call.error.status || done) {
        begin(stack, false);
        return;
    }
    if (aws_failed_with(&stack->call, "ChangeSetNotFound"))
        advise(&stack->call.error, "another command has planned stack %s meanwhile: run this again",
               stack->name);
    stack_refuse(stack);
}

static void execute(struct stacks *all)
{
    size_t steps = 0;
    stacks_round(all, is_update, ask_events, hear_newest, 0);
    stacks_round(all, waits_to_run, ask_execution, hear_execution, 0);
    for (size_t i = 0; i < all->count; i++) {
        if (!all->at[i].running)
            continue;
        steps += (size_t)cJSON_GetArraySize(all->at[i].changes);
        stack_set_string(&all->at[i].set, NULL);
    }
    follow(all, steps);
    conclude(all);
}

/* All other stacks need the database of the system, so its stack is executed first. */
static void execute_system(struct stacks *all, struct stack *system)
{
    struct stacks alone = *all;
    alone.at = system;
    alone.count = 1;
    execute(&alone);
    if (!system->error.status || !system->created)
        return;
    for (size_t i = 0; i < all->count; i++) {
        struct stack *stack = &all->at[i];
        if (stack != system && stack->set && !stack->error.status)
            fail(&stack->error, REFUSED, "stack %s needs the database, which could not be made",
                 stack->name);
    }
}

void stacks_apply(struct stacks *all)
{
    struct stack *system = stacks_find(all, "system");
    make_room_for_policies(all);
    bring_types_back(all);
    if (system && system->set && !system->left_out)
        execute_system(all, system);
    execute(all);
    stacks_change_thing_types(all);
    stacks_forget(all); /* the change sets of stacks that were not executed */
}

/* --- deleting --- */

static bool is_there(const struct stack *stack)
{
    return stack->status;
}

static void ask_deletion(struct stacks *all, struct stack *stack)
{
    cloudformation_delete_stack(all->aws, &stack->call, stack->id, NULL);
}

static void hear_deletion(struct stacks *all, struct stack *stack)
{
    (void)all;
    if (stack->call.error.status)
        stack_refuse(stack);
    else
        begin(stack, true);
}

void stacks_delete(struct stacks *all)
{
    size_t steps = 0;
    stacks_round(all, is_there, ask_events, hear_newest, 0);
    stacks_round(all, is_there, ask_deletion, hear_deletion, 0);
    for (size_t i = 0; i < all->count; i++)
        if (all->at[i].running)
            steps += (size_t)cJSON_GetArraySize(json_get(all->at[i].deployed, "Resources"));
    follow(all, steps);
    conclude(all);
    for (size_t i = 0; i < all->count; i++) {
        struct stack *stack = &all->at[i];
        if (!stack->left_out && !stack->error.status && stack->status)
            stack_set_string(&stack->status, NULL);
    }
}
