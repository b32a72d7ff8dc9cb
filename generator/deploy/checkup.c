#include "checkup.h"
#include "common/base/embedded.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/names.h"
#include "common/base/paths.h"
#include "common/spec/spec.h"
#include "aws/cloudformation.h"
#include "aws/dynamodb.h"
#include "aws/iam.h"
#include "aws/iot.h"
#include "aws/logs.h"
#include "aws/pages.h"
#include "aws/sts.h"
#include "aws/timestream.h"

#include <stdlib.h>
#include <string.h>

EMBEDDED(operator_policy)

enum {
    SKEW_NOTED = 60,   /* seconds; AWS refuses signatures whose time is wrong by five minutes */
    MOST_RULES = 1000, /* in an account and region ("AWS IoT Core endpoints and quotas") */
    MOST_TABLES = 2500 /* likewise ("Quotas in Amazon DynamoDB") */
};

static const double nearly_full = 0.8;

/* --- findings --- */

void checkup_add(struct checkup *checkup, const char *what, enum health health, char *text,
                 char *advice)
{
    checkup->at = must_grow(checkup->at, checkup->count, &checkup->room, sizeof *checkup->at);
    checkup->at[checkup->count++] = (struct finding){what, health, text, advice};
}

void checkup_free(struct checkup *checkup)
{
    for (size_t i = 0; i < checkup->count; i++) {
        free(checkup->at[i].text);
        free(checkup->at[i].advice);
    }
    free(checkup->at);
    free(checkup->account);
    *checkup = (struct checkup){0};
}

/* Adds an error and its advice as a finding. */
static void add_error(struct checkup *checkup, const char *what, enum health health,
                      const struct error *error)
{
    checkup_add(checkup, what, health, must_copy(text_string(&error->message)),
                error->advice.length ? must_copy(text_string(&error->advice)) : NULL);
}

/* --- credentials and clock --- */

static bool check_credentials(struct aws *aws, const struct system *system, struct checkup *checkup,
                              char **caller)
{
    struct aws_call call = {0};
    const char *expected = system->aws.account;
    bool written = strspn(expected, "0") != strlen(expected); /* zeros mean that none is written */
    sts_get_caller_identity(aws, &call);
    bool reached = !aws_finish(aws, &call, NULL);
    const cJSON *identity = json_get(call.answer, "GetCallerIdentityResult");
    const char *account = json_string(identity, "Account", "");
    if (reached)
        checkup->account = must_copy(account);
    if (!reached)
        add_error(checkup, "credentials", ILL, &call.error);
    else if (written && strcmp(expected, account) != 0)
        checkup_add(checkup, "credentials", ILL,
                    must_format("%s: account %s, but system.yaml says %s",
                                aws_credentials_source(aws), account, expected),
                    must_copy("choose the account's profile: PROFILE=... or AWS_PROFILE"));
    else
        checkup_add(checkup, "credentials", WELL,
                    must_format("%s: account %s, %s", aws_credentials_source(aws), account,
                                json_string(identity, "Arn", "")),
                    NULL);
    *caller = must_copy(json_string(identity, "Arn", ""));
    aws_call_free(&call);
    return reached;
}

static void check_clock(struct aws *aws, struct checkup *checkup)
{
    double ahead = aws_clock_ahead(aws);
    bool off = ahead > SKEW_NOTED || ahead < -SKEW_NOTED;
    checkup_add(checkup, "clock", off ? DOUBTFUL : WELL,
                must_format("%.0f seconds %s AWS's", ahead < 0 ? -ahead : ahead,
                            ahead > 0 ? "behind" : "ahead of"),
                off ? must_copy("set this machine's clock (timedatectl set-ntp true): certificates "
                                "and readings carry its time")
                    : NULL);
}

/* --- reachability: one cheap call of each service that deploying and creating use --- */

static bool check_reach(struct aws *aws, bool timestream, struct checkup *checkup)
{
    struct aws_call calls[5] = {0};
    const char *names[] = {"AWS IoT", "CloudFormation", "DynamoDB", "CloudWatch Logs",
                           "Timestream"};
    size_t count = timestream ? 5 : 4;
    bool all = true;
    iot_describe_endpoint(aws, &calls[0]);
    cloudformation_describe_stack(aws, &calls[1], "sensorforge-doctor");
    dynamodb_list_tables(aws, &calls[2], NULL);
    logs_describe_groups(aws, &calls[3], "/sensorforge/", NULL);
    if (timestream)
        timestream_describe_endpoints(aws, &calls[4]);
    struct text reached = {0};
    for (size_t i = 0; i < count; i++) {
        aws_finish(aws, &calls[i], NULL);
        /* A refusal is an answer too; permissions are another check. */
        if (calls[i].http_status)
            text_add_format(&reached, "%s%s", reached.length ? ", " : "", names[i]);
        else
            add_error(checkup, "reach", ILL, &calls[i].error);
        all = all && calls[i].http_status;
        aws_call_free(&calls[i]);
    }
    if (all)
        checkup_add(checkup, "reach", WELL,
                    must_format("%s in %s", text_string(&reached), aws_region(aws)), NULL);
    text_free(&reached);
    return all;
}

/* --- permissions --- */

const char *checkup_policy(size_t *length)
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

/* What IAM is asked about, and what it has answered so far. */
struct inquiry {
    struct aws *aws;
    const char *principal, *account, *system, *database, *type;
    bool timestream;    /* the system's store */
    struct text denied; /* "iot:CreateThing, iot:DeleteThing" */
    size_t asked;       /* actions that IAM was asked about */
    size_t count;       /* of them, those that are denied */
};

static const struct scope *scope_of(const cJSON *statement)
{
    for (size_t i = 0; i < sizeof scopes / sizeof *scopes; i++)
        if (strcmp(scopes[i].sid, json_string(statement, "Sid", "")) == 0)
            return &scopes[i];
    return NULL;
}

/* The resource pattern with its {...} filled in; freed by the caller. */
static char *resource_of(const struct inquiry *inquiry, const char *pattern)
{
    const struct {
        const char *word, *value;
    } words[] = {{"{partition}", aws_partition(inquiry->aws)},
                 {"{region}", aws_region(inquiry->aws)},
                 {"{account}", inquiry->account},
                 {"{system}", inquiry->system},
                 {"{database}", inquiry->database},
                 {"{type}", inquiry->type}};
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
static cJSON *actions_of(const struct inquiry *inquiry, const cJSON *statement)
{
    cJSON *actions = json_array();
    const cJSON *action;
    cJSON_ArrayForEach(action, json_get(statement, "Action"))
    {
        const char *name = action->valuestring;
        bool store = begins_with(name, "timestream:") || begins_with(name, "kms:");
        if (inquiry->timestream || !store)
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
static cJSON *context_of(const struct inquiry *inquiry)
{
    cJSON *context = json_array();
    owned char *service = must_format("timestream.%s.amazonaws.com", aws_region(inquiry->aws));
    add_context(context, "kms:ViaService", "string", service);
    add_context(context, "kms:GrantIsForAWSResource", "boolean", "true");
    add_context(context, "kms:EncryptionContextKeys", "stringList", "aws:timestream:database-name");
    return context;
}

static void read_verdicts(struct inquiry *inquiry, const cJSON *results)
{
    const cJSON *result;
    cJSON_ArrayForEach(result, results)
    {
        if (strcmp(json_string(result, "EvalDecision", ""), "allowed") == 0)
            continue;
        text_add_format(&inquiry->denied, "%s%s", inquiry->count++ ? ", " : "",
                        json_string(result, "EvalActionName", "?"));
    }
}

static enum status ask_iam(struct inquiry *inquiry, const struct iam_question *question,
                           struct error *error)
{
    char *marker = NULL;
    enum status status;
    do {
        struct aws_call call = {0};
        iam_simulate_principal_policy(inquiry->aws, &call, question, marker);
        status = aws_finish(inquiry->aws, &call, error);
        const cJSON *result = json_get(call.answer, "SimulatePrincipalPolicyResult");
        const char *next = json_string(result, "Marker", NULL);
        bool more = strcmp(json_string(result, "IsTruncated", ""), "true") == 0;
        read_verdicts(inquiry, json_get(result, "EvaluationResults"));
        free(marker);
        marker = !status && more && next ? must_copy(next) : NULL;
        aws_call_free(&call);
    } while (marker);
    return status;
}

static enum status ask_statement(struct inquiry *inquiry, const cJSON *statement,
                                 const struct scope *scope, struct error *error)
{
    cJSON *actions = actions_of(inquiry, statement), *context = NULL;
    owned char *resource = resource_of(inquiry, scope->resource);
    if (json_get(statement, "Condition"))
        context = context_of(inquiry);
    enum status status = FINE;
    if (actions->child)
        status = ask_iam(
            inquiry, &(struct iam_question){inquiry->principal, actions, resource, context}, error);
    inquiry->asked += (size_t)cJSON_GetArraySize(actions);
    cJSON_Delete(actions);
    cJSON_Delete(context);
    return status;
}

/* Asks about the statements that creating things needs, or about all others. */
static enum status ask_statements(struct inquiry *inquiry, bool things, struct error *error)
{
    size_t length;
    const char *bytes = checkup_policy(&length);
    cJSON *policy = cJSON_ParseWithLength(bytes, length);
    const cJSON *statement;
    enum status status = FINE;
    cJSON_ArrayForEach(statement, json_get(policy, "Statement"))
    {
        const struct scope *scope = scope_of(statement);
        if (!status && scope && scope->things == things)
            status = ask_statement(inquiry, statement, scope, error);
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

/* The ARN that IAM can be asked about. A caller may be the session of a role
 * (arn:aws:sts::1:assumed-role/operator/me); IAM knows the role (arn:aws:iam::1:role/operator).
 * NULL for the root user, who needs no permission. */
static char *principal_of(struct aws *aws, const char *caller)
{
    const char *session = strstr(caller, ":assumed-role/");
    if (ends_with(caller, ":root"))
        return NULL;
    return session && strstr(caller, ":sts:") ? role_arn(aws, caller, session) : must_copy(caller);
}

/* That deploying is denied is only DOUBTFUL: this operator may create things and nothing else. */
static void check_purpose(struct inquiry *inquiry, bool things, struct checkup *checkup)
{
    const char *purpose = things ? "make things" : "deploy and destroy types";
    const char *policy = "docs/aws.md has the policy that is enough (sensorforge doctor --policy "
                         "prints it)";
    struct error error = {0};
    inquiry->asked = inquiry->count = 0;
    if (ask_statements(inquiry, things, &error))
        checkup_add(checkup, "permissions", DOUBTFUL,
                    must_format("not known whether %s may %s: %s", inquiry->principal, purpose,
                                text_string(&error.message)),
                    must_copy(policy));
    else if (inquiry->count)
        checkup_add(checkup, "permissions", things ? ILL : DOUBTFUL,
                    must_format("%s may not %s, for want of: %s", inquiry->principal, purpose,
                                text_string(&inquiry->denied)),
                    must_copy(policy));
    else
        checkup_add(checkup, "permissions", WELL,
                    must_format("to %s: all %zu actions that it needs", purpose, inquiry->asked),
                    NULL);
    error_free(&error);
    text_free(&inquiry->denied);
}

static void check_permissions(struct aws *aws, const char *caller, const struct system *system,
                              bool timestream, struct checkup *checkup)
{
    owned char *principal = principal_of(aws, caller);
    if (!principal) {
        checkup_add(checkup, "permissions", DOUBTFUL, must_copy("the root user may do everything"),
                    must_copy("an operator of its own: docs/aws.md has the policy that is enough"));
        return;
    }
    struct names *types = names_of_folders(TYPES_FOLDER, "spec.yaml");
    struct inquiry inquiry = {.aws = aws,
                              .principal = principal,
                              .account = checkup->account,
                              .system = system->name,
                              .database = system->database,
                              .type = types->count ? types->at[0] : "sensor",
                              .timestream = timestream};
    check_purpose(&inquiry, true, checkup);
    check_purpose(&inquiry, false, checkup);
    names_free(types);
}

/* --- the store --- */

static void check_store(struct aws *aws, const struct system *system, bool timestream,
                        struct checkup *checkup)
{
    const char *database = system->database;
    struct timestream store = {0};
    struct aws_call call = {0};
    struct error error = {0};
    if (!timestream) {
        checkup_add(checkup, "store", WELL, must_copy(system_store_name(system->aws.store)), NULL);
        return;
    }
    enum status status = timestream_open(aws, &store, &error);
    if (!status) {
        timestream_describe_database(&store, &call, database);
        status = aws_finish(aws, &call, &error);
    }
    bool missing = status && aws_failed_with(&call, "ResourceNotFoundException");
    if (status)
        timestream_explain(&call, &error);
    if (!status || missing)
        checkup_add(checkup, "store", WELL,
                    must_format("timestream, the database %s is %s", database,
                                missing ? "not there yet" : "there"),
                    NULL);
    else
        add_error(checkup, "store", ILL, &error);
    error_free(&error);
    aws_call_free(&call);
    timestream_close(&store);
}

/* --- quotas --- */

static void add_quota(struct checkup *checkup, const char *what, double used, double most)
{
    bool near = used >= nearly_full * most;
    if (most > 0)
        checkup_add(checkup, "quotas", near ? DOUBTFUL : WELL,
                    must_format("%.0f of %.0f %s", used, most, what),
                    near ? must_copy("ask for more in the console of Service Quotas; a type needs "
                                     "two roles, two rules and up to two tables")
                         : NULL);
}

static void add_unknown(struct checkup *checkup, const char *what, const struct error *error)
{
    checkup_add(checkup, "quotas", DOUBTFUL,
                must_format("%s: not known: %s", what, text_string(&error->message)), NULL);
}

static double summary_entry(const cJSON *map, const char *key)
{
    const cJSON *entry;
    cJSON_ArrayForEach(entry, map) if (strcmp(json_string(entry, "key", ""), key) ==
                                       0) return strtod(json_string(entry, "value", "0"), NULL);
    return 0;
}

static void check_roles(struct aws *aws, struct checkup *checkup)
{
    struct aws_call call = {0};
    iam_get_account_summary(aws, &call);
    if (aws_finish(aws, &call, NULL)) {
        add_unknown(checkup, "IAM roles", &call.error);
    } else {
        const cJSON *map = json_get(json_get(call.answer, "GetAccountSummaryResult"), "SummaryMap");
        add_quota(checkup, "IAM roles", summary_entry(map, "Roles"),
                  summary_entry(map, "RolesQuota"));
    }
    aws_call_free(&call);
}

static enum status count_one(void *context, const cJSON *item, struct error *error)
{
    size_t *count = context;
    (void)item, (void)error;
    ++*count;
    return FINE;
}

static void ask_rules(struct aws *aws, struct aws_call *call, const char *token, const void *about)
{
    (void)about;
    iot_list_topic_rules(aws, call, token);
}

static void ask_tables(struct aws *aws, struct aws_call *call, const char *token, const void *about)
{
    (void)about;
    dynamodb_list_tables(aws, call, token);
}

static void check_count(struct aws *aws, const char *what, size_t most, const struct aws_list *list,
                        struct checkup *checkup)
{
    struct error error = {0};
    size_t count = 0;
    if (aws_each(aws, list, count_one, &count, NULL, &error))
        add_unknown(checkup, what, &error);
    else
        add_quota(checkup, what, (double)count, (double)most);
    error_free(&error);
}

/* --- all of it --- */

bool checkup_account(struct aws *aws, const struct system *system, struct checkup *checkup)
{
    const struct aws_list rules = {ask_rules, NULL, "rules", "nextToken"};
    const struct aws_list tables = {ask_tables, NULL, "TableNames", "LastEvaluatedTableName"};
    bool timestream = system->aws.store == STORE_TIMESTREAM;
    char *caller = NULL;
    bool reached = check_credentials(aws, system, checkup, &caller);
    if (reached) {
        check_clock(aws, checkup);
        reached = check_reach(aws, timestream, checkup);
    }
    if (reached) {
        check_permissions(aws, caller, system, timestream, checkup);
        check_store(aws, system, timestream, checkup);
        check_roles(aws, checkup);
        check_count(aws, "topic rules", MOST_RULES, &rules, checkup);
        check_count(aws, "DynamoDB tables", MOST_TABLES, &tables, checkup);
    }
    free(caller);
    return reached;
}
