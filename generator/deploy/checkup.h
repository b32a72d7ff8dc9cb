/* What would go wrong: findings about things, the authority of this machine, and an account
 * (credentials, clock, reachability, permissions, the store, quotas, orphans). It only reads; it
 * changes nothing. */
#ifndef GENERATOR_DEPLOY_CHECKUP_H
#define GENERATOR_DEPLOY_CHECKUP_H

#include "generator/project/project.h"
#include "orphans.h"

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
    char *account;        /* of the credentials; NULL: could not be asked */
    struct aws *aws;      /* the open account; NULL: none */
    struct survey survey; /* of the account, after checkup_orphans() */
};

void checkup_free(struct checkup *checkup);

/* Adds a finding about half-made things. */
void checkup_records(struct checkup *checkup, const struct thing_records *records);

/* Adds a finding about the authority of the local target. */
void checkup_authority(struct checkup *checkup, struct project *project);

/* Adds findings about the account of the project. False when no call to it succeeds: further checks
 * would only say so again. */
bool checkup_account(struct checkup *checkup, const struct project *project);

/* After checkup_account(): finds orphans (orphans.h), which point into the checkup and the records,
 * and adds a finding about them. */
enum status checkup_orphans(struct checkup *checkup, const struct project *project,
                            const struct thing_records *records, struct orphans *orphans,
                            struct error *error);

#endif
