/* Spec -> model, and in it the two rules of a type: their exact SQL, its policy, its names. */
#include "workplace.h"

#include "common/base/json.h"
#include "common/base/paths.h"
#include "common/rule/rule.h"
#include "common/spec/spec.h"
#include "generator/documents/model.h"

static struct catalog catalog;

static int set_up(void **state)
{
    if (go_to_workplace(state))
        return -1;
    owned char *templates = from_root("templates");
    return catalog_load(templates, &catalog, &error) != FINE;
}

static int tear_down(void **state)
{
    catalog_free(&catalog);
    return leave_workplace(state);
}

static cJSON *checked(struct spec *spec)
{
    if (spec->problems.errors)
        fail_msg("%s: %s", spec->source.name, spec->problems.at[0].message);
    cJSON *json = cJSON_Duplicate(spec->json, true);
    spec_free(spec);
    return json;
}

/* The model of a type called greenhouse, read by its own code, in a system called home. */
static cJSON *model(const char *type, const char *system)
{
    struct spec spec;
    struct system read;
    owned char *type_file = must_format("version: 1\ntype: greenhouse\n%s%s", type,
                                        strstr(type, "platform:") ? "" : "platform: esp8266\n");
    owned char *system_file =
        must_format("version: 1\n%s%s", strstr(system, "name:") ? "" : "name: home\n", system);
    put("sensortypes/greenhouse/spec.yaml", type_file);
    put("sensortypes/greenhouse/code/sensor.py", "");
    put(SYSTEM_FILE, system_file);
    assert_fine(system_read(&read, &error));
    assert_fine(spec_read_type("greenhouse", &catalog, &spec, &error));
    cJSON *type_json = checked(&spec), *made = model_of_type(&read, type_json, &catalog);
    system_free(&read);
    cJSON_Delete(type_json);
    return made;
}

static void assert_compact(const cJSON *value, const char *wanted)
{
    struct text got = {0};
    json_compact(value, &got);
    assert_string_equal(text_string(&got), wanted);
    text_free(&got);
}

static void assert_rule(const cJSON *made, const char *kind, const char *version, const char *sql)
{
    const cJSON *rule = json_get(json_get(json_get(made, "type"), "rules"), kind);
    struct rule_fault fault;
    enum rule_version number;
    assert_string_equal(json_string(rule, "sql", ""), sql);
    assert_string_equal(json_string(rule, "sql_version", ""), version);
    owned char *name = must_format("greenhouse_%s", kind);
    assert_string_equal(json_string(rule, "name", ""), name);
    assert_true(rule_version_read(version, &number));
    struct rule *compiled = rule_compile(sql, strlen(sql), number, &fault);
    if (!compiled) /* what is derived is a statement */
        fail_msg("%s", fault.message);
    rule_free(compiled);
}

static const char all_types[] = "attributes:\n  zone: {default: \"1\"}\nmeasures:\n"
                                "  air: {type: double, valid: {min: -40, max: 80.5}}\n"
                                "  soil: {type: bigint, valid: {max: 1023}}\n"
                                "  door: {type: boolean}\n"
                                "  state: {type: varchar}\n";

#define ZONE "zone + '' = zone AND zone <> '' AND replace(zone, chr(0), '') = zone"
/* 2,048 bytes of a record are 2,007 for values of dimensions: less "thing" and "zone", 24 for a
 * number, 8 for the time. Beside a text they are 2,026. */
#define SERIES                                                                                     \
    " AND (substring(topic(2) + zone, 500) = '' OR (substring(topic(2) + zone, 2003) = '' AND "    \
    "NOT regexp_matches(topic(2) + zone, '[^ -~]')))"
#define AIR " AND air - 0 = air AND air >= -40 AND air <= 80.5"
#define SOIL                                                                                       \
    " AND soil - 0 = soil AND floor(soil) >= soil AND soil >= -9223372036854775808 AND soil <= "   \
    "1023"
#define DOOR " AND (door = true OR door = false)"
#define RECORD                                                                                     \
    " AND (substring(topic(2) + zone + state, 506) = '' OR (substring(topic(2) + zone + state, "   \
    "2026) = '' AND NOT regexp_matches(topic(2) + zone + state, '[^ -~]')))"
#define TIME(oldest)                                                                               \
    " AND nanvl(time, 0) - 0 = nanvl(time, 0) AND nanvl(time, timestamp()) >= timestamp() "        \
    "- " oldest " AND nanvl(time, timestamp()) <= timestamp() + 900000"
#define TIMESTREAM                                                                                 \
    ZONE SERIES AIR SOIL DOOR " AND state + '' = state AND state <> '' AND replace(state, "        \
                              "chr(0), '') = state" RECORD TIME("86400000")
#define DYNAMODB                                                                                   \
    ZONE AIR " AND (abs(air) <= 0 OR abs(air) >= 1E-130)" SOIL DOOR                                \
             " AND state + '' = state AND replace(state, chr(0), '') = state" TIME("31536000000")
/* True whenever the condition is not. */
#define OPPOSITE(condition)                                                                        \
    "CASE isUndefined(NOT (" condition ")) WHEN true THEN true ELSE NOT (" condition ") END"
/* Over HTTPS a message has no trace id. No field of the message is selected: its value could be one
 * that DynamoDB refuses. */
#define INVALID_LIST                                                                               \
    "SELECT topic(2) AS thing, timestamp() AS time, floor(timestamp() / 1000) + 31536000 AS "      \
    "expires, concat(timestamp(), '-', CASE isUndefined(traceid()) WHEN true THEN newuuid() ELSE " \
    "traceid() END) AS id, encode(*, 'base64') AS payload FROM 'greenhouse/+' WHERE "

static void rules_for_timestream(void **state)
{
    (void)state;
    cJSON *made = model(all_types, "");
    assert_rule(made, "valid", "2015-10-08",
                "SELECT air + 0.0 AS air, floor(soil) AS soil, door, state FROM 'greenhouse/+' "
                "WHERE " TIMESTREAM);
    assert_rule(made, "invalid", "2016-03-23", INVALID_LIST OPPOSITE(TIMESTREAM));
    assert_string_equal(json_string(json_get(made, "type"), "timestamp", ""),
                        "${floor(nanvl(time, timestamp()))}");
    cJSON_Delete(made);
}

/* Both rules have the newer SQL version. The table's key is selected too. A reading may be as old
 * as the table keeps it. */
static void rules_for_dynamodb(void **state)
{
    (void)state;
    cJSON *made = model(all_types, "aws: {store: dynamodb}\n");
    assert_rule(made, "valid", "2016-03-23",
                "SELECT topic(2) AS thing, floor(nanvl(time, timestamp())) AS time, "
                "floor(nanvl(time, timestamp()) / 1000) + 31536000 AS expires, zone, air + 0.0 AS "
                "air, floor(soil) AS soil, door, state FROM 'greenhouse/+' WHERE " DYNAMODB);
    assert_rule(made, "invalid", "2016-03-23", INVALID_LIST OPPOSITE(DYNAMODB));
    cJSON_Delete(made);
}

/* How late a reading may come is the memory store's retention. A measure without limits has those
 * of the store. */
static void retention_is_in_the_rule(void **state)
{
    (void)state;
    cJSON *made = model("measures: {t: {}}\nretention: {memory: 2h, magnetic: 2d}\n", "");
    assert_rule(made, "valid", "2015-10-08",
                "SELECT t + 0.0 AS t FROM 'greenhouse/+' WHERE t - 0 = t AND t >= "
                "-1.7976931348623157E308 AND t <= 1.7976931348623157E308" TIME("7200000"));
    assert_compact(json_get(json_get(made, "type"), "retention"),
                   "{\"memory_hours\":2,\"magnetic_days\":2,\"magnetic_seconds\":172800}");
    cJSON_Delete(made);
    made = model("measures: {t: {valid: {min: 1}}}\nretention: {memory: 2h, magnetic: 2d}\n",
                 "aws: {store: dynamodb}\n");
    assert_rule(made, "valid", "2016-03-23",
                "SELECT topic(2) AS thing, floor(nanvl(time, timestamp())) AS time, "
                "floor(nanvl(time, timestamp()) / 1000) + 172800 AS expires, t + 0.0 AS t FROM "
                "'greenhouse/+' WHERE t - 0 = t AND t >= 1 AND t <= 9.99E125" TIME("172800000"));
    cJSON_Delete(made);
}

static const char written[] = "measures: {t: {}}\nrule:\n  sql: SELECT t AS x FROM 'greenhouse/+' "
                              "WHERE t < 40 OR t = 85\n  sql_version: \"2016-03-23\"\n";

static void a_persons_own_rule(void **state)
{
    (void)state;
    cJSON *made = model(written, "");
    assert_rule(made, "valid", "2016-03-23",
                "SELECT t AS x FROM 'greenhouse/+' WHERE t < 40 OR t = 85");
    assert_rule(made, "invalid", "2016-03-23", INVALID_LIST OPPOSITE("t < 40 OR t = 85"));
    cJSON_Delete(made);
    made = model(written, "aws: {store: dynamodb}\n");
    assert_rule(made, "valid", "2016-03-23",
                "SELECT t AS x, topic(2) AS thing, floor(nanvl(time, timestamp())) AS time, "
                "floor(nanvl(time, timestamp()) / 1000) + 31536000 AS expires FROM 'greenhouse/+' "
                "WHERE t < 40 OR t = 85");
    cJSON_Delete(made);
}

static void an_own_rule_without_spaces(void **state)
{
    (void)state;
    cJSON *made = model("measures: {t: {}}\nrule: {sql: \"SELECT*FROM'greenhouse/+'\"}\n",
                        "aws: {store: dynamodb}\n");
    assert_rule(made, "valid", "2015-10-08",
                "SELECT*, topic(2) AS thing, floor(nanvl(time, timestamp())) AS time, "
                "floor(nanvl(time, timestamp()) / 1000) + 31536000 AS expires FROM'greenhouse/+'");
    assert_rule(made, "invalid", "2016-03-23", /* what takes everything has no opposite */
                INVALID_LIST "false");
    cJSON_Delete(made);
}

#define STATEMENT(sid, action, resource)                                                           \
    "{\"Sid\":\"" sid "\",\"Effect\":\"Allow\",\"Action\":\"iot:" action                           \
    "\",\"Resource\":\"arn:aws:iot:eu-west-1:000000000000:" resource "\""
#define CONNECT                                                                                    \
    STATEMENT("Connect", "Connect", "client/${iot:Connection.Thing.ThingName}")                    \
    ",\"Condition\":{\"Bool\":{\"iot:Connection.Thing.IsAttached\":[\"true\"]}}}"
#define PUBLISH                                                                                    \
    STATEMENT("Publish", "Publish", "topic/greenhouse/${iot:Connection.Thing.ThingName}") "}"

#define LISTEN                                                                                     \
    STATEMENT("ListenForCommands", "Subscribe",                                                    \
              "topicfilter/greenhouse/${iot:Connection.Thing.ThingName}/command")                  \
    "}"
#define RECEIVE                                                                                    \
    STATEMENT("ReceiveCommands", "Receive",                                                        \
              "topic/greenhouse/${iot:Connection.Thing.ThingName}/command")                        \
    "}"

static void the_policy(void **state)
{
    (void)state;
    cJSON *made = model("measures: {t: {}}\n", "");
    const cJSON *policy = json_get(json_get(made, "type"), "policy");
    assert_string_equal(json_string(policy, "name", ""), "greenhouse");
    assert_string_equal(json_string(policy, "document", ""),
                        "{\"Version\":\"2012-10-17\",\"Statement\":[" CONNECT "," PUBLISH "]}");
    assert_int_equal(cJSON_GetArraySize(json_get(policy, "statements")), 2);
    cJSON_Delete(made);
}

static void the_policy_with_commands(void **state)
{
    (void)state;
    cJSON *made = model("measures: {t: {}}\ncommands: true\n", "");
    const cJSON *policy = json_get(json_get(made, "type"), "policy");
    assert_string_equal(json_string(policy, "document", ""),
                        "{\"Version\":\"2012-10-17\",\"Statement\":[" CONNECT "," PUBLISH "," LISTEN
                        "," RECEIVE "]}");
    assert_null(strchr(json_string(policy, "document", ""), '*'));
    cJSON_Delete(made);
}

static void partitions(void **state)
{
    (void)state;
    static const char *const regions[][2] = {
        {"eu-west-1", "aws"}, {"cn-north-1", "aws-cn"}, {"us-gov-west-1", "aws-us-gov"}};
    for (size_t i = 0; i < 3; i++) {
        owned char *system =
            must_format("aws: {region: %s, account: \"123456789012\"}\n", regions[i][0]);
        owned char *arn =
            must_format("arn:%s:iam::123456789012:role/home-greenhouse-rule", regions[i][1]);
        cJSON *made = model("measures: {t: {}}\n", system);
        const cJSON *roles = json_get(json_get(made, "type"), "roles");
        assert_string_equal(json_string(json_get(made, "system"), "partition", ""), regions[i][1]);
        assert_string_equal(json_string(json_get(roles, "rule"), "arn", ""), arn);
        cJSON_Delete(made);
    }
}

static void names(void **state)
{
    (void)state;
    cJSON *made =
        model("measures: {t: {}}\nretention: {logs: 7d}\n", "name: my-home\ndatabase: iot.db\n");
    const cJSON *type = json_get(made, "type"), *system = json_get(made, "system");
    assert_string_equal(json_string(system, "title", ""), "MyHome");
    assert_string_equal(json_string(system, "terraform_id", ""), "my_home");
    assert_string_equal(json_string(system, "stack", ""), "my-home-system");
    assert_string_equal(json_string(type, "title", ""), "Greenhouse");
    assert_string_equal(json_string(type, "stack", ""), "my-home-greenhouse");
    assert_string_equal(json_string(type, "topic_filter", ""), "greenhouse/+");
    assert_string_equal(json_string(type, "log_group", ""), "/sensorforge/my-home/greenhouse");
    assert_int_equal(json_number(type, "log_retention_days", 0), 7);
    assert_string_equal(json_string(type, "table", ""), "greenhouse");
    assert_compact(json_get(type, "tables"),
                   "{\"valid\":\"iot.db-greenhouse\",\"invalid\":\"iot.db-greenhouse-invalid\"}");
    cJSON_Delete(made);
}

/* IAM takes 64 characters; what is longer is cut, and told apart by what was cut off. */
static void role_names_over_64(void **state)
{
    (void)state;
    char seen[2][65];
    for (int i = 0; i < 2; i++) {
        const struct system system = {.name = "a-name-of-thirty-two-characters",
                                      .database = "iot",
                                      .ntp = "",
                                      .aws = {.account = "000000000000"}};
        cJSON *spec = json_object(), *measures = json_object(), *measure = json_object();
        owned char *name =
            must_format("%s%d", "t_a_type_of_forty_eight_characters_in_its_name_", i);
        assert_int_equal(strlen(name), 48);
        json_put_string(spec, "type", name);
        json_put_string(spec, "platform", "esp8266");
        json_put_string(measure, "type", "double");
        json_put(measures, "t", measure);
        json_put(spec, "measures", measures);
        cJSON *made = model_of_type(&system, spec, &catalog);
        const cJSON *roles = json_get(json_get(made, "type"), "roles");
        const char *rule = json_string(json_get(roles, "rule"), "name", "");
        const char *of_errors = json_string(json_get(roles, "error"), "name", "");
        assert_int_equal(strlen(rule), 64);
        assert_int_equal(strlen(of_errors), 64);
        assert_true(begins_with(rule, "a-name-of-thirty-two-characters-t_"));
        assert_true(ends_with(rule, "-rule") && ends_with(of_errors, "-error"));
        snprintf(seen[i], sizeof seen[i], "%s", rule);
        cJSON_Delete(made);
        cJSON_Delete(spec);
    }
    assert_string_not_equal(seen[0], seen[1]);
}

static void attributes(void **state)
{
    (void)state;
    cJSON *made = model("attributes:\n  a: {default: \"1\", pattern: \"[0-9]\"}\n  b: {}\n  c: {}\n"
                        "  d: {description: last}\nmeasures: {t: {}}\n",
                        "");
    const cJSON *type = json_get(made, "type");
    assert_compact(
        json_get(type, "attributes"),
        "[{\"name\":\"a\",\"default\":\"1\",\"pattern\":\"[0-9]\",\"description\":\"\","
        "\"searchable\":true,\"last\":false},{\"name\":\"b\",\"default\":null,\"pattern\":null,"
        "\"description\":\"\",\"searchable\":true,\"last\":false},{\"name\":\"c\",\"default\":null,"
        "\"pattern\":null,\"description\":\"\",\"searchable\":true,\"last\":false},{\"name\":\"d\","
        "\"default\":null,\"pattern\":null,\"description\":\"last\",\"searchable\":false,\"last\":"
        "true}]");
    assert_compact(json_get(type, "searchable_attributes"),
                   "[{\"name\":\"a\",\"last\":false},{\"name\":\"b\",\"last\":false},{\"name\":"
                   "\"c\",\"last\":true}]");
    assert_int_equal(cJSON_GetArraySize(json_get(type, "dimensions")), 5);
    assert_true(json_true(type, "has_attributes"));
    cJSON_Delete(made);
    made = model("measures: {t: {}}\n", "");
    assert_false(json_true(json_get(made, "type"), "has_attributes"));
    assert_compact(json_get(json_get(made, "type"), "dimensions"),
                   "[{\"name\":\"thing\",\"value\":\"${topic(2)}\",\"last\":true}]");
    cJSON_Delete(made);
}

/* One instance for each driver with the same parameters; what is not written has its default. */
static void drivers(void **state)
{
    (void)state;
    cJSON *made = model("measures:\n"
                        "  temperature: {driver: {name: dht22, pin: 4}}\n"
                        "  humidity: {driver: {name: dht22, pin: 4}}\n"
                        "  other: {driver: {name: dht22, pin: 5, quantity: humidity}}\n"
                        "  door: {type: boolean, driver: {name: gpio, pin: 12, invert: yes}}\n"
                        "  own: {unit: lux}\n",
                        "");
    const cJSON *type = json_get(made, "type"), *measure;
    assert_compact(
        json_get(type, "drivers"),
        "[{\"name\":\"dht22\",\"instance\":0,\"parameters\":[{\"name\":\"pin\",\"literal\":\"4\","
        "\"last\":true}],\"last\":false},{\"name\":\"dht22\",\"instance\":1,\"parameters\":[{"
        "\"name\":\"pin\",\"literal\":\"5\",\"last\":true}],\"last\":false},{\"name\":\"gpio\","
        "\"instance\":2,\"parameters\":[{\"name\":\"pin\",\"literal\":\"12\",\"last\":false},{"
        "\"name\":\"pull\",\"literal\":\"\\\"none\\\"\",\"last\":false},{\"name\":\"invert\","
        "\"literal\":\"True\",\"last\":true}],\"last\":true}]");
    assert_compact(json_get(type, "driver_modules"),
                   "[{\"name\":\"dht22\",\"last\":false},{\"name\":\"gpio\",\"last\":true}]");
    static const char *const wanted[] = {
        ("{\"name\":\"dht22\",\"measure\":\"temperature\",\"quantity\":\"temperature\","
         "\"instance\":0}"),
        "{\"name\":\"dht22\",\"measure\":\"humidity\",\"quantity\":\"humidity\",\"instance\":0}",
        "{\"name\":\"dht22\",\"measure\":\"other\",\"quantity\":\"humidity\",\"instance\":1}",
        "{\"name\":\"gpio\",\"measure\":\"door\",\"quantity\":\"state\",\"instance\":2}", "null"};
    size_t i = 0;
    cJSON_ArrayForEach(measure, json_get(type, "measures"))
        assert_compact(json_get(measure, "driver"), wanted[i++]);
    cJSON_Delete(made);
}

/* A display is beside the measures' drivers: its module is in the package, its code reads nothing.
 */
static void display(void **state)
{
    (void)state;
    cJSON *made = model("measures: {temperature: {driver: {name: dht22, pin: 4}}}\n"
                        "display: {driver: ssd1306, scl: 5, sda: 0, height: 32}\n",
                        "");
    const cJSON *type = json_get(made, "type");
    assert_compact(json_get(type, "display"),
                   "{\"name\":\"ssd1306\",\"parameters\":[{\"name\":\"scl\",\"literal\":\"5\","
                   "\"last\":false},{\"name\":\"sda\",\"literal\":\"0\",\"last\":false},{"
                   "\"name\":\"address\",\"literal\":\"60\",\"last\":false},{\"name\":\"width\","
                   "\"literal\":\"128\",\"last\":false},{\"name\":\"height\",\"literal\":\"32\","
                   "\"last\":true}]}");
    assert_compact(json_get(type, "driver_modules"),
                   "[{\"name\":\"dht22\",\"last\":false},{\"name\":\"ssd1306\",\"last\":true}]");
    assert_int_equal(cJSON_GetArraySize(json_get(type, "drivers")), 1);
    cJSON_Delete(made);
}

/* What each platform's own builds of MicroPython lack, once each. */
static void needs(void **state)
{
    (void)state;
    static const char *const wanted[][2] = {
        {"esp8266", "[]"},
        {"esp32", "[{\"name\":\"ssd1306\",\"last\":true}]"},
        {"rp2",
         "[{\"name\":\"umqtt.simple\",\"last\":false},{\"name\":\"ssd1306\",\"last\":true}]"}};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        owned char *type =
            must_format("platform: %s\n"
                        "measures: {on: {type: boolean, driver: {name: gpio, pin: 14}}}\n"
                        "display: {driver: ssd1306, scl: 5, sda: 4}\n",
                        wanted[i][0]);
        cJSON *made = model(type, "");
        assert_compact(json_get(json_get(made, "type"), "needs"), wanted[i][1]);
        cJSON_Delete(made);
    }
}

/* Who reads the measures: there is a code/sensor.py, which reads those without a driver. */
static void readers(void **state)
{
    (void)state;
    static const struct {
        const char *measures;
        bool drivers, own_code;
    } wanted[] = {{"{t: {}}", false, true},
                  {"{t: {driver: {name: ds18x20, pin: 4}}}", true, false},
                  {"{t: {driver: {name: ds18x20, pin: 4}}, u: {}}", true, true}};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        owned char *type = must_format("measures: %s\n", wanted[i].measures);
        cJSON *made = model(type, "");
        const cJSON *part = json_get(made, "type");
        assert_int_equal(json_true(part, "has_drivers"), wanted[i].drivers);
        assert_int_equal(json_true(part, "own_code"), wanted[i].own_code);
        assert_int_equal(json_number(json_get(part, "board"), "wake_pin", 0), 16);
        cJSON_Delete(made);
    }
}

/* A board holds its connection to hear commands, or because it does not sleep. */
static void listens(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        bool listens;
    } wanted[] = {{"measures: {t: {}}\n", true},
                  {"measures: {t: {}}\nsleep: light\n", false},
                  {"measures: {t: {}}\nsleep: deep\n", false},
                  {"measures: {t: {}}\nsleep: deep\ncommands: true\n", true}};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        cJSON *made = model(wanted[i].type, "");
        assert_int_equal(json_true(json_get(made, "type"), "listens"), wanted[i].listens);
        cJSON_Delete(made);
    }
}

/* The person's own JSON in a control stays as it is: no "last" is written into it. */
static void controls_stay_as_they_are(void **state)
{
    (void)state;
    cJSON *made = model("measures: {t: {}}\ncommands: true\ncontrol:\n  - name: a\n"
                        "    measure: {of: t}\n    switch_on: {above: 2}\n"
                        "    switch_off: {below: 1}\n    publish: {topic: greenhouse/x/command, "
                        "\"on\": [{a: 1}, {a: 2}], \"off\": {}}\n"
                        "presence: {silent_after: 20m}\n",
                        "");
    const cJSON *type = json_get(made, "type");
    assert_compact(
        json_get(type, "control"),
        "[{\"name\":\"a\",\"measure\":{\"of\":\"t\",\"statistic\":\"mean\"},\"switch_on\":{"
        "\"above\":2},\"switch_off\":{\"below\":1},\"publish\":{\"topic\":\"greenhouse/x/"
        "command\",\"on\":[{\"a\":1},{\"a\":2}],\"off\":{}},\"every\":\"1m\",\"for\":\"0s\","
        "\"notify\":[],\"last\":true}]");
    assert_compact(json_get(type, "presence"),
                   "{\"silent_after\":\"20m\",\"notify\":[],\"on_first\":false}");
    cJSON_Delete(made);
}

static void marks(void **state)
{
    (void)state;
    cJSON *value = cJSON_Parse("{\"a\": [{\"b\": [{}, {}]}, {}], \"c\": [1, 2], \"d\": {}}");
    model_mark_last(value);
    assert_compact(value, "{\"a\":[{\"b\":[{\"last\":false},{\"last\":true}],\"last\":false},"
                          "{\"last\":true}],\"c\":[1,2],\"d\":{}}");
    cJSON_Delete(value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_for_timestream),
        cmocka_unit_test(rules_for_dynamodb),
        cmocka_unit_test(retention_is_in_the_rule),
        cmocka_unit_test(a_persons_own_rule),
        cmocka_unit_test(an_own_rule_without_spaces),
        cmocka_unit_test(the_policy),
        cmocka_unit_test(the_policy_with_commands),
        cmocka_unit_test(partitions),
        cmocka_unit_test(names),
        cmocka_unit_test(role_names_over_64),
        cmocka_unit_test(attributes),
        cmocka_unit_test(drivers),
        cmocka_unit_test(display),
        cmocka_unit_test(needs),
        cmocka_unit_test(readers),
        cmocka_unit_test(listens),
        cmocka_unit_test(controls_stay_as_they_are),
        cmocka_unit_test(marks),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
