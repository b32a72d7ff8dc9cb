#include "iot.h"
#include "client.h"
#include "common/base/json.h"
#include "common/base/memory.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

const struct aws_service iot_service = {.name = "iot",
                                        .endpoint = "iot",
                                        .variable = "IOT",
                                        .section = "iot",
                                        .protocol = AWS_REST_JSON};

enum { PAGE = 250 }; /* the most that the lists give at once */

/* --- the parts of a request --- */

/* "/things/" and "kitchen" and "/principals": every second part is escaped. NULL ends them. */
static char *path_of(const char *first, ...)
{
    struct text path = {0};
    bool escaped = false;
    va_list parts;
    va_start(parts, first);
    for (const char *part = first; part; part = va_arg(parts, const char *)) {
        if (escaped)
            aws_escape(part, &path);
        else
            text_add_string(&path, part);
        escaped = !escaped;
    }
    va_end(parts);
    return text_take(&path);
}

static void add_parameter(struct text *query, const char *name, const char *value)
{
    if (!value)
        return;
    text_add_format(query, "%s%s=", query->length ? "&" : "", name);
    aws_escape(value, query);
}

struct parts {
    const char *operation, *method, *path;
    const char *query;
    const char *principal; /* travels in a header */
    const char *wanted;    /* of the answer */
    cJSON *body;
    bool reads;
};

static void submit(struct aws *aws, struct aws_call *call, const struct parts *parts)
{
    owned char *header =
        parts->principal ? must_format("x-amzn-principal: %s", parts->principal) : NULL;
    const char *headers[] = {header, NULL};
    aws_submit(aws, call,
               &(struct aws_request){.service = &iot_service,
                                     .operation = parts->operation,
                                     .method = parts->method,
                                     .path = parts->path,
                                     .query = parts->query,
                                     .headers = header ? headers : NULL,
                                     .body = parts->body,
                                     .wanted = parts->wanted,
                                     .changes = !parts->reads});
}

/* One page of a list. Whether an empty list is in the answer, is not documented: it is not asked
 * for. */
static void submit_list(struct aws *aws, struct aws_call *call, const struct parts *list,
                        const char *size_name, const char *marker_name, const char *marker)
{
    struct text query = {0};
    struct parts parts = *list;
    if (parts.query)
        text_add_string(&query, parts.query);
    text_add_format(&query, "%s%s=%d", query.length ? "&" : "", size_name, PAGE);
    add_parameter(&query, marker_name, marker);
    parts.query = text_string(&query);
    parts.reads = true;
    submit(aws, call, &parts);
    text_free(&query);
}

static cJSON *attribute_payload(const cJSON *attributes, bool merge)
{
    cJSON *payload = json_object();
    json_put(payload, "attributes", cJSON_Duplicate(attributes, true));
    if (merge)
        json_put_bool(payload, "merge", true);
    return payload;
}

/* --- things --- */

void iot_create_thing(struct aws *aws, struct aws_call *call, const char *name, const char *type,
                      const cJSON *attributes)
{
    owned char *path = path_of("/things/", name, NULL);
    cJSON *body = json_object();
    json_put_string(body, "thingTypeName", type);
    json_put(body, "attributePayload", attribute_payload(attributes, false));
    submit(aws, call,
           &(struct parts){
               .operation = "CreateThing", .wanted = "thingArn", .path = path, .body = body});
}

void iot_describe_thing(struct aws *aws, struct aws_call *call, const char *name)
{
    owned char *path = path_of("/things/", name, NULL);
    submit(aws, call,
           &(struct parts){.operation = "DescribeThing",
                           .wanted = "thingName",
                           .method = "GET",
                           .path = path,
                           .reads = true});
}

void iot_update_thing(struct aws *aws, struct aws_call *call, const char *name,
                      const cJSON *attributes)
{
    owned char *path = path_of("/things/", name, NULL);
    cJSON *body = json_object();
    json_put(body, "attributePayload", attribute_payload(attributes, true));
    submit(
        aws, call,
        &(struct parts){.operation = "UpdateThing", .method = "PATCH", .path = path, .body = body});
}

void iot_delete_thing(struct aws *aws, struct aws_call *call, const char *name)
{
    owned char *path = path_of("/things/", name, NULL);
    submit(aws, call,
           &(struct parts){.operation = "DeleteThing", .method = "DELETE", .path = path});
}

void iot_list_things(struct aws *aws, struct aws_call *call, const char *type, const char *token)
{
    struct text query = {0};
    add_parameter(&query, "thingTypeName", type);
    submit_list(aws, call,
                &(struct parts){.operation = "ListThings",
                                .method = "GET",
                                .path = "/things",
                                .query = query.length ? text_string(&query) : NULL},
                "maxResults", "nextToken", token);
    text_free(&query);
}

void iot_list_thing_principals(struct aws *aws, struct aws_call *call, const char *name,
                               const char *token)
{
    owned char *path = path_of("/things/", name, "/principals", NULL);
    submit_list(aws, call,
                &(struct parts){.operation = "ListThingPrincipals", .method = "GET", .path = path},
                "maxResults", "nextToken", token);
}

/* --- certificates --- */

/* Inactive, because setAsActive is left out. */
void iot_create_certificate(struct aws *aws, struct aws_call *call, const char *request_pem)
{
    cJSON *body = json_object();
    json_put_string(body, "certificateSigningRequest", request_pem);
    submit(aws, call,
           &(struct parts){.operation = "CreateCertificateFromCsr",
                           .wanted = "certificateId certificateArn certificatePem",
                           .path = "/certificates",
                           .body = body});
}

void iot_update_certificate(struct aws *aws, struct aws_call *call, const char *id, bool active)
{
    owned char *path = path_of("/certificates/", id, NULL);
    submit(aws, call,
           &(struct parts){.operation = "UpdateCertificate",
                           .method = "PUT",
                           .path = path,
                           .query = active ? "newStatus=ACTIVE" : "newStatus=INACTIVE"});
}

void iot_delete_certificate(struct aws *aws, struct aws_call *call, const char *id)
{
    owned char *path = path_of("/certificates/", id, NULL);
    submit(aws, call,
           &(struct parts){.operation = "DeleteCertificate", .method = "DELETE", .path = path});
}

void iot_describe_certificate(struct aws *aws, struct aws_call *call, const char *id)
{
    owned char *path = path_of("/certificates/", id, NULL);
    submit(aws, call,
           &(struct parts){.operation = "DescribeCertificate",
                           .wanted = "certificateDescription",
                           .method = "GET",
                           .path = path,
                           .reads = true});
}

void iot_list_certificates(struct aws *aws, struct aws_call *call, const char *marker)
{
    submit_list(aws, call,
                &(struct parts){.operation = "ListCertificates",
                                .method = "GET",
                                .path = "/certificates",
                                .query = "isAscendingOrder=false"},
                "pageSize", "marker", marker);
}

void iot_list_principal_things(struct aws *aws, struct aws_call *call, const char *principal,
                               const char *token)
{
    submit_list(aws, call,
                &(struct parts){.operation = "ListPrincipalThings",
                                .method = "GET",
                                .path = "/principals/things",
                                .principal = principal},
                "maxResults", "nextToken", token);
}

/* --- what ties them --- */

static void submit_policy(struct aws *aws, struct aws_call *call, const char *operation,
                          const char *method, const char *policy, const char *target)
{
    owned char *path = path_of("/target-policies/", policy, NULL);
    cJSON *body = json_object();
    json_put_string(body, "target", target);
    submit(aws, call,
           &(struct parts){.operation = operation, .method = method, .path = path, .body = body});
}

void iot_attach_policy(struct aws *aws, struct aws_call *call, const char *policy,
                       const char *target)
{
    submit_policy(aws, call, "AttachPolicy", "PUT", policy, target);
}

void iot_detach_policy(struct aws *aws, struct aws_call *call, const char *policy,
                       const char *target)
{
    submit_policy(aws, call, "DetachPolicy", "POST", policy, target);
}

void iot_list_attached_policies(struct aws *aws, struct aws_call *call, const char *target,
                                const char *marker)
{
    owned char *path = path_of("/attached-policies/", target, NULL);
    submit_list(
        aws, call,
        &(struct parts){.operation = "ListAttachedPolicies", .method = "POST", .path = path},
        "pageSize", "marker", marker);
}

static void submit_principal(struct aws *aws, struct aws_call *call, const struct parts *how,
                             const char *thing)
{
    owned char *path = path_of("/things/", thing, "/principals", NULL);
    struct parts parts = *how;
    parts.path = path;
    submit(aws, call, &parts);
}

void iot_attach_thing_principal(struct aws *aws, struct aws_call *call, const char *thing,
                                const char *principal)
{
    submit_principal(aws, call,
                     &(struct parts){.operation = "AttachThingPrincipal",
                                     .method = "PUT",
                                     .query = "thingPrincipalType=EXCLUSIVE_THING",
                                     .principal = principal},
                     thing);
}

void iot_detach_thing_principal(struct aws *aws, struct aws_call *call, const char *thing,
                                const char *principal)
{
    submit_principal(aws, call,
                     &(struct parts){.operation = "DetachThingPrincipal",
                                     .method = "DELETE",
                                     .principal = principal},
                     thing);
}

void iot_list_topic_rules(struct aws *aws, struct aws_call *call, const char *token)
{
    submit_list(aws, call,
                &(struct parts){.operation = "ListTopicRules", .method = "GET", .path = "/rules"},
                "maxResults", "nextToken", token);
}

void iot_describe_endpoint(struct aws *aws, struct aws_call *call)
{
    submit(aws, call,
           &(struct parts){.operation = "DescribeEndpoint",
                           .wanted = "endpointAddress",
                           .method = "GET",
                           .path = "/endpoint",
                           .query = "endpointType=iot%3AData-ATS",
                           .reads = true});
}

void iot_get_logging(struct aws *aws, struct aws_call *call)
{
    submit(aws, call,
           &(struct parts){.operation = "GetV2LoggingOptions",
                           .method = "GET",
                           .path = "/v2LoggingOptions",
                           .reads = true});
}

void iot_set_logging(struct aws *aws, struct aws_call *call, const char *role, const char *level)
{
    cJSON *body = json_object();
    json_put_string(body, "roleArn", role);
    json_put_string(body, "defaultLogLevel", level);
    json_put_bool(body, "disableAllLogs", false);
    submit(aws, call,
           &(struct parts){.operation = "SetV2LoggingOptions",
                           .method = "POST",
                           .path = "/v2LoggingOptions",
                           .body = body});
}

bool iot_is_elsewhere(const struct aws *aws)
{
    struct endpoint endpoint = {0};
    struct error error = {0};
    bool elsewhere =
        !endpoint_find(aws->settings, &iot_service, NULL, &endpoint, &error) && endpoint.overridden;
    endpoint_free(&endpoint);
    error_free(&error);
    return elsewhere;
}
