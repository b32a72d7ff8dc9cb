/* Trying a type: its emitted AWS documents, run here on one message.
 *
 * The documents are those of templates/awscli, rendered as `generate` would now: every one that
 * holds a topic rule is a rule, every one that holds a policy is attached. Nothing is written. */
#ifndef GENERATOR_TRIAL_TRIAL_H
#define GENERATOR_TRIAL_TRIAL_H

#include "common/policy/policy.h"
#include "common/rule/topic_rule.h"
#include "generator/project/project.h"

struct trial {
    struct topic_rule *rules;
    size_t rule_count, rule_room;
    struct policy **policies;
    size_t policy_count, policy_room;
    char *arn; /* of this system, up to the account */
    struct rule_scratch *scratch;
};

/* The documents of a set of artifacts, for the system whose model is given. The caller closes the
 * trial, also after a failure. */
enum status trial_open(const struct artifacts *documents, const cJSON *model, struct trial *trial,
                       struct error *error);
void trial_close(struct trial *trial);

/* What each rule does with a message. The caller deletes:
 *
 *   [{"rule": "esp8266temp_valid", "sql": "SELECT ...", "sql_version": "2015-10-08",
 *     "outcome": "selected",        or "other topic", "not selected", "disabled", "refused",
 *                                   "too large"
 *     "needs": "AWS Lambda", "function": "aws_lambda",                        when it is refused
 *     "selected": {"temperature": 25.0},         a text where it is not JSON; when it is selected
 *     "actions": [{"action": "timestream", "database": "iot", "table": "esp8266temp",
 *                  "dimensions": {"thing": "kitchen"}, "time": "1795255200000",
 *                  "unit": "MILLISECONDS",
 *                  "records": [{"measure": "temperature", "type": "double", "value": 25.0}]},
 *                 {"action": "dynamoDBv2", "table": "...", "item": {...}}]}]
 *
 * Numbers are as the rule wrote them: 25.0 is not 25. */
cJSON *trial_run(const struct trial *trial, const struct rule_message *message);

/* Whether the policies let a thing that is registered, attached to its certificate and connected
 * under its own name do this. */
struct policy_decision trial_decide(const struct trial *trial, enum policy_action action,
                                    const char *thing, const char *type, const char *name);

#endif
