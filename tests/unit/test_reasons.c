/* Why a rule does not select a message, in words: read from conditions that are derived, and from
 * conditions that a person wrote. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/base/text.h"
#include "common/rule/reasons.h"

#include <cmocka.h>

#define NOW 1795255200000
/* As generator/documents/condition.c writes it. */
#define DERIVED                                                                                    \
    "zone + '' = zone AND zone <> '' AND replace(zone, chr(0), '') = zone AND "                    \
    "(substring(topic(2) "                                                                         \
    "+ zone, 4) = '' OR (substring(topic(2) + zone, 20) = '' AND NOT regexp_matches(topic(2) + "   \
    "zone, '[^ -~]'))) AND t - 0 = t AND t >= -40 AND t <= 40 AND (abs(t) <= 0 OR abs(t) >= "      \
    "1E-130) AND nanvl(n, 0) - 0 = nanvl(n, 0) AND floor(nanvl(n, 0)) >= nanvl(n, 0) AND "         \
    "nanvl(n, "                                                                                    \
    "0) <= 9 AND (nanvl(b, true) = true OR nanvl(b, true) = false) AND nanvl(time, 0) - 0 = "      \
    "nanvl(time, 0) AND nanvl(time, timestamp()) >= timestamp() - 86400000 AND nanvl(time, "       \
    "timestamp()) <= timestamp() + 900000"

static const struct {
    const char *condition, *payload, *texts, *kinds; /* kinds NULL: as texts */
} cases[] = {
    {DERIVED, "{\"t\": 20, \"zone\": \"1\"}", "", NULL},
    {DERIVED, "hot!", "the message is not a JSON object", NULL},
    {DERIVED, "[1]", "the message is not a JSON object", NULL},
    {DERIVED, "{}", "zone is missing|t is missing", NULL},
    {DERIVED, "{\"t\": null, \"zone\": null}", "zone is null|t is null", NULL},
    {DERIVED, "{\"t\": 45, \"zone\": \"1\"}", "t 45 is above 40", "t is above 40"},
    {DERIVED, "{\"t\": -40.5, \"zone\": \"1\"}", "t -40.5 is below -40", "t is below -40"},
    {DERIVED, "{\"t\": 1e-140, \"zone\": \"1\"}", "t 1E-140 is too near to zero for the table",
     "t is too near to zero for the table"},
    {DERIVED, "{\"t\": \"20\", \"zone\": 7}", "zone 7 is not a text|t \"20\" is not a number",
     "zone is not a text|t is not a number"},
    {DERIVED, "{\"t\": 20, \"zone\": \"\"}", "zone is empty", NULL},
    {DERIVED, "{\"t\": 20, \"zone\": \"a\\u0000\"}",
     "zone has a character that no table takes (NUL)", NULL},
    {DERIVED, "{\"t\": 20, \"zone\": \"123456789012345678901\"}",
     "zone \"123456789012345678901\" is too long for a record", "zone is too long for a record"},
    {DERIVED, "{\"t\": 20, \"zone\": \"1\", \"n\": 7.5}", "n 7.5 is not a whole number",
     "n is not a whole number"},
    {DERIVED, "{\"t\": 20, \"zone\": \"1\", \"n\": \"x\"}", "n \"x\" is not a number",
     "n is not a number"},
    {DERIVED, "{\"t\": 20, \"zone\": \"1\", \"n\": 10, \"b\": 1}",
     "n 10 is above 9|b 1 is neither true nor false", "n is above 9|b is neither true nor false"},
    {DERIVED, "{\"t\": 20, \"zone\": \"1\", \"time\": 1795260600000}",
     "time is 90 min ahead, the most is 15 min", "time is too far ahead"},
    {DERIVED, "{\"t\": 20, \"zone\": \"1\", \"time\": 1795082400000}",
     "time is 48 h old, the most is 24 h", "time is too old"},
    {DERIVED, "{\"t\": 20, \"zone\": \"1\", \"time\": 1795255200}",
     "time 1795255200 is in the 1970s: it counts milliseconds since 1970", "time is too old"},
    {DERIVED, "{\"t\": 20, \"zone\": \"1\", \"time\": -1}",
     "time -1 is in the years before 1970: it counts milliseconds since 1970", "time is too old"},
    {DERIVED, "{\"t\": 20, \"zone\": \"1\", \"time\": 1e300}", "time 1E+300 is no time of this era",
     "time is too far ahead"},
    {DERIVED, "{\"t\": 20, \"zone\": \"1\", \"time\": \"soon\"}", "time \"soon\" is not a number",
     "time is not a number"},
    /* by hand */
    {"t < 40", "{\"t\": 40}", "t 40 is not below 40", "t is not below 40"},
    {"40 > t", "{\"t\": 40}", "t 40 is not below 40", "t is not below 40"},
    {"t > 40", "{\"t\": \"x\"}", "t \"x\" is not a number", "t is not a number"},
    {"a.b = 'on'", "{\"a\": {\"b\": \"off\"}}", "a.b \"off\" is not \"on\"", "a.b is not \"on\""},
    {"a.b = 'on'", "{\"a\": 1}", "a.b is missing", NULL},
    {"t <> 85", "{\"t\": 85}", "t is 85", NULL},
    {"t < 40 OR t = 85", "{\"t\": 50}", "not true: t < 40 OR t = 85 (t is 50)",
     "not true: t < 40 OR t = 85"},
    {"regexp_matches(s, 'a+')", "{\"s\": \"b\"}", "not true: regexp_matches(s, 'a+') (s is \"b\")",
     "not true: regexp_matches(s, 'a+')"},
    {"timestamp() < 5", "{}", "not true: timestamp() < 5", NULL},
    {"(t > 1 AND s = 'x') AND t < 5", "{\"t\": 9, \"s\": \"y\"}",
     "s \"y\" is not \"x\"|t 9 is not below 5", "s is not \"x\"|t is not below 5"},
    {"t > 40", "{\"t\": {\"a\": \"0123456789012345678901234567890123456789\"}}",
     "t {\"a\":\"0123456789012345678901234567890123... is not a number", "t is not a number"},
};

static void put(struct text *made, const char *text)
{
    text_add_string(made, made->length ? "|" : "");
    text_add_string(made, text);
}

static void reasons_of_messages(void **state)
{
    (void)state;
    struct rule_scratch *scratch = rule_scratch_new(0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const enum rule_version versions[] = {RULE_2015_10_08, RULE_2016_03_23};
        owned char *sql = must_format("SELECT 1 AS one FROM 'a/+' WHERE %s", cases[i].condition);
        for (size_t k = 0; k < 2; k++) {
            struct rule_reason reasons[RULE_MOST_REASONS];
            struct rule_fault fault;
            struct text texts = {0}, kinds = {0};
            struct rule *rule = rule_compile(sql, strlen(sql), versions[k], &fault);
            const struct rule_message message = {.topic = "a/b",
                                                 .payload = cases[i].payload,
                                                 .payload_length = strlen(cases[i].payload),
                                                 .time = NOW};
            if (!rule)
                fail_msg("%s: %s", sql, fault.message);
            rule_begin(scratch, &message);
            size_t count = rule_reasons(rule, scratch, reasons);
            for (size_t j = 0; j < count; j++) {
                put(&texts, reasons[j].text);
                put(&kinds, reasons[j].kind);
            }
            assert_string_equal(text_string(&texts), cases[i].texts);
            assert_string_equal(text_string(&kinds),
                                cases[i].kinds ? cases[i].kinds : cases[i].texts);
            text_free(&texts);
            text_free(&kinds);
            rule_free(rule);
        }
    }
    rule_scratch_free(scratch);
}

/* A variable stands for what it is set to. */
static void reasons_behind_variables(void **state)
{
    (void)state;
    static const char sql[] = "SET @t = temperature, @most = 40 SELECT @t AS t FROM 'a/+' WHERE @t "
                              "- 0 = @t AND @t < @most";
    struct rule_scratch *scratch = rule_scratch_new(0);
    struct rule_reason reasons[RULE_MOST_REASONS];
    struct rule_fault fault;
    struct rule *rule = rule_compile(sql, strlen(sql), RULE_2016_03_23, &fault);
    struct rule_message message = {
        .topic = "a/b", .payload = "{\"temperature\": 41}", .payload_length = 19};
    rule_begin(scratch, &message);
    assert_int_equal(rule_reasons(rule, scratch, reasons), 1);
    assert_string_equal(reasons[0].text, "temperature 41 is not below 40");
    message.payload = "{}";
    message.payload_length = 2;
    rule_begin(scratch, &message);
    assert_int_equal(rule_reasons(rule, scratch, reasons), 1);
    assert_string_equal(reasons[0].text, "temperature is missing");
    rule_free(rule);
    rule_scratch_free(scratch);
}

/* More parts than there is room for; each bounded. */
static void many_reasons(void **state)
{
    (void)state;
    struct rule_reason reasons[RULE_MOST_REASONS];
    struct rule_fault fault;
    char name[300];
    struct text sql = {0};
    struct rule_scratch *scratch = rule_scratch_new(0);
    text_add_string(&sql, "SELECT 1 AS one FROM 'a/+' WHERE true");
    for (int i = 0; i < 20; i++) {
        memset(name, 'a' + i, 250);
        name[250] = '\0';
        text_add_format(&sql, " AND %s > 1", name);
    }
    struct rule *rule = rule_compile(text_string(&sql), sql.length, RULE_2015_10_08, &fault);
    text_free(&sql);
    const struct rule_message message = {.topic = "a/b", .payload = "{}", .payload_length = 2};
    assert_non_null(rule);
    rule_begin(scratch, &message);
    assert_int_equal(rule_reasons(rule, scratch, reasons), RULE_MOST_REASONS);
    for (size_t i = 0; i < RULE_MOST_REASONS; i++)
        assert_true(strlen(reasons[i].text) < RULE_LONGEST_REASON);
    rule_free(rule);
    rule_scratch_free(scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reasons_of_messages),
        cmocka_unit_test(reasons_behind_variables),
        cmocka_unit_test(many_reasons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
