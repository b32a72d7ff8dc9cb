/* Topics: which of them a topic filter matches (MQTT 3.1.1, 4.7). */
#include "tree.h"

#include <string.h>

static bool levels_match(const char *filter, const char *topic)
{
    while (*filter) {
        if (*filter == '#')
            return true;
        if (*filter == '+') {
            filter++;
            topic += strcspn(topic, "/");
        } else if (*filter == *topic) {
            filter++;
            topic++;
        } else {
            return !*topic && strcmp(filter, "/#") == 0; /* a/# matches a */
        }
    }
    return !*topic;
}

bool rule_topic_matches(const char *filter, const char *topic)
{
    bool begins_with_wildcard = *filter == '+' || *filter == '#';
    return !(begins_with_wildcard && *topic == '$') && levels_match(filter, topic);
}

const char *rule_ingest(const char *topic, size_t *length)
{
    if (strncmp(topic, RULE_INGEST, strlen(RULE_INGEST)) != 0)
        return NULL;
    const char *name = topic + strlen(RULE_INGEST);
    *length = strcspn(name, "/");
    return *length ? name : NULL;
}

bool rule_matches(const struct rule *rule, const char *topic)
{
    const struct select *select = &rule->select;
    size_t length;
    if (!select->filter || (*topic == '$' && rule_ingest(topic, &length)) ||
        strncmp(select->filter, topic, select->plain_levels) != 0)
        return false;
    if (!select->plain_levels)
        return rule_topic_matches(select->filter, topic);
    return levels_match(select->filter + select->plain_levels, topic + select->plain_levels);
}
