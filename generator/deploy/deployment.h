/* What diff, deploy and destroy share on the target aws: the account, and the stacks of subjects.
 */
#ifndef GENERATOR_DEPLOY_DEPLOYMENT_H
#define GENERATOR_DEPLOY_DEPLOYMENT_H

#include "generator/project/project.h"
#include "stacks.h"

#include <stdbool.h>

struct deployment {
    struct project *project;
    struct aws *aws;
    const char *region; /* of the account */
    struct stacks stacks;
    bool foreign; /* the database is there, and no stack of ours made it */
};

/* Opens the account, and prepares the stacks of the subjects (types, "system") with their rendered
 * templates. The system's is always looked at, where the store has one. Closed by
 * deployment_close(), also after a failure. */
enum status deployment_open(struct deployment *deployment, struct project *project,
                            const char *const *subjects, size_t count, struct error *error);
void deployment_close(struct deployment *deployment);

/* stacks_look(); fails when none of the stacks could be looked at, which is one reason for all. */
enum status deployment_look(struct deployment *deployment, struct error *error);

/* After deployment_look(): whether the system's stack belongs to the plan. It does with whole, or
 * where the database that types need is not there; not where the database is there without it, or
 * under another name. */
enum status deployment_choose_system(struct deployment *deployment, bool whole,
                                     struct error *error);

/* After stacks_plan(): says of each import whether what it takes over is ours ("ours" of
 * plan.h). */
enum status deployment_ask_owners(struct deployment *deployment, struct error *error);

/* The first error, as it is, or how many there are. FINE when there is none. */
enum status deployment_verdict(struct deployment *deployment, struct error *error);

#endif
