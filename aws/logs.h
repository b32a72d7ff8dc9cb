/* Amazon CloudWatch Logs, one function for each API operation that is needed. */
#ifndef AWS_LOGS_H
#define AWS_LOGS_H

#include "aws.h"

/* {"logGroups": [{"logGroupName", "arn", "storedBytes"}], "nextToken"}: those whose name begins
 * with prefix. An arn ends in ":*", which is no part of the group's own. token may be NULL. */
void logs_describe_groups(struct aws *aws, struct aws_call *call, const char *prefix,
                          const char *token);

/* {"tags": {"key": "value"}}; arn: the group's own. */
void logs_list_tags(struct aws *aws, struct aws_call *call, const char *arn);

/* ResourceNotFoundException; OperationAbortedException while another call changes it. */
void logs_delete_group(struct aws *aws, struct aws_call *call, const char *group);

#endif
