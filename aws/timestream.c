#include "timestream.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/paths.h"

#include <stdlib.h>
#include <string.h>

static const struct aws_service service = {.name = "timestream",
                                           .endpoint = "ingest.timestream",
                                           .variable = "TIMESTREAM_WRITE",
                                           .section = "timestream_write",
                                           .target = "Timestream_20181101",
                                           .json = "1.0",
                                           .protocol = AWS_JSON};

static void submit(struct timestream *timestream, struct aws_call *call, const char *operation,
                   cJSON *body, bool changes)
{
    aws_submit(timestream->aws, call,
               &(struct aws_request){.service = &service,
                                     .operation = operation,
                                     .host = timestream->host,
                                     .body = body,
                                     .changes = changes});
}

static cJSON *body_of(const char *database, const char *name, const char *value)
{
    cJSON *body = json_object();
    if (database)
        json_put_string(body, "DatabaseName", database);
    if (value)
        json_put_string(body, name, value);
    return body;
}

void timestream_describe_endpoints(struct aws *aws, struct aws_call *call)
{
    struct timestream without_cell = {.aws = aws};
    submit(&without_cell, call, "DescribeEndpoints", json_object(), false);
}

enum status timestream_open(struct aws *aws, struct timestream *timestream, struct error *error)
{
    struct aws_call call = {0};
    *timestream = (struct timestream){.aws = aws};
    timestream_describe_endpoints(aws, &call);
    enum status status = aws_finish(aws, &call, error);
    const cJSON *endpoint = cJSON_GetArrayItem(json_get(call.answer, "Endpoints"), 0);
    const char *address = json_string(endpoint, "Address", NULL);
    if (!status && !address)
        status = fail(error, REFUSED, "Timestream names no endpoint to go to");
    if (!status)
        timestream->host = must_copy(address);
    if (status)
        timestream_explain(&call, error);
    aws_call_free(&call);
    return status;
}

void timestream_explain(const struct aws_call *call, struct error *error)
{
    /* A missing permission has the same code: only the message differs. */
    if (!aws_failed_with(call, "AccessDeniedException") ||
        !strstr(text_string(&error->message), "Only existing Timestream for LiveAnalytics"))
        return;
    text_free(&error->advice);
    advise(error, "an account from after 2025-06-20 has no Timestream: write "
                  "\"store: dynamodb\" under aws: in " SYSTEM_FILE);
}

void timestream_close(struct timestream *timestream)
{
    free(timestream->host);
    *timestream = (struct timestream){0};
}

void timestream_describe_database(struct timestream *timestream, struct aws_call *call,
                                  const char *database)
{
    submit(timestream, call, "DescribeDatabase", body_of(database, NULL, NULL), false);
}

void timestream_list_tables(struct timestream *timestream, struct aws_call *call,
                            const char *database, const char *token)
{
    submit(timestream, call, "ListTables", body_of(database, "NextToken", token), false);
}

void timestream_describe_table(struct timestream *timestream, struct aws_call *call,
                               const char *database, const char *table)
{
    submit(timestream, call, "DescribeTable", body_of(database, "TableName", table), false);
}

void timestream_list_tags(struct timestream *timestream, struct aws_call *call, const char *arn)
{
    submit(timestream, call, "ListTagsForResource", body_of(NULL, "ResourceARN", arn), false);
}

void timestream_delete_table(struct timestream *timestream, struct aws_call *call,
                             const char *database, const char *table)
{
    submit(timestream, call, "DeleteTable", body_of(database, "TableName", table), true);
}

void timestream_delete_database(struct timestream *timestream, struct aws_call *call,
                                const char *database)
{
    submit(timestream, call, "DeleteDatabase", body_of(database, NULL, NULL), true);
}
