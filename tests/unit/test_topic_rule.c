/* The document of a topic rule: what is taken from it, and what is said of a wrong one. */
#include "common/base/json.h"
#include "common/rule/topic_rule.h"
#include "workplace.h"

static enum status compile(const char *document, struct topic_rule *rule)
{
    cJSON *parsed = NULL;
    error_free(&error);
    assert_int_equal(json_parse("d", document, strlen(document), &parsed, &error), FINE);
    enum status status = topic_rule_compile("d.json", parsed, rule, &error);
    cJSON_Delete(parsed);
    return status;
}

static void refuses(const char *payload, const char *wanted)
{
    struct topic_rule rule;
    owned char *document = must_format("{\"ruleName\":\"r\",\"topicRulePayload\":%s}", payload);
    assert_int_equal(compile(document, &rule), WRONG_INPUT);
    assert_null(rule.rule);
    if (!strstr(text_string(&error.message), wanted))
        fail_msg("wanted: %s\ngot: %s", wanted, text_string(&error.message));
}

static char *made(const struct rule_template *template, const struct rule_message *message)
{
    struct rule_scratch *scratch = rule_scratch_new(0);
    struct rule_result result;
    rule_begin(scratch, message);
    assert_int_equal(rule_template_run(template, scratch, &result), RULE_SELECTED);
    char *copy = must_copy_bytes(result.bytes, result.length);
    rule_scratch_free(scratch);
    return copy;
}

static void a_timestream_action_has_its_templates(void **state)
{
    (void)state;
    struct rule_message message = {
        .topic = "greenhouse/kitchen", .payload = "{\"bed\":\"7\"}", .payload_length = 11};
    struct topic_rule rule;
    assert_int_equal(
        compile(
            "{\"ruleName\":\"r\",\"topicRulePayload\":{\"sql\":\"SELECT * FROM 'greenhouse/+'\","
            "\"awsIotSqlVersion\":\"2016-03-23\",\"ruleDisabled\":true,\"actions\":[{"
            "\"timestream\":{\"databaseName\":\"iot\",\"tableName\":\"t_${topic(1)}\","
            "\"dimensions\":[{\"name\":\"bed\",\"value\":\"b${bed}\"}],"
            "\"timestamp\":{\"value\":\"${timestamp()}\",\"unit\":\"SECONDS\"}}},"
            "{\"republish\":{\"topic\":\"x\"}}]}}",
            &rule),
        FINE);
    assert_string_equal(rule.name, "r");
    assert_true(rule.disabled);
    assert_int_equal(rule_version_of(rule.rule), RULE_2016_03_23);
    assert_int_equal(rule.action_count, 2);
    assert_int_equal(rule.actions[0].kind, TOPIC_TIMESTREAM);
    assert_string_equal(rule.actions[0].unit, "SECONDS");
    owned char *table = made(rule.actions[0].table, &message);
    owned char *dimension = made(rule.actions[0].dimensions[0].value, &message);
    assert_string_equal(table, "t_greenhouse");
    assert_string_equal(dimension, "b7");
    assert_int_equal(rule.actions[1].kind, TOPIC_OTHER);
    assert_string_equal(rule.actions[1].name, "republish");
    topic_rule_free(&rule);
}

static void without_a_version_it_is_the_first(void **state)
{
    (void)state;
    struct topic_rule rule;
    assert_int_equal(compile("{\"topicRulePayload\":{\"sql\":\"SELECT * FROM 'a'\"}}", &rule),
                     FINE);
    assert_int_equal(rule_version_of(rule.rule), RULE_2015_10_08);
    assert_string_equal(rule.name, "d.json");
    assert_int_equal(rule.action_count, 0);
    topic_rule_free(&rule);
}

static void what_is_wrong_has_its_place(void **state)
{
    (void)state;
    refuses("{}", "d.json: the rule has no sql");
    refuses("{\"sql\":\"SELECT * FROM 'a' WHERE (1\"}", "d.json: sql:1:");
    refuses("{\"sql\":\"SELECT * FROM 'a'\",\"awsIotSqlVersion\":\"2017\"}", "\"2017\" is not a");
    refuses("{\"sql\":\"SELECT * FROM 'a'\",\"actions\":[{}]}", "with one member");
    refuses("{\"sql\":\"SELECT * FROM 'a'\",\"actions\":[{\"dynamoDBv2\":{\"putItem\":{"
            "\"tableName\":\"x${1 +}\"}}}]}",
            "d.json: tableName:1:");
    refuses("{\"sql\":\"SELECT * FROM 'a'\",\"actions\":[{\"timestream\":{\"tableName\":\"t\","
            "\"dimensions\":[{\"name\":\"n\",\"value\":\"${(}\"}]}}]}",
            "d.json: value:1:");
}

static void other_documents_are_told_apart(void **state)
{
    (void)state;
    cJSON *document = cJSON_Parse("{\"policyDocument\":\"{}\"}");
    assert_false(is_topic_rule(document));
    assert_false(is_topic_rule(NULL));
    cJSON_Delete(document);
}

static void a_column_has_the_type_of_what_is_written(void **state)
{
    (void)state;
    assert_string_equal(timestream_type("25"), "bigint");
    assert_string_equal(timestream_type("-1"), "bigint");
    assert_string_equal(timestream_type("25.0"), "double");
    assert_string_equal(timestream_type("1E+12"), "double");
    assert_string_equal(timestream_type("true"), "boolean");
    assert_string_equal(timestream_type("false"), "boolean");
    assert_string_equal(timestream_type("\"25\""), "varchar");
    assert_string_equal(timestream_type("[1]"), "varchar");
    assert_string_equal(timestream_type("{}"), "varchar");
    assert_null(timestream_type("null"));
}

static int forget(void **state)
{
    (void)state;
    error_free(&error);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_timestream_action_has_its_templates),
        cmocka_unit_test(without_a_version_it_is_the_first),
        cmocka_unit_test(what_is_wrong_has_its_place),
        cmocka_unit_test(other_documents_are_told_apart),
        cmocka_unit_test(a_column_has_the_type_of_what_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, forget);
}
