/* Actions that send: republish to the broker, http to a web server, sns to the targets that
 * local.notify of system.yaml names for the topic. They add deliveries to the queue. The functions
 * have the contracts of action_compile() and action_run(). */
#ifndef HUB_ACTIONS_SEND_H
#define HUB_ACTIONS_SEND_H

#include "work.h"

enum status send_compile_republish(const struct action_scope *scope, const cJSON *fields,
                                   struct action *action, struct error *error);
enum status send_compile_http(const struct action_scope *scope, const cJSON *fields,
                              struct action *action, struct error *error);
enum status send_compile_sns(const struct action_scope *scope, const cJSON *fields,
                             struct action *action, struct error *error);

enum status send_run_republish(struct action *action, struct work *work, struct error *error);
enum status send_run_http(struct action *action, struct work *work, struct error *error);
enum status send_run_sns(struct action *action, struct work *work, struct error *error);

#endif
