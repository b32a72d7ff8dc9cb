#include "cloudformation.h"
#include "common/base/json.h"

#include <string.h>

static const struct aws_service service = {.name = "cloudformation",
                                           .endpoint = "cloudformation",
                                           .variable = "CLOUDFORMATION",
                                           .section = "cloudformation",
                                           .version = "2010-05-15",
                                           .protocol = AWS_QUERY};

/* result: the member of the answer that is needed; NULL: none is. */
static void submit(struct aws *aws, struct aws_call *call, const char *operation,
                   const char *result, cJSON *body, bool changes)
{
    aws_submit(aws, call,
               &(struct aws_request){.service = &service,
                                     .operation = operation,
                                     .body = body,
                                     .wanted = result,
                                     .changes = changes});
}

/* {name: value}, without what is NULL. */
static cJSON *body_of(const char *stack, const char *name, const char *value)
{
    cJSON *body = json_object();
    json_put_string(body, "StackName", stack);
    if (value)
        json_put_string(body, name, value);
    return body;
}

void cloudformation_describe_stack(struct aws *aws, struct aws_call *call, const char *stack)
{
    submit(aws, call, "DescribeStacks", "DescribeStacksResult", body_of(stack, NULL, NULL), false);
}

/* There is no code of its own for it: "Stack with id home-system does not exist", "Stack
 * [home-system] does not exist". */
bool cloudformation_missing(const struct aws_call *call)
{
    return aws_failed_with(call, "ValidationError") &&
           strstr(text_string(&call->error.message), "does not exist");
}

void cloudformation_get_template(struct aws *aws, struct aws_call *call, const char *stack)
{
    submit(aws, call, "GetTemplate", "GetTemplateResult",
           body_of(stack, "TemplateStage", "Original"), false);
}

/* {"a": "b"} as [{key: "a", value: "b"}] */
static cJSON *pairs_of(const cJSON *object, const char *key, const char *value)
{
    cJSON *list = json_array();
    const cJSON *member;
    cJSON_ArrayForEach(member, object)
    {
        cJSON *pair = json_object();
        json_put_string(pair, key, member->string);
        json_put_string(pair, value, cJSON_GetStringValue(member));
        cJSON_AddItemToArray(list, pair);
    }
    return list;
}

void cloudformation_create_change_set(struct aws *aws, struct aws_call *call,
                                      const struct change_set *set)
{
    cJSON *body = body_of(set->stack, "ChangeSetName", set->name), *capabilities = json_array();
    json_put_string(body, "ChangeSetType", set->create ? "CREATE" : "UPDATE");
    json_put_string(body, "ClientToken", set->name);
    json_put_string(body, "TemplateBody", set->template_body);
    json_put(body, "Parameters", pairs_of(set->parameters, "ParameterKey", "ParameterValue"));
    json_put(body, "Tags", pairs_of(set->tags, "Key", "Value"));
    cJSON_AddItemToArray(capabilities, cJSON_CreateString("CAPABILITY_IAM"));
    json_put(body, "Capabilities", capabilities);
    if (set->import)
        json_put_string(body, "ImportExistingResources", "true");
    submit(aws, call, "CreateChangeSet", "CreateChangeSetResult", body, true);
}

void cloudformation_describe_change_set(struct aws *aws, struct aws_call *call, const char *stack,
                                        const char *name, const char *token)
{
    cJSON *body = body_of(stack, "NextToken", token);
    json_put_string(body, "ChangeSetName", name);
    submit(aws, call, "DescribeChangeSet", "DescribeChangeSetResult", body, false);
}

void cloudformation_list_change_sets(struct aws *aws, struct aws_call *call, const char *stack,
                                     const char *token)
{
    submit(aws, call, "ListChangeSets", "ListChangeSetsResult", body_of(stack, "NextToken", token),
           false);
}

void cloudformation_execute_change_set(struct aws *aws, struct aws_call *call, const char *stack,
                                       const char *name, const char *request, bool clean)
{
    cJSON *body = body_of(stack, "ChangeSetName", name);
    json_put_string(body, "ClientRequestToken", request);
    if (clean)
        json_put_string(body, "RetainExceptOnCreate", "true");
    submit(aws, call, "ExecuteChangeSet", NULL, body, true);
}

void cloudformation_delete_change_set(struct aws *aws, struct aws_call *call, const char *stack,
                                      const char *name)
{
    submit(aws, call, "DeleteChangeSet", NULL, body_of(stack, "ChangeSetName", name), true);
}

void cloudformation_describe_events(struct aws *aws, struct aws_call *call, const char *stack,
                                    const char *token)
{
    submit(aws, call, "DescribeStackEvents", "DescribeStackEventsResult",
           body_of(stack, "NextToken", token), false);
}

void cloudformation_delete_stack(struct aws *aws, struct aws_call *call, const char *stack,
                                 const char *request)
{
    submit(aws, call, "DeleteStack", NULL, body_of(stack, "ClientRequestToken", request), true);
}
