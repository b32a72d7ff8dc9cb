/* Any text as a policy, and any names as who asks for what. The input is fields with a NUL between
 * them: the document, then a letter for the action, the name, the client id, the thing's name, an
 * attribute's value, a certificate's common name, an address. What is decided is the same each
 * time, points at a statement that is there, and gives way to a policy that denies everything. */
#include "common/policy/parts.h"
#include "workplace.h"

enum { FIELDS = 8 };

static const char forbids[] =
    "{\"Statement\":{\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\"}}";

/* Pointers into copy, which has a NUL behind its size bytes; missing fields are NULL. */
static void split(char *copy, size_t size, const char *fields[FIELDS])
{
    size_t at = 0;
    for (size_t i = 0; i < FIELDS && at < size; i++) {
        fields[i] = copy + at;
        at += strlen(copy + at) + 1;
    }
}

static struct policy *compiled(const char *document)
{
    struct policy *policy;
    struct error error = {0};
    if (policy_compile("p", document, strlen(document), &policy, &error)) {
        must_hold(!policy && error.status == WRONG_INPUT && begins_with(error.message.at, "p"));
        error_free(&error);
    }
    return policy;
}

static void decide(struct policy *policy, const char *const fields[FIELDS])
{
    const char *const values[] = {fields[6] ? fields[6] : "", "second"};
    const struct policy_values certificate = {"Subject.CommonName", values, fields[6] ? 2 : 0};
    const struct policy_values other = {"iot:ConnectAttributes", values, 2};
    const struct policy_attribute attribute = {"zone", fields[5]};
    struct policy_context context = {.client_id = fields[3],
                                     .thing_name = fields[4],
                                     .source_ip = fields[7],
                                     .thing_attached = fields[4] != NULL,
                                     .attributes = &attribute,
                                     .attribute_count = 1,
                                     .certificate = &certificate,
                                     .certificate_count = 1,
                                     .others = &other,
                                     .other_count = 1,
                                     .time = fields[7] ? 1795255200 : 0};
    struct policy_request request = {
        (enum policy_action)((fields[1] ? (unsigned char)*fields[1] : 0) % POLICY_ACTION_COUNT),
        "arn:aws:iot:us-east-1:123456789012:", fields[2] ? fields[2] : ""};
    struct policy_decision one = policy_decide(&policy, 1, &request, &context);
    struct policy_decision other_one = policy_decide(&policy, 1, &request, &context);
    must_hold(one.verdict == other_one.verdict && one.statement == other_one.statement);
    must_hold(one.found || one.verdict == POLICY_DENIED);
    must_hold(!one.found || one.statement < policy->count);
    struct policy *deny = compiled(forbids);
    struct policy *both[] = {policy, deny};
    must_hold(policy_decide(both, 2, &request, &context).verdict == POLICY_FORBIDDEN);
    policy_free(deny);
    struct text words = {0};
    policy_describe(&one, &request, &words);
    must_hold(words.length > 0);
    text_free(&words);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    const char *fields[FIELDS] = {0};
    char *copy = malloc(size + 1);
    must_hold(copy != NULL);
    memcpy(copy, input, size);
    copy[size] = '\0';
    split(copy, size, fields);
    struct policy *policy = fields[0] ? compiled(fields[0]) : NULL;
    if (policy)
        decide(policy, fields);
    policy_free(policy);
    free(copy);
    return 0;
}
