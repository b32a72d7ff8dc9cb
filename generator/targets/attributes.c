#include "attributes.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/valid.h"
#include "common/spec/problems.h"
#include "common/spec/pattern.h"
#include "common/spec/schema.h"

#include <stdlib.h>
#include <string.h>

static struct attribute *find(const struct attributes *attributes, const char *name)
{
    for (size_t i = 0; i < attributes->count; i++)
        if (strcmp(attributes->at[i].name, name) == 0)
            return &attributes->at[i];
    return NULL;
}

void attributes_put(struct attributes *attributes, const char *name, const char *value)
{
    struct attribute *there = find(attributes, name);
    if (there) {
        free(there->value);
        there->value = must_copy(value);
        return;
    }
    attributes->at =
        must_grow(attributes->at, attributes->count, &attributes->room, sizeof *attributes->at);
    attributes->at[attributes->count++] = (struct attribute){must_copy(name), must_copy(value)};
}

const char *attributes_get(const struct attributes *attributes, const char *name)
{
    const struct attribute *found = find(attributes, name);
    return found ? found->value : NULL;
}

struct attributes attributes_copy(const struct attributes *attributes)
{
    struct attributes copy = {0};
    for (size_t i = 0; i < attributes->count; i++)
        attributes_put(&copy, attributes->at[i].name, attributes->at[i].value);
    return copy;
}

bool attributes_equal(const struct attributes *one, const struct attributes *other)
{
    for (size_t i = 0; i < one->count; i++) {
        const char *value = attributes_get(other, one->at[i].name);
        if (!value || strcmp(value, one->at[i].value) != 0)
            return false;
    }
    return one->count == other->count;
}

void attributes_free(struct attributes *attributes)
{
    for (size_t i = 0; i < attributes->count; i++) {
        free(attributes->at[i].name);
        free(attributes->at[i].value);
    }
    free(attributes->at);
    *attributes = (struct attributes){0};
}

cJSON *attributes_json(const struct attributes *attributes)
{
    cJSON *object = json_object();
    for (size_t i = 0; i < attributes->count; i++)
        json_put_string(object, attributes->at[i].name, attributes->at[i].value);
    return object;
}

/* --- what a type says of them --- */

/* What a value may be is in the schema once, for the defaults of attributes: what AWS IoT takes. */
static const char *allowed_values(void)
{
    const cJSON *attributes =
        json_get(json_get(schema_named("sensortype"), "properties"), "attributes");
    const cJSON *rule =
        json_get(json_get(json_get(attributes, "additionalProperties"), "properties"), "default");
    return json_string(rule, "pattern", "");
}

static enum status check_value(const cJSON *attribute, const char *value, const char *where,
                               struct error *error)
{
    const char *name = json_string(attribute, "name", "");
    const char *pattern = json_string(attribute, "pattern", NULL);
    if (!pattern_matches(allowed_values(), value)) {
        fail(error, WRONG_INPUT, "%s\"%s\" cannot be the value of %s", where, value, name);
        return advise(error,
                      "1 to 800 of letters, digits and _.,@/:#=[]- (AWS IoT takes no other)");
    }
    if (pattern && !pattern_matches(pattern, value))
        return fail(error, WRONG_INPUT, "%s\"%s\" does not match the pattern of %s: %s", where,
                    value, name, pattern);
    return FINE;
}

static enum status unknown_attribute(const cJSON *type, const char *name, const char *where,
                                     struct error *error)
{
    const char *words[64];
    size_t count = 0;
    const cJSON *known;
    cJSON_ArrayForEach(known, json_get(type, "attributes"))
    {
        if (count < 64)
            words[count++] = json_string(known, "name", "");
    }
    fail(error, WRONG_INPUT, "%s%s has no attribute \"%s\"", where, json_string(type, "name", ""),
         name);
    owned char *hint = choice_hint(name, words, count);
    return count ? advise(error, "%s", hint) : WRONG_INPUT;
}

static enum status complete_one(const cJSON *attribute, const struct attributes *given,
                                const char *where, struct attributes *complete, struct error *error)
{
    const char *name = json_string(attribute, "name", "");
    const char *value = attributes_get(given, name);
    if (!value)
        value = json_string(attribute, "default", NULL);
    if (!value) {
        fail(error, WRONG_INPUT, "%sthe attribute \"%s\" is missing", where, name);
        return advise(error, "%s=... (%s)", name, json_string(attribute, "description", ""));
    }
    enum status status = check_value(attribute, value, where, error);
    if (!status)
        attributes_put(complete, name, value);
    return status;
}

enum status attributes_complete(const cJSON *type, const struct attributes *given,
                                const char *where, struct attributes *complete, struct error *error)
{
    const cJSON *attribute;
    enum status status = FINE;
    *complete = (struct attributes){0};
    cJSON_ArrayForEach(attribute, json_get(type, "attributes"))
    {
        if (!status)
            status = complete_one(attribute, given, where, complete, error);
    }
    for (size_t i = 0; i < given->count && !status; i++)
        if (!attributes_get(complete, given->at[i].name))
            status = unknown_attribute(type, given->at[i].name, where, error);
    if (status)
        attributes_free(complete);
    return status;
}
