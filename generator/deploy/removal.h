/* What destroying does beside deleting a stack: it looks for things, certificates and tables that
 * still need a resource, deprecates the thing type, and deletes what outlives the stack. That
 * something is not there any more is success. */
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
    const char *system, *type; /* a resource with these tags is ours; type: NULL for the system's */
    struct timestream *timestream; /* opened by the first call that needs it */
};

void removal_close(struct removal *removal);

/* The names of the things of a thing type. Each of these adds to found. */
enum status removal_find_things(struct removal *removal, const char *thing_type,
                                struct names *found, struct error *error);

/* The ids of certificates that have the policy. */
enum status removal_find_targets(struct removal *removal, const char *policy, struct names *found,
                                 struct error *error);

/* The tables that a database holds. */
enum status removal_find_tables(struct removal *removal, const char *database, struct names *found,
                                struct error *error);

/* Deprecates the thing type. *left: seconds until AWS lets it be deleted; 0 when it is gone. */
enum status removal_deprecate(struct removal *removal, const char *thing_type, double *left,
                              struct error *error);

/* Waits so many seconds for so many thing types, and reports it. */
void removal_wait(const struct removal *removal, size_t count, double seconds);

/* Deprecates the thing type, and waits until AWS lets it be deleted: five minutes later, or after
 * SENSORFORGE_AWS_DEPRECATION_SECONDS. Reports the wait. */
enum status removal_retire_thing_type(struct removal *removal, const char *thing_type,
                                      struct error *error);

/* Whether this program can find and delete resources of this type without their stack: tables,
 * databases, log groups and thing types. */
bool removal_knows(const cJSON *resource);

/* Whether it exists, and whether it has the tags of the removal. ours may be NULL. */
enum status removal_look(struct removal *removal, const cJSON *resource, bool *found, bool *ours,
                         struct error *error);

/* Deletes it, and waits until it is gone. */
enum status removal_delete(struct removal *removal, const cJSON *resource, struct error *error);

#endif
