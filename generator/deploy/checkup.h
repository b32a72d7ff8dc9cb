/* What would go wrong with an account: credentials, clock, reachability, permissions, the store,
 * quotas. It only reads; it changes nothing. */
#ifndef GENERATOR_DEPLOY_CHECKUP_H
#define GENERATOR_DEPLOY_CHECKUP_H

#include "aws/aws.h"
#include "common/spec/system.h"

/* ILL: something will not work. DOUBTFUL: something may not work, or is worth a look. */
enum health { WELL, DOUBTFUL, ILL };

struct finding {
    const char *what; /* "clock"; a string literal */
    enum health health;
    char *text;   /* what was found; lines */
    char *advice; /* what to do; NULL: nothing */
};

struct checkup {
    struct finding *at;
    size_t count, room;
    char *account; /* of the credentials; NULL: could not be asked */
};

/* Adds a finding, which takes over text and advice (may be NULL). */
void checkup_add(struct checkup *checkup, const char *what, enum health health, char *text,
                 char *advice);
void checkup_free(struct checkup *checkup);

/* Adds the findings about the account of a system. False when no call
 * to the account succeeds: further checks would only say so again. */
bool checkup_account(struct aws *aws, const struct system *system, struct checkup *checkup);

/* The IAM policy that an operator needs (docs/operator-policy.json, which docs/aws.md explains). */
const char *checkup_policy(size_t *length);

#endif
