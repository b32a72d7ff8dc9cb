/* AWS IAM, one function for each API operation that is needed. Answers are XML as JSON (xml.h). */
#ifndef GENERATOR_AWS_IAM_H
#define GENERATOR_AWS_IAM_H

#include "aws.h"

extern const struct aws_service iam_service;

/* GetAccountSummaryResult.SummaryMap.entry: [{"key": "Roles", "value": "12"}, ...] */
void iam_get_account_summary(struct aws *aws, struct aws_call *call);

/* SimulatePrincipalPolicyResult: EvaluationResults [{"EvalActionName", "EvalDecision": "allowed" |
 * "explicitDeny" | "implicitDeny"}], IsTruncated, Marker. principal: the ARN of a user or role.
 * actions: an array of strings. marker may be NULL. */
void iam_simulate_principal_policy(struct aws *aws, struct aws_call *call, const char *principal,
                                   const cJSON *actions, const char *marker);

#endif
