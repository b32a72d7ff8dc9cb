#include "logs.h"
#include "common/base/json.h"

static const struct aws_service service = {.name = "logs",
                                           .endpoint = "logs",
                                           .variable = "CLOUDWATCH_LOGS",
                                           .section = "cloudwatch_logs",
                                           .target = "Logs_20140328",
                                           .json = "1.1",
                                           .protocol = AWS_JSON};

static void submit(struct aws *aws, struct aws_call *call, const char *operation, cJSON *body,
                   bool changes)
{
    aws_submit(aws, call,
               &(struct aws_request){
                   .service = &service, .operation = operation, .body = body, .changes = changes});
}

void logs_describe_groups(struct aws *aws, struct aws_call *call, const char *prefix,
                          const char *token)
{
    cJSON *body = json_object();
    json_put_string(body, "logGroupNamePrefix", prefix);
    if (token)
        json_put_string(body, "nextToken", token);
    submit(aws, call, "DescribeLogGroups", body, false);
}

void logs_list_tags(struct aws *aws, struct aws_call *call, const char *arn)
{
    cJSON *body = json_object();
    json_put_string(body, "resourceArn", arn);
    submit(aws, call, "ListTagsForResource", body, false);
}

void logs_delete_group(struct aws *aws, struct aws_call *call, const char *group)
{
    cJSON *body = json_object();
    json_put_string(body, "logGroupName", group);
    submit(aws, call, "DeleteLogGroup", body, true);
}
