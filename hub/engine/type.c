#include "type.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/rule/topic_rule.h"
#include "hub/actions/action.h"
#include "common/base/paths.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST_DOCUMENT = 1 << 20 };

static const double day_seconds = 86400;

/* --- facts about tables and log groups --- */

/* Facts of one table come from several documents, in any order. */
static struct table_definition *table_called(struct type *type, const char *name)
{
    for (size_t i = 0; i < type->table_count; i++)
        if (strcmp(type->tables[i].name, name) == 0)
            return &type->tables[i];
    type->tables = must_realloc(type->tables, (type->table_count + 1) * sizeof *type->tables);
    struct table_definition *made = &type->tables[type->table_count++];
    *made = (struct table_definition){.name = must_copy(name), .kind = TABLE_ITEMS};
    return made;
}

static bool has_key(const cJSON *document, const char *name, const char *role, const char *kind)
{
    const cJSON *item;
    bool key = false, typed = false;
    cJSON_ArrayForEach(item, json_get(document, "KeySchema")) key |=
        strcmp(json_string(item, "AttributeName", ""), name) == 0 &&
        strcmp(json_string(item, "KeyType", ""), role) == 0;
    cJSON_ArrayForEach(item, json_get(document, "AttributeDefinitions")) typed |=
        strcmp(json_string(item, "AttributeName", ""), name) == 0 &&
        strcmp(json_string(item, "AttributeType", ""), kind) == 0;
    return key && typed;
}

static enum status take_items(struct type *type, const char *path, const cJSON *document,
                              struct error *error)
{
    struct table_definition *table = table_called(type, json_string(document, "TableName", ""));
    table->by_id = has_key(document, "id", "RANGE", "S");
    if (has_key(document, "thing", "HASH", "S") &&
        (table->by_id || has_key(document, "time", "RANGE", "N")))
        return FINE;
    fail(error, WRONG_INPUT,
         "%s: the key of a table must be thing (HASH, S), and time (RANGE, N) or id (RANGE, S)",
         path);
    return advise(error, "the local database has no other");
}

static void take_readings(struct type *type, const cJSON *document)
{
    struct table_definition *table = table_called(type, json_string(document, "TableName", ""));
    const cJSON *retention = json_get(document, "RetentionProperties");
    table->kind = TABLE_READINGS;
    table->retention_seconds =
        json_number(retention, "MagneticStoreRetentionPeriodInDays", 0) * day_seconds;
    if (!json_true(json_get(document, "MagneticStoreWriteProperties"), "EnableMagneticStoreWrites"))
        table->latest_seconds =
            json_number(retention, "MemoryStoreRetentionPeriodInHours", 0) * 3600;
}

static void take_log_retention(struct type *type, const cJSON *document)
{
    type->logs = must_realloc(type->logs, (type->log_count + 1) * sizeof *type->logs);
    type->logs[type->log_count++] =
        (struct log_retention){must_copy(json_string(document, "logGroupName", "")),
                               json_number(document, "retentionInDays", 0) * day_seconds};
}

/* --- templates --- */

static enum status compile(const struct action *action, const char *field, const char *text,
                           struct rule_template **made, struct error *error)
{
    return topic_rule_template(action->place, field, text, action->version, made, error);
}

static bool is_template(const char *text)
{
    return strstr(text, "${") != NULL;
}

__attribute__((format(printf, 2, 3))) static void cannot(struct action *action, const char *format,
                                                         ...)
{
    struct text why = {0};
    va_list arguments;
    va_start(arguments, format);
    text_add_formatv(&why, format, arguments);
    va_end(arguments);
    free(action->why_not);
    action->why_not = text_take(&why);
}

static enum status add_pair(struct action *action, const char *name, const char *value,
                            struct error *error)
{
    action->pairs = must_realloc(action->pairs, (action->pair_count + 1) * sizeof *action->pairs);
    struct pair *pair = &action->pairs[action->pair_count++];
    *pair = (struct pair){.name = must_copy(name), .length = strlen(name)};
    return compile(action, name, value, &pair->value, error);
}

/* --- actions --- */

static const struct table_definition *find_table(const struct type *type, struct action *action,
                                                 const char *name, enum table_kind kind)
{
    action->resource = must_copy(name);
    if (is_template(name)) {
        cannot(action, "a table's name must be fixed, and is %s", name);
        return NULL;
    }
    for (size_t i = 0; i < type->table_count; i++)
        if (strcmp(type->tables[i].name, name) == 0 && type->tables[i].kind == kind)
            return &type->tables[i];
    cannot(action, "no document of this type makes the table \"%s\"", name);
    return NULL;
}

static enum status compile_timestream(const struct type *type, const cJSON *fields,
                                      struct action *action, struct error *error)
{
    static const struct {
        const char *name;
        double milliseconds;
    } units[] = {
        {"MILLISECONDS", 1}, {"SECONDS", 1e3}, {"MICROSECONDS", 1e-3}, {"NANOSECONDS", 1e-6}};
    const cJSON *dimension, *timestamp = json_get(fields, "timestamp");
    const char *unit = json_string(timestamp, "unit", "MILLISECONDS");
    const struct table_definition *table =
        find_table(type, action, json_string(fields, "tableName", ""), TABLE_READINGS);
    enum status status = FINE;
    if (table)
        action->oldest = table->latest_seconds * 1000;
    if (json_get(timestamp, "value"))
        status =
            compile(action, "timestamp", json_string(timestamp, "value", ""), &action->time, error);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(unit, units[i].name) == 0)
            action->time_unit = units[i].milliseconds;
    if (action->time_unit == 0)
        cannot(action, "\"%s\" is not a unit of time", unit);
    cJSON_ArrayForEach(dimension, json_get(fields, "dimensions"))
    {
        const char *name = json_string(dimension, "name", "");
        const char *value = json_string(dimension, "value", "");
        if (status)
            break;
        if (strcmp(name, "thing") == 0 && !action->thing)
            status = compile(action, name, value, &action->thing, error);
        else
            status = add_pair(action, name, value, error);
    }
    if (!action->thing)
        cannot(action, "it has no dimension called \"thing\"");
    return status;
}

static enum status compile_dynamodb(const struct type *type, const cJSON *fields,
                                    struct action *action, struct error *error)
{
    (void)error;
    find_table(type, action, json_string(json_get(fields, "putItem"), "tableName", ""),
               TABLE_ITEMS);
    return FINE;
}

static enum status compile_logs(const struct type *type, const cJSON *fields, struct action *action,
                                struct error *error)
{
    (void)type, (void)error;
    action->resource = must_copy(json_string(fields, "logGroupName", ""));
    if (is_template(action->resource))
        cannot(action, "a log group's name must be fixed, and is %s", action->resource);
    if (json_true(fields, "batchMode"))
        cannot(action, "batchMode is not done here");
    return FINE;
}

static enum status compile_republish(const struct type *type, const cJSON *fields,
                                     struct action *action, struct error *error)
{
    const char *topic = json_string(fields, "topic", "");
    (void)type;
    action->resource = must_copy(topic);
    action->qos = (int)json_number(fields, "qos", 0);
    if (action->qos != 0 && action->qos != 1)
        cannot(action, "qos must be 0 or 1");
    return compile(action, "topic", topic, &action->target, error);
}

static enum status compile_sns(const struct type *type, const cJSON *fields, struct action *action,
                               struct error *error)
{
    const char *arn = json_string(fields, "targetArn", "");
    (void)type;
    action->resource = must_copy(arn);
    action->structured = strcmp(json_string(fields, "messageFormat", "RAW"), "JSON") == 0;
    return compile(action, "targetArn", arn, &action->target, error);
}

/* A URL that is made of what a thing sent goes nowhere but where the operator allowed it. */
static enum status compile_http(const struct type *type, const cJSON *fields, struct action *action,
                                struct error *error)
{
    const char *url = json_string(fields, "url", "");
    const char *confirmation = json_string(fields, "confirmationUrl", NULL);
    const cJSON *header;
    (void)type;
    action->resource = must_copy(url);
    if (is_template(url) && !confirmation)
        cannot(action, "its url has ${...} in it, and there is no confirmationUrl");
    if (confirmation && is_template(confirmation))
        cannot(action, "its confirmationUrl has ${...} in it");
    if (json_get(fields, "auth"))
        cannot(action, "auth (Signature Version 4) is for services of AWS");
    enum status status = compile(action, "url", url, &action->target, error);
    if (!status && confirmation)
        status = compile(action, "confirmationUrl", confirmation, &action->allowed, error);
    cJSON_ArrayForEach(header, json_get(fields, "headers"))
    {
        if (!status)
            status = add_pair(action, json_string(header, "key", ""),
                              json_string(header, "value", ""), error);
    }
    return status;
}

static const struct {
    const char *name;
    enum action_kind kind;
    enum status (*compile)(const struct type *type, const cJSON *fields, struct action *action,
                           struct error *error);
} kinds[] = {
    {"timestream", ACTION_TIMESTREAM, compile_timestream},
    {"dynamoDBv2", ACTION_DYNAMODB, compile_dynamodb},
    {"cloudwatchLogs", ACTION_LOGS, compile_logs},
    {"republish", ACTION_REPUBLISH, compile_republish},
    {"sns", ACTION_SNS, compile_sns},
    {"http", ACTION_HTTP, compile_http},
};

/* {"<name>": {fields}}; place becomes the action's. */
static enum status compile_action(const struct type *type, const struct settings *settings,
                                  const cJSON *document, enum rule_version version, char *place,
                                  struct action *action, struct error *error)
{
    const cJSON *fields = document ? document->child : NULL;
    enum status status = FINE;
    *action = (struct action){.kind = ACTION_ELSEWHERE, .version = version, .place = place};
    if (!fields || !fields->string)
        return fail(error, WRONG_INPUT, "%s is no action", place);
    action->name = must_copy(fields->string);
    size_t i = 0, count = sizeof kinds / sizeof *kinds;
    while (i < count && strcmp(kinds[i].name, action->name) != 0)
        i++;
    if (i < count) {
        action->kind = kinds[i].kind;
        status = kinds[i].compile(type, fields, action, error);
    } else {
        action->resource = must_copy("");
        cannot(action, "%s is a service that this machine has not", action->name);
    }
    if (!status && action->kind == ACTION_SNS && !is_template(action->resource) &&
        !notify_targets(settings->notify, action->resource))
        cannot(action, "local.notify of " SYSTEM_FILE " has no entry for %s", action->resource);
    return status;
}

static void free_action(struct action *action)
{
    free(action->name);
    free(action->place);
    free(action->why_not);
    free(action->resource);
    rule_template_free(action->thing);
    rule_template_free(action->time);
    rule_template_free(action->target);
    rule_template_free(action->allowed);
    for (size_t i = 0; i < action->pair_count; i++) {
        free(action->pairs[i].name);
        rule_template_free(action->pairs[i].value);
    }
    free(action->pairs);
}

/* --- rules --- */

static enum status compile_rule(const struct type *type, const struct settings *settings,
                                const char *path, const cJSON *document, struct hub_rule *rule,
                                struct error *error)
{
    const cJSON *payload = json_get(document, "topicRulePayload"), *action;
    const cJSON *list = json_get(payload, "actions"), *failing = json_get(payload, "errorAction");
    enum status status = topic_rule_statement(path, payload, &rule->rule, error);
    rule->name = must_copy(json_string(document, "ruleName", ""));
    rule->type = type->name;
    rule->invalid = ends_with(path, "/invalid-rule.json");
    rule->actions = must_array((size_t)cJSON_GetArraySize(list), sizeof *rule->actions);
    cJSON_ArrayForEach(action, list)
    {
        if (status)
            break;
        char *place = must_format("%s: actions[%zu]", path, rule->action_count);
        status = compile_action(type, settings, action, rule_version_of(rule->rule), place,
                                &rule->actions[rule->action_count++], error);
    }
    if (!status && failing) {
        rule->error_action = must_alloc(sizeof *rule->error_action);
        status = compile_action(type, settings, failing, rule_version_of(rule->rule),
                                must_format("%s: errorAction", path), rule->error_action, error);
    }
    return status;
}

static void free_rule(struct hub_rule *rule)
{
    for (size_t i = 0; i < rule->action_count; i++)
        free_action(&rule->actions[i]);
    free(rule->actions);
    if (rule->error_action)
        free_action(rule->error_action);
    free(rule->error_action);
    rule_free(rule->rule);
    free(rule->name);
}

static enum status take_rule(struct type *type, const struct settings *settings, const char *path,
                             const cJSON *document, struct error *error)
{
    if (json_true(json_get(document, "topicRulePayload"), "ruleDisabled"))
        return FINE;
    type->rules = must_realloc(type->rules, (type->rule_count + 1) * sizeof *type->rules);
    struct hub_rule *rule = &type->rules[type->rule_count++];
    *rule = (struct hub_rule){0};
    return compile_rule(type, settings, path, document, rule, error);
}

/* --- all documents of a type --- */

struct document {
    char *path;
    cJSON *json;
};

static int by_path(const void *one, const void *other)
{
    return strcmp(((const struct document *)one)->path, ((const struct document *)other)->path);
}

static enum status read_documents(const char *type, struct document **list, size_t *count,
                                  struct error *error)
{
    owned char *folder = must_format(TYPE_DOCUMENTS, type);
    DIR *open_folder = opendir(folder);
    const struct dirent *entry;
    size_t room = 0;
    enum status status = FINE;
    if (!open_folder) {
        fail(error, WRONG_INPUT, "%s cannot be read: %s", folder, strerror(errno));
        return advise(error, "make sensortype NAME=%s makes it", type);
    }
    while (!status && (entry = readdir(open_folder))) {
        if (*entry->d_name == '.' || !ends_with(entry->d_name, ".json"))
            continue;
        *list = must_grow(*list, *count, &room, sizeof **list);
        struct document *document = &(*list)[(*count)++];
        *document = (struct document){.path = path_join(folder, entry->d_name)};
        status = json_read(document->path, LARGEST_DOCUMENT, &document->json, error);
    }
    closedir(open_folder);
    if (*count)
        qsort(*list, *count, sizeof **list, by_path);
    return status;
}

/* Tables before the actions that name them. */
static enum status take_tables(struct type *type, const struct document *list, size_t count,
                               struct error *error)
{
    enum status status = FINE;
    for (size_t i = 0; i < count && !status; i++) {
        const cJSON *document = list[i].json;
        bool named = json_string(document, "TableName", NULL) != NULL;
        if (named && json_get(document, "DatabaseName"))
            take_readings(type, document);
        else if (named && json_get(document, "KeySchema"))
            status = take_items(type, list[i].path, document, error);
        else if (named && json_get(document, "TimeToLiveSpecification"))
            table_called(type, json_string(document, "TableName", ""))->expires = true;
        else if (json_get(document, "logGroupName") && json_get(document, "retentionInDays"))
            take_log_retention(type, document);
    }
    return status;
}

/* Where the readings of the first rule of each kind go. */
static void find_main_tables(struct type *type)
{
    for (size_t i = 0; i < type->rule_count; i++) {
        const struct hub_rule *rule = &type->rules[i];
        char **main_table = rule->invalid ? &type->invalid_table : &type->valid_table;
        for (size_t k = 0; k < rule->action_count && !*main_table; k++) {
            const struct action *action = &rule->actions[k];
            if (action->kind > ACTION_DYNAMODB || action->why_not)
                continue;
            *main_table = must_copy(action->resource);
            if (!rule->invalid)
                type->valid_kind = action->kind == ACTION_TIMESTREAM ? TABLE_READINGS : TABLE_ITEMS;
        }
    }
}

enum status type_load(const char *name, const struct settings *settings, struct type **made,
                      struct error *error)
{
    struct type *type = must_alloc(sizeof *type);
    struct document *list = NULL;
    size_t count = 0;
    type->name = must_copy(name);
    enum status status = read_documents(name, &list, &count, error);
    if (!status)
        status = take_tables(type, list, count, error);
    for (size_t i = 0; i < count && !status; i++)
        if (json_get(list[i].json, "topicRulePayload"))
            status = take_rule(type, settings, list[i].path, list[i].json, error);
    for (size_t i = 0; i < count; i++) {
        free(list[i].path);
        cJSON_Delete(list[i].json);
    }
    free(list);
    find_main_tables(type);
    *made = status ? NULL : type;
    if (status)
        type_free(type);
    return status;
}

void type_free(struct type *type)
{
    if (!type)
        return;
    for (size_t i = 0; i < type->rule_count; i++)
        free_rule(&type->rules[i]);
    for (size_t i = 0; i < type->table_count; i++)
        free((char *)type->tables[i].name);
    for (size_t i = 0; i < type->log_count; i++)
        free(type->logs[i].group);
    free(type->rules);
    free(type->tables);
    free(type->logs);
    free(type->valid_table);
    free(type->invalid_table);
    free(type->name);
    free(type);
}

void type_faults(const struct type *type,
                 void (*each)(void *context, const struct hub_rule *rule,
                              const struct action *action),
                 void *context)
{
    for (size_t i = 0; i < type->rule_count; i++) {
        const struct hub_rule *rule = &type->rules[i];
        for (size_t k = 0; k < rule->action_count; k++)
            if (rule->actions[k].why_not)
                each(context, rule, &rule->actions[k]);
        if (rule->error_action && rule->error_action->why_not)
            each(context, rule, rule->error_action);
    }
}
