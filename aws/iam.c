#include "iam.h"
#include "common/base/json.h"

static const struct aws_service service = {.name = "iam",
                                           .endpoint = "iam",
                                           .variable = "IAM",
                                           .section = "iam",
                                           .version = "2010-05-08",
                                           .protocol = AWS_QUERY,
                                           .global = true};

void iam_get_account_summary(struct aws *aws, struct aws_call *call)
{
    aws_submit(aws, call,
               &(struct aws_request){.service = &service,
                                     .operation = "GetAccountSummary",
                                     .wanted = "GetAccountSummaryResult"});
}

void iam_get_role(struct aws *aws, struct aws_call *call, const char *name)
{
    cJSON *body = json_object();
    json_put_string(body, "RoleName", name);
    aws_submit(
        aws, call,
        &(struct aws_request){
            .service = &service, .operation = "GetRole", .wanted = "GetRoleResult", .body = body});
}

void iam_create_role(struct aws *aws, struct aws_call *call, const char *name, const char *trust)
{
    cJSON *body = json_object();
    json_put_string(body, "RoleName", name);
    json_put_string(body, "AssumeRolePolicyDocument", trust);
    aws_submit(aws, call,
               &(struct aws_request){.service = &service,
                                     .operation = "CreateRole",
                                     .wanted = "CreateRoleResult",
                                     .body = body,
                                     .changes = true});
}

void iam_put_role_policy(struct aws *aws, struct aws_call *call, const char *role, const char *name,
                         const char *policy)
{
    cJSON *body = json_object();
    json_put_string(body, "RoleName", role);
    json_put_string(body, "PolicyName", name);
    json_put_string(body, "PolicyDocument", policy);
    aws_submit(
        aws, call,
        &(struct aws_request){
            .service = &service, .operation = "PutRolePolicy", .body = body, .changes = true});
}

void iam_simulate_principal_policy(struct aws *aws, struct aws_call *call,
                                   const struct iam_question *question, const char *marker)
{
    cJSON *body = json_object(), *resources = json_array();
    cJSON_AddItemToArray(resources, cJSON_CreateString(question->resource));
    json_put_string(body, "PolicySourceArn", question->principal);
    json_put(body, "ActionNames", cJSON_Duplicate(question->actions, true));
    json_put(body, "ResourceArns", resources);
    if (question->context)
        json_put(body, "ContextEntries", cJSON_Duplicate(question->context, true));
    json_put_string(body, "MaxItems", "1000");
    if (marker)
        json_put_string(body, "Marker", marker);
    aws_submit(aws, call,
               &(struct aws_request){.service = &service,
                                     .operation = "SimulatePrincipalPolicy",
                                     .wanted = "SimulatePrincipalPolicyResult",
                                     .body = body});
}
