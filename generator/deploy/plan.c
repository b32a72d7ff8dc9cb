#include "plan.h"
#include "common/base/json.h"
#include "common/base/memory.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* --- what is known of resources --- */

/* "Update requires: Replacement" of the CloudFormation template reference. A thing type's
 * properties cannot be updated after its creation, and a thing type cannot be replaced under its
 * name while things have it. */
static const struct resource_kind kinds[] = {
    {.type = "AWS::IoT::ThingType",
     .title = "thing type",
     .name = "ThingTypeName",
     .fixed = "ThingTypeProperties"},
    {.type = "AWS::IoT::Policy", .title = "policy", .name = "PolicyName"},
    {.type = "AWS::IoT::TopicRule", .title = "rule", .name = "RuleName"},
    {.type = "AWS::Timestream::Database",
     .title = "database",
     .name = "DatabaseName",
     .data = true},
    {.type = "AWS::Timestream::Table",
     .title = "table",
     .name = "TableName",
     .also = "DatabaseName",
     .data = true},
    {.type = "AWS::DynamoDB::Table",
     .title = "table",
     .name = "TableName",
     .also = "KeySchema",
     .data = true},
    {.type = "AWS::Logs::LogGroup", .title = "log group", .name = "LogGroupName"},
    {.type = "AWS::IAM::Role", .title = "role", .name = "RoleName"},
    {.type = "AWS::CloudFormation::Stack", .title = "stack"},
};

const struct resource_kind *resource_kind(const char *type)
{
    static const struct resource_kind other = {.type = "", .title = "resource"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].type, type) == 0)
            return &kinds[i];
    return &other;
}

static const struct resource_kind *kind_of(const cJSON *resource)
{
    return resource_kind(json_string(resource, "Type", ""));
}

const char *resource_name(const cJSON *resource)
{
    const char *property = kind_of(resource)->name;
    const char *id = resource->string ? resource->string : "";
    return property ? json_string(json_get(resource, "Properties"), property, id) : id;
}

static bool is_retained(const cJSON *resource, const char *policy)
{
    return strcmp(json_string(resource, policy, "Delete"), "Retain") == 0;
}

static bool equal(const cJSON *one, const cJSON *other)
{
    return cJSON_Compare(one, other, true);
}

/* --- references to parameters --- */

/* "${DatabaseName}-x" with the parameters filled in. What is left of ${...}, but for ${!...}, is
 * another resource or a pseudo parameter; then it stays a Fn::Sub. */
static cJSON *resolve_sub(const char *format, const cJSON *parameters)
{
    struct text made = {0};
    bool open = false;
    while (*format) {
        const char *end = strncmp(format, "${", 2) == 0 ? strchr(format, '}') : NULL;
        if (!end) {
            text_add_char(&made, *format++);
            continue;
        }
        owned char *name = must_copy_bytes(format + 2, (size_t)(end - format - 2));
        const char *value = json_string(parameters, name, NULL);
        if (value)
            text_add_string(&made, value);
        else
            text_add(&made, format, (size_t)(end - format + 1));
        open |= !value;
        format = end + 1;
    }
    cJSON *string = cJSON_CreateString(text_string(&made)), *sub = string;
    if (open) {
        sub = json_object();
        json_put(sub, "Fn::Sub", string);
    }
    text_free(&made);
    return sub;
}

/* NULL when value is no reference to a parameter. */
static cJSON *resolved(const cJSON *value, const cJSON *parameters)
{
    const cJSON *only =
        cJSON_IsObject(value) && value->child && !value->child->next ? value->child : NULL;
    if (!only || !cJSON_IsString(only))
        return NULL;
    if (strcmp(only->string, "Fn::Sub") == 0)
        return resolve_sub(only->valuestring, parameters);
    const char *parameter =
        strcmp(only->string, "Ref") == 0 ? json_string(parameters, only->valuestring, NULL) : NULL;
    return parameter ? cJSON_CreateString(parameter) : NULL;
}

static void resolve_below(cJSON *value, const cJSON *parameters)
{
    for (cJSON *child = value->child, *next; child; child = next) {
        next = child->next;
        cJSON *made = resolved(child, parameters);
        if (!made) {
            resolve_below(child, parameters);
            continue;
        }
        if (child->string && !(child->type & cJSON_StringIsConst)) {
            made->string = child->string;
            child->string = NULL;
        }
        cJSON_ReplaceItemViaPointer(value, child, made);
    }
}

cJSON *template_resolve(const cJSON *from, const cJSON *parameters, enum resolving which)
{
    cJSON *made = cJSON_Duplicate(from, true), *resource;
    cJSON_ArrayForEach(resource, json_get(made, "Resources"))
    {
        cJSON *properties = json_get(resource, "Properties");
        if (properties && (which == RESOLVE_ALL || is_retained(resource, "DeletionPolicy")))
            resolve_below(properties, parameters);
    }
    return made;
}

void template_keep_fixed(cJSON *template, const cJSON *deployed, cJSON *notes)
{
    const cJSON *resource;
    cJSON_ArrayForEach(resource, json_get(template, "Resources"))
    {
        const struct resource_kind *kind = kind_of(resource);
        const cJSON *before = json_get(json_get(deployed, "Resources"), resource->string);
        const cJSON *old =
            kind->fixed ? json_get(json_get(before, "Properties"), kind->fixed) : NULL;
        cJSON *properties = json_get(resource, "Properties");
        if (!old || strcmp(json_string(before, "Type", ""), kind->type) != 0 ||
            strcmp(resource_name(before), resource_name(resource)) != 0 ||
            equal(old, json_get(properties, kind->fixed)))
            continue;
        json_put(properties, kind->fixed, cJSON_Duplicate(old, true));
        owned char *note = must_format("%s %s: AWS cannot change its description and attributes; "
                                       "they stay until it is destroyed and deployed again",
                                       kind->title, resource_name(resource));
        cJSON_AddItemToArray(notes, cJSON_CreateString(note));
    }
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

/* An intrinsic function ({"Ref": ...}) is a value of its own. */
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
    const struct resource_kind *kind = kind_of(resource);
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

/* Whether one takes the place of the other. */
static bool is_replaced(const cJSON *before, const cJSON *after)
{
    const struct resource_kind *kind = kind_of(after);
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
    json_put_bool(change, "kept", is_retained(after, "UpdateReplacePolicy"));
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
        json_put_bool(change, "kept", is_retained(resource, "DeletionPolicy"));
        cJSON_AddItemToArray(changes, change);
    }
    cJSON_Delete(old);
    cJSON_Delete(new);
    return changes;
}

/* --- the change set's word --- */

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

/* NULL: as it was compared. */
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

/* A change that the templates do not show: of something that depends on what changes. */
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

static bool is_action(const cJSON *change, const char *action)
{
    return strcmp(json_string(change, "action", ""), action) == 0;
}

bool plan_changes_what_is_there(const cJSON *changes)
{
    const cJSON *change;
    cJSON_ArrayForEach(change, changes)
    {
        bool ours = is_action(change, "import") && json_true(change, "ours");
        if (!is_action(change, "add") && !ours)
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
            (is_action(change, "replace") || is_action(change, "remove")))
            return true;
    }
    return false;
}

bool plan_has(const cJSON *changes, const char *action, const char *type)
{
    const cJSON *change;
    cJSON_ArrayForEach(change, changes)
    {
        if (is_action(change, action) && strcmp(json_string(change, "type", ""), type) == 0)
            return true;
    }
    return false;
}

/* --- showing a plan --- */

enum { NAME_WIDTH = 34, CONTEXT = 20, LONGEST_VALUE = 72 };

/* "TopicRulePayload.Sql" as "sql" */
static char *last_part(const char *path)
{
    const char *dot = strrchr(path, '.');
    char *part = must_copy(dot ? dot + 1 : path);
    *part = (char)tolower((unsigned char)*part);
    return part;
}

static char *value_text(const cJSON *value)
{
    struct text text = {0};
    if (!value)
        text_add_string(&text, "nothing");
    else if (cJSON_IsString(value))
        text_add_string(&text, value->valuestring);
    else
        json_compact(value, &text);
    return text_take(&text);
}

static bool inside_character(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80; /* of UTF-8 */
}

/* The part of a value that begins at `from`, cut to what a line has room for. */
static void add_part(struct text *out, const char *value, size_t from, size_t to)
{
    size_t length = strlen(value);
    size_t end = to - from > LONGEST_VALUE ? from + LONGEST_VALUE : to;
    while (end < length && inside_character(value[end]))
        end--;
    text_add_string(out, from ? "... " : "");
    text_add(out, value + from, end - from);
    text_add_string(out, end < length ? " ..." : "");
}

/* Of long values only where they differ is shown, with a few words around. */
static void add_difference(struct text *out, const char *before, const char *after)
{
    size_t length = strlen(before), new_length = strlen(after), head = 0, tail = 0;
    while (before[head] && before[head] == after[head])
        head++;
    while (tail < length - head && tail < new_length - head &&
           before[length - tail - 1] == after[new_length - tail - 1])
        tail++;
    size_t from = head > CONTEXT ? head - CONTEXT : 0;
    while (from && from < head && before[from - 1] != ' ')
        from++;
    while (from && inside_character(before[from]))
        from--;
    size_t rest = tail > CONTEXT ? tail - CONTEXT : 0;
    while (rest && inside_character(before[length - rest]))
        rest--;
    add_part(out, before, from, length - rest);
    text_add_string(out, "  \u2192  ");
    add_part(out, after, from, new_length - rest);
}

static void write_property(const cJSON *property, struct text *out)
{
    owned char *name = last_part(json_string(property, "path", ""));
    owned char *before = value_text(json_get(property, "before"));
    owned char *after = value_text(json_get(property, "after"));
    text_add_format(out, "%s: ", name);
    add_difference(out, before, after);
}

static void write_loss(const cJSON *change, struct text *out)
{
    bool data = json_true(change, "data"), kept = json_true(change, "kept");
    if (is_action(change, "import"))
        text_add_string(out, json_true(change, "ours")
                                 ? "taken over, with what it holds"
                                 : "TAKEN OVER, with what it holds: it was not made here");
    else if (is_action(change, "replace"))
        text_add_string(out, !data  ? "REPLACED"
                             : kept ? "REPLACED: the new one begins empty; the old one stays, "
                                      "outside of the stack"
                                    : "REPLACED: its readings would be lost");
    else if (is_action(change, "remove") && data)
        text_add_string(out, kept ? "REMOVED from the stack; it stays, with its readings"
                                  : "REMOVED: its readings would be lost");
}

static void write_change(const cJSON *change, struct text *out)
{
    static const struct {
        const char *action;
        char sign;
    } signs[] = {{"add", '+'}, {"import", '='}, {"modify", '~'}, {"replace", '-'}, {"remove", '-'}};
    char sign = '~';
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (is_action(change, signs[i].action))
            sign = signs[i].sign;
    owned char *title =
        must_format("%s %s", json_string(change, "kind", ""), json_string(change, "name", ""));
    struct text about = {0};
    write_loss(change, &about);
    const cJSON *property;
    cJSON_ArrayForEach(property, json_get(change, "properties"))
    {
        if (about.length)
            text_add_format(&about, "\n    %*s  ", NAME_WIDTH, "");
        write_property(property, &about);
    }
    if (about.length)
        text_add_format(out, "  %c %-*s  %s\n", sign, NAME_WIDTH, title, text_string(&about));
    else
        text_add_format(out, "  %c %s\n", sign, title);
    text_free(&about);
}

void plan_write(const cJSON *changes, struct text *out)
{
    const cJSON *change;
    cJSON_ArrayForEach(change, changes)
    {
        write_change(change, out);
    }
}
