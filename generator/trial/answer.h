/* What would become of a message of a type: the policy's decision, then what each rule does. */
#ifndef GENERATOR_TRIAL_ANSWER_H
#define GENERATOR_TRIAL_ANSWER_H

#include "common/base/text.h"
#include "trial.h"

/* {"topic": "esp8266temp/kitchen",
 *  "policy": {"thing": "kitchen", "allowed": true, "because": "..."}, whether the thing may publish
 *  "rules": [...]}                                                    trial_run()
 *
 * type and thing: of the sender. The caller deletes. */
cJSON *answer_make(const struct trial *trial, const char *type, const char *thing,
                   const struct rule_message *message);

/* Adds the answer as lines for people. */
void answer_write(const cJSON *answer, struct text *out);

#endif
