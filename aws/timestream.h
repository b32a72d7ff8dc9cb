/* Amazon Timestream for LiveAnalytics (API timestream-write), one function for each operation.
 *
 * All but DescribeEndpoints go to the cell that DescribeEndpoints names, which timestream_open()
 * asks for once; where the endpoint is overridden, that one is used for all ("Using endpoint
 * discovery" in the Timestream developer guide; botocore/discovery.py). Errors to tell apart:
 * ResourceNotFoundException; AccessDeniedException also where an account has no Timestream, which
 * timestream_explain() knows. */
#ifndef AWS_TIMESTREAM_H
#define AWS_TIMESTREAM_H

#include "aws.h"

struct timestream {
    struct aws *aws;
    char *host; /* of the cell */
};

/* Finds the cell. The caller closes, also after a failure. */
enum status timestream_open(struct aws *aws, struct timestream *timestream, struct error *error);
void timestream_close(struct timestream *timestream); /* {0} is fine */

/* Where the error of a call is that the account is closed to Timestream ("Amazon Timestream for
 * LiveAnalytics availability change": those from after 2025-06-20), puts what to do in place of its
 * advice. timestream_open() has done so. */
void timestream_explain(const struct aws_call *call, struct error *error);

/* {"Endpoints": [{"Address", "CachePeriodInMinutes"}]} */
void timestream_describe_endpoints(struct aws *aws, struct aws_call *call);

/* {"Database": {"DatabaseName", "Arn", "TableCount"}} */
void timestream_describe_database(struct timestream *timestream, struct aws_call *call,
                                  const char *database);

/* {"Tables": [{"TableName", ...}], "NextToken"} */
void timestream_list_tables(struct timestream *timestream, struct aws_call *call,
                            const char *database, const char *token);

/* {"Table": {"TableName", "Arn", "TableStatus", "RetentionProperties": {...}}} */
void timestream_describe_table(struct timestream *timestream, struct aws_call *call,
                               const char *database, const char *table);

/* {"Tags": [{"Key", "Value"}]} */
void timestream_list_tags(struct timestream *timestream, struct aws_call *call, const char *arn);

void timestream_delete_table(struct timestream *timestream, struct aws_call *call,
                             const char *database, const char *table);

/* ValidationException while it holds tables. */
void timestream_delete_database(struct timestream *timestream, struct aws_call *call,
                                const char *database);

#endif
