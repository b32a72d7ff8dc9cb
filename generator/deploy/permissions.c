#include "permissions.h"
#include "common/base/embedded.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "aws/iam.h"

#include <stdlib.h>
#include <string.h>

EMBEDDED(operator_policy)

const char *permissions_policy(size_t *length)
{
    static const struct {
        const char *at, *end;
    } policy = {embedded_operator_policy, embedded_operator_policy_end};
    *length = (size_t)(policy.end - policy.at);
    return policy.at;
}

/* For each statement of the operator's policy a resource that this system has or will have. IAM is
 * asked about that resource, because an operator may be allowed nothing else. Which kind of
 * resource belongs to an action: "Policy actions for AWS IoT" (AWS IoT developer guide), and the
 * service authorization reference. Where an action has no resource, IAM is asked about "*". */
static const struct scope {
    const char *sid; /* of the statement */
    bool things;     /* needed to create things; otherwise needed to deploy */
    const char *resource;
} scopes[] = {
    {"FindOutWhere", true, "*"},
    {"Things", true, "arn:{partition}:iot:{region}:{account}:thing/{type}-1"},
    {"Certificates", true,
     "arn:{partition}:iot:{region}:{account}:cert/"
     "0000000000000000000000000000000000000000000000000000000000000000"},
    {"Connections", true, "arn:{partition}:iot:{region}:{account}:client/{type}-1"},
    {"Lists", false, "*"},
    {"ThingTypes", false, "arn:{partition}:iot:{region}:{account}:thingtype/{type}"},
    {"Policies", false, "arn:{partition}:iot:{region}:{account}:policy/{type}"},
    {"Rules", false, "arn:{partition}:iot:{region}:{account}:rule/{type}_valid"},
    {"Stacks", false,
     "arn:{partition}:cloudformation:{region}:{account}:stack/{system}-{type}/"
     "00000000-0000-0000-0000-000000000000"},
    {"Database", false, "arn:{partition}:timestream:{region}:{account}:database/{database}"},
    {"TimestreamTables", false,
     "arn:{partition}:timestream:{region}:{account}:database/{database}/table/{type}"},
    {"TimestreamKeys", false,
     "arn:{partition}:kms:{region}:{account}:key/00000000-0000-0000-0000-000000000000"},
    {"TimestreamGrants", false,
     "arn:{partition}:kms:{region}:{account}:key/00000000-0000-0000-0000-000000000000"},
    {"Tables", false, "arn:{partition}:dynamodb:{region}:{account}:table/{database}-{type}"},
    {"Logs", false,
     "arn:{partition}:logs:{region}:{account}:log-group:/sensorforge/{system}/{type}"},
    {"Roles", false, "arn:{partition}:iam::{account}:role/{system}-{type}-RuleRole-000000000000"},
    {"Doctor", false, "*"},
};

static const struct scope *scope_of(const cJSON *statement)
{
    for (size_t i = 0; i < sizeof scopes / sizeof *scopes; i++)
        if (strcmp(scopes[i].sid, json_string(statement, "Sid", "")) == 0)
            return &scopes[i];
    return NULL;
}

/* The resource pattern with its {...} filled in; freed by the caller. */
static char *resource_of(const struct permissions *permissions, const char *pattern)
{
    const struct {
        const char *word, *value;
    } words[] = {{"{partition}", aws_partition(permissions->aws)},
                 {"{region}", aws_region(permissions->aws)},
                 {"{account}", permissions->account},
                 {"{system}", permissions->system},
                 {"{database}", permissions->database},
                 {"{type}", permissions->type}};
    struct text made = {0};
    while (*pattern) {
        size_t i = 0, count = sizeof words / sizeof *words;
        while (i < count && !begins_with(pattern, words[i].word))
            i++;
        if (i < count) {
            text_add_string(&made, words[i].value);
            pattern += strlen(words[i].word);
        } else {
            text_add_char(&made, *pattern++);
        }
    }
    return text_take(&made);
}

/* The actions of a statement, without those of a store that the system does not use. */
static cJSON *actions_of(const struct permissions *permissions, const cJSON *statement)
{
    cJSON *actions = json_array();
    const cJSON *action;
    cJSON_ArrayForEach(action, json_get(statement, "Action"))
    {
        const char *name = action->valuestring;
        bool store = begins_with(name, "timestream:") || begins_with(name, "kms:");
        if (permissions->timestream || !store)
            cJSON_AddItemToArray(actions, cJSON_Duplicate(action, false));
    }
    return actions;
}

static void add_context(cJSON *context, const char *key, const char *type, const char *value)
{
    cJSON *entry = json_object(), *values = json_array();
    json_put_string(entry, "ContextKeyName", key);
    json_put_string(entry, "ContextKeyType", type);
    cJSON_AddItemToArray(values, cJSON_CreateString(value));
    json_put(entry, "ContextKeyValues", values);
    cJSON_AddItemToArray(context, entry);
}

/* The condition keys of the calls that Timestream makes to KMS. A policy may demand them. */
static cJSON *context_of(const struct permissions *permissions)
{
    cJSON *context = json_array();
    owned char *service = must_format("timestream.%s.amazonaws.com", aws_region(permissions->aws));
    add_context(context, "kms:ViaService", "string", service);
    add_context(context, "kms:GrantIsForAWSResource", "boolean", "true");
    add_context(context, "kms:EncryptionContextKeys", "stringList", "aws:timestream:database-name");
    return context;
}

static void read_verdicts(struct permissions *permissions, const cJSON *results)
{
    const cJSON *result;
    cJSON_ArrayForEach(result, results)
    {
        if (strcmp(json_string(result, "EvalDecision", ""), "allowed") == 0)
            continue;
        text_add_format(&permissions->denied, "%s%s", permissions->denied_count++ ? ", " : "",
                        json_string(result, "EvalActionName", "?"));
    }
}

static enum status ask_iam(struct permissions *permissions, const struct iam_question *question,
                           struct error *error)
{
    char *marker = NULL;
    enum status status;
    do {
        struct aws_call call = {0};
        iam_simulate_principal_policy(permissions->aws, &call, question, marker);
        status = aws_finish(permissions->aws, &call, error);
        const cJSON *result = json_get(call.answer, "SimulatePrincipalPolicyResult");
        const char *next = json_string(result, "Marker", NULL);
        bool more = strcmp(json_string(result, "IsTruncated", ""), "true") == 0;
        read_verdicts(permissions, json_get(result, "EvaluationResults"));
        free(marker);
        marker = !status && more && next ? must_copy(next) : NULL;
        aws_call_free(&call);
    } while (marker);
    return status;
}

static enum status ask_statement(struct permissions *permissions, const cJSON *statement,
                                 const struct scope *scope, struct error *error)
{
    cJSON *actions = actions_of(permissions, statement), *context = NULL;
    owned char *resource = resource_of(permissions, scope->resource);
    if (json_get(statement, "Condition"))
        context = context_of(permissions);
    enum status status = FINE;
    if (actions->child)
        status = ask_iam(permissions,
                         &(struct iam_question){permissions->principal, actions, resource, context},
                         error);
    permissions->asked += (size_t)cJSON_GetArraySize(actions);
    cJSON_Delete(actions);
    cJSON_Delete(context);
    return status;
}

enum status permissions_ask(struct permissions *permissions, bool things, struct error *error)
{
    size_t length;
    const char *bytes = permissions_policy(&length);
    cJSON *policy = cJSON_ParseWithLength(bytes, length);
    const cJSON *statement;
    enum status status = FINE;
    permissions->asked = permissions->denied_count = 0;
    text_clear(&permissions->denied);
    cJSON_ArrayForEach(statement, json_get(policy, "Statement"))
    {
        const struct scope *scope = scope_of(statement);
        if (!status && scope && scope->things == things)
            status = ask_statement(permissions, statement, scope, error);
    }
    cJSON_Delete(policy);
    return status;
}

/* The ARN of the role of a session. The ARN of a role holds its path, and that of a session does
 * not, so IAM is asked. When that is denied, the role is assumed to have no path. */
static char *role_arn(struct aws *aws, const char *caller, const char *session)
{
    const char *name = session + strlen(":assumed-role/"), *sts = strstr(caller, ":sts:");
    owned char *role = must_copy_bytes(name, strcspn(name, "/"));
    struct aws_call call = {0};
    iam_get_role(aws, &call, role);
    aws_finish(aws, &call, NULL);
    const char *found =
        json_string(json_get(json_get(call.answer, "GetRoleResult"), "Role"), "Arn", NULL);
    char *arn = found ? must_copy(found) : NULL;
    if (!arn) {
        struct text made = {0};
        text_add(&made, caller, (size_t)(sts - caller));
        text_add_string(&made, ":iam:");
        text_add(&made, sts + strlen(":sts:"), (size_t)(session - sts) - strlen(":sts:"));
        text_add_format(&made, ":role/%s", role);
        arn = text_take(&made);
    }
    aws_call_free(&call);
    return arn;
}

char *permissions_principal(struct aws *aws, const char *caller)
{
    const char *session = strstr(caller, ":assumed-role/");
    if (ends_with(caller, ":root"))
        return NULL;
    return session && strstr(caller, ":sts:") ? role_arn(aws, caller, session) : must_copy(caller);
}
