#include "rules.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/rule/rule.h"

#include <stdlib.h>
#include <string.h>

#define READ_AT "floor(nanvl(time, timestamp()))"

/* Timestream refuses times that are more than 15 minutes in the future ("Quotas"). */
enum { AHEAD_MILLISECONDS = 15 * 60 * 1000 };

/* What joins the next condition to those before it. */
static const char *joint(const struct text *condition)
{
    return condition->length ? " AND " : "";
}

static void add_number(struct text *out, double number)
{
    cJSON *value = cJSON_CreateNumber(number);
    json_compact(value, out);
    cJSON_Delete(value);
}

static void add_attribute_conditions(struct text *condition, const cJSON *attributes)
{
    const cJSON *attribute;
    cJSON_ArrayForEach(attribute, attributes)
    {
        const char *name = json_string(attribute, "name", "");
        text_add_format(condition, "%s%s + '' = %s AND %s <> ''", joint(condition), name, name,
                        name);
    }
}

static void add_measure_condition(struct text *condition, const cJSON *measure)
{
    const char *name = json_string(measure, "name", "");
    const cJSON *least = json_get(measure, "minimum"), *most = json_get(measure, "maximum");
    text_add_string(condition, joint(condition));
    if (json_true(measure, "is_double"))
        text_add_format(condition, "%s - 0 = %s", name, name);
    else if (json_true(measure, "is_bigint"))
        text_add_format(condition, "floor(%s) = %s", name, name);
    else if (json_true(measure, "is_boolean"))
        text_add_format(condition, "(%s = true OR %s = false)", name, name);
    else
        text_add_format(condition, "%s + '' = %s", name, name);
    if (cJSON_IsNumber(least)) {
        text_add_format(condition, " AND %s >= ", name);
        add_number(condition, least->valuedouble);
    }
    if (cJSON_IsNumber(most)) {
        text_add_format(condition, " AND %s <= ", name);
        add_number(condition, most->valuedouble);
    }
}

/* The time of the reading, if it has one, must be a number that the table accepts. */
static void add_time_condition(struct text *condition, const cJSON *type, bool dynamodb)
{
    double hours = json_number(json_get(type, "retention"), "memory_hours", 0);
    text_add_format(condition, "%snanvl(time, 0) - 0 = nanvl(time, 0)", joint(condition));
    if (dynamodb)
        return;
    text_add_string(condition, " AND nanvl(time, timestamp()) >= timestamp() - ");
    add_number(condition, hours * 3600 * 1000);
    text_add_format(condition, " AND nanvl(time, timestamp()) <= timestamp() + %d",
                    AHEAD_MILLISECONDS);
}

static void derive_condition(struct text *condition, const cJSON *type, bool dynamodb)
{
    const cJSON *measure;
    add_attribute_conditions(condition, json_get(type, "attributes"));
    cJSON_ArrayForEach(measure, json_get(type, "measures"))
        add_measure_condition(condition, measure);
    add_time_condition(condition, type, dynamodb);
}

/* DynamoDB: each root key becomes a column, and the table's key must be among them. */
static void add_key_columns(struct text *out, const cJSON *type, const char *time,
                            const char *seconds)
{
    text_add_format(out, "topic(2) AS thing, %s AS time, %s + ", time, seconds);
    add_number(out, json_number(json_get(type, "retention"), "magnetic_seconds", 0));
    text_add_string(out, " AS expires, ");
}

static void add_names(struct text *out, const cJSON *list)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, list) text_add_format(out, "%s, ", json_string(item, "name", ""));
}

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
        else
            text_add_format(out, "%s, ", name);
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
 * blank behind it; "" when it has none. */
static void add_invalid(cJSON *rules, const cJSON *type, const char *set, const char *condition)
{
    struct text sql = {0};
    text_add_format(&sql, "%sSELECT ", set);
    add_key_columns(&sql, type, "timestamp()", "floor(timestamp() / 1000)");
    text_add_string(&sql, MESSAGE_ID "encode(*, 'base64') AS payload, ");
    add_names(&sql, json_get(type, "attributes"));
    add_names(&sql, json_get(type, "measures"));
    drop_last_comma(&sql);
    text_add_format(&sql, " FROM '%s' WHERE ", json_string(type, "topic_filter", ""));
    if (*condition)
        text_add_format(&sql, "CASE isUndefined((%s)) WHEN true THEN true ELSE (%s) <> true END",
                        condition, condition);
    else
        text_add_string(&sql, "false");
    cJSON *rule = json_object();
    owned char *name = must_format("%s_invalid", json_string(type, "name", ""));
    json_put_string(rule, "name", name);
    json_put_string(rule, "sql", text_string(&sql));
    json_put_string(rule, "sql_version", "2016-03-23");
    json_put(rules, "invalid", rule);
    text_free(&sql);
}

static void add_derived(cJSON *rules, const cJSON *type, bool dynamodb)
{
    struct text sql = {0}, condition = {0};
    derive_condition(&condition, type, dynamodb);
    text_add_string(&sql, "SELECT ");
    if (dynamodb) {
        add_key_columns(&sql, type, READ_AT, "floor(nanvl(time, timestamp()) / 1000)");
        add_names(&sql, json_get(type, "attributes"));
    }
    add_measures(&sql, json_get(type, "measures"));
    drop_last_comma(&sql);
    text_add_format(&sql, " FROM '%s' WHERE %s", json_string(type, "topic_filter", ""),
                    text_string(&condition));
    add_valid(rules, type, text_string(&sql), "2015-10-08");
    add_invalid(rules, type, "", text_string(&condition));
    text_free(&sql);
    text_free(&condition);
}

/* The person's own statement stands as it is; for DynamoDB the key columns follow its list. The
 * checker has seen it compile. */
static void add_written(cJSON *rules, const cJSON *type, const cJSON *spec_rule, bool dynamodb)
{
    const char *sql = json_string(spec_rule, "sql", "");
    const char *name = json_string(spec_rule, "sql_version", "2015-10-08");
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

void rules_add(cJSON *type, const cJSON *spec, bool dynamodb)
{
    cJSON *rules = json_object();
    const cJSON *rule = json_get(spec, "rule");
    if (json_get(rule, "sql"))
        add_written(rules, type, rule, dynamodb);
    else
        add_derived(rules, type, dynamodb);
    json_put_string(type, "timestamp", "${" READ_AT "}");
    json_put(type, "rules", rules);
}
