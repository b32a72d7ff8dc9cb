#include "destruction.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/names.h"
#include "common/base/subject.h"
#include "generator/project/types.h"
#include "generator/thing/record.h"
#include "resource.h"
#include "template.h"

#include <string.h>

enum { SHOWN_NAMES = 5 };

/* --- what still needs it --- */

/* "kitchen, attic and 3 more" */
static char *some_of(const struct names *names)
{
    struct text list = {0};
    size_t shown = names->count > SHOWN_NAMES ? SHOWN_NAMES : names->count;
    for (size_t i = 0; i < shown; i++)
        text_add_format(&list, "%s%s", i ? ", " : "", names->at[i]);
    if (names->count > shown)
        text_add_format(&list, " and %zu more", names->count - shown);
    return text_take(&list);
}

static struct names *things_on_disk(const char *type, enum target_kind target)
{
    struct names *all = record_names(), *found = must_alloc(sizeof *found);
    for (size_t i = 0; i < all->count; i++) {
        struct error unread = {0};
        struct record *record = NULL;
        if (!record_read(all->at[i], &record, &unread) && record &&
            strcmp(record->type, type) == 0 && record->target == target)
            names_append(found, all->at[i]);
        record_free(record);
        error_free(&unread);
    }
    names_free(all);
    return found;
}

static enum status refuse_things(const char *type, const struct names *things, const char *where,
                                 struct error *error)
{
    owned char *some = some_of(things);
    fail(error, WRONG_INPUT, "there are things of %s%s: %s", type, where, some);
    return advise(error, "delete them first: make delete name=%s", things->at[0]);
}

enum status destruction_check_things(const char *type, enum target_kind target, struct error *error)
{
    struct names *things = things_on_disk(type, target);
    enum status status = things->count ? refuse_things(type, things, "", error) : FINE;
    names_free(things);
    return status;
}

/* --- looking --- */

/* Whether a resource stays when its stack is deleted. */
static bool outlives(const cJSON *resource)
{
    return resource_is_retained(resource, "DeletionPolicy");
}

/* The resources of the stack that is deployed, or those that the model would deploy. */
static void find_resources(struct destruction *destruction)
{
    const struct stack *stack = destruction->stack;
    const cJSON *deployed = json_get(stack->deployed, "Resources") ? stack->deployed : NULL;
    cJSON *resolved = deployed ? template_resolve(deployed, stack->deployed_parameters, RESOLVE_ALL)
                               : template_resolve(stack->template, stack->parameters, RESOLVE_ALL);
    destruction->of_stack = deployed;
    destruction->resources = cJSON_DetachItemFromObjectCaseSensitive(resolved, "Resources");
    cJSON_Delete(resolved);
}

static enum status look_at(struct destruction *destruction, const cJSON *resource,
                           struct error *error)
{
    bool found = false, ours = destruction->of_stack;
    enum status status = removal_look(&destruction->removal, resource, &found,
                                      destruction->of_stack ? NULL : &ours, error);
    if (!status && found)
        cJSON_AddItemToArray(ours ? destruction->there : destruction->foreign,
                             cJSON_CreateString(resource->string));
    return status;
}

static enum status look_at_resources(struct destruction *destruction, struct error *error)
{
    const cJSON *resource;
    enum status status = FINE;
    destruction->there = json_array();
    destruction->foreign = json_array();
    cJSON_ArrayForEach(resource, destruction->resources)
    {
        if (removal_knows(resource) && !status)
            status = look_at(destruction, resource, error);
    }
    return status;
}

static bool lists(const cJSON *ids, const cJSON *resource)
{
    const cJSON *id;
    cJSON_ArrayForEach(id, ids)
    {
        if (strcmp(id->valuestring, resource->string) == 0)
            return true;
    }
    return false;
}

static bool is_there(const struct destruction *destruction, const cJSON *resource)
{
    return lists(destruction->there, resource);
}

/* Whether it is removed, unless its readings are kept. */
static bool is_ours(const struct destruction *destruction, const cJSON *resource)
{
    return is_there(destruction, resource) || (destruction->of_stack && !outlives(resource));
}

/* The name of the first resource of a type that is ours; NULL: there is none. */
static const char *name_of_type(const struct destruction *destruction, const char *type)
{
    const cJSON *resource;
    cJSON_ArrayForEach(resource, destruction->resources)
    {
        if (strcmp(json_string(resource, "Type", ""), type) == 0 && is_ours(destruction, resource))
            return resource_name(resource);
    }
    return NULL;
}

static enum status refuse_attached(struct destruction *destruction, struct error *error)
{
    const char *policy = name_of_type(destruction, "AWS::IoT::Policy");
    struct names *targets = must_alloc(sizeof *targets);
    enum status status =
        policy ? removal_find_targets(&destruction->removal, policy, targets, error) : FINE;
    if (!status && targets->count) {
        status = fail(error, WRONG_INPUT,
                      "%zu certificates in %s still have the policy %s, %.12s... among them",
                      targets->count, destruction->deployment.region, policy, targets->at[0]);
        advise(error, "of things of another checkout? delete those there first; "
                      "of no thing? make doctor clean=yes removes them");
    }
    names_free(targets);
    return status;
}

static enum status refuse_account_things(struct destruction *destruction, struct error *error)
{
    const char *thing_type = name_of_type(destruction, "AWS::IoT::ThingType");
    struct names *things = must_alloc(sizeof *things);
    owned char *where = must_format(" in %s", destruction->deployment.region);
    enum status status =
        thing_type ? removal_find_things(&destruction->removal, thing_type, things, error) : FINE;
    if (!status && things->count)
        status = refuse_things(destruction->subject, things, where, error);
    names_free(things);
    return status;
}

/* --- the system --- */

static enum status refuse_types(struct destruction *destruction, struct error *error)
{
    struct names *deployed = must_alloc(sizeof *deployed);
    enum status status = FINE;
    for (size_t i = 0; i < destruction->deployment.stacks.count; i++) {
        const struct stack *stack = &destruction->deployment.stacks.at[i];
        if (stack != destruction->stack && (stack->status || stack->error.status))
            names_append(deployed, stack->subject);
    }
    if (deployed->count) {
        owned char *some = some_of(deployed);
        status = fail(error, WRONG_INPUT, "types are still plugged in: %s", some);
        advise(error, "destroy them first: make destroy NAME=%s TARGET=aws", deployed->at[0]);
    }
    names_free(deployed);
    return status;
}

static enum status refuse_tables(struct destruction *destruction, struct error *error)
{
    const char *database = name_of_type(destruction, "AWS::Timestream::Database");
    struct names *tables = must_alloc(sizeof *tables);
    enum status status = FINE;
    if (database && destruction->data)
        status = removal_find_tables(&destruction->removal, database, tables, error);
    if (!status && tables->count) {
        owned char *some = some_of(tables);
        status = fail(error, WRONG_INPUT, "the database %s still holds tables: %s", database, some);
        advise(error,
               "of a type that was destroyed before: make destroy "
               "NAME=%s TARGET=aws data=yes removes its tables",
               tables->at[0]);
    }
    names_free(tables);
    return status;
}

/* --- showing --- */

static void add_line(const cJSON *resource, char sign, const char *about, struct text *out)
{
    text_add_format(out, "  %c %s %s%s\n", sign, resource_kind_of(resource)->title,
                    resource_name(resource), about);
}

void destruction_write(const struct destruction *destruction, struct text *out)
{
    bool data = destruction->data;
    const cJSON *resource;
    text_add_format(out, "stack %s in %s%s\n", destruction->stack->name,
                    destruction->deployment.region,
                    destruction->stack->status ? "" : " (gone already)");
    cJSON_ArrayForEach(resource, destruction->resources)
    {
        if (outlives(resource) && is_there(destruction, resource))
            add_line(resource, data ? '-' : '=',
                     data ? "  with all its readings" : "  stays (data=yes removes it)", out);
        else if (!outlives(resource) && is_ours(destruction, resource))
            add_line(resource, '-', "", out);
        else if (lists(destruction->foreign, resource))
            add_line(resource, '=', "  not made here, left as it is", out);
    }
}

cJSON *destruction_json(const struct destruction *destruction, const char *outcome)
{
    cJSON *answer = json_object(), *removed = json_array(), *kept = json_array();
    cJSON *foreign = json_array();
    const cJSON *resource;
    cJSON_ArrayForEach(resource, destruction->resources)
    {
        bool kept_here = outlives(resource) && !destruction->data;
        cJSON *item = json_object();
        json_put_string(item, "type", json_string(resource, "Type", ""));
        json_put_string(item, "name", resource_name(resource));
        if (is_ours(destruction, resource))
            cJSON_AddItemToArray(kept_here ? kept : removed, item);
        else if (lists(destruction->foreign, resource))
            cJSON_AddItemToArray(foreign, item);
        else
            cJSON_Delete(item);
    }
    json_put_string(answer, "subject", destruction->subject);
    json_put_string(answer, "stack", destruction->stack->name);
    json_put_string(answer, "region", destruction->deployment.region);
    json_put_string(answer, "outcome", outcome);
    json_put(answer, "removed", removed);
    json_put(answer, "kept", kept);
    json_put(answer, "foreign", foreign);
    return answer;
}

/* --- removing --- */

static enum status remove_stack(struct destruction *destruction, struct error *error)
{
    const char *thing_type = name_of_type(destruction, "AWS::IoT::ThingType");
    enum status status = FINE;
    if (thing_type && !destruction->waited)
        status = removal_retire_thing_type(&destruction->removal, thing_type, error);
    fault_point("thing type");
    if (status || !destruction->stack->status)
        return status;
    stacks_delete(&destruction->deployment.stacks);
    if (destruction->stack->error.status) {
        *error = destruction->stack->error;
        destruction->stack->error = (struct error){0};
        return advise(error, "remove what it says, then run the same command");
    }
    fault_point("stack");
    return FINE;
}

/* Deletes what the stack has left: tables, where that is wanted, and what remains of a stack whose
 * creation failed. A rule may also have written once more, and so have made a log group again. */
static enum status remove_rest(struct destruction *destruction, struct error *error)
{
    const cJSON *resource;
    enum status status = FINE;
    cJSON_ArrayForEach(resource, destruction->resources)
    {
        if (status || !removal_knows(resource) || !is_ours(destruction, resource) ||
            (outlives(resource) && !destruction->data))
            continue;
        status = removal_delete(&destruction->removal, resource, error);
        fault_point("rest");
    }
    return status;
}

enum status destruction_wait(struct destruction *const *list, size_t count, struct error *error)
{
    double longest = 0;
    size_t deprecated = 0;
    for (size_t i = 0; i < count; i++) {
        const char *thing_type = name_of_type(list[i], "AWS::IoT::ThingType");
        double left = 0;
        enum status status =
            thing_type ? removal_deprecate(&list[i]->removal, thing_type, &left, error) : FINE;
        fault_point("deprecated");
        if (status)
            return status;
        longest = left > longest ? left : longest;
        deprecated += thing_type != NULL;
    }
    if (longest > 0)
        removal_wait(&list[0]->removal, deprecated, longest);
    for (size_t i = 0; i < count; i++)
        list[i]->waited = true;
    return FINE;
}

enum status destruction_run(struct destruction *destruction, struct error *error)
{
    enum status status = remove_stack(destruction, error);
    if (!status)
        status = remove_rest(destruction, error);
    if (!status && destruction->marked)
        status = types_unmark(destruction->subject, error);
    return status;
}

void destruction_write_rest(const struct destruction *destruction, struct text *out)
{
    const cJSON *resource;
    struct text kept = {0}, foreign = {0};
    cJSON_ArrayForEach(resource, destruction->resources)
    {
        bool stays = outlives(resource) && is_there(destruction, resource) && !destruction->data;
        bool others = lists(destruction->foreign, resource);
        struct text *list = stays ? &kept : others ? &foreign : NULL;
        if (list)
            text_add_format(list, "%s%s %s", list->length ? ", " : "",
                            resource_kind_of(resource)->title, resource_name(resource));
    }
    if (kept.length)
        text_add_format(out, "stays  %s\n       a later deploy uses %s again; %s\n",
                        text_string(&kept), strstr(text_string(&kept), ", ") ? "them" : "it",
                        "data=yes removes what stays");
    if (foreign.length)
        text_add_format(out, "not made here, left as it is  %s\n", text_string(&foreign));
    text_free(&kept);
    text_free(&foreign);
}

bool destruction_has_work(const struct destruction *destruction)
{
    const cJSON *resource;
    if (destruction->stack->status || destruction->marked)
        return true;
    cJSON_ArrayForEach(resource, destruction->resources)
    {
        if (is_there(destruction, resource) && (!outlives(resource) || destruction->data))
            return true;
    }
    return false;
}

/* --- the whole --- */

enum status destruction_check(struct destruction *destruction, struct error *error)
{
    enum status status = destruction->system ? refuse_types(destruction, error)
                                             : refuse_account_things(destruction, error);
    if (status)
        return status;
    return destruction->system ? refuse_tables(destruction, error)
                               : refuse_attached(destruction, error);
}

/* Leaves all stacks out but that of the subject. */
static void leave_others_out(struct destruction *destruction)
{
    struct stacks *stacks = &destruction->deployment.stacks;
    for (size_t i = 0; i < stacks->count; i++)
        stacks->at[i].left_out = &stacks->at[i] != destruction->stack;
}

/* Of the system all stacks are looked at, because types that are plugged in need it. */
static enum status look(struct destruction *destruction, struct error *error)
{
    struct deployment *deployment = &destruction->deployment;
    destruction->stack = stacks_find(&deployment->stacks, destruction->subject);
    if (!destruction->stack) {
        fail(error, WRONG_INPUT, "with store: dynamodb there is no system stack");
        return advise(error, "types bring their tables: make destroy NAME=<type>");
    }
    if (!destruction->system)
        leave_others_out(destruction);
    enum status status = deployment_look(deployment, error);
    leave_others_out(destruction);
    if (!status && destruction->stack->error.status)
        status = deployment_verdict(deployment, error);
    if (status)
        return status;
    find_resources(destruction);
    return look_at_resources(destruction, error);
}

enum status destruction_open(struct destruction *destruction, struct project *project,
                             const char *subject, bool data, struct aws *aws, struct error *error)
{
    bool system = subject_is_system(subject);
    struct names *types = system ? types_all() : NULL;
    const char *const *subjects = types ? types->at : &subject;
    *destruction = (struct destruction){
        .project = project,
        .subject = subject,
        .system = system,
        .data = data,
        .marked = !system && types_is_deployed_on(subject, TARGET_AWS, NULL),
    };
    enum status status = system ? FINE : destruction_check_things(subject, TARGET_AWS, error);
    if (!status)
        status = deployment_open(&destruction->deployment, project, subjects,
                                 types ? types->count : 1, aws, error);
    destruction->removal = (struct removal){.reporter = project->reporter,
                                            .aws = destruction->deployment.aws,
                                            .system = project->system.name,
                                            .type = system ? NULL : subject};
    names_free(types);
    return status ? status : look(destruction, error);
}

void destruction_close(struct destruction *destruction)
{
    cJSON_Delete(destruction->resources);
    cJSON_Delete(destruction->there);
    cJSON_Delete(destruction->foreign);
    removal_close(&destruction->removal);
    deployment_close(&destruction->deployment);
}
