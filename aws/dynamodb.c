#include "dynamodb.h"
#include "common/base/json.h"

static const struct aws_service service = {.name = "dynamodb",
                                           .endpoint = "dynamodb",
                                           .variable = "DYNAMODB",
                                           .section = "dynamodb",
                                           .target = "DynamoDB_20120810",
                                           .json = "1.0",
                                           .protocol = AWS_JSON};

static void submit(struct aws *aws, struct aws_call *call, const char *operation, cJSON *body,
                   bool changes)
{
    aws_submit(aws, call,
               &(struct aws_request){
                   .service = &service, .operation = operation, .body = body, .changes = changes});
}

static cJSON *body_of(const char *table)
{
    cJSON *body = json_object();
    json_put_string(body, "TableName", table);
    return body;
}

void dynamodb_describe_table(struct aws *aws, struct aws_call *call, const char *table)
{
    submit(aws, call, "DescribeTable", body_of(table), false);
}

void dynamodb_list_tables(struct aws *aws, struct aws_call *call, const char *after)
{
    cJSON *body = json_object();
    if (after)
        json_put_string(body, "ExclusiveStartTableName", after);
    submit(aws, call, "ListTables", body, false);
}

void dynamodb_list_tags(struct aws *aws, struct aws_call *call, const char *arn, const char *token)
{
    cJSON *body = json_object();
    json_put_string(body, "ResourceArn", arn);
    if (token)
        json_put_string(body, "NextToken", token);
    submit(aws, call, "ListTagsOfResource", body, false);
}

void dynamodb_protect_table(struct aws *aws, struct aws_call *call, const char *table, bool protect)
{
    cJSON *body = body_of(table);
    json_put_bool(body, "DeletionProtectionEnabled", protect);
    submit(aws, call, "UpdateTable", body, true);
}

void dynamodb_delete_table(struct aws *aws, struct aws_call *call, const char *table)
{
    submit(aws, call, "DeleteTable", body_of(table), true);
}
