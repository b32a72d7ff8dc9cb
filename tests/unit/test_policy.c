/* Policies: what a table of cases cannot say. Bounds, cost, memory, the words for a decision, and
 * the documents that this program emits. */
#include "common/base/json.h"
#include "common/policy/policy.h"
#include "workplace.h"

#include <malloc.h>
#include <pthread.h>

#define ARN "arn:aws:iot:us-east-1:123456789012:"

static struct policy *compile(const char *document)
{
    struct policy *policy;
    if (policy_compile("p", document, strlen(document), &policy, &error))
        fail_msg("%s", text_string(&error.message));
    return policy;
}

static const char *refusal(const char *document, size_t length)
{
    struct policy *policy;
    error_free(&error);
    assert_int_equal(policy_compile("p", document, length, &policy, &error), WRONG_INPUT);
    assert_null(policy);
    return text_string(&error.message);
}

static enum policy_verdict decide(struct policy *policy, enum policy_action action,
                                  const char *name, const struct policy_context *context)
{
    struct policy_request request = {action, ARN, name};
    return policy_decide(&policy, 1, &request, context).verdict;
}

static void actions_have_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < POLICY_ACTION_COUNT; i++) {
        const char *kind = policy_resource_kind((enum policy_action)i);
        assert_true(begins_with(policy_action_name((enum policy_action)i), "iot:"));
        assert_true(!*kind || ends_with(kind, "/"));
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(policy_action_name((enum policy_action)i),
                                    policy_action_name((enum policy_action)j));
    }
}

static void without_policies_all_is_denied(void **state)
{
    (void)state;
    struct policy_context nobody = {0};
    struct policy_request request = {POLICY_CONNECT, ARN, "a"};
    struct policy_decision made = policy_decide(NULL, 0, &request, &nobody);
    assert_int_equal(made.verdict, POLICY_DENIED);
    assert_false(made.found);
}

static void a_document_has_a_limit(void **state)
{
    (void)state;
    static const char around[] =
        "{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*%s\"}}";
    struct text document = {0}, filling = {0};
    text_add_repeated(&filling, 'x', POLICY_MOST_CHARACTERS - strlen(around) + 2);
    text_add_format(&document, around, text_string(&filling));
    assert_int_equal(document.length, POLICY_MOST_CHARACTERS);
    policy_free(compile(text_string(&document)));
    text_add_repeated(&document, ' ', POLICY_LARGEST - document.length);
    policy_free(compile(text_string(&document))); /* white space does not count */
    text_add_char(&document, ' ');
    assert_non_null(strstr(refusal(document.at, document.length), "65537 bytes"));
    text_clear(&document);
    text_add_char(&filling, 'x');
    text_add_format(&document, around, text_string(&filling));
    assert_non_null(strstr(refusal(document.at, document.length), "2049 characters"));
    text_free(&document);
    text_free(&filling);
}

static void nesting_has_a_limit(void **state)
{
    (void)state;
    struct text document = {0};
    text_add_string(&document, "{\"Statement\":");
    text_add_repeated(&document, '[', 900);
    text_add_repeated(&document, ']', 900);
    text_add_char(&document, '}');
    assert_non_null(strstr(refusal(document.at, document.length), "nested too deeply"));
    text_free(&document);
}

static void the_document_may_go_away(void **state)
{
    (void)state;
    static const char document[] = "{\"Statement\":{\"Sid\":\"S\",\"Effect\":\"Allow\","
                                   "\"Action\":\"*\",\"Resource\":\"*\"}}trailing";
    char *copy = must_copy_bytes(document, sizeof document - 9); /* no NUL of the document's own */
    struct policy *policy;
    assert_int_equal(policy_compile("p", copy, sizeof document - 9, &policy, &error), FINE);
    memset(copy, 'x', sizeof document - 9);
    free(copy);
    struct policy_context nobody = {0};
    struct policy_request request = {POLICY_CONNECT, ARN, "a"};
    assert_string_equal(policy_decide(&policy, 1, &request, &nobody).sid, "S");
    policy_free(policy);
}

/* With a matcher that tries combinations this would not end. */
static void wildcards_do_not_try_combinations(void **state)
{
    (void)state;
    struct text document = {0}, name = {0};
    struct policy_context nobody = {0};
    text_add_string(&document, "{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"*\","
                               "\"Resource\":\"" ARN "topic/");
    for (int i = 0; i < 600; i++)
        text_add_string(&document, i % 2 ? "*a" : "*?");
    text_add_string(&document, "*b\"}}");
    text_add_repeated(&name, 'a', 65535);
    struct policy *policy = compile(text_string(&document));
    assert_int_equal(decide(policy, POLICY_PUBLISH, text_string(&name), &nobody), POLICY_DENIED);
    text_add_char(&name, 'b');
    assert_int_equal(decide(policy, POLICY_PUBLISH, text_string(&name), &nobody), POLICY_ALLOWED);
    policy_free(policy);
    text_free(&document);
    text_free(&name);
}

/* Every short pattern against every short name, beside the definition of a wildcard. */
static bool fits(const char *pattern, const char *name)
{
    if (*pattern == '*')
        return fits(pattern + 1, name) || (*name && fits(pattern, name + 1));
    if (!*pattern || !*name)
        return !*pattern && !*name;
    return (*pattern == '?' || *pattern == *name) && fits(pattern + 1, name + 1);
}

static void spell(size_t number, const char *letters, char made[8])
{
    size_t base = strlen(letters), i = 0;
    for (; number; number = (number - 1) / base)
        made[i++] = letters[(number - 1) % base];
    made[i] = '\0';
}

static void wildcards_are_what_they_are_defined_as(void **state)
{
    (void)state;
    struct policy_context nobody = {0};
    char pattern[8], name[8];
    for (size_t i = 0; i < 341; i++) { /* up to four letters of four */
        spell(i, "ab*?", pattern);
        owned char *document = must_format("{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"*\","
                                           "\"Resource\":\"" ARN "topic/%s\"}}",
                                           pattern);
        struct policy *policy = compile(document);
        for (size_t j = 0; j < 127; j++) { /* up to six letters of two */
            spell(j, "ab", name);
            bool allowed = decide(policy, POLICY_PUBLISH, name, &nobody) == POLICY_ALLOWED;
            if (allowed != fits(pattern, name))
                fail_msg("\"%s\" and \"%s\": %d", pattern, name, allowed);
        }
        policy_free(policy);
    }
}

static const char everything[] =
    "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"iot:*\","
    "\"Resource\":\"" ARN "*/${iot:ClientId}/*/${iot:Certificate.Subject.CommonName}\","
    "\"Condition\":{\"StringLike\":{\"iot:ClientId\":\"k*\"},"
    "\"IpAddress\":{\"aws:SourceIp\":\"192.0.2.0/24\"},"
    "\"DateGreaterThan\":{\"aws:CurrentTime\":\"2020-01-01T00:00:00Z\"},"
    "\"ArnLike\":{\"iot:LastWillTopic\":\"arn:*:iot:*:*:topic/*\"},"
    "\"ForAnyValue:StringEquals\":{\"iot:Certificate.Subject.CommonName.List\":\"kitchen\"}}}]}";

static const struct policy_context kitchen = {
    .client_id = "kitchen",
    .thing_name = "kitchen",
    .source_ip = "192.0.2.9",
    .time = 1795255200,
    .certificate = (const struct policy_values[]){{"Subject.CommonName",
                                                   (const char *const[]){"kitchen", "two"}, 2}},
    .certificate_count = 1,
    .others = (const struct policy_values[]){{"iot:LastWillTopic",
                                              (const char *const[]){ARN "topic/will"}, 1}},
    .other_count = 1};

static void deciding_allocates_nothing(void **state)
{
    (void)state;
    struct policy *policy = compile(everything);
    assert_int_equal(decide(policy, POLICY_PUBLISH, "x/kitchen/y/kitchen", &kitchen),
                     POLICY_ALLOWED);
    struct mallinfo2 before = mallinfo2();
    for (int i = 0; i < 1000; i++)
        decide(policy, POLICY_PUBLISH, i % 2 ? "x/kitchen/y/kitchen" : "x/attic", &kitchen);
    struct mallinfo2 after = mallinfo2();
    assert_int_equal(after.uordblks, before.uordblks);
    assert_int_equal(after.fordblks, before.fordblks);
    policy_free(policy);
}

static void *decide_often(void *policy)
{
    uintptr_t wrong = 0;
    for (int i = 0; i < 20000; i++)
        wrong += decide(policy, POLICY_PUBLISH, "x/kitchen/y/kitchen", &kitchen) != POLICY_ALLOWED;
    return (void *)wrong; /* NOLINT(performance-no-int-to-ptr): a count, never followed */
}

static void threads_share_a_policy(void **state)
{
    (void)state;
    struct policy *policy = compile(everything);
    pthread_t threads[4];
    void *wrong;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, decide_often, policy), 0);
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
    policy_free(policy);
}

static void describes(struct policy *policy, const char *name, const char *wanted)
{
    struct policy_request request = {POLICY_PUBLISH, ARN, name};
    struct policy_decision made = policy_decide(&policy, 1, &request, &kitchen);
    struct text words = {0};
    policy_describe(&made, &request, &words);
    assert_string_equal(text_string(&words), wanted);
    text_free(&words);
}

static void a_decision_has_words(void **state)
{
    (void)state;
    struct policy *policy = compile(
        "{\"Statement\":[{\"Sid\":\"Own\",\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"" ARN
        "topic/a\"},{\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"" ARN
        "topic/b\"},{\"Sid\":\"Bound\",\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"" ARN
        "topic/c\",\"Condition\":{\"Bool\":{\"iot:Connection.Thing.IsAttached\":true}}}]}");
    describes(policy, "a", "allowed by statement \"Own\"");
    describes(policy, "b", "denied by statement 2");
    describes(policy, "c", "denied: a condition does not hold of statement \"Bound\"");
    describes(policy, "d", "denied: no statement allows iot:Publish on topic/d");
    policy_free(policy);
}

/* What this program emits lets a thing do its own, and no other. */
static void emitted_policies_are_as_wide_as_their_type(void **state)
{
    (void)state;
    static const char folder[] = "tests/golden/expected/timestream/aircon/awscli/policy.json";
    owned char *path = from_root(folder);
    cJSON *written = NULL;
    assert_int_equal(json_read(path, 1 << 20, &written, &error), FINE);
    struct policy *policy = compile(json_string(written, "policyDocument", ""));
    cJSON_Delete(written);
    static const struct {
        enum policy_action action;
        const char *name;
        bool attached;
        enum policy_verdict verdict;
    } cases[] = {
        {POLICY_CONNECT, "kitchen", true, POLICY_ALLOWED},
        {POLICY_CONNECT, "kitchen", false, POLICY_DENIED},
        {POLICY_CONNECT, "attic", true, POLICY_DENIED},
        {POLICY_CONNECT, "+", true, POLICY_DENIED},
        {POLICY_PUBLISH, "aircon/kitchen", true, POLICY_ALLOWED},
        {POLICY_PUBLISH, "aircon/attic", true, POLICY_DENIED},
        {POLICY_PUBLISH, "aircon/kitchen/command", true, POLICY_DENIED},
        {POLICY_PUBLISH, "esp32air/kitchen", true, POLICY_DENIED},
        {POLICY_RETAIN_PUBLISH, "aircon/kitchen", true, POLICY_DENIED},
        {POLICY_SUBSCRIBE, "aircon/kitchen/command", true, POLICY_ALLOWED},
        {POLICY_SUBSCRIBE, "aircon/+/command", true, POLICY_DENIED},
        {POLICY_SUBSCRIBE, "#", true, POLICY_DENIED},
        {POLICY_RECEIVE, "aircon/kitchen/command", true, POLICY_ALLOWED},
        {POLICY_RECEIVE, "aircon/attic/command", true, POLICY_DENIED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct policy_context context = {
            .client_id = "kitchen", .thing_name = "kitchen", .thing_attached = cases[i].attached};
        struct policy_request request = {cases[i].action,
                                         "arn:aws:iot:eu-west-1:000000000000:", cases[i].name};
        enum policy_verdict got = policy_decide(&policy, 1, &request, &context).verdict;
        if (got != cases[i].verdict)
            fail_msg("%s %s: %d", policy_action_name(request.action), request.name, (int)got);
    }
    policy_free(policy);
}

static int forget(void **state)
{
    (void)state;
    free(root_folder);
    error_free(&error);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(actions_have_names),
        cmocka_unit_test(without_policies_all_is_denied),
        cmocka_unit_test(a_document_has_a_limit),
        cmocka_unit_test(nesting_has_a_limit),
        cmocka_unit_test(the_document_may_go_away),
        cmocka_unit_test(wildcards_do_not_try_combinations),
        cmocka_unit_test(wildcards_are_what_they_are_defined_as),
        cmocka_unit_test(deciding_allocates_nothing),
        cmocka_unit_test(threads_share_a_policy),
        cmocka_unit_test(a_decision_has_words),
        cmocka_unit_test(emitted_policies_are_as_wide_as_their_type),
    };
    return cmocka_run_group_tests(tests, NULL, forget);
}
