#include "rules.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/rule/rule.h"
#include "condition.h"

#include <stdlib.h>
#include <string.h>

/* The SQL versions. In the older one 25.0 stays a decimal, which Timestream's columns need. */
#define DECIMALS_STAY "2015-10-08"
#define NEWER "2016-03-23"

#define READ_AT "floor(nanvl(time, timestamp()))"

/* DynamoDB: each root key becomes a column, and the table's key must be among them. */
static void add_key_columns(struct text *out, const cJSON *type, const char *time,
                            const char *seconds)
{
    text_add_format(out, "topic(2) AS thing, %s AS time, %s + ", time, seconds);
    condition_add_number(out, json_number(json_get(type, "retention"), "magnetic_seconds", 0));
    text_add_string(out, " AS expires, ");
}

static void add_names(struct text *out, const cJSON *list)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, list) text_add_format(out, "%s, ", json_string(item, "name", ""));
}

/* An optional measure may be null, for which no table has a place: all of these are Undefined then,
 * and not selected. */
static void add_measures(struct text *out, const cJSON *measures)
{
    const cJSON *measure;
    cJSON_ArrayForEach(measure, measures)
    {
        const char *name = json_string(measure, "name", "");
        if (json_true(measure, "is_double"))
            text_add_format(out, "%s + 0.0 AS %s, ", name, name);
        else if (json_true(measure, "is_bigint"))
            text_add_format(out, "floor(%s) AS %s, ", name, name);
        else if (!json_true(measure, "optional"))
            text_add_format(out, "%s, ", name);
        else if (json_true(measure, "is_boolean"))
            text_add_format(out, "CASE %s WHEN true THEN true WHEN false THEN false END AS %s, ",
                            name, name);
        else
            text_add_format(out, "%s + '' AS %s, ", name, name);
    }
}

static void drop_last_comma(struct text *out)
{
    out->length -= 2;
    out->at[out->length] = '\0';
}

static void add_valid(cJSON *rules, const cJSON *type, const char *sql, const char *version)
{
    cJSON *rule = json_object();
    owned char *name = must_format("%s_valid", json_string(type, "name", ""));
    json_put_string(rule, "name", name);
    json_put_string(rule, "sql", sql);
    json_put_string(rule, "sql_version", version);
    json_put(rules, "valid", rule);
}

/* Two invalid readings of a thing may come in the same millisecond, and the second must not take
 * the place of the first: the message's own id tells them apart. Over HTTPS a message has none. */
#define MESSAGE_ID                                                                                 \
    "concat(timestamp(), '-', CASE isUndefined(traceid()) WHEN true THEN newuuid() "               \
    "ELSE traceid() END) AS id, "

/* condition: what the valid rule asks for; "" when it takes everything. set: its SET clause with a
 * blank behind it; "" when it has none. No field of the message is selected beside the payload: its
 * value could be one that DynamoDB refuses, and then the message would be in no table. */
static void add_invalid(cJSON *rules, const cJSON *type, const char *set, const char *condition)
{
    struct text sql = {0};
    text_add_format(&sql, "%sSELECT ", set);
    add_key_columns(&sql, type, "timestamp()", "floor(timestamp() / 1000)");
    text_add_format(&sql, MESSAGE_ID "encode(*, 'base64') AS payload FROM '%s' WHERE ",
                    json_string(type, "topic_filter", ""));
    if (*condition)
        text_add_format(&sql, "CASE isUndefined(NOT (%s)) WHEN true THEN true ELSE NOT (%s) END",
                        condition, condition);
    else
        text_add_string(&sql, "false");
    cJSON *rule = json_object();
    owned char *name = must_format("%s_invalid", json_string(type, "name", ""));
    json_put_string(rule, "name", name);
    json_put_string(rule, "sql", text_string(&sql));
    json_put_string(rule, "sql_version", NEWER);
    json_put(rules, "invalid", rule);
    text_free(&sql);
}

static void add_derived(cJSON *rules, const cJSON *type, bool dynamodb)
{
    struct text sql = {0}, condition = {0};
    condition_add(&condition, type, stores_takes(dynamodb ? STORE_DYNAMODB : STORE_TIMESTREAM));
    text_add_string(&sql, "SELECT ");
    if (dynamodb) {
        add_key_columns(&sql, type, READ_AT, "floor(nanvl(time, timestamp()) / 1000)");
        add_names(&sql, json_get(type, "attributes"));
    }
    add_measures(&sql, json_get(type, "measures"));
    drop_last_comma(&sql);
    text_add_format(&sql, " FROM '%s' WHERE %s", json_string(type, "topic_filter", ""),
                    text_string(&condition));
    add_valid(rules, type, text_string(&sql), dynamodb ? NEWER : DECIMALS_STAY);
    add_invalid(rules, type, "", text_string(&condition));
    text_free(&sql);
    text_free(&condition);
}

/* The person's own statement stands as it is; for DynamoDB the key columns follow its list. The
 * checker has seen it compile. */
static void add_written(cJSON *rules, const cJSON *type, const cJSON *spec_rule, bool dynamodb)
{
    const char *sql = json_string(spec_rule, "sql", "");
    const char *name = json_string(spec_rule, "sql_version", DECIMALS_STAY);
    enum rule_version version;
    struct rule_fault fault;
    rule_version_read(name, &version);
    struct rule *rule = rule_compile(sql, strlen(sql), version, &fault);
    if (!rule)
        return;
    const struct rule_outline *outline = rule_outline(rule);
    owned char *condition =
        must_copy_bytes(sql + outline->condition.offset, outline->condition.length);
    owned char *set = must_copy_bytes(sql + outline->set.offset, outline->set.length);
    struct text whole = {0};
    size_t end = outline->list.offset + outline->list.length;
    text_add(&whole, sql, end);
    if (dynamodb) {
        text_add_string(&whole, ", ");
        add_key_columns(&whole, type, READ_AT, "floor(nanvl(time, timestamp()) / 1000)");
        drop_last_comma(&whole);
        text_add_char(&whole, ' ');
    }
    text_add_string(&whole, sql + end + strspn(sql + end, dynamodb ? " " : ""));
    add_valid(rules, type, text_string(&whole), name);
    add_invalid(rules, type, set, condition);
    text_free(&whole);
    rule_free(rule);
}

cJSON *rules_selected(const cJSON *document)
{
    const cJSON *payload = json_get(document, "topicRulePayload");
    const char *sql = json_string(payload, "sql", "");
    enum rule_version version;
    struct rule_fault fault;
    if (!rule_version_read(json_string(payload, "awsIotSqlVersion", DECIMALS_STAY), &version))
        return NULL;
    struct rule *rule = rule_compile(sql, strlen(sql), version, &fault);
    const struct rule_outline *outline = rule ? rule_outline(rule) : NULL;
    cJSON *names = outline && !outline->whole ? json_array() : NULL;
    for (size_t i = 0; names && i < outline->column_count; i++) {
        owned char *name = must_copy_bytes(outline->columns[i].name, outline->columns[i].length);
        cJSON_AddItemToArray(names, cJSON_CreateString(name));
    }
    rule_free(rule);
    return names;
}

void rules_add(cJSON *type, const cJSON *spec, bool dynamodb)
{
    cJSON *rules = json_object();
    const cJSON *rule = json_get(spec, "rule");
    if (json_get(rule, "sql"))
        add_written(rules, type, rule, dynamodb);
    else
        add_derived(rules, type, dynamodb);
    json_put_bool(rules, "written", json_get(rule, "sql") != NULL);
    json_put_string(type, "timestamp", "${" READ_AT "}");
    json_put(type, "rules", rules);
}
