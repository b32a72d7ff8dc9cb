/* What diff, deploy and destroy share on the target aws: the account, and the stacks of subjects.
 */
#ifndef GENERATOR_COMMANDS_DEPLOYMENT_H
#define GENERATOR_COMMANDS_DEPLOYMENT_H

#include "generator/project/project.h"
#include "generator/deploy/stacks.h"

#include <stdbool.h>

struct deployment {
    struct project *project;
    struct aws *aws;
    struct stacks stacks;
    bool foreign; /* the database is there, and no stack of ours made it */
};

/* Opens the account, and prepares the stacks of the subjects (types, "system") with their rendered
 * templates. The system's is always looked at, where the store has one. Closed by
 * deployment_close(), also after a failure. */
enum status deployment_open(struct deployment *deployment, struct project *project,
                            const char *const *subjects, size_t count);
void deployment_close(struct deployment *deployment);

/* stacks_look(); fails when none of the stacks could be looked at, which is one reason for all. */
enum status deployment_look(struct deployment *deployment);

/* After deployment_look(): whether the system's stack belongs to the plan. It does with whole, or
 * where the database that types need is not there; not where the database is there without it, or
 * under another name. */
enum status deployment_choose_system(struct deployment *deployment, bool whole);

/* After stacks_plan(): says of each import whether what it takes over is ours ("ours" of
 * stack_plan.h). */
enum status deployment_ask_owners(struct deployment *deployment);

/* The CloudFormation template of a subject; NULL where it renders to nothing. */
enum status subject_template(struct project *project, const char *subject, cJSON **template);

/* {"DatabaseName": "iot"} */
cJSON *stack_parameters(const struct project *project);

/* How a stack of a subject is called; freed by the caller. */
enum status subject_stack(struct project *project, const char *subject, char **name);

/* Whether the project's target is an account. */
bool is_account(const struct project *project);

/* The first error, as it is, or how many there are. FINE when there is none. */
enum status deployment_verdict(struct deployment *deployment);

/* Opens the account of the project's system. */
enum status open_account(struct project *project, struct aws **aws);

#endif
