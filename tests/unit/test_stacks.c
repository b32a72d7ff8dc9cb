/* Two templates in, a list of changes out: what a deployment would do, as data and as text. */
#include "common/base/json.h"
#include "generator/deploy/plan.h"
#include "generator/deploy/resource.h"
#include "generator/deploy/template.h"
#include "workplace.h"

static cJSON *parsed(const char *json)
{
    cJSON *value = cJSON_Parse(json);
    assert_non_null(value);
    return value;
}

static void assert_json(const cJSON *value, const char *expected)
{
    struct text text = {0};
    json_compact(value, &text);
    assert_string_equal(text_string(&text), expected);
    text_free(&text);
}

/* Each change on a line: action, name, "data" and "kept" where they are so, and its properties. */
static char *outline(const cJSON *changes)
{
    struct text text = {0};
    const cJSON *change, *property;
    cJSON_ArrayForEach(change, changes)
    {
        text_add_format(&text, "%s %s %s%s%s", json_string(change, "action", "?"),
                        json_string(change, "kind", "?"), json_string(change, "name", "?"),
                        json_true(change, "data") ? " data" : "",
                        json_true(change, "kept") ? " kept" : "");
        cJSON_ArrayForEach(property, json_get(change, "properties"))
        {
            text_add_format(&text, " [%s ", json_string(property, "path", "?"));
            json_compact(json_get(property, "before"), &text);
            text_add_string(&text, " ");
            json_compact(json_get(property, "after"), &text);
            text_add_string(&text, "]");
        }
        text_add_string(&text, "\n");
    }
    return text.length ? text_take(&text) : must_copy("");
}

static void assert_changes(const char *before, const char *old, const char *after, const char *new,
                           const char *expected)
{
    cJSON *one = before ? parsed(before) : NULL, *other = parsed(after);
    cJSON *parameters = parsed(old), *new_parameters = parsed(new);
    cJSON *changes = plan_compare(one, parameters, other, new_parameters);
    owned char *found = outline(changes);
    assert_string_equal(found, expected);
    cJSON_Delete(one);
    cJSON_Delete(other);
    cJSON_Delete(parameters);
    cJSON_Delete(new_parameters);
    cJSON_Delete(changes);
}

#define RULE(sql)                                                                                  \
    "{\"Resources\":{\"Rule\":{\"Type\":\"AWS::IoT::TopicRule\",\"Properties\":{\"RuleName\":"     \
    "\"r_valid\",\"TopicRulePayload\":{\"Sql\":\"" sql "\"}}}}}"
#define TABLE(name, more)                                                                          \
    "{\"Resources\":{\"Table\":{\"Type\":\"AWS::DynamoDB::Table\"," more                           \
    "\"Properties\":{\"TableName\":" name "}}}}"
#define RETAIN "\"DeletionPolicy\":\"Retain\",\"UpdateReplacePolicy\":\"Retain\","
#define EMPTY "{\"Resources\":{}}"

static void nothing_changes_nothing(void **state)
{
    (void)state;
    assert_changes(RULE("a"), "{}", RULE("a"), "{}", "");
    assert_changes(EMPTY, "{}", EMPTY, "{}", "");
    /* The order of keys is no difference, the order of a list is one. */
    assert_changes(
        "{\"Resources\":{\"A\":{\"Type\":\"T\",\"Properties\":{\"x\":1,\"y\":[1,2]}}}}", "{}",
        "{\"Resources\":{\"A\":{\"Properties\":{\"y\":[1,2],\"x\":1},\"Type\":\"T\"}}}", "{}", "");
}

static void adds_changes_and_removes(void **state)
{
    (void)state;
    assert_changes(NULL, "{}", RULE("a"), "{}", "add rule r_valid\n");
    assert_changes(RULE("a"), "{}", RULE("b"), "{}",
                   "modify rule r_valid [TopicRulePayload.Sql \"a\" \"b\"]\n");
    assert_changes(RULE("a"), "{}", EMPTY, "{}", "remove rule r_valid\n");
}

static void finds_the_leaf_that_differs(void **state)
{
    (void)state;
#define PROPERTIES(json) "{\"Resources\":{\"A\":{\"Type\":\"T\",\"Properties\":" json "}}}"
    assert_changes(PROPERTIES("{\"x\":[{\"y\":1},{\"y\":2}]}"), "{}",
                   PROPERTIES("{\"x\":[{\"y\":1},{\"y\":3}]}"), "{}",
                   "modify resource A [x[1].y 2 3]\n");
    assert_changes(PROPERTIES("{\"x\":[1]}"), "{}", PROPERTIES("{\"x\":[1,2]}"), "{}",
                   "modify resource A [x [1] [1,2]]\n");
    assert_changes(PROPERTIES("{\"x\":1,\"old\":1}"), "{}", PROPERTIES("{\"x\":1,\"new\":1}"), "{}",
                   "modify resource A [old 1 null] [new null 1]\n");
    assert_changes(PROPERTIES("{\"x\":{\"Fn::GetAtt\":[\"A\",\"Arn\"]}}"), "{}",
                   PROPERTIES("{\"x\":{\"Ref\":\"A\"}}"), "{}",
                   "modify resource A [x {\"Fn::GetAtt\":[\"A\",\"Arn\"]} {\"Ref\":\"A\"}]\n");
}

static void another_name_is_another_table(void **state)
{
    (void)state;
    assert_changes(TABLE("\"a\"", ""), "{}", TABLE("\"b\"", ""), "{}",
                   "replace table a data [TableName \"a\" \"b\"]\n");
    assert_changes(TABLE("\"a\"", RETAIN), "{}", TABLE("\"b\"", RETAIN), "{}",
                   "replace table a data kept [TableName \"a\" \"b\"]\n");
    assert_changes(TABLE("\"a\"", RETAIN), "{}", EMPTY, "{}", "remove table a data kept\n");
    /* The same in the template, and another through a parameter. */
    assert_changes(TABLE("{\"Fn::Sub\":\"${D}-x\"}", ""), "{\"D\":\"one\"}",
                   TABLE("{\"Fn::Sub\":\"${D}-x\"}", ""), "{\"D\":\"two\"}",
                   "replace table one-x data [TableName \"one-x\" \"two-x\"]\n");
    /* Written as a reference before, as its value now: the same. */
    assert_changes(TABLE("{\"Ref\":\"D\"}", ""), "{\"D\":\"one\"}", TABLE("\"one\"", ""), "{}", "");
}

static void a_key_that_changes_is_another_table(void **state)
{
    (void)state;
#define KEYED(key)                                                                                 \
    "{\"Resources\":{\"Table\":{\"Type\":\"AWS::DynamoDB::Table\",\"Properties\":{\"TableName\":"  \
    "\"t\",\"KeySchema\":[\"" key "\"]}}}}"
    assert_changes(KEYED("a"), "{}", KEYED("b"), "{}",
                   "replace table t data [KeySchema[0] \"a\" \"b\"]\n");
}

static void a_policy_of_deletion_is_a_change(void **state)
{
    (void)state;
    assert_changes(TABLE("\"a\"", ""), "{}", TABLE("\"a\"", "\"DeletionPolicy\":\"Retain\","), "{}",
                   "modify table a data [DeletionPolicy null \"Retain\"]\n");
}

static void resolves_parameters_only(void **state)
{
    (void)state;
    static const struct {
        const char *value, *expected;
    } cases[] = {
        {"{\"Ref\":\"D\"}", "\"iot\""},
        {"{\"Ref\":\"Other\"}", "{\"Ref\":\"Other\"}"},
        {"{\"Fn::Sub\":\"${D}-x\"}", "\"iot-x\""},
        {"{\"Fn::Sub\":\"a${D}${D}b\"}", "\"aiotiotb\""},
        {"{\"Fn::Sub\":\"${AWS::Region}-${D}\"}", "{\"Fn::Sub\":\"${AWS::Region}-iot\"}"},
        {"{\"Fn::Sub\":\"${!D}\"}", "{\"Fn::Sub\":\"${!D}\"}"},
        {"{\"Fn::Sub\":\"${D\"}", "\"${D\""},
        {"{\"Fn::GetAtt\":[\"D\",\"Arn\"]}", "{\"Fn::GetAtt\":[\"D\",\"Arn\"]}"},
        {"[{\"Ref\":\"D\"},[{\"Ref\":\"D\"}]]", "[\"iot\",[\"iot\"]]"},
        {"{\"Ref\":\"D\",\"more\":1}", "{\"Ref\":\"D\",\"more\":1}"},
    };
    cJSON *parameters = parsed("{\"D\":\"iot\"}");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        owned char *text = must_format(TABLE("%s", ""), cases[i].value);
        cJSON *template = parsed(text);
        cJSON *made = template_resolve(template, parameters, RESOLVE_ALL);
        const cJSON *table = json_get(json_get(made, "Resources"), "Table");
        assert_json(json_get(json_get(table, "Properties"), "TableName"), cases[i].expected);
        cJSON_Delete(template);
        cJSON_Delete(made);
    }
    cJSON_Delete(parameters);
}

static void resolves_what_outlives_a_stack(void **state)
{
    (void)state;
    cJSON *parameters = parsed("{\"D\":\"iot\"}");
    cJSON *kept = parsed(TABLE("{\"Ref\":\"D\"}", RETAIN));
    cJSON *gone = parsed(TABLE("{\"Ref\":\"D\"}", ""));
    cJSON *made = template_resolve(kept, parameters, RESOLVE_RETAINED);
    assert_string_equal(resource_name(json_get(json_get(made, "Resources"), "Table")), "iot");
    cJSON_Delete(made);
    made = template_resolve(gone, parameters, RESOLVE_RETAINED);
    assert_true(cJSON_Compare(made, gone, true));
    cJSON_Delete(made);
    cJSON_Delete(kept);
    cJSON_Delete(gone);
    cJSON_Delete(parameters);
}

#define THING_TYPE(name, description)                                                              \
    "{\"Resources\":{\"ThingType\":{\"Type\":\"AWS::IoT::ThingType\",\"Properties\":{"             \
    "\"ThingTypeName\":\"" name                                                                    \
    "\",\"ThingTypeProperties\":{\"ThingTypeDescription\":\"" description "\"}}}}}"

static int kept(cJSON *template, const cJSON *deployed)
{
    cJSON *wanted = template_keep_fixed(template, deployed);
    int count = cJSON_GetArraySize(wanted);
    cJSON_Delete(wanted);
    return count;
}

static void keeps_what_cloudformation_cannot_change(void **state)
{
    (void)state;
    cJSON *new = parsed(THING_TYPE("t", "new")), *old = parsed(THING_TYPE("t", "old"));
    cJSON *wanted = template_keep_fixed(new, old);
    assert_true(cJSON_Compare(new, old, true));
    assert_string_equal(json_string(json_get(wanted, "ThingType"), "ThingTypeDescription", ""),
                        "new");
    assert_int_equal(kept(new, old), 0); /* equal now */
    cJSON *other = parsed(THING_TYPE("u", "new"));
    assert_int_equal(kept(other, old), 0); /* another thing type altogether */
    assert_int_equal(kept(other, NULL), 0);
    cJSON_Delete(wanted);
    cJSON_Delete(new);
    cJSON_Delete(old);
    cJSON_Delete(other);
}

static void assert_corrected(const char *listed, const char *expected)
{
    cJSON *before = parsed(TABLE("\"a\"", RETAIN)), *after = parsed(TABLE("\"b\"", RETAIN));
    cJSON *parameters = json_object(), *list = parsed(listed);
    cJSON *changes = plan_compare(before, parameters, after, parameters);
    plan_correct(changes, list);
    owned char *found = outline(changes);
    assert_string_equal(found, expected);
    cJSON_Delete(before);
    cJSON_Delete(after);
    cJSON_Delete(parameters);
    cJSON_Delete(list);
    cJSON_Delete(changes);
}

static void the_change_set_has_the_last_word(void **state)
{
    (void)state;
#define LISTED(more)                                                                               \
    "[{\"ResourceChange\":{\"LogicalResourceId\":\"Table\",\"ResourceType\":"                      \
    "\"AWS::DynamoDB::Table\"," more "}}]"
    const char *as_compared = "replace table a data kept [TableName \"a\" \"b\"]\n";
    assert_corrected("[]", "");
    assert_corrected(LISTED("\"Action\":\"Modify\""), as_compared);
    assert_corrected(LISTED("\"Action\":\"Modify\",\"Replacement\":\"Conditional\""), as_compared);
    assert_corrected(LISTED("\"Action\":\"Modify\",\"Replacement\":\"True\""), as_compared);
    assert_corrected(LISTED("\"Action\":\"Modify\",\"Replacement\":\"False\""),
                     "modify table a data kept [TableName \"a\" \"b\"]\n");
    assert_corrected(LISTED("\"Action\":\"Import\""),
                     "import table a data kept [TableName \"a\" \"b\"]\n");
    /* What only depends on a change is in no template. */
    assert_corrected("[{\"ResourceChange\":{\"Action\":\"Modify\",\"LogicalResourceId\":\"Rule\","
                     "\"PhysicalResourceId\":\"r_valid\",\"ResourceType\":\"AWS::IoT::TopicRule\","
                     "\"Replacement\":\"False\"}}]",
                     "modify rule r_valid\n");
    assert_corrected("[{\"ResourceChange\":{\"Action\":\"Remove\",\"LogicalResourceId\":\"Old\","
                     "\"PhysicalResourceId\":\"t\",\"ResourceType\":\"AWS::Timestream::Table\","
                     "\"PolicyAction\":\"Retain\"}}]",
                     "remove table t data kept\n");
}

static void asks_the_plan(void **state)
{
    (void)state;
    static const struct {
        const char *action;
        bool changes, touches, data, ours;
    } cases[] = {
        {"add", false, false, true, false},     {"import", false, false, true, true},
        {"import", true, false, true, false},   {"modify", true, false, true, true},
        {"modify", true, false, true, false},   {"replace", true, true, true, false},
        {"remove", true, true, true, false},    {"remove", true, false, false, false},
        {"replace", true, false, false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        owned char *text = must_format(
            "[{\"action\":\"add\"},{\"action\":\"%s\",\"type\":\"T\",\"data\":%s,"
            "\"ours\":%s}]",
            cases[i].action, cases[i].data ? "true" : "false", cases[i].ours ? "true" : "false");
        cJSON *changes = parsed(text);
        assert_int_equal(plan_changes_what_is_there(changes), cases[i].changes);
        assert_int_equal(plan_touches_data(changes), cases[i].touches);
        assert_true(plan_has(changes, cases[i].action, "T"));
        assert_false(plan_has(changes, cases[i].action, "U"));
        cJSON_Delete(changes);
    }
}

static void assert_written(const char *before, const char *after, const char *expected)
{
    cJSON *one = before ? parsed(before) : NULL, *other = parsed(after), *none = json_object();
    cJSON *changes = plan_compare(one, none, other, none);
    struct text text = {0};
    plan_write(changes, &text);
    assert_string_equal(text_string(&text), expected);
    text_free(&text);
    cJSON_Delete(one);
    cJSON_Delete(other);
    cJSON_Delete(none);
    cJSON_Delete(changes);
}

static void shows_where_values_differ(void **state)
{
    (void)state;
    assert_written(NULL, RULE("a"), "  + rule r_valid\n");
    assert_written(RULE("a"), EMPTY, "  - rule r_valid\n");
    assert_written(RULE("a"), RULE("b"),
                   "  ~ rule r_valid                        sql: a  \u2192  b\n");
    assert_written(
        RULE("SELECT temperature FROM 'x' WHERE temperature < 40 AND time > 0 AND time < 100000"),
        RULE("SELECT temperature FROM 'x' WHERE temperature < 45 AND time > 0 AND time < 100000"),
        "  ~ rule r_valid                        sql: ... temperature < 40 AND time > 0 AND ti "
        "...  \u2192  ... temperature < 45 AND time > 0 AND ti ...\n");
    /* Never in the middle of a character. */
    assert_written(
        RULE("\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4x"),
        RULE("\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4y"),
        "  ~ rule r_valid                        sql: ... x  \u2192  ... y\n");
    assert_written(TABLE("\"a\"", ""), TABLE("\"b\"", ""),
                   "  - table a                             REPLACED: its readings would be lost\n"
                   "                                        tableName: a  \u2192  b\n");
    assert_written(TABLE("\"a\"", RETAIN), EMPTY,
                   "  - table a                             REMOVED from the stack; it stays, with "
                   "its readings\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_changes_nothing),
        cmocka_unit_test(adds_changes_and_removes),
        cmocka_unit_test(finds_the_leaf_that_differs),
        cmocka_unit_test(another_name_is_another_table),
        cmocka_unit_test(a_key_that_changes_is_another_table),
        cmocka_unit_test(a_policy_of_deletion_is_a_change),
        cmocka_unit_test(resolves_parameters_only),
        cmocka_unit_test(resolves_what_outlives_a_stack),
        cmocka_unit_test(keeps_what_cloudformation_cannot_change),
        cmocka_unit_test(the_change_set_has_the_last_word),
        cmocka_unit_test(asks_the_plan),
        cmocka_unit_test(shows_where_values_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
