#include "sts.h"
#include "common/base/json.h"

static const struct aws_service service = {.name = "sts",
                                           .endpoint = "sts",
                                           .variable = "STS",
                                           .section = "sts",
                                           .version = "2011-06-15",
                                           .protocol = AWS_QUERY};

void sts_get_caller_identity(struct aws *aws, struct aws_call *call)
{
    aws_submit(aws, call,
               &(struct aws_request){.service = &service,
                                     .operation = "GetCallerIdentity",
                                     .wanted = "GetCallerIdentityResult"});
}

static void put_if_given(cJSON *body, const char *name, const char *value)
{
    if (value)
        json_put_string(body, name, value);
}

static cJSON *body_of(const struct sts_role *role)
{
    cJSON *body = json_object();
    json_put_string(body, "RoleArn", role->arn);
    json_put_string(body, "RoleSessionName", role->session);
    put_if_given(body, "DurationSeconds", role->seconds);
    return body;
}

void sts_assume_role(struct aws *aws, struct aws_call *call, const struct sts_role *role)
{
    cJSON *body = body_of(role);
    put_if_given(body, "ExternalId", role->external_id);
    put_if_given(body, "SerialNumber", role->mfa_serial);
    put_if_given(body, "TokenCode", role->mfa_code);
    aws_submit(aws, call,
               &(struct aws_request){.service = &service,
                                     .operation = "AssumeRole",
                                     .wanted = "AssumeRoleResult",
                                     .body = body,
                                     .secret = true});
}

void sts_assume_role_with_web_identity(struct aws *aws, struct aws_call *call,
                                       const struct sts_role *role)
{
    cJSON *body = body_of(role);
    json_put_string(body, "WebIdentityToken", role->web_identity);
    aws_submit(aws, call,
               &(struct aws_request){.service = &service,
                                     .operation = "AssumeRoleWithWebIdentity",
                                     .wanted = "AssumeRoleWithWebIdentityResult",
                                     .body = body,
                                     .secret = true,
                                     .anonymous = true});
}
