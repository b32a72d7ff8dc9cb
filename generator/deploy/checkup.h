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

/* Adds findings about the authority of the local target: its files, and its revocation list. */
void checkup_authority(struct checkup *checkup, struct project *project);

/* Adds findings about this machine as the system: whether boards reach it by local.host, the endpoints and
 * versions of packages, certificates that ended or end soon, room on the disk, the clock. It asks the resolver. */
void checkup_local(struct checkup *checkup, struct project *project,
                   const struct thing_records *records);

/* Makes the revocation list anew where checkup_authority() found that it cannot be read, and softens
 * that finding. *count: the certificates in it. Errors of local_restore_revocations(). */
enum status checkup_mend_revocations(struct checkup *checkup, struct project *project, bool *mended,
                                     size_t *count, struct error *error);

/* Adds findings about the account of the project. False when no call to it succeeds: further checks
 * would only say so again. */
bool checkup_account(struct checkup *checkup, const struct project *project);

/* After checkup_account(): adds a finding about the certificates that the account's endpoint for things sends,
 * where there is a type whose platform bounds them (schemas/platform.schema.json). Nothing is asked at an emulator
 * that names an endpoint of AWS. */
void checkup_endpoint(struct checkup *checkup, struct project *project);

/* After checkup_account(): finds orphans (orphans.h), which point into the checkup and the records,
 * and adds a finding about them. */
enum status checkup_orphans(struct checkup *checkup, const struct project *project,
                            const struct thing_records *records, struct orphans *orphans,
                            struct error *error);

#endif
