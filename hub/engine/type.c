#include "type.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/rule/topic_rule.h"
#include "common/base/paths.h"
#include "common/spec/system.h"
#include "common/spec/yaml.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST_DOCUMENT = 1 << 20 };

static const double day_seconds = 86400, hour_seconds = 3600;

/* --- tables and log groups --- */

/* The table of this name. What is said of one table comes from several documents, in any order. */
static struct action_table *find_table(struct type *type, const char *name)
{
    for (size_t i = 0; i < type->table_count; i++)
        if (strcmp(type->tables[i].definition.name, name) == 0)
            return &type->tables[i];
    type->tables = must_realloc(type->tables, (type->table_count + 1) * sizeof *type->tables);
    struct action_table *made = &type->tables[type->table_count++];
    *made = (struct action_table){.definition = {.name = must_copy(name), .kind = TABLE_ITEMS}};
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
    struct action_table *table = find_table(type, json_string(document, "TableName", ""));
    bool by_id = has_key(document, "id", "RANGE", "S");
    table->definition.by_id = by_id;
    if (has_key(document, "thing", "HASH", "S") &&
        (by_id || has_key(document, "time", "RANGE", "N")))
        return FINE;
    fail(error, WRONG_INPUT,
         "%s: the key of a table must be thing (HASH, S), and time (RANGE, N) or id (RANGE, S)",
         path);
    return advise(error, "the local database supports no other key");
}

/* Without writes to the magnetic store, Timestream takes readings as long as the memory store keeps
 * them. */
static void take_readings(struct type *type, const cJSON *document)
{
    struct action_table *table = find_table(type, json_string(document, "TableName", ""));
    const cJSON *retention = json_get(document, "RetentionProperties");
    const cJSON *late_writes = json_get(document, "MagneticStoreWriteProperties");
    table->definition.kind = TABLE_READINGS;
    table->definition.retention_seconds =
        json_number(retention, "MagneticStoreRetentionPeriodInDays", 0) * day_seconds;
    if (!json_true(late_writes, "EnableMagneticStoreWrites"))
        table->oldest_seconds =
            json_number(retention, "MemoryStoreRetentionPeriodInHours", 0) * hour_seconds;
}

static void take_log_retention(struct type *type, const cJSON *document)
{
    type->logs = must_realloc(type->logs, (type->log_count + 1) * sizeof *type->logs);
    type->logs[type->log_count++] =
        (struct log_retention){must_copy(json_string(document, "logGroupName", "")),
                               json_number(document, "retentionInDays", 0) * day_seconds};
}

/* --- rules --- */

static enum status compile_rule(const struct type *type, const struct system_topics *notify,
                                const char *path, const cJSON *document, struct hub_rule *rule,
                                struct error *error)
{
    const cJSON *payload = json_get(document, "topicRulePayload"), *action;
    const cJSON *list = json_get(payload, "actions"), *failing = json_get(payload, "errorAction");
    const struct action_scope scope = {type->tables, type->table_count, notify};
    enum status status = topic_rule_statement(path, payload, &rule->rule, error);
    rule->name = must_copy(json_string(document, "ruleName", ""));
    rule->invalid = ends_with(path, "/invalid-rule.json");
    rule->actions = must_array((size_t)cJSON_GetArraySize(list), sizeof *rule->actions);
    cJSON_ArrayForEach(action, list)
    {
        if (status)
            break;
        char *place = must_format("%s: actions[%zu]", path, rule->action_count);
        status = action_compile(&scope, action, rule->rule, place,
                                &rule->actions[rule->action_count++], error);
    }
    if (!status && failing) {
        rule->error_action = must_alloc(sizeof *rule->error_action);
        status = action_compile(&scope, failing, rule->rule, must_format("%s: errorAction", path),
                                rule->error_action, error);
    }
    return status;
}

static void free_rule(struct hub_rule *rule)
{
    for (size_t i = 0; i < rule->action_count; i++)
        definition_free(&rule->actions[i]);
    free(rule->actions);
    if (rule->error_action)
        definition_free(rule->error_action);
    free(rule->error_action);
    rule_free(rule->rule);
    free(rule->name);
}

static enum status take_rule(struct type *type, const struct system_topics *notify,
                             const char *path, const cJSON *document, struct error *error)
{
    if (json_true(json_get(document, "topicRulePayload"), "ruleDisabled"))
        return FINE;
    type->rules = must_realloc(type->rules, (type->rule_count + 1) * sizeof *type->rules);
    struct hub_rule *rule = &type->rules[type->rule_count++];
    *rule = (struct hub_rule){0};
    return compile_rule(type, notify, path, document, rule, error);
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

/* Called before the rules are compiled: their actions name tables. */
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
            find_table(type, json_string(document, "TableName", ""))->definition.expires = true;
        else if (json_get(document, "logGroupName") && json_get(document, "retentionInDays"))
            take_log_retention(type, document);
    }
    return status;
}

/* --- declared columns --- */

static void declare(struct type *type, const char *name, const char *kind)
{
    struct column column = {.length = strlen(name)};
    if (column.length > LONGEST_COLUMN || !column_kind_named(kind, &column.kind))
        return;
    memcpy(column.name, name, column.length);
    type->declared =
        must_realloc(type->declared, (type->declared_count + 1) * sizeof *type->declared);
    type->declared[type->declared_count++] = column;
}

/* kind: of all of them; NULL: each says its own. */
static void declare_all(struct type *type, const struct yaml_node *list, const char *kind)
{
    for (size_t i = 0; list && list->kind == YAML_MAP && i < list->count; i++) {
        const struct yaml_node *own = yaml_get(list->items[i], "type");
        if (kind || (own && own->kind == YAML_SCALAR))
            declare(type, list->keys[i]->text, kind ? kind : own->text);
    }
}

/* Attributes and measures have their columns from the start, so that no reading decides of what type
 * they are. A spec that cannot be read declares nothing. */
static void read_declared(struct type *type)
{
    struct source source = {.name = must_format(TYPE_SPEC, type->name)};
    struct problems problems = {.source = &source};
    struct yaml yaml = {0};
    struct error error = {0};
    if (read_file(source.name, YAML_LARGEST, &source.bytes, &error) == FINE) {
        yaml_tree_load(&source, &yaml, &problems);
        declare_all(type, yaml_get(yaml.root, "attributes"), "varchar");
        declare_all(type, yaml_get(yaml.root, "measures"), NULL);
    }
    yaml_tree_free(&yaml);
    problems_free(&problems);
    source_free(&source);
    error_free(&error);
}

/* The valid readings' table has them. */
static void hand_out_declared(struct type *type)
{
    for (size_t i = 0; i < type->table_count; i++) {
        struct table_definition *table = &type->tables[i].definition;
        if (table->kind == TABLE_READINGS && type->valid_table &&
            strcmp(table->name, type->valid_table) == 0) {
            table->declared = type->declared;
            table->declared_count = type->declared_count;
        }
    }
}

/* The tables of the first valid and the first invalid rule. */
static void find_main_tables(struct type *type)
{
    for (size_t i = 0; i < type->rule_count; i++) {
        const struct hub_rule *rule = &type->rules[i];
        char **main_table = rule->invalid ? &type->invalid_table : &type->valid_table;
        for (size_t k = 0; k < rule->action_count && !*main_table; k++) {
            const struct action *action = &rule->actions[k];
            if (action_puts_rows(action) && !action->why_not)
                *main_table = must_copy(action->resource);
        }
    }
}

const struct rule *type_valid_rule(const struct type *type)
{
    for (size_t i = 0; i < type->rule_count; i++)
        if (!type->rules[i].invalid)
            return type->rules[i].rule;
    return NULL;
}

static void link_rules(struct type *type)
{
    for (size_t i = 0; i < type->rule_count; i++) {
        struct hub_rule *rule = &type->rules[i];
        rule->type = type->name;
        rule->valid = rule->invalid ? type_valid_rule(type) : NULL;
    }
}

enum status type_load(const char *name, const struct system_topics *notify, struct type **made,
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
            status = take_rule(type, notify, list[i].path, list[i].json, error);
    for (size_t i = 0; i < count; i++) {
        free(list[i].path);
        cJSON_Delete(list[i].json);
    }
    free(list);
    find_main_tables(type);
    link_rules(type);
    read_declared(type);
    hand_out_declared(type);
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
        free((char *)type->tables[i].definition.name);
    for (size_t i = 0; i < type->log_count; i++)
        free(type->logs[i].group);
    free(type->rules);
    free(type->tables);
    free(type->logs);
    free(type->valid_table);
    free(type->declared);
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
