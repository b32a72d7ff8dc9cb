/* What destroying needs beside the stack: whether something still hangs on a type, the thing type's
 * five minutes, and what outlives a stack. Everything that is gone already is success. */
#ifndef GENERATOR_DEPLOY_REMOVAL_H
#define GENERATOR_DEPLOY_REMOVAL_H

#include "aws/aws.h"
#include "common/base/names.h"
#include "common/base/report.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

struct removal {
    const struct reporter *reporter; /* may be NULL */
    struct aws *aws;
    const char *system, *type; /* whose tags make a resource ours; type: NULL for the system's */
    struct timestream *timestream; /* opened when it is first needed */
};

void removal_close(struct removal *removal);

/* The names of things that have the thing type (found: {0}). */
enum status removal_find_things(struct removal *removal, const char *thing_type,
                                struct names *found, struct error *error);

/* The ids of certificates that have the policy. */
enum status removal_find_targets(struct removal *removal, const char *policy, struct names *found,
                                 struct error *error);

/* The tables that a database holds. */
enum status removal_find_tables(struct removal *removal, const char *database, struct names *found,
                                struct error *error);

/* Deprecates the thing type, and waits until AWS lets it be deleted: five minutes later, or
 * SENSORFORGE_AWS_DEPRECATION_SECONDS. */
enum status removal_retire_thing_type(struct removal *removal, const char *thing_type,
                                      struct error *error);

/* Whether this program can find and delete such a resource without its stack (tables, databases,
 * log groups, thing types). */
bool removal_knows(const cJSON *resource);

/* Whether it is there; and, where ours is not NULL, whether it bears the tags of removal. */
enum status removal_look(struct removal *removal, const cJSON *resource, bool *found, bool *ours,
                         struct error *error);

/* Deletes it, and waits until it is gone. */
enum status removal_delete(struct removal *removal, const cJSON *resource, struct error *error);

#endif
