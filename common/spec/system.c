#include "system.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "schema.h"
#include "spec.h"

#include <stdlib.h>
#include <string.h>

/* As the schema writes them; a unit test holds them against it. */
static const char *const target_names[] = {[TARGET_LOCAL] = "local", [TARGET_AWS] = "aws"};
static const char *const store_names[] = {
    [STORE_TIMESTREAM] = "timestream", [STORE_DYNAMODB] = "dynamodb"};

static bool find_word(const char *const *words, size_t count, const char *word, size_t *found)
{
    for (*found = 0; *found < count; ++*found)
        if (strcmp(words[*found], word) == 0)
            return true;
    return false;
}

const char *system_target_name(enum target_kind kind)
{
    return target_names[kind];
}

bool system_target_named(const char *name, enum target_kind *kind)
{
    size_t found;
    bool known = find_word(target_names, sizeof target_names / sizeof *target_names, name, &found);
    if (known)
        *kind = (enum target_kind)found;
    return known;
}

const char *system_store_name(enum cloud_store store)
{
    return store_names[store];
}

/* --- from JSON to settings --- */

static void read_topics(struct system_topics *topics, const cJSON *notify)
{
    const cJSON *topic, *address;
    topics->at = must_array((size_t)cJSON_GetArraySize(notify), sizeof *topics->at);
    cJSON_ArrayForEach(topic, notify)
    {
        struct system_topic *made = &topics->at[topics->count++];
        size_t most = (size_t)cJSON_GetArraySize(topic);
        *made = (struct system_topic){.name = topic->string,
                                      .addresses = must_array(most, sizeof *made->addresses)};
        cJSON_ArrayForEach(address, topic) made->addresses[made->count++] = address->valuestring;
    }
}

static void free_topics(struct system_topics *topics)
{
    for (size_t i = 0; i < topics->count; i++)
        free(topics->at[i].addresses);
    free(topics->at);
    *topics = (struct system_topics){0};
}

static void read_local(struct system *system, const cJSON *local)
{
    const cJSON *http = json_get(local, "http");
    system->local.host = json_string(local, "host", "");
    system->local.mqtt_port = (int)json_number(local, "mqtt_port", 0);
    system->local.http.address = json_string(http, "address", "");
    system->local.http.port = (int)json_number(http, "port", 0);
    system->local.messages_per_second = (int)json_number(local, "messages_per_second", 0);
    system->local.bytes_per_second = (int)json_number(local, "bytes_per_second", 0);
    system->local.store = json_string(local, "store", "");
    read_topics(&system->local.notify, json_get(local, "notify"));
}

static void read_aws(struct system *system, const cJSON *aws)
{
    size_t store;
    system->aws.region = json_string(aws, "region", NULL);
    system->aws.account = json_string(aws, "account", "");
    system->aws.profile = json_string(aws, "profile", "");
    if (find_word(store_names, sizeof store_names / sizeof *store_names,
                  json_string(aws, "store", ""), &store))
        system->aws.store = (enum cloud_store)store;
    system->aws.requests_per_second = json_number(aws, "requests_per_second", 0);
}

/* The schema has filled in the defaults, so that every member with one is there. */
static void read_all(struct system *system)
{
    const cJSON *json = system->json;
    free_topics(&system->local.notify);
    system->name = json_string(json, "name", "");
    system->database = json_string(json, "database", "");
    system_target_named(json_string(json, "target", ""), &system->target);
    system->ntp = json_string(json, "ntp", "");
    read_local(system, json_get(json, "local"));
    read_aws(system, json_get(json, "aws"));
}

void system_take(struct spec *spec, struct system *system)
{
    *system = (struct system){.json = spec->json};
    spec->json = NULL;
    read_all(system);
}

enum status system_read(struct system *system, struct error *error)
{
    struct spec spec = {0};
    *system = (struct system){0};
    enum status status = spec_read_system(&spec, error);
    if (!status)
        status = spec_require(&spec, error);
    if (!status)
        system_take(&spec, system);
    spec_free(&spec);
    return status;
}

void system_free(struct system *system)
{
    free_topics(&system->local.notify);
    cJSON_Delete(system->json);
    *system = (struct system){0};
}

/* --- choices and questions --- */

static void replace(struct system *system, const char *key, const char *value)
{
    json_put_string(system->json, key, value);
    read_all(system);
}

void system_set_database(struct system *system, const char *database)
{
    replace(system, "database", database);
}

enum status system_choose(struct system *system, const char *key, const char *value,
                          struct error *error)
{
    if (!value)
        return FINE;
    const cJSON *schema = json_get(json_get(schema_named("system"), "properties"), key);
    struct yaml_node node = {
        .kind = YAML_SCALAR, .text = value, .length = strlen(value), .quoted = true};
    struct source source = {.name = (char *)"the command line"};
    struct problems problems = {.source = &source};
    cJSON *checked = schema_check(schema, schema, &node, &problems);
    enum status status = FINE;
    if (problems.errors) {
        status = fail(error, WRONG_USAGE, "--%s: %s", key, problems.at[0].message);
        if (problems.at[0].hint)
            advise(error, "%s", problems.at[0].hint);
    } else {
        replace(system, key, value);
    }
    cJSON_Delete(checked);
    problems_free(&problems);
    return status;
}

const struct system_topic *system_topic(const struct system_topics *topics, const char *name)
{
    for (size_t i = 0; topics && i < topics->count; i++)
        if (strcmp(topics->at[i].name, name) == 0)
            return &topics->at[i];
    return NULL;
}
