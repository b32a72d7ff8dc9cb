#include "checkup.h"
#include "checkup_parts.h"
#include "common/base/clock.h"
#include "common/base/files.h"
#include "common/base/hint.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/names.h"
#include "common/base/paths.h"
#include "common/spec/spec.h"
#include "aws/cloudformation.h"
#include "aws/dynamodb.h"
#include "aws/http.h"
#include "aws/iam.h"
#include "aws/iot.h"
#include "aws/logs.h"
#include "aws/pages.h"
#include "aws/sts.h"
#include "aws/timestream.h"
#include "generator/project/types.h"
#include "generator/targets/account.h"
#include "logging.h"
#include "permissions.h"

#include <stdlib.h>
#include <string.h>

enum {
    SKEW_NOTED = 60,    /* seconds; AWS refuses signatures whose time is wrong by five minutes */
    MOST_RULES = 1000,  /* in an account and region ("AWS IoT Core endpoints and quotas") */
    MOST_TABLES = 2500, /* likewise ("Quotas in Amazon DynamoDB") */
    CHAIN_MARGIN =
        20 /* a twentieth of what a board takes: as much as a renewed chain may be longer */
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
    survey_free(&checkup->survey);
    aws_close(checkup->aws);
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

/* That deploying is denied is only DOUBTFUL: this operator may create things and nothing else. */
static void check_purpose(struct permissions *permissions, bool things, struct checkup *checkup)
{
    const char *purpose = things ? "make things" : "deploy and destroy types";
    const char *policy = "docs/aws.md has the policy that is enough (sensorforge doctor --policy "
                         "prints it)";
    struct error error = {0};
    if (permissions_ask(permissions, things, &error))
        checkup_add(checkup, "permissions", DOUBTFUL,
                    must_format("not known whether %s may %s: %s", permissions->principal, purpose,
                                text_string(&error.message)),
                    must_copy(policy));
    else if (permissions->denied_count)
        checkup_add(checkup, "permissions", things ? ILL : DOUBTFUL,
                    must_format("%s may not %s, for want of: %s", permissions->principal, purpose,
                                text_string(&permissions->denied)),
                    must_copy(policy));
    else
        checkup_add(
            checkup, "permissions", WELL,
            must_format("to %s: all %zu actions that it needs", purpose, permissions->asked), NULL);
    error_free(&error);
    text_free(&permissions->denied);
}

static void check_permissions(struct aws *aws, const char *caller, const struct system *system,
                              bool timestream, struct checkup *checkup)
{
    owned char *principal = permissions_principal(aws, caller);
    if (!principal) {
        checkup_add(checkup, "permissions", DOUBTFUL, must_copy("the root user may do everything"),
                    must_copy("an operator of its own: docs/aws.md has the policy that is enough"));
        return;
    }
    struct names *types = names_of_folders(TYPES_FOLDER, SPEC_FILE);
    struct permissions permissions = {.aws = aws,
                                      .principal = principal,
                                      .account = checkup->account,
                                      .system = system->name,
                                      .database = system->database,
                                      .type = types->count ? types->at[0] : "sensor",
                                      .timestream = timestream};
    check_purpose(&permissions, true, checkup);
    check_purpose(&permissions, false, checkup);
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

/* --- the log --- */

static void check_logging(struct aws *aws, struct checkup *checkup)
{
    struct error error = {0};
    bool on = false;
    if (logging_ask(aws, &on, &error))
        checkup_add(
            checkup, "logging", DOUBTFUL,
            must_format("not known whether AWS IoT writes a log: %s", text_string(&error.message)),
            NULL);
    else if (on)
        checkup_add(checkup, "logging", WELL, must_copy("AWS IoT writes a log (AWSIotLogsV2)"),
                    NULL);
    else
        checkup_add(checkup, "logging", DOUBTFUL, must_copy(LOGGING_OFF),
                    hint_format("make sensortype NAME=TYPE logging=yes turns it on"));
    error_free(&error);
}

/* --- the account --- */

static bool check_account(struct aws *aws, const struct system *system, struct checkup *checkup)
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
        check_logging(aws, checkup);
        check_roles(aws, checkup);
        check_count(aws, "topic rules", MOST_RULES, &rules, checkup);
        check_count(aws, "DynamoDB tables", MOST_TABLES, &tables, checkup);
    }
    free(caller);
    return reached;
}

bool checkup_account(struct checkup *checkup, const struct project *project)
{
    struct error error = {0};
    if (account_open(&project->system, &project->account, &checkup->aws, &error)) {
        add_error(checkup, "credentials", ILL, &error);
        error_free(&error);
        return false;
    }
    return check_account(checkup->aws, &project->system, checkup);
}

/* --- the certificates of the endpoint --- */

/* The most bytes of a server's certificates that the boards of all types take; 0: no type's bounds
 * them. *type: one that takes no more; freed by the caller. */
static size_t smallest_bound(struct project *project, char **type)
{
    struct names *types = types_all();
    size_t smallest = 0;
    for (size_t i = 0; i < types->count; i++) {
        cJSON *model = NULL;
        struct error error = {0};
        if (!project_model(project, types->at[i], &model, &error)) {
            const char *name = json_string(json_get(model, "type"), "platform", "");
            const cJSON *platform = catalog_platform(&project->catalog, name);
            size_t bound = (size_t)json_number(platform, "chain_bytes", 0);
            if (bound && (!smallest || bound < smallest)) {
                smallest = bound;
                free(*type);
                *type = must_copy(types->at[i]);
            }
        }
        error_free(&error); /* a spec that is wrong is what `check` tells */
        cJSON_Delete(model);
    }
    names_free(types);
    return smallest;
}

static void judge_chain(struct checkup *checkup, const char *address, size_t bytes, size_t bound,
                        const char *type)
{
    bool fits = bytes <= bound;
    char *text = must_format("%s sends %zu bytes of certificates, boards of %s take %zu", address,
                             bytes, type, bound);
    if (fits && bytes <= bound - bound / CHAIN_MARGIN)
        checkup_add(checkup, "certificates", WELL, text, NULL);
    else
        checkup_add(
            checkup, "certificates", fits ? DOUBTFUL : ILL, text,
            must_copy(fits ? "AWS renews them from time to time: a longer chain will keep these "
                             "boards out. New things better get another platform"
                           : "they cannot connect: give the type another platform"));
}

static void weigh_chain(struct checkup *checkup, const char *address, size_t bound,
                        const char *type)
{
    owned char *url = must_format("https://%s/", address);
    struct http_exchange exchange = {
        .method = "GET", .url = url, .connect_ms = 5000, .total_ms = 10000, .weighs = true};
    struct error error = {0};
    enum status status = http_exchange_now(&exchange, &error);
    if (!status && exchange.chain_bytes)
        judge_chain(checkup, address, exchange.chain_bytes, bound, type);
    else
        checkup_add(checkup, "certificates", DOUBTFUL,
                    must_format("not known what %s sends: %s", address,
                                status ? text_string(&error.message) : exchange.said),
                    NULL);
    error_free(&error);
    http_free(&exchange);
}

void checkup_endpoint(struct checkup *checkup, struct project *project)
{
    struct aws_call call = {0};
    owned char *type = NULL;
    size_t bound = smallest_bound(project, &type);
    if (!bound)
        return;
    iot_describe_endpoint(checkup->aws, &call);
    if (!aws_finish(checkup->aws, &call, NULL)) {
        const char *address = json_string(call.answer, "endpointAddress", "");
        bool real = strstr(address, ".amazonaws.");
        if (*address && !(real && iot_is_elsewhere(checkup->aws)))
            weigh_chain(checkup, address, bound, type);
    }
    aws_call_free(&call);
}

/* --- the local target --- */

/* Opens the target, which reads the authority when there is one. */
static enum status look_at_authority(struct project *project, bool *there, struct renewal *renewal,
                                     struct error *error)
{
    struct target target = {0};
    enum status status = project_target(project, TARGET_LOCAL, &target, error);
    *there = !status && path_exists(AUTHORITY_FOLDER);
    if (*there)
        status = local_renewal(&target, renewal, error);
    target_close(&target);
    return status;
}

/* What is said of an authority that can be read. */
static void add_authority(struct checkup *checkup, const struct renewal *renewal)
{
    char ends[CLOCK_TEXT], former[CLOCK_TEXT];
    owned char *ending = local_authority_ending(false);
    clock_write(renewal->ends, ends);
    clock_write(renewal->former_ends, former);
    if (renewal->under_way)
        checkup_add(
            checkup, "authority", difftime(renewal->former_ends, time(NULL)) > 0 ? DOUBTFUL : ILL,
            must_format("is renewed: %zu things still have certificates of the old one, which ends "
                        "on %.10s",
                        renewal->left->count, former),
            hint_format(renewal->left->count ? "make renew says which; make rotate name=..., make "
                                               "flash name=..., then make renew finish=yes"
                                             : "make renew finish=yes"));
    else if (ending)
        checkup_add(checkup, "authority", difftime(renewal->ends, time(NULL)) > 0 ? DOUBTFUL : ILL,
                    must_copy(ending),
                    hint_format("make renew: docs/things.md, \"The authority\""));
    else
        checkup_add(checkup, "authority", WELL, must_format("there, and whole, until %.10s", ends),
                    NULL);
}

static void look_at_revocations(struct checkup *checkup, struct project *project)
{
    struct target target = {0};
    struct error error = {0};
    enum status status = project_target(project, TARGET_LOCAL, &target, &error);
    if (!status)
        status = local_check_revocations(&target, &error);
    if (status)
        add_error(checkup, "revocations", ILL, &error);
    else
        checkup_add(checkup, "revocations", WELL, must_copy("the list can be read"), NULL);
    error_free(&error);
    target_close(&target);
}

void checkup_authority(struct checkup *checkup, struct project *project)
{
    struct error error = {0};
    bool there = false;
    struct renewal renewal = {0};
    if (look_at_authority(project, &there, &renewal, &error))
        add_error(checkup, "authority", ILL, &error);
    else if (there)
        add_authority(checkup, &renewal);
    else
        checkup_add(checkup, "authority", WELL, must_copy("made with the first thing"), NULL);
    renewal_free(&renewal);
    error_free(&error);
    if (there)
        look_at_revocations(checkup, project);
}

enum status checkup_mend_revocations(struct checkup *checkup, struct project *project, bool *mended,
                                     size_t *count, struct error *error)
{
    struct finding *found = NULL;
    struct target target = {0};
    *mended = false;
    for (size_t i = 0; i < checkup->count; i++)
        if (strcmp(checkup->at[i].what, "revocations") == 0 && checkup->at[i].health == ILL)
            found = &checkup->at[i];
    if (!found)
        return FINE;
    enum status status = project_target(project, TARGET_LOCAL, &target, error);
    if (!status)
        status = local_restore_revocations(&target, count, error);
    target_close(&target);
    if (!status)
        found->health = DOUBTFUL;
    *mended = !status;
    return status;
}

/* --- things --- */

enum { SHOWN_HALVES = 8, SHOWN_ORPHANS = 20 };

static void add_damaged(struct checkup *checkup, const struct thing_records *records)
{
    struct text list = {0};
    size_t count = records->damaged_count;
    for (size_t i = 0; i < count && i < SHOWN_HALVES; i++)
        text_add_format(&list, "%s%s", i ? ", " : "", records->damaged[i]);
    checkup_add(checkup, "things", ILL,
                must_format("%zu of %zu cannot be read: %s%s (%s)", count, records->names->count,
                            text_string(&list), count > SHOWN_HALVES ? ", ..." : "",
                            records->fault),
                hint_format("make list says what helps; the other checks leave them out"));
    text_free(&list);
}

void checkup_records(struct checkup *checkup, const struct thing_records *records)
{
    struct text halves = {0};
    size_t count = 0, half = 0;
    for (size_t i = 0; i < records->names->count; i++) {
        const struct record *record = records->at[i];
        count += record != NULL;
        if (!record || record->state == RECORD_ACTIVE)
            continue;
        if (half++ < SHOWN_HALVES)
            text_add_format(&halves, "%s%s", half > 1 ? ", " : "", records->names->at[i]);
    }
    if (half)
        checkup_add(checkup, "things", DOUBTFUL,
                    must_format("%zu of %zu are half-made: %s%s", half, count, text_string(&halves),
                                half > SHOWN_HALVES ? ", ..." : ""),
                    hint_format("make list says what finishes each"));
    else if (!records->damaged_count)
        checkup_add(checkup, "things", WELL, must_format("%zu, none half-made", count), NULL);
    if (records->damaged_count)
        add_damaged(checkup, records);
    text_free(&halves);
}

static void add_orphans(struct checkup *checkup, const struct orphans *orphans)
{
    struct text list = {0};
    if (!orphans->count) {
        checkup_add(checkup, "orphans", WELL,
                    must_format("none among %zu things", checkup->survey.thing_count), NULL);
        return;
    }
    for (size_t i = 0; i < orphans->count && i < SHOWN_ORPHANS; i++) {
        owned char *line = orphan_describe(&orphans->at[i]);
        text_add_format(&list, "%s%s", i ? "\n" : "", line);
    }
    if (orphans->count > SHOWN_ORPHANS)
        text_add_format(&list, "\nand %zu more", orphans->count - SHOWN_ORPHANS);
    checkup_add(checkup, "orphans", DOUBTFUL, text_take(&list),
                hint_format("make doctor clean=yes removes them, after asking"));
}

enum status checkup_orphans(struct checkup *checkup, const struct project *project,
                            const struct thing_records *records, struct orphans *orphans,
                            struct error *error)
{
    checkup->survey.reporter = project->reporter;
    enum status status =
        survey_take(checkup->aws, records->ids, records->id_count, &checkup->survey, error);
    if (status)
        return status;
    const struct orphan_place place = {checkup->account, aws_region(checkup->aws)};
    orphans_find(&checkup->survey, records, &place, orphans);
    add_orphans(checkup, orphans);
    return FINE;
}
