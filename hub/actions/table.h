/* Actions that put rows: timestream and dynamoDBv2 into a table of the type, cloudwatchLogs into
 * the log table. The functions have the contracts of action_compile() and action_run(). */
#ifndef HUB_ACTIONS_TABLE_H
#define HUB_ACTIONS_TABLE_H

#include "work.h"

enum status table_compile_timestream(const struct action_scope *scope, const cJSON *fields,
                                     struct action *action, struct error *error);
enum status table_compile_dynamodb(const struct action_scope *scope, const cJSON *fields,
                                   struct action *action, struct error *error);
enum status table_compile_logs(const struct action_scope *scope, const cJSON *fields,
                               struct action *action, struct error *error);

enum status table_run_timestream(struct action *action, struct work *work, struct error *error);
enum status table_run_dynamodb(struct action *action, struct work *work, struct error *error);
enum status table_run_logs(struct action *action, struct work *work, struct error *error);

#endif
