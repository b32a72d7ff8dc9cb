#include "checkup.h"
#include "../../common/embedded.h"
#include "../../common/json.h"
#include "../../common/memory.h"
#include "../aws/cloudformation.h"
#include "../aws/dynamodb.h"
#include "../aws/iam.h"
#include "../aws/iot.h"
#include "../aws/logs.h"
#include "../aws/pages.h"
#include "../aws/sts.h"
#include "../aws/timestream.h"

#include <stdlib.h>
#include <string.h>

enum {
    SKEW_NOTED = 60,   /* seconds; AWS refuses signatures that are five minutes off */
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
    *checkup = (struct checkup){0};
}

/* An error as a finding, with its own advice. */
static void add_error(struct checkup *checkup, const char *what, enum health health,
                      const struct error *error)
{
    checkup_add(checkup, what, health, must_copy(text_string(&error->message)),
                error->advice.length ? must_copy(text_string(&error->advice)) : NULL);
}

/* --- who calls, and from where --- */

static bool check_credentials(struct aws *aws, const cJSON *system, struct checkup *checkup,
                              char **caller)
{
    struct aws_call call = {0};
    const char *expected = json_string(json_get(system, "aws"), "account", "");
    bool written = strspn(expected, "0") != strlen(expected); /* zeros stand for none */
    sts_get_caller_identity(aws, &call);
    bool reached = !aws_finish(aws, &call, NULL);
    const cJSON *identity = json_get(call.answer, "GetCallerIdentityResult");
    const char *account = json_string(identity, "Account", "");
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
        /* Any answer of a service is one; what it refuses is another check's. */
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

const char *operator_policy(size_t *length)
{
    const char *begin = embedded_operator_policy, *end = embedded_operator_policy_end;
    *length = (size_t)(end - begin);
    return begin;
}

/* All actions of the operator's policy. */
static cJSON *needed_actions(void)
{
    size_t length;
    const char *bytes = operator_policy(&length);
    cJSON *policy = cJSON_ParseWithLength(bytes, length), *all = json_array();
    const cJSON *statement, *action;
    cJSON_ArrayForEach(statement, json_get(policy, "Statement"))
        cJSON_ArrayForEach(action, json_get(statement, "Action"))
            cJSON_AddItemToArray(all, cJSON_Duplicate(action, false));
    cJSON_Delete(policy);
    return all;
}

/* IAM knows roles, not their sessions: arn:aws:sts::1:assumed-role/operator/me is of the role
 * arn:aws:iam::1:role/operator. NULL for who needs no permission (the root user). */
static char *principal_of(const char *caller)
{
    const char *session = strstr(caller, ":assumed-role/"), *role = session;
    if (ends_with(caller, ":root"))
        return NULL;
    if (!session)
        return must_copy(caller);
    struct text arn = {0};
    const char *sts = strstr(caller, ":sts:");
    role += strlen(":assumed-role/");
    text_add(&arn, caller, (size_t)(sts - caller));
    text_add_string(&arn, ":iam:");
    text_add(&arn, sts + strlen(":sts:"), (size_t)(session - sts) - strlen(":sts:"));
    text_add_string(&arn, ":role/");
    text_add(&arn, role, strcspn(role, "/"));
    return text_take(&arn);
}

static void check_permissions(struct aws *aws, const char *caller, struct checkup *checkup)
{
    owned char *principal = principal_of(caller);
    struct aws_call call = {0};
    if (!principal) {
        checkup_add(checkup, "permissions", DOUBTFUL, must_copy("the root user may do everything"),
                    must_copy("an operator of its own: docs/aws.md has the policy that is enough"));
        return;
    }
    cJSON *actions = needed_actions();
    const cJSON *result;
    struct text denied = {0};
    iam_simulate_principal_policy(aws, &call, principal, actions, NULL);
    if (aws_finish(aws, &call, NULL)) {
        checkup_add(checkup, "permissions", DOUBTFUL,
                    must_format("not known: %s", text_string(&call.error.message)),
                    must_copy("docs/aws.md has the policy that is enough (sensorforge doctor "
                              "--policy prints it)"));
    } else {
        cJSON_ArrayForEach(
            result,
            json_get(json_get(call.answer, "SimulatePrincipalPolicyResult"),
                     "EvaluationResults")) if (strcmp(json_string(result, "EvalDecision", ""),
                                                      "allowed") != 0)
            text_add_format(&denied, "%s%s", denied.length ? ", " : "",
                            json_string(result, "EvalActionName", "?"));
        if (denied.length)
            checkup_add(checkup, "permissions", ILL,
                        must_format("%s may not: %s", principal, text_string(&denied)),
                        must_copy("give it the policy of docs/aws.md (sensorforge doctor --policy "
                                  "prints it)"));
        else
            checkup_add(checkup, "permissions", WELL,
                        must_format("all %d actions that are needed", cJSON_GetArraySize(actions)),
                        NULL);
    }
    text_free(&denied);
    cJSON_Delete(actions);
    aws_call_free(&call);
}

/* --- the store --- */

/* Accounts from after 2025-06-20 are refused by Timestream for LiveAnalytics ("Amazon Timestream
 * for LiveAnalytics availability change"). */
static void check_store(struct aws *aws, const cJSON *system, bool timestream,
                        struct checkup *checkup)
{
    const char *database = json_string(system, "database", "");
    struct timestream store = {0};
    struct aws_call call = {0};
    struct error error = {0};
    if (!timestream) {
        checkup_add(checkup, "store", WELL, must_copy("dynamodb"), NULL);
        return;
    }
    enum status status = timestream_open(aws, &store, &error);
    if (!status) {
        timestream_describe_database(&store, &call, database);
        status = aws_finish(aws, &call, &error);
    }
    bool missing = status && aws_failed_with(&call, "ResourceNotFoundException");
    if (!status || missing)
        checkup_add(checkup, "store", WELL,
                    must_format("timestream, the database %s is %s", database,
                                missing ? "not there yet" : "there"),
                    NULL);
    else
        checkup_add(checkup, "store", ILL,
                    must_format("timestream: %s", text_string(&error.message)),
                    must_copy("an account from after 2025-06-20 has no Timestream: set aws.store "
                              "to dynamodb in iot_system_infra/system.yaml"));
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

bool checkup_account(struct aws *aws, const cJSON *system, struct checkup *checkup)
{
    const struct aws_list rules = {ask_rules, NULL, "rules", "nextToken"};
    const struct aws_list tables = {ask_tables, NULL, "TableNames", "LastEvaluatedTableName"};
    bool timestream =
        strcmp(json_string(json_get(system, "aws"), "store", "timestream"), "timestream") == 0;
    char *caller = NULL;
    bool reached = check_credentials(aws, system, checkup, &caller);
    if (reached) {
        check_clock(aws, checkup);
        reached = check_reach(aws, timestream, checkup);
    }
    if (reached) {
        check_permissions(aws, caller, checkup);
        check_store(aws, system, timestream, checkup);
        check_roles(aws, checkup);
        check_count(aws, "topic rules", MOST_RULES, &rules, checkup);
        check_count(aws, "DynamoDB tables", MOST_TABLES, &tables, checkup);
    }
    free(caller);
    return reached;
}
