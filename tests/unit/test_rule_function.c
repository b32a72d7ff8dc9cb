/* The functions of the rule language where a case of rule-cases.txt cannot go: bounds, random
 * numbers, missing parts of a message, threads. */
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/rule/value.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const enum rule_version version = RULE_2016_03_23;

/* The outcome of an expression, and in made what it selects; freed by the caller. */
static enum rule_outcome evaluate(const char *expression, const struct rule_message *message,
                                  char **made)
{
    owned char *sql = must_format("SELECT %s AS v FROM '#'", expression);
    struct rule_fault fault;
    struct rule *rule = rule_compile(sql, strlen(sql), version, &fault);
    if (!rule)
        fail_msg("%s: %s", expression, fault.message);
    struct rule_scratch *scratch = rule_scratch_new(0);
    struct rule_result result = {0};
    rule_begin(scratch, message);
    enum rule_outcome outcome = rule_select(rule, scratch, &result);
    *made = outcome == RULE_SELECTED ? must_copy_bytes(result.bytes, result.length) : NULL;
    rule_scratch_free(scratch);
    rule_free(rule);
    return outcome;
}

static void assert_value(const char *expression, const struct rule_message *message,
                         const char *expected)
{
    owned char *made = NULL;
    assert_int_equal(evaluate(expression, message, &made), RULE_SELECTED);
    if (!made || strcmp(made, expected) != 0)
        fail_msg("%s: expected %s, got %.200s", expression, expected, made ? made : "");
}

/* {"s": "aaa...", with the end given}, as long as AWS IoT takes one. */
static struct rule_message long_message(struct text *payload, const char *end)
{
    enum { LONG = 128 * 1024 - 64 };
    text_clear(payload);
    text_add_string(payload, "{\"s\":\"");
    text_add_repeated(payload, 'a', LONG);
    text_add_format(payload, "%s\"}", end);
    return (struct rule_message){
        .topic = "t", .payload = payload->at, .payload_length = payload->length};
}

/* --- bounds --- */

static void test_no_pattern_stalls(void **state)
{
    (void)state;
    static const char *const patterns[] = {
        "^(a|aa)+$",   "(a*)*b|a", "a(?=[^c]*c)",  "a(?=a*(b|))",          "[^c]*c\\d",
        "(.*?,){11}P", "(a+)+$",   "(?:a?){60}b$", "(.*)(.*)(.*)(.*)x\\d",
    };
    struct text payload = {0};
    struct rule_message message = long_message(&payload, "bcd,x");
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        owned char *expression = must_format("length(regexp_replace(s, '%s', ''))", patterns[i]);
        owned char *made = NULL;
        assert_int_equal(evaluate(expression, &message, &made), RULE_SELECTED);
    }
    assert_value("regexp_replace(s, 'a(?=[^c]*c)', '')", &message, "{}");
    assert_value("regexp_matches(s, '[^c]*c\\d')", &message, "{}");
    assert_value("length(regexp_replace(s, 'a', 'é'))", &message, "{\"v\":131013}");
    text_free(&payload);
}

static void test_results_have_an_end(void **state)
{
    (void)state;
    static const char *const expressions[] = {
        "length(replace(s, 'a', s))",
        "length(regexp_replace(s, 'a', s))",
        "length(replace(replace(s, 'a', 'aaaaaaaaaaaa'), 'a', 'aaaaaaaaaaaaaa'))",
        "length(parse_time(replace(s, 'a', 'zzzz zzzz zzzz zzzz '), 0))",
    };
    struct text payload = {0};
    struct rule_message message = long_message(&payload, "");
    for (size_t i = 0; i < sizeof expressions / sizeof *expressions; i++) {
        owned char *made = NULL;
        assert_int_equal(evaluate(expressions[i], &message, &made), RULE_OUT_OF_MEMORY);
    }
    assert_value("length(lpad(s, 100000))", &message, "{\"v\":132008}");
    text_free(&payload);
}

static void test_what_transform_makes_has_a_limit(void **state)
{
    (void)state;
    struct text payload = {0};
    text_add_string(&payload, "{\"with\":{\"k\":\"");
    text_add_repeated(&payload, 'x', 1000);
    text_add_string(&payload, "\"},\"few\":[{},{}],\"many\":[{}");
    for (int i = 1; i < 140; i++)
        text_add_string(&payload, ",{}");
    text_add_string(&payload, "]}");
    struct rule_message message = {
        .topic = "t", .payload = payload.at, .payload_length = payload.length};
    assert_value("length(transform('enrichArray', with, few))", &message, "{\"v\":2019}");
    assert_value("transform('enrichArray', with, many)", &message, "{}");
    text_free(&payload);
}

/* --- what a message may not have --- */

static uint64_t all_ones(void *context)
{
    (void)context;
    return UINT64_MAX;
}

static uint64_t all_zeros(void *context)
{
    (void)context;
    return 0;
}

static void test_chance(void **state)
{
    (void)state;
    struct rule_message message = {.topic = "t", .payload = "{}", .payload_length = 2};
    assert_value("rand()", &message, "{}");
    assert_value("newuuid()", &message, "{}");
    message.random = all_ones;
    assert_value("rand() < 1", &message, "{\"v\":true}");
    assert_value("newuuid()", &message, "{\"v\":\"ffffffff-ffff-4fff-bfff-ffffffffffff\"}");
    message.random = all_zeros;
    assert_value("rand() = 0", &message, "{\"v\":true}");
    assert_value("newuuid()", &message, "{\"v\":\"00000000-0000-4000-8000-000000000000\"}");
}

static void test_an_empty_message(void **state)
{
    (void)state;
    struct rule_message message = {.topic = "", .payload = "", .payload_length = 0};
    assert_value("encode(*, 'base64')", &message, "{\"v\":\"\"}");
    assert_value("topic()", &message, "{\"v\":\"\"}");
    assert_value("topic(1)", &message, "{\"v\":\"\"}");
    assert_value("topic(2)", &message, "{}");
    assert_value("principal()", &message, "{}");
    assert_value("clientid()", &message, "{\"v\":\"n/a\"}");
}

static void test_bytes_that_are_no_text(void **state)
{
    (void)state;
    struct rule_message message = {.topic = "t", .payload = "\xff\x00\xfe", .payload_length = 3};
    assert_value("encode(*, 'base64')", &message, "{\"v\":\"/wD+\"}");
    assert_value("decode(encode(*, 'base64'), 'base64')", &message, "{\"v\":null}");
}

/* Every character of the planes that have upper and lower case, alone: each of its mappings fits
 * into the memory that is taken for it. */
static void test_every_character_has_its_case(void **state)
{
    (void)state;
    static const char sql[] = "SELECT upper(s) AS u, lower(s) AS l FROM '#'";
    struct rule_fault fault;
    struct rule *rule = rule_compile(sql, strlen(sql), version, &fault);
    struct rule_scratch *scratch = rule_scratch_new(0);
    char payload[32];
    for (unsigned character = 0x20; character < 0x20000; character++) {
        struct rule_result result;
        if (character < 0x10000)
            snprintf(payload, sizeof payload, "{\"s\":\"\\u%04x\"}", character);
        else
            snprintf(payload, sizeof payload, "{\"s\":\"\\u%04x\\u%04x\"}",
                     0xD800 + ((character - 0x10000) >> 10), 0xDC00 + (character & 0x3FF));
        struct rule_message message = {
            .topic = "t", .payload = payload, .payload_length = strlen(payload)};
        rule_begin(scratch, &message);
        assert_int_equal(rule_select(rule, scratch, &result), RULE_SELECTED);
        bool surrogate = character >= 0xD800 && character < 0xE000; /* is no character */
        owned char *made = must_copy_bytes(result.bytes, result.length);
        if (!surrogate && (!strstr(made, "\"u\":") || !strstr(made, "\"l\":")))
            fail_msg("U+%04X: %s", character, made);
    }
    rule_scratch_free(scratch);
    rule_free(rule);
}

/* --- names of zones --- */

static void test_zones_stay_in_their_folder(void **state)
{
    (void)state;
    static const char *const names[] = {
        "",
        "/etc/localtime",
        "../zoneinfo/UTC",
        "Europe/../UTC",
        "Europe",
        "posix/UTC",
        "right/UTC",
        "tzdata.zi",
        "zone.tab",
        "Europe/",
        "+24:00",
        "+1",
        "+01:60",
        "UTC\" || \"",
        "-",
        "europe/berlin!",
        "leapseconds",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "z", names[i]);
        owned char *json = cJSON_PrintUnformatted(object);
        struct rule_message message = {
            .topic = "t", .payload = json, .payload_length = strlen(json)};
        assert_value("parse_time('HH', 0, z)", &message, "{}");
        cJSON_Delete(object);
    }
}

/* --- threads --- */

enum { THREADS = 4, ROUNDS = 200 };

static const char shared_sql[] =
    "SELECT parse_time('HH:mm z', 1500000000000, z) AS t, regexp_replace(z, '(.*)/(.*)', '$2') AS c"
    ", sha256(z) = sha256(z) AS h FROM '#'";

static void *run_shared(void *rule)
{
    static const char expected[] = "{\"t\":\"04:40 CEST\",\"c\":\"Berlin\",\"h\":true}";
    static const char payload[] = "{\"z\":\"Europe/Berlin\"}";
    struct rule_message message = {
        .topic = "t", .payload = payload, .payload_length = strlen(payload)};
    struct rule_scratch *scratch = rule_scratch_new(0);
    uintptr_t wrong = 0;
    for (int i = 0; i < ROUNDS; i++) {
        struct rule_result result = {0};
        rule_begin(scratch, &message);
        wrong += rule_run(rule, scratch, &result) != RULE_SELECTED ||
                 result.length != strlen(expected) ||
                 memcmp(result.bytes, expected, result.length) != 0;
    }
    rule_scratch_free(scratch);
    return (void *)wrong;
}

static void test_threads_share_a_rule(void **state)
{
    (void)state;
    struct rule_fault fault;
    struct rule *rule = rule_compile(shared_sql, strlen(shared_sql), version, &fault);
    assert_non_null(rule);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_shared, rule), 0);
    for (int i = 0; i < THREADS; i++) {
        void *wrong;
        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_null(wrong);
    }
    rule_free(rule);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_pattern_stalls),
        cmocka_unit_test(test_results_have_an_end),
        cmocka_unit_test(test_what_transform_makes_has_a_limit),
        cmocka_unit_test(test_chance),
        cmocka_unit_test(test_an_empty_message),
        cmocka_unit_test(test_bytes_that_are_no_text),
        cmocka_unit_test(test_every_character_has_its_case),
        cmocka_unit_test(test_zones_stay_in_their_folder),
        cmocka_unit_test(test_threads_share_a_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
