/* What the checks of a spec share. */
#include "checks.h"

#include "common/base/json.h"
#include "common/base/names.h"

#include <string.h>

const struct yaml_node *checks_walk(const struct yaml_node *node, const char *const *path)
{
    for (; *path; path++) {
        const struct yaml_node *inner = yaml_get(node, *path);
        if (!inner)
            break;
        node = inner;
    }
    return node;
}

char *checks_hint_of_keys(const char *word, const cJSON *object)
{
    const char *words[128];
    size_t count = 0;
    const cJSON *member;
    cJSON_ArrayForEach(member, object)
    {
        if (count < 128)
            words[count++] = member->string;
    }
    return count ? choice_hint(word, words, count) : NULL;
}

bool checks_is_numeric(const cJSON *measure)
{
    const char *type = json_string(measure, "type", "double");
    return strcmp(type, "double") == 0 || strcmp(type, "bigint") == 0;
}
