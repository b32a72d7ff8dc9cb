/* Trying a type: its documents are executed here on one message. Nothing is written.
 *
 * The documents are those of templates/awscli, as `generate` would write them now. Each document
 * with a topic rule is a rule; each with a policy is a policy that the thing's certificate has. */
#ifndef GENERATOR_TRIAL_TRIAL_H
#define GENERATOR_TRIAL_TRIAL_H

#include "common/policy/policy.h"
#include "common/rule/topic_rule.h"
#include "generator/documents/artifacts.h"

#include <stdint.h>

struct trial {
    struct topic_rule *rules; /* the one that fills the central table is the first */
    size_t rule_count, rule_room;
    struct policy **policies;
    size_t policy_count, policy_room;
    char *arn; /* of this system, up to the account: "arn:aws:iot:eu-west-1:000000000000:" */
    struct rule_scratch *scratch;
};

/* Compiles the documents of a type. model: of the type. The caller closes the trial, also after a
 * failure. */
enum status trial_open(const struct artifacts *documents, const cJSON *model, struct trial *trial,
                       struct error *error);
void trial_close(struct trial *trial);

/* What each rule does with a message. The caller deletes:
 *
 *   [{"rule": "esp8266temp_valid", "sql": "SELECT ...", "sql_version": "2015-10-08",
 *     "outcome": "selected",        or "other topic", "not selected", "disabled", "refused",
 *                                   "too large"
 *     "reasons": ["temperature 45 is above 40"],     of the rule that fills the central table, when
 *                                   it does not select the message
 *     "needs": "AWS Lambda", "function": "aws_lambda",                        when it is refused
 *     "selected": {"temperature": 25.0},         a text where it is not JSON; when it is selected
 *     "actions": [{"action": "timestream", "database": "iot", "table": "esp8266temp",
 *                  "dimensions": {"thing": "kitchen"}, "time": "1795255200000",
 *                  "unit": "MILLISECONDS",
 *                  "records": [{"measure": "temperature", "type": "double", "value": 25.0}]},
 *                 {"action": "dynamoDBv2", "table": "...", "item": {...}}]}]
 *
 * Numbers are as the rule wrote them: 25.0 is not 25. A NUL in a dimension is shown as its
 * picture. */
#define TRIAL_NUL "\xe2\x90\x80" /* U+2400 */
cJSON *trial_run(const struct trial *trial, const struct rule_message *message);

/* Whether the policies allow an action to a thing that is registered, attached to its certificate,
 * and connected under its own name. */
struct policy_decision trial_decide(const struct trial *trial, enum policy_action action,
                                    const char *thing, const char *type, const char *name);

/* Random bits for rule_message.random. */
uint64_t trial_random(void *context);

#endif
