#include "topic_rule.h"
#include "common/base/json.h"
#include "common/base/memory.h"

#include <stdlib.h>
#include <string.h>

bool is_topic_rule(const cJSON *document)
{
    return cJSON_IsObject(json_get(document, "topicRulePayload"));
}

static enum status at_fault(const char *file, const char *what, const char *text,
                            const struct rule_fault *fault, struct error *error)
{
    size_t line, column;
    find_place(text, fault->offset, &line, &column);
    enum status status =
        fail(error, WRONG_INPUT, "%s: %s:%zu:%zu: %s", file, what, line, column, fault->message);
    return *fault->hint ? advise(error, "%s", fault->hint) : status;
}

enum status topic_rule_template(const char *file, const char *what, const char *text,
                                const struct rule *rule, struct rule_template **made,
                                struct error *error)
{
    struct rule_fault fault;
    *made = rule_template_compile(text, strlen(text), rule_version_of(rule), rule, &fault);
    return *made ? FINE : at_fault(file, what, text, &fault, error);
}

/* Compiles a member of the document; *compiled is NULL where there is none. */
static enum status read_template(const char *file, const cJSON *object, const char *name,
                                 const struct rule *rule, struct rule_template **compiled,
                                 struct error *error)
{
    const char *text = json_string(object, name, NULL);
    *compiled = NULL;
    return text ? topic_rule_template(file, name, text, rule, compiled, error) : FINE;
}

static enum status add_dimension(const char *file, const cJSON *written, const struct rule *rule,
                                 struct topic_action *action, struct error *error)
{
    action->dimensions = must_grow(action->dimensions, action->dimension_count,
                                   &action->dimension_room, sizeof *action->dimensions);
    struct topic_dimension *dimension = &action->dimensions[action->dimension_count++];
    *dimension = (struct topic_dimension){.name = must_copy(json_string(written, "name", ""))};
    return read_template(file, written, "value", rule, &dimension->value, error);
}

static enum status read_timestream(const char *file, const cJSON *written, const struct rule *rule,
                                   struct topic_action *action, struct error *error)
{
    const cJSON *time = json_get(written, "timestamp"), *dimension;
    action->kind = TOPIC_TIMESTREAM;
    action->unit = must_copy(json_string(time, "unit", "MILLISECONDS"));
    enum status status =
        read_template(file, written, "databaseName", rule, &action->database, error);
    if (!status)
        status = read_template(file, written, "tableName", rule, &action->table, error);
    if (!status)
        status = read_template(file, time, "value", rule, &action->time, error);
    cJSON_ArrayForEach(dimension, json_get(written, "dimensions"))
    {
        if (!status)
            status = add_dimension(file, dimension, rule, action, error);
    }
    return status;
}

static enum status add_action(const char *file, const cJSON *written, struct topic_rule *rule,
                              struct error *error)
{
    const cJSON *one = written->child;
    if (!one || one->next || !cJSON_IsObject(one))
        return fail(error, WRONG_INPUT, "%s: an action is an object with one member", file);
    rule->actions =
        must_grow(rule->actions, rule->action_count, &rule->action_room, sizeof *rule->actions);
    struct topic_action *action = &rule->actions[rule->action_count++];
    *action = (struct topic_action){.kind = TOPIC_OTHER, .name = must_copy(one->string)};
    if (strcmp(one->string, "timestream") == 0)
        return read_timestream(file, one, rule->rule, action, error);
    if (strcmp(one->string, "dynamoDBv2") == 0) {
        action->kind = TOPIC_DYNAMODB_V2;
        return read_template(file, json_get(one, "putItem"), "tableName", rule->rule,
                             &action->table, error);
    }
    return FINE;
}

enum status topic_rule_statement(const char *file, const cJSON *payload, struct rule **made,
                                 struct error *error)
{
    const char *sql = json_string(payload, "sql", NULL);
    const char *said = json_string(payload, "awsIotSqlVersion", NULL);
    enum rule_version version = DEFAULT_SQL_VERSION;
    struct rule_fault fault;
    if (!sql)
        return fail(error, WRONG_INPUT, "%s: the rule has no sql", file);
    if (said && !rule_version_read(said, &version))
        return fail(error, WRONG_INPUT, "%s: \"%s\" is not a version of AWS IoT SQL", file, said);
    *made = rule_compile(sql, strlen(sql), version, &fault);
    return *made ? FINE : at_fault(file, "sql", sql, &fault, error);
}

enum status topic_rule_compile(const char *file, const cJSON *document, struct topic_rule *rule,
                               struct error *error)
{
    const cJSON *payload = json_get(document, "topicRulePayload"), *action;
    *rule = (struct topic_rule){.name = must_copy(json_string(document, "ruleName", file)),
                                .disabled = json_true(payload, "ruleDisabled")};
    enum status status = topic_rule_statement(file, payload, &rule->rule, error);
    rule->sql = must_copy(json_string(payload, "sql", ""));
    cJSON_ArrayForEach(action, json_get(payload, "actions"))
    {
        if (!status)
            status = add_action(file, action, rule, error);
    }
    if (status)
        topic_rule_free(rule);
    return status;
}

static void free_action(struct topic_action *action)
{
    for (size_t i = 0; i < action->dimension_count; i++) {
        free(action->dimensions[i].name);
        rule_template_free(action->dimensions[i].value);
    }
    free(action->dimensions);
    free(action->name);
    free(action->unit);
    rule_template_free(action->database);
    rule_template_free(action->table);
    rule_template_free(action->time);
}

void topic_rule_free(struct topic_rule *rule)
{
    for (size_t i = 0; i < rule->action_count; i++)
        free_action(&rule->actions[i]);
    free(rule->actions);
    free(rule->name);
    free(rule->sql);
    rule_free(rule->rule);
    *rule = (struct topic_rule){0};
}

bool topic_rule_matches(const char *name, const struct rule *rule, const char *topic)
{
    size_t length;
    const char *wanted = rule_ingest(topic, &length);
    if (wanted)
        return strlen(name) == length && memcmp(name, wanted, length) == 0;
    return rule_matches(rule, topic);
}

const char *timestream_type(const char *json)
{
    if (*json == 'n')
        return NULL;
    if (*json == 't' || *json == 'f')
        return "boolean";
    if (!strchr("-0123456789", *json))
        return "varchar";
    return strpbrk(json, ".eE") ? "double" : "bigint";
}
