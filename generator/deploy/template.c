#include "template.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "resource.h"

#include <string.h>

/* "${DatabaseName}-x" with the parameters filled in. A ${...} that is no parameter refers to
 * another resource or is a pseudo parameter; then the result is a Fn::Sub again. */
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

/* The value of a reference to a parameter; NULL when value is something else. */
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
        if (properties &&
            (which == RESOLVE_ALL || resource_is_retained(resource, "DeletionPolicy")))
            resolve_below(properties, parameters);
    }
    return made;
}

cJSON *template_keep_fixed(cJSON *template, const cJSON *deployed)
{
    cJSON *wanted = json_object();
    const cJSON *resource;
    cJSON_ArrayForEach(resource, json_get(template, "Resources"))
    {
        const struct resource_kind *kind = resource_kind_of(resource);
        const cJSON *before = json_get(json_get(deployed, "Resources"), resource->string);
        const cJSON *old =
            kind->fixed ? json_get(json_get(before, "Properties"), kind->fixed) : NULL;
        cJSON *properties = json_get(resource, "Properties");
        if (!old || strcmp(json_string(before, "Type", ""), kind->type) != 0 ||
            strcmp(resource_name(before), resource_name(resource)) != 0 ||
            cJSON_Compare(old, json_get(properties, kind->fixed), true))
            continue;
        json_put(wanted, resource->string,
                 cJSON_DetachItemFromObjectCaseSensitive(properties, kind->fixed));
        json_put(properties, kind->fixed, cJSON_Duplicate(old, true));
    }
    return wanted;
}
