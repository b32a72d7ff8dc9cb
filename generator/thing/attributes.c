#include "attributes.h"
#include "common/base/json.h"
#include "common/spec/problems.h"
#include "common/spec/schema.h"
#include "common/base/memory.h"

#include <stdlib.h>
#include <string.h>

/* The rule for all attributes is the one for their defaults in the schema: AWS IoT's. */
static enum status check_value(const cJSON *attribute, const char *value, const char *where,
                               struct error *error)
{
    const char *name = json_string(attribute, "name", "");
    const char *pattern = json_string(attribute, "pattern", NULL);
    const cJSON *attributes =
        json_get(json_get(schema_named("sensortype"), "properties"), "attributes");
    const cJSON *rule =
        json_get(json_get(json_get(attributes, "additionalProperties"), "properties"), "default");
    if (!pattern_matches(json_string(rule, "pattern", ""), value)) {
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

enum status attributes_complete(const cJSON *type, const cJSON *given, const char *where,
                                cJSON **attributes, struct error *error)
{
    const cJSON *attribute;
    cJSON *complete = json_object();
    enum status status = FINE;
    *attributes = NULL;
    cJSON_ArrayForEach(attribute, json_get(type, "attributes"))
    {
        const char *name = json_string(attribute, "name", "");
        const char *value = json_string(given, name, json_string(attribute, "default", NULL));
        if (!status && !value) {
            fail(error, WRONG_INPUT, "%sthe attribute \"%s\" is missing", where, name);
            status = advise(error, "%s=... (%s)", name, json_string(attribute, "description", ""));
        }
        if (!status)
            status = check_value(attribute, value, where, error);
        if (!status)
            json_put_string(complete, name, value);
    }
    cJSON_ArrayForEach(attribute, given)
    {
        if (!status && !json_get(complete, attribute->string))
            status = unknown_attribute(type, attribute->string, where, error);
    }
    if (status)
        cJSON_Delete(complete);
    else
        *attributes = complete;
    return status;
}
