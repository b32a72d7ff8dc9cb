/* The resources of a CloudFormation template: what deploying has to know of each type of them. */
#ifndef GENERATOR_DEPLOY_RESOURCE_H
#define GENERATOR_DEPLOY_RESOURCE_H

#include <cjson/cJSON.h>
#include <stdbool.h>

/* One row of the table in resource.c for each type. */
struct resource_kind {
    const char *type;  /* "AWS::IoT::TopicRule" */
    const char *title; /* for messages: "rule" */
    const char *name;  /* the property that holds its name; NULL: CloudFormation makes a name */
    const char *also;  /* another property that changes only by replacing the resource; or NULL */
    const char *fixed; /* a property that CloudFormation cannot change, not even by replacing the
                          resource; or NULL */
    bool data;         /* it holds readings */
};

/* The row of a type. Never NULL: a type that is not in the table has the title "resource". */
const struct resource_kind *resource_kind(const char *type);
const struct resource_kind *resource_kind_of(const cJSON *resource);

/* The name of a resource in a template, or its logical id. The string belongs to the resource. */
const char *resource_name(const cJSON *resource);

/* Whether the resource stays in the account. policy: "DeletionPolicy" (when its stack is deleted,
 * or no longer has it) or "UpdateReplacePolicy" (when another takes its place). */
bool resource_is_retained(const cJSON *resource, const char *policy);

#endif
