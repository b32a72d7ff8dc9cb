/* The run of one action on one message: what every kind of action works with. */
#ifndef HUB_ACTIONS_WORK_H
#define HUB_ACTIONS_WORK_H

#include "common/base/buffer.h"
#include "common/spec/system.h"
#include "definition.h"
#include "delivery.h"

struct work {
    struct store *store;
    struct delivery_queue *deliveries;  /* NULL: actions that send fail */
    const struct system_topics *notify; /* local.notify of system.yaml; NULL: none */

    struct rule_scratch *scratch; /* rule_begin() was called with the message */
    const struct rule_message *message;
    const char *rule; /* its name */

    /* What the rule selected; in an error action, the error document. */
    const char *payload;
    size_t length;
    bool raw;   /* it is not a JSON object or array */
    bool error; /* this is an error action: when its delivery fails, only the log says so */

    uint64_t token;          /* identifies the row in store_settle(): record, rule and action */
    struct buffer *failures; /* failure_add() adds to it */

    uint64_t
        *newest; /* raised to the time that a thing gave to its reading: milliseconds since 1970 */

    /* Workspace of table actions. */
    char *unescaped;    /* length bytes, for strings whose escapes are resolved */
    struct cell *cells; /* MOST_COLUMNS of them */
};

/* Notes that the action failed. */
void work_fail(const struct work *work, const struct action *action, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Computes the text of a template for this message. Returns false, and notes a failure, when it
 * cannot be computed. The text lives until the next message begins. */
bool work_template(const struct work *work, const struct action *action,
                   const struct rule_template *template, struct rule_result *text);

#endif
