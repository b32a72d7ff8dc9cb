/* Actions of rules, run here. A table action puts a row; cloudwatchLogs puts a line of the log
 * table; republish, http and sns add a delivery to the queue, which sends it after the rows of its
 * message are committed. Each kind has one row in action.c. */
#ifndef HUB_ACTIONS_ACTION_H
#define HUB_ACTIONS_ACTION_H

#include "work.h"

/* Compiles {"<kind>": {fields}}, an entry of a rule's "actions" or its "errorAction". rule: the rule's
 * statement, which outlives the action. place (see
 * struct action) becomes the action's, also when compiling fails; definition_free() frees it.
 * WRONG_INPUT: it has no fields, or a template in it is wrong. An action that cannot run here
 * compiles; its why_not is set. */
enum status action_compile(const struct action_scope *scope, const cJSON *document,
                           const struct rule *rule, char *place, struct action *action,
                           struct error *error);

/* Whether it puts rows into a table of its type. */
bool action_puts_rows(const struct action *action);

/* Runs the action. An action that fails notes a failure in work->failures; the result is FINE.
 * REFUSED: the store refuses, or memory is exhausted; the whole batch is done again later. */
enum status action_run(struct action *action, struct work *work, struct error *error);

#endif
