/* The AWS account that a system lives in: opened in one way by all who speak to it.
 *
 * The region is system.yaml's where one is written there, else the AWS CLI's; the profile is
 * --profile, then AWS_PROFILE, then system.yaml's. */
#ifndef GENERATOR_TARGETS_ACCOUNT_H
#define GENERATOR_TARGETS_ACCOUNT_H

#include "aws/aws.h"
#include "common/base/secret.h"

struct system;

struct account_options {
    const char *profile; /* --profile; NULL when it was not given */
    /* Takes one line for --verbose; may be NULL. */
    void (*log)(void *context, const char *line);
    void *log_context;
    secret_asker *ask; /* for the code of an MFA device; NULL when there is nobody to ask */
};

/* The account of a system. options may be NULL. The caller closes
 * it with aws_close(). Errors are those of aws_open(). */
enum status account_open(const struct system *system, const struct account_options *options,
                         struct aws **aws, struct error *error);

#endif
