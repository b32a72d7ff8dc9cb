/* Amazon DynamoDB's control plane, one function for each API operation that is needed. A table that
 * is not there: ResourceNotFoundException. */
#ifndef AWS_DYNAMODB_H
#define AWS_DYNAMODB_H

#include "aws.h"

/* {"Table": {"TableName", "TableArn", "TableStatus": "ACTIVE", "DeletionProtectionEnabled"}} */
void dynamodb_describe_table(struct aws *aws, struct aws_call *call, const char *table);

/* {"TableNames": [...], "LastEvaluatedTableName"}; after may be NULL. */
void dynamodb_list_tables(struct aws *aws, struct aws_call *call, const char *after);

/* {"Tags": [{"Key", "Value"}], "NextToken"}; token may be NULL. */
void dynamodb_list_tags(struct aws *aws, struct aws_call *call, const char *arn, const char *token);

void dynamodb_protect_table(struct aws *aws, struct aws_call *call, const char *table,
                            bool protect); /* UpdateTable */

/* Begins to delete; the table is found with TableStatus DELETING until it is gone.
 * ResourceInUseException while it is being made or changed, ValidationException while it is
 * protected from deletion. */
void dynamodb_delete_table(struct aws *aws, struct aws_call *call, const char *table);

#endif
