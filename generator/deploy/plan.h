/* What a new template changes of a deployed one: templates in, a list of changes out. No calls.
 *
 * Two sources agree on a plan. The change set of CloudFormation knows what it will do (replace,
 * import, change what depends on a change), the templates know the values before and after.
 *
 * A change:
 *   {"action": "modify",                add, modify, replace, remove, import
 *    "id": "Rule", "type": "AWS::IoT::TopicRule",
 *    "kind": "rule", "name": "esp8266temp_valid",     for people
 *    "data": false,                     it holds readings
 *    "kept": false,                     what is replaced or removed stays where it is
 *    "ours": true,                      an import's: it bears our tags, so an earlier deploy made
 * it "properties": [{"path": "TopicRulePayload.Sql", "before": "...", "after": "..."}]}
 */
#ifndef GENERATOR_DEPLOY_PLAN_H
#define GENERATOR_DEPLOY_PLAN_H

#include "common/base/text.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

/* What this program knows of a type of resource; all of it is data (stack_plan.c). */
struct resource_kind {
    const char *type;  /* "AWS::IoT::TopicRule" */
    const char *title; /* "rule" */
    const char *name;  /* the property that names it; NULL: CloudFormation does */
    const char *also;  /* a further property that cannot change without replacing it; or NULL */
    const char *fixed; /* a property that AWS cannot change, not even by replacing it; or NULL */
    bool data;         /* holds readings */
};

/* Never NULL: a type that is not known is called by its last part. */
const struct resource_kind *resource_kind(const char *type);

/* The name of a resource of a template, or its logical id. The string belongs to the resource. */
const char *resource_name(const cJSON *resource);

/* A copy in which references to parameters ({"DatabaseName": "iot"}) are their values: in every
 * resource, or only in those that outlive their stack, because CloudFormation takes over what is
 * there only where the name is a static one ("Import AWS resources into a CloudFormation stack
 * automatically"). */
enum resolving { RESOLVE_ALL, RESOLVE_RETAINED };
cJSON *template_resolve(const cJSON *from, const cJSON *parameters, enum resolving which);

/* Puts what AWS cannot change back to what is deployed, and adds a line for each to notes. */
void template_keep_fixed(cJSON *template, const cJSON *deployed, cJSON *notes);

/* The changes from one template to the next, each with its parameters; before may be NULL. */
cJSON *plan_compare(const cJSON *before, const cJSON *before_parameters, const cJSON *after,
                    const cJSON *after_parameters);

/* Brings changes to what a change set says (DescribeChangeSetResult.Changes): what it does not list
 * does not happen. */
void plan_correct(cJSON *changes, const cJSON *listed);

/* More than adding, and taking over what is ours. */
bool plan_changes_what_is_there(const cJSON *changes);
bool plan_touches_data(const cJSON *changes); /* replaces or removes what holds readings */

/* Whether the plan has an action for a resource of this type. */
bool plan_has(const cJSON *changes, const char *action, const char *type);

/* A line or more for each change. */
void plan_write(const cJSON *changes, struct text *out);

#endif
