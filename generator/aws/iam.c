#include "iam.h"
#include "../../common/json.h"

const struct aws_service iam_service = {.name = "iam",
                                        .endpoint = "iam",
                                        .variable = "IAM",
                                        .section = "iam",
                                        .version = "2010-05-08",
                                        .protocol = AWS_QUERY,
                                        .global = true};

void iam_get_account_summary(struct aws *aws, struct aws_call *call)
{
    aws_submit(aws, call,
               &(struct aws_request){.service = &iam_service, .operation = "GetAccountSummary"});
}

void iam_simulate_principal_policy(struct aws *aws, struct aws_call *call, const char *principal,
                                   const cJSON *actions, const char *marker)
{
    cJSON *body = json_object();
    json_put_string(body, "PolicySourceArn", principal);
    json_put(body, "ActionNames", cJSON_Duplicate(actions, true));
    json_put_string(body, "MaxItems", "1000");
    if (marker)
        json_put_string(body, "Marker", marker);
    aws_submit(aws, call,
               &(struct aws_request){
                   .service = &iam_service, .operation = "SimulatePrincipalPolicy", .body = body});
}
