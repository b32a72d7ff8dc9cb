/* Every case of policy-cases.json: policies, what is asked for and by whom, and what is decided.
 * Each group names the section of the AWS IoT developer guide (DG) or the IAM user guide (IAM) that
 * it comes from. */
#include "common/base/json.h"
#include "common/policy/policy.h"
#include "workplace.h"

enum { LEAST_CASES = 90, MOST_POLICIES = 10, MOST_KEYS = 16 };

static cJSON *groups;
static size_t count;

static int read_cases(void **state)
{
    (void)state;
    owned char *path = from_root("tests/unit/policy-cases.json");
    if (json_read(path, 1 << 20, &groups, &error))
        print_error("%s\n", text_string(&error.message));
    return !groups;
}

static int forget_cases(void **state)
{
    (void)state;
    cJSON_Delete(groups);
    free(root_folder);
    return 0;
}

/* --- from JSON to what the library takes --- */

struct given {
    struct policy_context context;
    struct policy_attribute attributes[MOST_KEYS];
    struct policy_attachment attachments[MOST_KEYS];
    struct policy_values certificate[MOST_KEYS], others[MOST_KEYS];
    const char *values[2 * MOST_KEYS * MOST_KEYS];
    size_t value_count;
};

static size_t read_values(struct given *given, const cJSON *object, struct policy_values *list)
{
    size_t keys = 0;
    const cJSON *key, *value;
    cJSON_ArrayForEach(key, object)
    {
        const char **first = given->values + given->value_count;
        assert_true(keys < MOST_KEYS);
        list[keys++] = (struct policy_values){key->string, first, (size_t)cJSON_GetArraySize(key)};
        cJSON_ArrayForEach(value, key) given->values[given->value_count++] = value->valuestring;
    }
    return keys;
}

/* Where a case has attachments, they say which thing the connection is of. */
static void read_attachments(const cJSON *list, struct given *given)
{
    size_t number = 0;
    const cJSON *item;
    if (!list)
        return;
    cJSON_ArrayForEach(item, list) given->attachments[number++] =
        (struct policy_attachment){json_string(item, "thing", ""), json_true(item, "exclusive")};
    policy_associate(&given->context, given->attachments, number);
}

static void read_context(const cJSON *written, struct given *given)
{
    struct policy_context *context = &given->context;
    const cJSON *attribute;
    *given = (struct given){0};
    context->client_id = json_string(written, "client_id", NULL);
    context->source_ip = json_string(written, "source_ip", NULL);
    context->domain = json_string(written, "domain", NULL);
    context->thing_name = json_string(written, "thing_name", NULL);
    context->thing_type = json_string(written, "thing_type", NULL);
    context->thing_attached = json_true(written, "attached");
    read_attachments(json_get(written, "attachments"), given);
    context->certificate_id = json_string(written, "certificate_id", NULL);
    context->time = (int64_t)json_number(written, "time", 0);
    cJSON_ArrayForEach(attribute, json_get(written, "attributes"))
        given->attributes[context->attribute_count++] =
        (struct policy_attribute){attribute->string, attribute->valuestring};
    context->attributes = given->attributes;
    context->certificate_count =
        read_values(given, json_get(written, "certificate"), given->certificate);
    context->certificate = given->certificate;
    context->other_count = read_values(given, json_get(written, "others"), given->others);
    context->others = given->others;
}

/* --- cases --- */

static enum policy_action action_named(const char *name)
{
    for (size_t i = 0; i < POLICY_ACTION_COUNT; i++)
        if (strcmp(policy_action_name((enum policy_action)i), name) == 0)
            return (enum policy_action)i;
    fail_msg("there is no action \"%s\"", name);
    return POLICY_ACTION_COUNT;
}

static const char *verdict_name(enum policy_verdict verdict)
{
    return verdict == POLICY_ALLOWED  ? "allowed"
           : verdict == POLICY_DENIED ? "denied"
                                      : "forbidden";
}

static bool run_case(struct policy *const *policies, size_t policy_count, const cJSON *group,
                     const cJSON *written)
{
    const cJSON *statement = json_get(written, "statement");
    struct given given;
    struct policy_request request = {.arn = json_string(json_get(written, "context"), "arn",
                                                        "arn:aws:iot:us-east-1:123456789012:"),
                                     .name = json_string(written, "name", NULL)};
    request.action = action_named(json_string(written, "action", ""));
    read_context(json_get(written, "context"), &given);
    struct policy_decision made = policy_decide(policies, policy_count, &request, &given.context);
    const char *got = verdict_name(made.verdict), *wanted = json_string(written, "verdict", "");
    bool right = strcmp(got, wanted) == 0 && made.found == (statement != NULL) &&
                 (!statement || (double)made.statement == statement->valuedouble) &&
                 (double)made.policy == json_number(written, "policy_index", 0);
    count++;
    if (!right)
        print_error("%s: %s: wanted %s, got %s by %s%zu of policy %zu\n",
                    json_string(group, "section", ""), json_string(written, "about", ""), wanted,
                    got, made.found ? "" : "nothing, not ", made.statement, made.policy);
    return right;
}

static struct policy *compile(const cJSON *document)
{
    struct text text = {0};
    struct policy *policy;
    json_compact(document, &text);
    if (policy_compile("case", text_string(&text), text.length, &policy, &error))
        fail_msg("%s", text_string(&error.message));
    text_free(&text);
    return policy;
}

static size_t run_group(const cJSON *group)
{
    const cJSON *document = json_get(group, "policy"), *written;
    struct policy *policies[MOST_POLICIES];
    size_t policy_count = 0, wrong = 0;
    for (const cJSON *one = cJSON_IsArray(document) ? document->child : document; one;
         one = cJSON_IsArray(document) ? one->next : NULL)
        policies[policy_count++] = compile(one);
    cJSON_ArrayForEach(written, json_get(group, "cases")) wrong +=
        !run_case(policies, policy_count, group, written);
    for (size_t i = 0; i < policy_count; i++)
        policy_free(policies[i]);
    return wrong;
}

static bool run_refusal(const cJSON *group)
{
    const char *text = json_string(group, "text", ""), *wanted = json_string(group, "error", "");
    struct policy *policy;
    struct error refused = {0};
    enum status status = policy_compile("p", text, strlen(text), &policy, &refused);
    const char *got = text_string(&refused.message);
    bool right = status == WRONG_INPUT && !policy && strstr(got, wanted);
    count++;
    if (!right)
        print_error("%s: %s\n  wanted: %s\n  got: %s\n", json_string(group, "section", ""), text,
                    wanted, got);
    error_free(&refused);
    return right;
}

static void every_case_is_decided_as_documented(void **state)
{
    (void)state;
    const cJSON *group;
    size_t wrong = 0;
    cJSON_ArrayForEach(group, groups)
    {
        assert_true(*json_string(group, "section", ""));
        wrong += json_get(group, "text") ? !run_refusal(group) : run_group(group);
    }
    print_message("%zu cases\n", count);
    assert_int_equal(wrong, 0);
    assert_true(count >= LEAST_CASES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_is_decided_as_documented),
    };
    return cmocka_run_group_tests(tests, read_cases, forget_cases);
}
