#include "plan.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "resource.h"
#include "template.h"

#include <string.h>

static bool equal(const cJSON *one, const cJSON *other)
{
    return cJSON_Compare(one, other, true);
}

/* --- comparing --- */

static void add_property(cJSON *list, const char *path, const cJSON *before, const cJSON *after)
{
    cJSON *property = json_object();
    json_put_string(property, "path", path);
    if (before)
        json_put(property, "before", cJSON_Duplicate(before, true));
    if (after)
        json_put(property, "after", cJSON_Duplicate(after, true));
    cJSON_AddItemToArray(list, property);
}

static void compare_values(cJSON *list, const char *path, const cJSON *before, const cJSON *after);

static void compare_members(cJSON *list, const char *path, const cJSON *before, const cJSON *after)
{
    const char *dot = *path ? "." : "";
    const cJSON *member;
    cJSON_ArrayForEach(member, before)
    {
        owned char *below = must_format("%s%s%s", path, dot, member->string);
        compare_values(list, below, member, json_get(after, member->string));
    }
    cJSON_ArrayForEach(member, after)
    {
        owned char *below = must_format("%s%s%s", path, dot, member->string);
        if (!json_get(before, member->string))
            compare_values(list, below, NULL, member);
    }
}

/* Whether a value is an intrinsic function ({"Ref": ...}), whose members are not compared. */
static bool is_function(const cJSON *value)
{
    const cJSON *only = value->child;
    return only && !only->next && only->string &&
           (strcmp(only->string, "Ref") == 0 || begins_with(only->string, "Fn::"));
}

static void compare_items(cJSON *list, const char *path, const cJSON *before, const cJSON *after)
{
    int count = cJSON_GetArraySize(before);
    for (int i = 0; i < count; i++) {
        owned char *below = must_format("%s[%d]", path, i);
        compare_values(list, below, cJSON_GetArrayItem(before, i), cJSON_GetArrayItem(after, i));
    }
}

static void compare_values(cJSON *list, const char *path, const cJSON *before, const cJSON *after)
{
    bool both = before && after;
    if (both && equal(before, after))
        return;
    if (both && cJSON_IsObject(before) && cJSON_IsObject(after) && !is_function(before) &&
        !is_function(after))
        compare_members(list, path, before, after);
    else if (both && cJSON_IsArray(before) && cJSON_IsArray(after) &&
             cJSON_GetArraySize(before) == cJSON_GetArraySize(after))
        compare_items(list, path, before, after);
    else
        add_property(list, path, before, after);
}

static cJSON *new_change(const char *action, const cJSON *resource)
{
    cJSON *change = json_object();
    const struct resource_kind *kind = resource_kind_of(resource);
    json_put_string(change, "action", action);
    json_put_string(change, "id", resource->string);
    json_put_string(change, "type", json_string(resource, "Type", ""));
    json_put_string(change, "kind", kind->title);
    json_put_string(change, "name", resource_name(resource));
    json_put_bool(change, "data", kind->data);
    json_put_bool(change, "kept", false);
    return change;
}

static bool same_member(const cJSON *before, const cJSON *after, const char *name)
{
    const cJSON *old = json_get(before, name), *new = json_get(after, name);
    return old && new ? equal(old, new) : old == new;
}

/* Whether CloudFormation deletes the resource and creates another. */
static bool is_replaced(const cJSON *before, const cJSON *after)
{
    const struct resource_kind *kind = resource_kind_of(after);
    const cJSON *old = json_get(before, "Properties"), *new = json_get(after, "Properties");
    if (strcmp(json_string(before, "Type", ""), json_string(after, "Type", "")) != 0)
        return true;
    return (kind->name && !same_member(old, new, kind->name)) ||
           (kind->also && !same_member(old, new, kind->also));
}

static cJSON *compare_resource(const cJSON *before, const cJSON *after)
{
    static const char *const beside[] = {"DeletionPolicy", "UpdateReplacePolicy"};
    if (!before)
        return new_change("add", after);
    cJSON *properties = json_array();
    compare_members(properties, "", json_get(before, "Properties"), json_get(after, "Properties"));
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++)
        if (!same_member(before, after, beside[i]))
            add_property(properties, beside[i], json_get(before, beside[i]),
                         json_get(after, beside[i]));
    bool replaced = is_replaced(before, after);
    if (!properties->child && !replaced) {
        cJSON_Delete(properties);
        return NULL;
    }
    cJSON *change = new_change(replaced ? "replace" : "modify", after);
    json_put_string(change, "name", resource_name(before));
    json_put_bool(change, "kept", resource_is_retained(after, "UpdateReplacePolicy"));
    json_put(change, "properties", properties);
    return change;
}

cJSON *plan_compare(const cJSON *before, const cJSON *before_parameters, const cJSON *after,
                    const cJSON *after_parameters)
{
    cJSON *changes = json_array();
    cJSON *old = before ? template_resolve(before, before_parameters, RESOLVE_ALL) : NULL;
    cJSON *new = template_resolve(after, after_parameters, RESOLVE_ALL);
    const cJSON *resources = json_get(old, "Resources"), *resource;
    cJSON_ArrayForEach(resource, json_get(new, "Resources"))
    {
        cJSON *change = compare_resource(json_get(resources, resource->string), resource);
        if (change)
            cJSON_AddItemToArray(changes, change);
    }
    cJSON_ArrayForEach(resource, resources)
    {
        if (json_get(json_get(new, "Resources"), resource->string))
            continue;
        cJSON *change = new_change("remove", resource);
        json_put_bool(change, "kept", resource_is_retained(resource, "DeletionPolicy"));
        cJSON_AddItemToArray(changes, change);
    }
    cJSON_Delete(old);
    cJSON_Delete(new);
    return changes;
}

/* --- what the change set says --- */

static cJSON *find_change(const cJSON *changes, const char *id)
{
    cJSON *change;
    cJSON_ArrayForEach(change, changes)
    {
        if (strcmp(json_string(change, "id", ""), id) == 0)
            return change;
    }
    return NULL;
}

/* The action of a listed change; NULL: it depends ("Conditional"), so what the comparison says
 * stays. */
static const char *action_of(const cJSON *listed)
{
    const char *action = json_string(listed, "Action", "");
    const char *replacement = json_string(listed, "Replacement", "");
    if (strcmp(action, "Add") == 0)
        return "add";
    if (strcmp(action, "Import") == 0)
        return "import";
    if (strcmp(action, "Remove") == 0)
        return "remove";
    if (strcmp(replacement, "True") == 0)
        return "replace";
    return strcmp(replacement, "False") == 0 ? "modify" : NULL;
}

/* A change that the templates do not show: of a resource that depends on one that changes. */
static cJSON *change_of_listed(const cJSON *listed)
{
    cJSON *change = json_object();
    const char *id = json_string(listed, "LogicalResourceId", "");
    const char *type = json_string(listed, "ResourceType", "");
    const char *policy = json_string(listed, "PolicyAction", "");
    json_put_string(change, "action", "modify");
    json_put_string(change, "id", id);
    json_put_string(change, "type", type);
    json_put_string(change, "kind", resource_kind(type)->title);
    json_put_string(change, "name", json_string(listed, "PhysicalResourceId", id));
    json_put_bool(change, "data", resource_kind(type)->data);
    json_put_bool(change, "kept", ends_with(policy, "Retain"));
    return change;
}

void plan_correct(cJSON *changes, const cJSON *listed)
{
    cJSON *correct = json_array();
    const cJSON *item;
    cJSON_ArrayForEach(item, listed)
    {
        const cJSON *resource = json_get(item, "ResourceChange");
        cJSON *change = find_change(changes, json_string(resource, "LogicalResourceId", ""));
        const char *action = action_of(resource);
        if (change)
            cJSON_DetachItemViaPointer(changes, change);
        else
            change = change_of_listed(resource);
        if (action)
            json_put_string(change, "action", action);
        cJSON_AddItemToArray(correct, change);
    }
    while (changes->child)
        cJSON_DeleteItemFromArray(changes, 0);
    while (correct->child)
        cJSON_AddItemToArray(changes, cJSON_DetachItemFromArray(correct, 0));
    cJSON_Delete(correct);
}

/* --- asking a plan --- */

bool plan_is_action(const cJSON *change, const char *action)
{
    return strcmp(json_string(change, "action", ""), action) == 0;
}

bool plan_changes_what_is_there(const cJSON *changes)
{
    const cJSON *change;
    cJSON_ArrayForEach(change, changes)
    {
        bool ours = plan_is_action(change, "import") && json_true(change, "ours");
        if (!plan_is_action(change, "add") && !ours)
            return true;
    }
    return false;
}

bool plan_touches_data(const cJSON *changes)
{
    const cJSON *change;
    cJSON_ArrayForEach(change, changes)
    {
        if (json_true(change, "data") &&
            (plan_is_action(change, "replace") || plan_is_action(change, "remove")))
            return true;
    }
    return false;
}

bool plan_has(const cJSON *changes, const char *action, const char *type)
{
    const cJSON *change;
    cJSON_ArrayForEach(change, changes)
    {
        if (plan_is_action(change, action) && strcmp(json_string(change, "type", ""), type) == 0)
            return true;
    }
    return false;
}
