#include "iot_types.h"
#include "common/base/json.h"

enum { PAGE = 250 };

static void submit(struct aws *aws, struct aws_call *call, const char *operation,
                   const char *method, struct text *path, const char *query, cJSON *body,
                   bool changes)
{
    aws_submit(aws, call,
               &(struct aws_request){.service = &iot_service,
                                     .operation = operation,
                                     .method = method,
                                     .path = text_string(path),
                                     .query = query,
                                     .body = body,
                                     .changes = changes});
    text_free(path);
}

static struct text path_to(const char *folder, const char *name, const char *rest)
{
    struct text path = {0};
    text_add_string(&path, folder);
    aws_escape(name, &path);
    text_add_string(&path, rest);
    return path;
}

void iot_describe_thing_type(struct aws *aws, struct aws_call *call, const char *type)
{
    struct text path = path_to("/thing-types/", type, "");
    submit(aws, call, "DescribeThingType", "GET", &path, NULL, NULL, false);
}

void iot_update_thing_type(struct aws *aws, struct aws_call *call, const char *type,
                           const cJSON *properties)
{
    struct text path = path_to("/thing-types/", type, "");
    cJSON *body = json_object();
    json_put(body, "thingTypeProperties", cJSON_Duplicate(properties, true));
    submit(aws, call, "UpdateThingType", "PATCH", &path, NULL, body, true);
}

void iot_deprecate_thing_type(struct aws *aws, struct aws_call *call, const char *type, bool undo)
{
    struct text path = path_to("/thing-types/", type, "/deprecate");
    cJSON *body = json_object();
    json_put_bool(body, "undoDeprecate", undo);
    submit(aws, call, "DeprecateThingType", "POST", &path, NULL, body, true);
}

void iot_delete_thing_type(struct aws *aws, struct aws_call *call, const char *type)
{
    struct text path = path_to("/thing-types/", type, "");
    submit(aws, call, "DeleteThingType", "DELETE", &path, NULL, NULL, true);
}

void iot_list_tags(struct aws *aws, struct aws_call *call, const char *arn, const char *token)
{
    struct text path = path_to("/tags", "", ""), query = {0};
    text_add_string(&query, "resourceArn=");
    aws_escape(arn, &query);
    if (token) {
        text_add_string(&query, "&nextToken=");
        aws_escape(token, &query);
    }
    submit(aws, call, "ListTagsForResource", "GET", &path, text_string(&query), NULL, false);
    text_free(&query);
}

void iot_list_things_of_type(struct aws *aws, struct aws_call *call, const char *type,
                             const char *token)
{
    iot_list_things(aws, call, type, token);
}

void iot_get_policy(struct aws *aws, struct aws_call *call, const char *policy)
{
    struct text path = path_to("/policies/", policy, "");
    submit(aws, call, "GetPolicy", "GET", &path, NULL, NULL, false);
}

void iot_list_policy_versions(struct aws *aws, struct aws_call *call, const char *policy)
{
    struct text path = path_to("/policies/", policy, "/version");
    submit(aws, call, "ListPolicyVersions", "GET", &path, NULL, NULL, false);
}

void iot_delete_policy_version(struct aws *aws, struct aws_call *call, const char *policy,
                               const char *version)
{
    struct text path = path_to("/policies/", policy, "/version/");
    aws_escape(version, &path);
    submit(aws, call, "DeletePolicyVersion", "DELETE", &path, NULL, NULL, true);
}

void iot_list_targets_for_policy(struct aws *aws, struct aws_call *call, const char *policy,
                                 const char *marker)
{
    struct text path = path_to("/policy-targets/", policy, ""), query = {0};
    text_add_format(&query, "pageSize=%d", PAGE);
    if (marker) {
        text_add_string(&query, "&marker=");
        aws_escape(marker, &query);
    }
    submit(aws, call, "ListTargetsForPolicy", "POST", &path, text_string(&query), NULL, false);
    text_free(&query);
}
