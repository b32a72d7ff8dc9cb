#include "action.h"
#include "common/base/memory.h"
#include "send.h"
#include "table.h"

#include <string.h>

static const struct {
    const char *name; /* its key in the document */
    enum status (*compile)(const struct action_scope *scope, const cJSON *fields,
                           struct action *action, struct error *error);
    enum status (*run)(struct action *action, struct work *work, struct error *error);
} kinds[] = {
    [ACTION_TIMESTREAM] = {"timestream", table_compile_timestream, table_run_timestream},
    [ACTION_DYNAMODB] = {"dynamoDBv2", table_compile_dynamodb, table_run_dynamodb},
    [ACTION_LOGS] = {"cloudwatchLogs", table_compile_logs, table_run_logs},
    [ACTION_REPUBLISH] = {"republish", send_compile_republish, send_run_republish},
    [ACTION_HTTP] = {"http", send_compile_http, send_run_http},
    [ACTION_SNS] = {"sns", send_compile_sns, send_run_sns},
};

enum { KIND_COUNT = sizeof kinds / sizeof *kinds };

static enum action_kind find_kind(const char *name)
{
    int kind = 0;
    while (kind < KIND_COUNT && strcmp(kinds[kind].name, name) != 0)
        kind++;
    return kind < KIND_COUNT ? (enum action_kind)kind : ACTION_UNSUPPORTED;
}

enum status action_compile(const struct action_scope *scope, const cJSON *document,
                           const struct rule *rule, char *place, struct action *action,
                           struct error *error)
{
    const cJSON *fields = document ? document->child : NULL;
    *action = (struct action){.kind = ACTION_UNSUPPORTED, .rule = rule, .place = place};
    if (!fields || !fields->string)
        return fail(error, WRONG_INPUT, "%s is not an action", place);
    action->name = must_copy(fields->string);
    action->kind = find_kind(action->name);
    if (action->kind != ACTION_UNSUPPORTED)
        return kinds[action->kind].compile(scope, fields, action, error);
    action->resource = must_copy("");
    definition_refuse(action, "this machine has no service for %s", action->name);
    return FINE;
}

bool action_puts_rows(const struct action *action)
{
    return action->kind == ACTION_TIMESTREAM || action->kind == ACTION_DYNAMODB;
}

enum status action_run(struct action *action, struct work *work, struct error *error)
{
    if (action->why_not) {
        work_fail(work, action, "It cannot run here: %s", action->why_not);
        return FINE;
    }
    if (action_puts_rows(action) && !action->table) {
        work_fail(work, action, "It cannot run now: it has no table");
        return FINE;
    }
    return kinds[action->kind].run(action, work, error);
}
