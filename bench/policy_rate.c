/* policy_rate DOCUMENT DECISIONS: how many decisions a second one core makes over a policy, such as
 * a broker asks for: a thing that connects, publishes and listens, and one that tries another's. */
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/policy/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ARN "arn:aws:iot:eu-west-1:000000000000:"

static const struct {
    struct policy_request request;
    enum policy_verdict verdict;
} asked[] = {
    {{POLICY_CONNECT, ARN, "kitchen"}, POLICY_ALLOWED},
    {{POLICY_PUBLISH, ARN, "aircon/kitchen"}, POLICY_ALLOWED},
    {{POLICY_PUBLISH, ARN, "aircon/attic"}, POLICY_DENIED},
    {{POLICY_RECEIVE, ARN, "aircon/kitchen/command"}, POLICY_ALLOWED},
};

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static struct policy *read_policy(const char *path)
{
    struct error error = {0};
    struct policy *policy = NULL;
    cJSON *written = NULL;
    if (!json_read(path, 1 << 20, &written, &error)) {
        const char *document = json_string(written, "policyDocument", "");
        policy_compile(path, document, strlen(document), &policy, &error);
    }
    cJSON_Delete(written);
    if (!policy)
        fprintf(stderr, "policy_rate: %s\n", text_string(&error.message));
    error_free(&error);
    return policy;
}

int main(int count, char **words)
{
    long wanted = count == 3 ? strtol(words[2], NULL, 10) : 0, wrong = 0;
    if (wanted < 1) {
        fputs("usage: policy_rate DOCUMENT DECISIONS\n", stderr);
        return 2;
    }
    struct policy *policy = read_policy(words[1]);
    if (!policy)
        return 1;
    const struct policy_context kitchen = {
        .client_id = "kitchen", .thing_name = "kitchen", .thing_attached = true};
    double began = now();
    for (long i = 0; i < wanted; i++) {
        size_t which = (size_t)i % (sizeof asked / sizeof *asked);
        wrong += policy_decide(&policy, 1, &asked[which].request, &kitchen).verdict !=
                 asked[which].verdict;
    }
    printf("%.0f\n", (double)wanted / (now() - began));
    policy_free(policy);
    return wrong > 0;
}
