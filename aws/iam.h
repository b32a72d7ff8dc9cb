/* AWS IAM, one function for each API operation that is needed. Answers are XML as JSON (xml.h). */
#ifndef AWS_IAM_H
#define AWS_IAM_H

#include "aws.h"

/* GetAccountSummaryResult.SummaryMap.entry: [{"key": "Roles", "value": "12"}, ...] */
void iam_get_account_summary(struct aws *aws, struct aws_call *call);

/* GetRoleResult.Role: {"RoleName", "Path", "Arn", ...}. NoSuchEntity. */
void iam_get_role(struct aws *aws, struct aws_call *call, const char *name);

/* CreateRoleResult.Role: {"Arn", ...}. trust: a policy document. EntityAlreadyExists. */
void iam_create_role(struct aws *aws, struct aws_call *call, const char *name, const char *trust);

/* Puts an inline policy, also in the place of one of that name. NoSuchEntity. */
void iam_put_role_policy(struct aws *aws, struct aws_call *call, const char *role, const char *name,
                         const char *policy);

struct iam_question {
    const char *principal; /* the ARN of a user or role */
    const cJSON *actions;  /* an array of strings */
    const char *resource;  /* an ARN, or "*" for actions that have none */
    const cJSON *context;  /* [{"ContextKeyName", "ContextKeyType", "ContextKeyValues": [...]}], or
                              NULL: what the conditions of a policy shall find */
};

/* SimulatePrincipalPolicyResult: EvaluationResults [{"EvalActionName", "EvalDecision": "allowed" |
 * "explicitDeny" | "implicitDeny"}], IsTruncated ("true"), Marker: also where less came than was
 * asked for. marker may be NULL. */
void iam_simulate_principal_policy(struct aws *aws, struct aws_call *call,
                                   const struct iam_question *question, const char *marker);

#endif
