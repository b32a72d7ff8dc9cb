/* An account and the stacks of some subjects in it: what diff, deploy and destroy begin with. A
 * subject is a type, or "system". */
#ifndef GENERATOR_DEPLOY_DEPLOYMENT_H
#define GENERATOR_DEPLOY_DEPLOYMENT_H

#include "generator/project/project.h"
#include "stacks.h"

#include <stdbool.h>

struct deployment {
    struct project *project;
    struct aws *aws;
    bool borrowed;      /* the account is somebody else's to close */
    const char *region; /* of the account */
    struct stacks stacks;
    bool foreign; /* the database exists, and no stack of ours has made it */
};

/* Opens the account, unless it is open already (aws, which outlives the deployment; else NULL), and adds the stacks of the subjects with their rendered templates. The stack
 * of the system is always added; with store: dynamodb there is none. The caller closes the
 * deployment, also after a failure. */
enum status deployment_open(struct deployment *deployment, struct project *project,
                            const char *const *subjects, size_t count, struct aws *aws,
                            struct error *error);
void deployment_close(struct deployment *deployment);

/* stacks_look(). A stack that is deployed keeps its database, unless one was chosen on the command line;
 * a type that is not gets that of the system's stack. An error only when no stack could be looked at: then the reason is the same for
 * all. */
enum status deployment_look(struct deployment *deployment, struct error *error);

/* Makes the database of a subject's stack that of the project, whose documents and marks name it. */
void deployment_use_database(struct deployment *deployment, const char *subject);

/* After deployment_look(): decides whether the stack of the system is part of the plan. It is when
 * `whole` is true, and when the database that the types need does not exist. It is not when the
 * database exists without it (`foreign`). WRONG_INPUT when the stack has another database. */
enum status deployment_choose_system(struct deployment *deployment, bool whole,
                                     struct error *error);

/* After stacks_plan(): sets "ours" of each import (plan.h). */
enum status deployment_ask_owners(struct deployment *deployment, struct error *error);

/* The error of the only stack that has one, or how many stacks have one. FINE when none has. */
enum status deployment_verdict(struct deployment *deployment, struct error *error);

#endif
