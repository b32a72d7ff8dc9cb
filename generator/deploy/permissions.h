/* Whether IAM allows an operator what the commands need. */
#ifndef GENERATOR_DEPLOY_PERMISSIONS_H
#define GENERATOR_DEPLOY_PERMISSIONS_H

#include "aws/aws.h"

#include <stdbool.h>
#include <stddef.h>

/* The IAM policy that an operator needs (docs/operator-policy.json, which docs/aws.md explains). */
const char *permissions_policy(size_t *length);

struct permissions {
    /* Set by the caller: */
    struct aws *aws;
    const char *principal;                          /* permissions_principal() */
    const char *account, *system, *database, *type; /* names, of which resources are made */
    bool timestream;                                /* the system's store */

    /* The answer; denied is freed by the caller. */
    struct text denied;  /* "iot:CreateThing, iot:DeleteThing" */
    size_t asked;        /* actions that IAM was asked about */
    size_t denied_count; /* of them, those that are denied */
};

/* The ARN that IAM can be asked about. A caller may be the session of a role
 * (arn:aws:sts::1:assumed-role/operator/me); IAM knows the role (arn:aws:iam::1:role/operator).
 * NULL for the root user, who needs no permission. Freed by the caller. */
char *permissions_principal(struct aws *aws, const char *caller);

/* Asks IAM about all actions that creating things needs, or that deploying and destroying types
 * needs. */
enum status permissions_ask(struct permissions *permissions, bool things, struct error *error);

#endif
