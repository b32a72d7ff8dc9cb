/* Actions of rules, run here. A table action puts a row; cloudwatchLogs puts a line of the log
 * table; republish, sns and http hand a delivery to the deliveries, who send it when the rows of its
 * message are committed. */
#ifndef HUB_ACTIONS_ACTION_H
#define HUB_ACTIONS_ACTION_H

#include "common/rule/rule.h"
#include "common/base/buffer.h"
#include "delivery.h"
#include "hub/engine/type.h"
#include "store/store.h"

/* What an action runs on, and where it leaves what it did. */
struct work {
    struct store *store;
    struct delivery_queue *deliveries; /* NULL: nothing is sent */
    const cJSON *notify;               /* local.notify of system.yaml */
    struct rule_scratch *scratch;      /* the message was begun */
    const struct rule_message *message;
    const struct hub_rule *rule;
    const char *payload; /* what was selected, or the error document */
    size_t length;
    bool raw;       /* it is no JSON object or array */
    bool error;     /* it is an error document: its failure has nowhere to go but sensorhub's log */
    uint64_t token; /* of the row that is put, for store_settle() */
    struct buffer *failures; /* members of the error document's list, with commas between */
    char *spare;             /* as many bytes as payload has, and */
    struct cell *cells;      /* MOST_COLUMNS of them: workspace of table actions */
};

/* FINE also when the action fails: then failures has one more. REFUSED when the store refuses, or
 * there is no memory: the whole batch is done again later. */
enum status action_run(struct action *action, struct work *work, struct error *error);

/* Notes a failure of the action; NULL: of the rule itself. */
void failure_add(struct buffer *failures, const struct action *action, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* AWS's document for an error action (developer guide, "Error handling"). */
void error_document(const struct rule_message *message, const char *rule,
                    const struct buffer *failures, struct buffer *out);

enum status run_timestream(struct action *action, struct work *work, struct error *error);
enum status run_dynamodb(struct action *action, struct work *work, struct error *error);
enum status run_delivery(struct action *action, struct work *work, struct error *error);

/* Whom local.notify of system.yaml names for the SNS topic of this ARN; NULL: nobody. */
const cJSON *notify_targets(const cJSON *notify, const char *arn);

/* The text of a template for this message. False, and a failure noted, when there is none. */
bool run_template(const struct action *action, const struct work *work,
                  const struct rule_template *template, struct rule_result *text);

#endif
