/* What a new template changes of a deployed one. Templates in, a list of changes out; nothing is
 * called.
 *
 * A plan has two sources. The change set of CloudFormation says what will happen: replace, import,
 * and changes of what depends on a change. The templates say the values before and after.
 *
 * A change:
 *
 *   {"action": "modify",          add, modify, replace, remove or import
 *    "id": "Rule",                the logical id
 *    "type": "AWS::IoT::TopicRule",
 *    "kind": "rule",              for people: resource_kind.title
 *    "name": "esp8266temp_valid",
 *    "data": false,               it holds readings
 *    "kept": false,               what is replaced or removed stays in the account
 *    "ours": true,                of an import: it has our tags, so an earlier deploy made it
 *    "properties": [{"path": "TopicRulePayload.Sql", "before": "...", "after": "..."}]} */
#ifndef GENERATOR_DEPLOY_PLAN_H
#define GENERATOR_DEPLOY_PLAN_H

#include "common/base/text.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

/* The changes from one template to the next, each with its parameters ({"DatabaseName": "iot"}).
 * before may be NULL: everything is added. The caller deletes. */
cJSON *plan_compare(const cJSON *before, const cJSON *before_parameters, const cJSON *after,
                    const cJSON *after_parameters);

/* Corrects changes by what a change set says (DescribeChangeSetResult.Changes): what it does not
 * list does not happen. */
void plan_correct(cJSON *changes, const cJSON *listed);

bool plan_is_action(const cJSON *change, const char *action);

/* Whether something that is there changes, or is imported and is not ours. */
bool plan_changes_what_is_there(const cJSON *changes);

/* Whether something that holds readings is replaced or removed. */
bool plan_touches_data(const cJSON *changes);

/* Whether the plan has an action for a resource of this type. */
bool plan_has(const cJSON *changes, const char *action, const char *type);

/* Adds one or more lines for each change (plan_text.c). */
void plan_write(const cJSON *changes, struct text *out);

#endif
