/* Descriptions and searchable attributes of thing types, which CloudFormation cannot change.
 *
 * UpdateThingType has both, but at the time of writing the service answers "Can only update
 * mqtt5Configuration." (see iot_update_thing_type()). So it is asked, and a refusal is told: then they
 * stay until the type is destroyed and deployed again. What the thing type has now is read from AWS IoT,
 * because the template that is deployed keeps saying what it was made with. */
#include "stacks_parts.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "aws/iot_types.h"
#include "resource.h"

#include <ctype.h>
#include <string.h>

static const char *const thing_type = "AWS::IoT::ThingType";

/* The thing type of a stack whose properties shall change; NULL: none. */
static const cJSON *changing(const struct stack *stack)
{
    const cJSON *wanted, *resources = json_get(stack->template, "Resources");
    cJSON_ArrayForEach(wanted, stack->wanted)
    {
        const cJSON *resource = json_get(resources, wanted->string);
        if (strcmp(json_string(resource, "Type", ""), thing_type) == 0)
            return resource;
    }
    return NULL;
}

/* {"ThingTypeDescription": ...} as {"thingTypeDescription": ...} */
static cJSON *as_api(const cJSON *properties)
{
    cJSON *made = json_object();
    const cJSON *member;
    cJSON_ArrayForEach(member, properties)
    {
        owned char *name = must_copy(member->string);
        *name = (char)tolower((unsigned char)*name);
        json_put(made, name, cJSON_Duplicate(member, true));
    }
    return made;
}

static bool lists_all(const cJSON *list, const cJSON *wanted)
{
    const cJSON *one, *other;
    cJSON_ArrayForEach(one, wanted)
    {
        bool found = false;
        cJSON_ArrayForEach(other, list) found |= cJSON_Compare(one, other, true);
        if (!found)
            return false;
    }
    return true;
}

/* The order of searchable attributes means nothing. */
static bool same_properties(const cJSON *there, const cJSON *wanted)
{
    const cJSON *some = json_get(there, "searchableAttributes"),
                *others = json_get(wanted, "searchableAttributes");
    return strcmp(json_string(there, "thingTypeDescription", ""),
                  json_string(wanted, "thingTypeDescription", "")) == 0 &&
           lists_all(some, others) && lists_all(others, some);
}

/* --- planning --- */

static bool has_wanted(const struct stack *stack)
{
    return stack_is_alive(stack) && changing(stack);
}

static void ask_thing_type(struct stacks *all, struct stack *stack)
{
    iot_describe_thing_type(all->aws, &stack->call, resource_name(changing(stack)));
}

static void hear_thing_type(struct stacks *all, struct stack *stack)
{
    const cJSON *there = json_get(stack->call.answer, "thingTypeProperties"), *resource;
    (void)all;
    if (stack->call.error.status) {
        if (!aws_failed_with(&stack->call, "ResourceNotFoundException"))
            stack_refuse(stack);
        return;
    }
    resource = changing(stack);
    cJSON *wanted = as_api(json_get(stack->wanted, resource->string));
    const cJSON *mqtt = json_get(there, "mqtt5Configuration");
    if (mqtt && !json_get(wanted, "mqtt5Configuration"))
        json_put(wanted, "mqtt5Configuration", cJSON_Duplicate(mqtt, true));
    if (same_properties(there, wanted)) {
        cJSON_Delete(wanted);
        return;
    }
    stack_set_json(&stack->thing_type, wanted);
    owned char *note =
        must_format("thing type %s: its description and searchable attributes would be updated, "
                    "where AWS IoT takes that",
                    resource_name(resource));
    cJSON_AddItemToArray(stack->notes, cJSON_CreateString(note));
}

void stacks_plan_thing_types(struct stacks *all)
{
    stacks_round(all, has_wanted, ask_thing_type, hear_thing_type, 0);
}

/* --- changing --- */

static bool has_new_properties(const struct stack *stack)
{
    return stack->thing_type;
}

static void ask_update(struct stacks *all, struct stack *stack)
{
    iot_update_thing_type(all->aws, &stack->call, resource_name(changing(stack)),
                          stack->thing_type);
}

static void hear_update(struct stacks *all, struct stack *stack)
{
    const char *name = resource_name(changing(stack));
    if (!stack->call.error.status)
        report_line(all->reporter,
                    "%s  thing type %s  description and searchable attributes updated", stack->name,
                    name);
    else if (aws_failed_with(&stack->call, "InvalidRequestException"))
        report_line(
            all->reporter,
            "%s  thing type %s  keeps its description and searchable attributes until it is "
            "destroyed and deployed again: %s",
            stack->name, name, text_string(&stack->call.error.message));
    else
        stack_refuse(stack);
}

void stacks_change_thing_types(struct stacks *all)
{
    stacks_round(all, has_new_properties, ask_update, hear_update, 0);
}
