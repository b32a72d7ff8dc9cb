/* Failures of a rule and its actions, in the form in which AWS IoT hands them to the rule's error
 * action (developer guide, "Error handling (error action)"). */
#ifndef HUB_ACTIONS_FAILURE_H
#define HUB_ACTIONS_FAILURE_H

#include "common/base/buffer.h"
#include "common/rule/rule.h"

/* Adds one failure to the members of the document's list "failures".
 *
 * action: the action's name in the rule ("timestream"), which becomes "TimestreamAction"; NULL when
 * the rule itself failed ("RuleExecution"). resource: the table, topic, ARN or URL. Of the message,
 * the first 511 bytes are kept. */
void failure_add(struct buffer *failures, const char *action, const char *resource,
                 const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Adds the whole document for one message. rule: its name. When there was no memory for a failure,
 * out->failed is set. */
void failure_document(const struct rule_message *message, const char *rule,
                      const struct buffer *failures, struct buffer *out);

#endif
