/* The condition of the derived rules, on readings: what it decides in both SQL versions, that the
 * rule of invalid readings decides the opposite, and that what it takes is what the table takes. */
#include "workplace.h"

#include "common/base/json.h"
#include "common/rule/rule.h"
#include "common/spec/stores.h"
#include "generator/documents/condition.h"

#define NOW 1795255200000
#define TOPIC "probe/kitchen"

/* Numbers with and without limits, a text, an optional one of each kind. */
static const char type_json[] =
    "{\"name\": \"probe\", \"topic_filter\": \"probe/+\", \"has_attributes\": true,"
    " \"retention\": {\"memory_hours\": 24, \"magnetic_seconds\": 31536000},"
    " \"attributes\": [{\"name\": \"zone\"}],"
    " \"measures\": ["
    "  {\"name\": \"t\", \"is_double\": true, \"minimum\": -40, \"maximum\": 85},"
    "  {\"name\": \"d\", \"is_double\": true, \"optional\": true},"
    "  {\"name\": \"n\", \"is_bigint\": true, \"optional\": true},"
    "  {\"name\": \"b\", \"is_boolean\": true, \"optional\": true},"
    "  {\"name\": \"s\", \"is_varchar\": true, \"optional\": true}]}";

enum { TIMESTREAM = 1, DYNAMODB = 2, BOTH = 3, NEITHER = 0 };

static const struct {
    const char *changes; /* members of the reading; a later one takes the place of an earlier one */
    int valid;           /* with which stores */
} cases[] = {
    {"", BOTH},
    {"\"t\": 25", BOTH},
    {"\"t\": 25.0", BOTH},
    {"\"t\": -40", BOTH},
    {"\"t\": 85.0", BOTH},
    {"\"t\": -40.0000001", NEITHER},
    {"\"t\": 85.0000001", NEITHER},
    {"\"t\": \"25\"", NEITHER},
    {"\"t\": null", NEITHER},
    {"\"t\": true", NEITHER},
    {"\"t\": [25]", NEITHER},
    {"\"t\": {\"t\": 25}", NEITHER},
    {"\"t\": 0", BOTH},
    {"\"t\": -0.0", BOTH},
    {"\"t\": 1e-130", BOTH},
    {"\"t\": 1e-131", TIMESTREAM},
    {"\"t\": -1e-131", TIMESTREAM},
    /* optional: missing or null is valid, and nothing else that has another type */
    {"\"d\": null", BOTH},
    {"\"d\": \"1\"", NEITHER},
    {"\"d\": \"\"", NEITHER},
    {"\"d\": false", NEITHER},
    {"\"d\": 1e125", BOTH},
    {"\"d\": 9.99e125", BOTH},
    {"\"d\": 1e126", TIMESTREAM},
    {"\"d\": -1e126", TIMESTREAM},
    {"\"d\": 1.7976931348623157e308", TIMESTREAM},
    {"\"d\": -1.7976931348623157e308", TIMESTREAM},
    {"\"d\": 1.7976931348623158e308", NEITHER},
    {"\"d\": 1e309", NEITHER},
    {"\"d\": -1e309", NEITHER},
    {"\"d\": 1e9999", BOTH}, /* no value of the rule language: as if it were missing */
    {"\"d\": 123456789012345678901234567890123456789012", BOTH},
    {"\"n\": null", BOTH},
    {"\"n\": 7", BOTH},
    {"\"n\": 7.0", BOTH},
    {"\"n\": 7.5", NEITHER},
    {"\"n\": \"7\"", NEITHER},
    {"\"n\": 9223372036854775807", BOTH},
    {"\"n\": -9223372036854775808", BOTH},
    {"\"n\": 9223372036854775808", NEITHER},
    {"\"n\": -9223372036854775809", NEITHER},
    {"\"n\": 1e30", NEITHER},
    {"\"b\": null", BOTH},
    {"\"b\": true", BOTH},
    {"\"b\": false", BOTH},
    {"\"b\": \"true\"", NEITHER},
    {"\"b\": 1", NEITHER},
    {"\"b\": 0", NEITHER},
    {"\"s\": null", BOTH},
    {"\"s\": \"x\"", BOTH},
    {"\"s\": \"\"", DYNAMODB},
    {"\"s\": \"a\\u0000b\"", NEITHER},
    {"\"s\": \"\\u0000\"", NEITHER},
    {"\"s\": \"a\\nb\"", BOTH},
    {"\"s\": 5", NEITHER},
    {"\"s\": false", NEITHER},
    {"\"s\": [\"x\"]", NEITHER},
    {"\"zone\": \"\"", NEITHER},
    {"\"zone\": \"a\\u0000\"", NEITHER},
    {"\"zone\": null", NEITHER},
    {"\"zone\": 7", NEITHER},
    {"\"zone\": {}", NEITHER},
    /* time */
    {"\"time\": 1795255200000", BOTH},
    {"\"time\": 1795255200000.7", BOTH},
    {"\"time\": null", BOTH},
    {"\"time\": 1795256100000", BOTH},     /* 15 minutes ahead */
    {"\"time\": 1795256100001", NEITHER},  /* and more */
    {"\"time\": 1795168800000", BOTH},     /* a day old: the memory store */
    {"\"time\": 1795168799999", DYNAMODB}, /* older */
    {"\"time\": 1763719200000", DYNAMODB}, /* a year old: retention.magnetic */
    {"\"time\": 1763719199999", NEITHER},  /* older */
    {"\"time\": 1795255200", NEITHER},     /* seconds */
    {"\"time\": 0", NEITHER},
    {"\"time\": -1", NEITHER},
    {"\"time\": 1e300", NEITHER},
    {"\"time\": \"1795255200000\"", NEITHER},
    {"\"time\": true", NEITHER},
};

static struct rule_scratch *scratch;
static cJSON *type;

static int set_up(void **state)
{
    (void)state;
    scratch = rule_scratch_new(0);
    type = cJSON_Parse(type_json);
    return !scratch || !type;
}

static int tear_down(void **state)
{
    (void)state;
    rule_scratch_free(scratch);
    cJSON_Delete(type);
    return 0;
}

static bool selects(const char *sql, enum rule_version version, const char *payload)
{
    struct rule_fault fault;
    struct rule_result result;
    struct rule *rule = rule_compile(sql, strlen(sql), version, &fault);
    struct rule_message message = {
        .topic = TOPIC, .payload = payload, .payload_length = strlen(payload), .time = NOW};
    if (!rule)
        fail_msg("%s: %s", sql, fault.message);
    rule_begin(scratch, &message);
    bool selected = rule_run(rule, scratch, &result) == RULE_SELECTED;
    rule_free(rule);
    return selected;
}

static void assert_decided(enum cloud_store store, const char *payload, bool wanted)
{
    struct text condition = {0};
    condition_add(&condition, type, stores_takes(store));
    owned char *valid = must_format("SELECT t FROM 'probe/+' WHERE %s", text_string(&condition));
    owned char *invalid =
        must_format("SELECT topic(2) AS thing FROM 'probe/+' WHERE CASE isUndefined(NOT (%s)) "
                    "WHEN true THEN true ELSE NOT (%s) END",
                    text_string(&condition), text_string(&condition));
    text_free(&condition);
    if (selects(valid, RULE_2015_10_08, payload) != wanted ||
        selects(valid, RULE_2016_03_23, payload) != wanted ||
        selects(invalid, RULE_2016_03_23, payload) == wanted)
        fail_msg("%s, %s: should be %s", stores_takes(store)->name, payload,
                 wanted ? "valid" : "invalid");
}

static void readings(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        owned char *payload = must_format("{\"t\": 20.5, \"zone\": \"1\"%s%s}",
                                          *cases[i].changes ? ", " : "", cases[i].changes);
        assert_decided(STORE_TIMESTREAM, payload, cases[i].valid & TIMESTREAM);
        assert_decided(STORE_DYNAMODB, payload, cases[i].valid & DYNAMODB);
    }
}

static void messages_that_are_no_readings(void **state)
{
    (void)state;
    static const char *const messages[] = {"",     "{}",       "[]",        "null", "0",   "\"x\"",
                                           "hot!", "\xff\xfe", "{\"t\": 1", "true", "[{}]"};
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        assert_decided(STORE_TIMESTREAM, messages[i], false);
        assert_decided(STORE_DYNAMODB, messages[i], false);
    }
}

static char *reading_with(const char *name, const char *piece, size_t count)
{
    struct text payload = {0};
    text_add_format(&payload, "{\"t\": 20.5, \"zone\": \"1\", \"%s\": \"", name);
    for (size_t i = 0; i < count; i++)
        text_add_string(&payload, piece);
    text_add_string(&payload, "\"}");
    return text_take(&payload);
}

static void assert_longest(const char *name, const char *piece, size_t longest)
{
    owned char *fits = reading_with(name, piece, longest);
    owned char *too_long = reading_with(name, piece, longest + 1);
    assert_decided(STORE_TIMESTREAM, fits, true);
    assert_decided(STORE_TIMESTREAM, too_long, false);
    assert_decided(STORE_DYNAMODB, too_long, true);
}

/* A record of Timestream has 2,048 bytes: "thing", "kitchen", "zone", "1", the name and value of
 * the measure, 8 for the time. Beyond ASCII a character counts as four bytes. */
static void texts_as_long_as_a_record(void **state)
{
    (void)state;
    assert_longest("s", "x", 2048 - 5 - 7 - 4 - 1 - 1 - 8);
    assert_longest("s", "é", (2048 - 5 - 4 - 1 - 8) / 4 - 8);
    assert_longest("s", "😀", (2048 - 5 - 4 - 1 - 8) / 4 - 8);
    assert_longest("zone", "z", 2048 - 5 - 7 - 4 - 1 - 24 - 8);
    assert_longest("zone", "ü", (2048 - 5 - 4 - 1 - 24 - 8) / 4 - 7);
}

/* What the table takes is stated once; the condition must not take more. */
static void what_tables_take(void **state)
{
    (void)state;
    const struct store_takes *timestream = stores_takes(STORE_TIMESTREAM);
    const struct store_takes *dynamodb = stores_takes(STORE_DYNAMODB);
    assert_true(stores_take_number(timestream, "1.7976931348623157e308", false));
    assert_true(stores_take_number(timestream, "-1E+308", false));
    assert_false(stores_take_number(timestream, "1e309", false));
    assert_true(stores_take_number(timestream, "-9223372036854775808", true));
    assert_false(stores_take_number(timestream, "9223372036854775808", true));
    assert_false(stores_take_number(timestream, "7.5", true));
    assert_true(stores_take_number(dynamodb, "0.0", false));
    assert_true(stores_take_number(dynamodb, "-1E-130", false));
    assert_false(stores_take_number(dynamodb, "1E-131", false));
    assert_false(stores_take_number(dynamodb, "1e126", false));
    assert_false(stores_take_number(dynamodb, "x", false));
    assert_false(stores_take_text(timestream, "", 0));
    assert_true(stores_take_text(dynamodb, "", 0));
    assert_false(stores_take_text(dynamodb, "a\0b", 3));
    owned char *longest = reading_with("s", "x", 3000);
    assert_true(stores_take_text(timestream, longest, 2048));
    assert_false(stores_take_text(timestream, longest, 2049));
    assert_true(stores_take_text(dynamodb, longest, 2049));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readings),
        cmocka_unit_test(messages_that_are_no_readings),
        cmocka_unit_test(texts_as_long_as_a_record),
        cmocka_unit_test(what_tables_take),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
