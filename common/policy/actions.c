/* Actions by their names, as they stand in a policy and in the guide's "AWS IoT Core policy actions". */
#include "actions.h"

#include <string.h>
#include <strings.h>

static const struct {
    const char *name, *kind;
} actions[POLICY_ACTION_COUNT] = {
    [POLICY_CONNECT] = {"iot:Connect", "client/"},
    [POLICY_DELETE_CONNECTION] = {"iot:DeleteConnection", "client/"},
    [POLICY_PUBLISH] = {"iot:Publish", "topic/"},
    [POLICY_SUBSCRIBE] = {"iot:Subscribe", "topicfilter/"},
    [POLICY_RECEIVE] = {"iot:Receive", "topic/"},
    [POLICY_RETAIN_PUBLISH] = {"iot:RetainPublish", "topic/"},
    [POLICY_GET_RETAINED_MESSAGE] = {"iot:GetRetainedMessage", "topic/"},
    [POLICY_LIST_RETAINED_MESSAGES] = {"iot:ListRetainedMessages", ""},
    [POLICY_GET_THING_SHADOW] = {"iot:GetThingShadow", "thing/"},
    [POLICY_UPDATE_THING_SHADOW] = {"iot:UpdateThingShadow", "thing/"},
    [POLICY_DELETE_THING_SHADOW] = {"iot:DeleteThingShadow", "thing/"},
    [POLICY_LIST_NAMED_SHADOWS] = {"iot:ListNamedShadowsForThing", ""},
    [POLICY_DESCRIBE_JOB_EXECUTION] = {"iot:DescribeJobExecution", "thing/"},
    [POLICY_GET_PENDING_JOB_EXECUTIONS] = {"iot:GetPendingJobExecutions", "thing/"},
    [POLICY_START_NEXT_PENDING_JOB_EXECUTION] = {"iot:StartNextPendingJobExecution", "thing/"},
    [POLICY_UPDATE_JOB_EXECUTION] = {"iot:UpdateJobExecution", "thing/"},
    [POLICY_ASSUME_ROLE_WITH_CERTIFICATE] = {"iot:AssumeRoleWithCertificate", "rolealias/"},
};

const char *policy_action_name(enum policy_action action)
{
    return actions[action].name;
}

const char *policy_resource_kind(enum policy_action action)
{
    return actions[action].kind;
}

/* Whether all of string matches a pattern in which "*" is any run of characters and "?" is one.
 * After a mismatch only the last "*" is tried again, one character longer, so the cost is at most
 * the product of both lengths. */
static bool name_matches(const char *pattern, const char *string)
{
    const char *run = NULL,
               *run_string = NULL; /* behind the last "*", and where it was tried last */
    while (*pattern || *string) {
        if (*pattern == '*') {
            run = ++pattern;
            run_string = string;
        } else if (*string && (*pattern == '?' || strncasecmp(pattern, string, 1) == 0)) {
            pattern++;
            string++;
        } else if (run && *run_string) {
            pattern = run;
            string = ++run_string;
        } else {
            return false;
        }
    }
    return true;
}

uint32_t actions_matching(const char *pattern)
{
    uint32_t matching = 0;
    for (size_t i = 0; i < POLICY_ACTION_COUNT; i++)
        if (name_matches(pattern, actions[i].name))
            matching |= UINT32_C(1) << i;
    return matching;
}
