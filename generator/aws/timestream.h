/* Amazon Timestream for LiveAnalytics (API timestream-write), one function for each operation.
 *
 * All but DescribeEndpoints go to the cell that DescribeEndpoints names, which timestream_open()
 * asks for once; where the endpoint is overridden, that one is used for all ("Using endpoint
 * discovery" in the Timestream developer guide; botocore/discovery.py). Errors to tell apart:
 * ResourceNotFoundException; AccessDeniedException also where an account has no Timestream. */
#ifndef GENERATOR_AWS_TIMESTREAM_H
#define GENERATOR_AWS_TIMESTREAM_H

#include "aws.h"

extern const struct aws_service timestream_service;

struct timestream {
    struct aws *aws;
    char *host;   /* of the cell */
    bool refused; /* timestream_open() failed with AccessDeniedException */
};

/* Finds the cell. The caller closes, also after a failure. */
enum status timestream_open(struct aws *aws, struct timestream *timestream, struct error *error);
void timestream_close(struct timestream *timestream); /* {0} is fine */

/* {"Endpoints": [{"Address", "CachePeriodInMinutes"}]} */
void timestream_describe_endpoints(struct aws *aws, struct aws_call *call);

/* {"Database": {"DatabaseName", "Arn", "TableCount"}} */
void timestream_describe_database(struct timestream *timestream, struct aws_call *call,
                                  const char *database);

/* {"Databases": [{"DatabaseName", ...}], "NextToken"} */
void timestream_list_databases(struct timestream *timestream, struct aws_call *call,
                               const char *token);

/* {"Tables": [{"TableName", ...}], "NextToken"} */
void timestream_list_tables(struct timestream *timestream, struct aws_call *call,
                            const char *database, const char *token);

/* {"Table": {"TableName", "TableStatus", "RetentionProperties": {...}}} */
void timestream_describe_table(struct timestream *timestream, struct aws_call *call,
                               const char *database, const char *table);

void timestream_delete_table(struct timestream *timestream, struct aws_call *call,
                             const char *database, const char *table);

/* ValidationException while it holds tables. */
void timestream_delete_database(struct timestream *timestream, struct aws_call *call,
                                const char *database);

#endif
