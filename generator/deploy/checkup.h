/* What would go wrong in an account before it does: credentials, region, clock, reachability,
 * permissions, the store, quotas. Looks only; changes nothing. */
#ifndef GENERATOR_DEPLOY_CHECKUP_H
#define GENERATOR_DEPLOY_CHECKUP_H

#include "aws/aws.h"

#include <cjson/cJSON.h>

enum health { WELL, DOUBTFUL, ILL };

struct finding {
    const char *what; /* "region"; static */
    enum health health;
    char *text;   /* what was found */
    char *advice; /* what to do; NULL when there is nothing */
};

struct checkup {
    struct finding *at;
    size_t count, room;
    char *account; /* that the credentials are of; NULL when that could not be asked */
};

/* text and advice (may be NULL) are taken over. */
void checkup_add(struct checkup *checkup, const char *what, enum health health, char *text,
                 char *advice);
void checkup_free(struct checkup *checkup);

/* system: the JSON of a checked system.yaml. False when the account cannot be spoken to at all;
 * then what follows would only say so again. */
bool checkup_account(struct aws *aws, const cJSON *system, struct checkup *checkup);

/* What an operator has to be allowed to: the IAM policy that docs/aws.md explains. */
const char *operator_policy(size_t *length);

#endif
