#include "removal.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/names.h"
#include "aws/dynamodb.h"
#include "aws/iot_types.h"
#include "aws/logs.h"
#include "aws/pages.h"
#include "aws/timestream.h"
#include "resource.h"
#include "stacks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void removal_close(struct removal *removal)
{
    if (removal->timestream)
        timestream_close(removal->timestream);
    free(removal->timestream);
    removal->timestream = NULL;
}

static enum status need_timestream(struct removal *removal, struct error *error)
{
    if (removal->timestream)
        return FINE;
    removal->timestream = must_alloc(sizeof *removal->timestream);
    return timestream_open(removal->aws, removal->timestream, error);
}

/* Waits for the call. When the resource does not exist, *missing is set, and the status is FINE. */
static enum status finish(struct removal *removal, struct aws_call *call, bool *missing,
                          struct error *error)
{
    enum status status = aws_finish(removal->aws, call, error);
    *missing = aws_failed_with(call, "ResourceNotFoundException");
    if (!*missing)
        return status;
    error_free(error);
    *error = (struct error){0};
    return FINE;
}

static void add_name(struct names *names, const char *name)
{
    names_append(names, name);
}

/* --- what still needs it --- */

/* What a list is asked of. */
struct place {
    struct removal *removal;
    const char *name; /* of a thing type, a policy, a database; for tags: an ARN */
};

static void ask_things(struct aws *aws, struct aws_call *call, const char *token, const void *about)
{
    iot_list_things_of_type(aws, call, ((const struct place *)about)->name, token);
}

static void ask_targets(struct aws *aws, struct aws_call *call, const char *token,
                        const void *about)
{
    iot_list_targets_for_policy(aws, call, ((const struct place *)about)->name, token);
}

static void ask_tables(struct aws *aws, struct aws_call *call, const char *token, const void *about)
{
    const struct place *place = about;
    (void)aws;
    timestream_list_tables(place->removal->timestream, call, place->name, token);
}

static enum status add_thing(void *context, const cJSON *thing, struct error *error)
{
    (void)error;
    add_name(context, json_string(thing, "thingName", ""));
    return FINE;
}

static enum status add_table(void *context, const cJSON *table, struct error *error)
{
    (void)error;
    add_name(context, json_string(table, "TableName", ""));
    return FINE;
}

static enum status add_target(void *context, const cJSON *target, struct error *error)
{
    const char *arn = cJSON_GetStringValue(target), *slash = arn ? strrchr(arn, '/') : NULL;
    (void)error;
    if (arn)
        add_name(context, slash ? slash + 1 : arn);
    return FINE;
}

enum status removal_find_things(struct removal *removal, const char *thing_type,
                                struct names *found, struct error *error)
{
    const struct place place = {removal, thing_type};
    const struct aws_list list = {ask_things, &place, "things", "nextToken"};
    return aws_each(removal->aws, &list, add_thing, found, NULL, error);
}

enum status removal_find_targets(struct removal *removal, const char *policy, struct names *found,
                                 struct error *error)
{
    const struct place place = {removal, policy};
    const struct aws_list list = {ask_targets, &place, "targets", "nextMarker"};
    return aws_each(removal->aws, &list, add_target, found, NULL, error);
}

enum status removal_find_tables(struct removal *removal, const char *database, struct names *found,
                                struct error *error)
{
    const struct place place = {removal, database};
    const struct aws_list list = {ask_tables, &place, "Tables", "NextToken"};
    enum status status = need_timestream(removal, error);
    return status ? status : aws_each(removal->aws, &list, add_table, found, NULL, error);
}

/* --- deprecating a thing type --- */

/* "You must wait five minutes after you deprecate a thing type before you can delete it" (AWS IoT
 * developer guide, "Thing types"). */
static double deprecation_seconds(void)
{
    const char *given = getenv("SENSORFORGE_AWS_DEPRECATION_SECONDS");
    return given && *given ? strtod(given, NULL) : 300;
}

static enum status look_at_thing_type(struct removal *removal, const char *thing_type,
                                      bool *missing, double *deprecated, struct error *error)
{
    struct aws_call call = {0};
    iot_describe_thing_type(removal->aws, &call, thing_type);
    enum status status = finish(removal, &call, missing, error);
    const cJSON *facts = json_get(call.answer, "thingTypeMetadata");
    *deprecated = json_true(facts, "deprecated") ? json_number(facts, "deprecationDate", 0) : 0;
    aws_call_free(&call);
    return status;
}

static enum status deprecate(struct removal *removal, const char *thing_type, bool *missing,
                             struct error *error)
{
    struct aws_call call = {0};
    iot_deprecate_thing_type(removal->aws, &call, thing_type, false);
    enum status status = finish(removal, &call, missing, error);
    aws_call_free(&call);
    return status;
}

static void wait_for(const struct removal *removal, double seconds)
{
    static const char verb[] = "seconds waited";
    size_t total = (size_t)ceil(seconds);
    double spent = 0, began = clock_monotonic();
    report_progress(removal->reporter, verb, 0, total);
    while (spent < seconds) {
        double left = seconds - spent;
        clock_sleep(left < 1 ? left : 1);
        spent = clock_monotonic() - began;
        report_progress(removal->reporter, verb, spent < seconds ? (size_t)spent : total, total);
    }
    report_end(removal->reporter);
}

enum status removal_deprecate(struct removal *removal, const char *thing_type, double *left,
                              struct error *error)
{
    bool missing = false;
    double since = 0, full = deprecation_seconds();
    *left = 0;
    enum status status = look_at_thing_type(removal, thing_type, &missing, &since, error);
    if (!status && !missing && since == 0)
        status = deprecate(removal, thing_type, &missing, error);
    if (status || missing)
        return status;
    /* The date is of AWS's clock. The wait is never longer than the whole five minutes. */
    *left = since > 0 ? since + full - (double)time(NULL) : full;
    if (*left > full)
        *left = full;
    if (*left < 0)
        *left = 0;
    return FINE;
}

void removal_wait(const struct removal *removal, size_t count, double seconds)
{
    report_line(removal->reporter,
                "%zu thing type%s deprecated; AWS lets %s be deleted in %.0f s. Stopped, the same "
                "command goes on from here",
                count, count == 1 ? " is" : "s are", count == 1 ? "it" : "them", ceil(seconds));
    wait_for(removal, seconds);
}

enum status removal_retire_thing_type(struct removal *removal, const char *thing_type,
                                      struct error *error)
{
    double left;
    enum status status = removal_deprecate(removal, thing_type, &left, error);
    if (!status && left > 0)
        removal_wait(removal, 1, left);
    return status;
}

/* --- what outlives a stack --- */

static const char *property(const cJSON *resource, const char *name)
{
    return json_string(json_get(resource, "Properties"), name, "");
}

/* Submits a call about a resource of a template. */
typedef void resource_call(struct removal *removal, struct aws_call *call, const cJSON *resource);

static void find_table(struct removal *removal, struct aws_call *call, const cJSON *resource)
{
    dynamodb_describe_table(removal->aws, call, property(resource, "TableName"));
}

static void delete_table(struct removal *removal, struct aws_call *call, const cJSON *resource)
{
    dynamodb_delete_table(removal->aws, call, property(resource, "TableName"));
}

static void unprotect_table(struct removal *removal, struct aws_call *call, const cJSON *resource)
{
    dynamodb_protect_table(removal->aws, call, property(resource, "TableName"), false);
}

static void find_timestream_table(struct removal *removal, struct aws_call *call,
                                  const cJSON *resource)
{
    timestream_describe_table(removal->timestream, call, property(resource, "DatabaseName"),
                              property(resource, "TableName"));
}

static void delete_timestream_table(struct removal *removal, struct aws_call *call,
                                    const cJSON *resource)
{
    timestream_delete_table(removal->timestream, call, property(resource, "DatabaseName"),
                            property(resource, "TableName"));
}

static void find_database(struct removal *removal, struct aws_call *call, const cJSON *resource)
{
    timestream_describe_database(removal->timestream, call, property(resource, "DatabaseName"));
}

static void delete_database(struct removal *removal, struct aws_call *call, const cJSON *resource)
{
    timestream_delete_database(removal->timestream, call, property(resource, "DatabaseName"));
}

static void find_group(struct removal *removal, struct aws_call *call, const cJSON *resource)
{
    logs_describe_groups(removal->aws, call, property(resource, "LogGroupName"), NULL);
}

static void delete_group(struct removal *removal, struct aws_call *call, const cJSON *resource)
{
    logs_delete_group(removal->aws, call, property(resource, "LogGroupName"));
}

static void find_thing_type(struct removal *removal, struct aws_call *call, const cJSON *resource)
{
    iot_describe_thing_type(removal->aws, call, property(resource, "ThingTypeName"));
}

static void delete_thing_type(struct removal *removal, struct aws_call *call, const cJSON *resource)
{
    iot_delete_thing_type(removal->aws, call, property(resource, "ThingTypeName"));
}

/* Asks for a page of the tags of the resource with the ARN place->name. */
typedef void tags_call(struct aws *aws, struct aws_call *call, const char *token,
                       const void *about);

static void ask_table_tags(struct aws *aws, struct aws_call *call, const char *token,
                           const void *about)
{
    dynamodb_list_tags(aws, call, ((const struct place *)about)->name, token);
}

static void ask_timestream_tags(struct aws *aws, struct aws_call *call, const char *token,
                                const void *about)
{
    const struct place *place = about;
    (void)aws, (void)token;
    timestream_list_tags(place->removal->timestream, call, place->name);
}

static void ask_group_tags(struct aws *aws, struct aws_call *call, const char *token,
                           const void *about)
{
    (void)token;
    logs_list_tags(aws, call, ((const struct place *)about)->name);
}

static void ask_thing_type_tags(struct aws *aws, struct aws_call *call, const char *token,
                                const void *about)
{
    iot_list_tags(aws, call, ((const struct place *)about)->name, token);
}

/* How a resource of each type is found, deleted and recognized. */
static const struct way {
    const char *type;
    resource_call *find, *remove;
    const char *facts; /* the member of find's answer that describes it; NULL: the answer itself */
    const char *arn;   /* the member of that with its ARN */
    tags_call *ask_tags;
    const char *tags, *token; /* members of that answer: the tags, the token of the next page */
    bool timestream;          /* the client of Timestream is needed */
} ways[] = {
    {"AWS::DynamoDB::Table", find_table, delete_table, "Table", "TableArn", ask_table_tags, "Tags",
     "NextToken", false},
    {"AWS::Timestream::Table", find_timestream_table, delete_timestream_table, "Table", "Arn",
     ask_timestream_tags, "Tags", "NextToken", true},
    {"AWS::Timestream::Database", find_database, delete_database, "Database", "Arn",
     ask_timestream_tags, "Tags", "NextToken", true},
    {"AWS::Logs::LogGroup", find_group, delete_group, "logGroups", "arn", ask_group_tags, "tags",
     "nextToken", false},
    {"AWS::IoT::ThingType", find_thing_type, delete_thing_type, NULL, "thingTypeArn",
     ask_thing_type_tags, "tags", "nextToken", false},
};

static const struct way *way_of(const cJSON *resource)
{
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (strcmp(ways[i].type, json_string(resource, "Type", "")) == 0)
            return &ways[i];
    return NULL;
}

bool removal_knows(const cJSON *resource)
{
    return way_of(resource);
}

/* The description of a resource in the answer; NULL when it does not exist. Log groups are listed
 * by prefix, so the one with exactly this name is searched for. */
static const cJSON *facts_of(const cJSON *answer, const cJSON *resource)
{
    const struct way *way = way_of(resource);
    const cJSON *facts = way->facts ? json_get(answer, way->facts) : answer, *group;
    if (!cJSON_IsArray(facts))
        return facts;
    cJSON_ArrayForEach(group, facts)
    {
        if (strcmp(json_string(group, "logGroupName", ""), property(resource, "LogGroupName")) == 0)
            return group;
    }
    return NULL;
}

static enum status look(struct removal *removal, const cJSON *resource, struct aws_call *call,
                        bool *found, struct error *error)
{
    const struct way *way = way_of(resource);
    bool missing = false;
    enum status status = way->timestream ? need_timestream(removal, error) : FINE;
    *found = false;
    if (status)
        return status;
    way->find(removal, call, resource);
    status = finish(removal, call, &missing, error);
    *found = !status && !missing && facts_of(call->answer, resource);
    return status;
}

/* --- whether it is ours --- */

struct signature {
    const struct removal *removal; /* with the tags that are wanted */
    bool system, type;             /* the tag was there, with the right value */
};

/* A tag is {"Key": ..., "Value": ...} in a list, or a member of an object. */
static enum status read_tag(void *context, const cJSON *tag, struct error *error)
{
    struct signature *seen = context;
    const struct removal *wanted = seen->removal;
    const char *key = cJSON_IsString(tag) ? tag->string : json_string(tag, "Key", "");
    const char *value = cJSON_IsString(tag) ? tag->valuestring : json_string(tag, "Value", "");
    (void)error;
    seen->system |= strcmp(key, SYSTEM_TAG) == 0 && strcmp(value, wanted->system) == 0;
    seen->type |= wanted->type && strcmp(key, TYPE_TAG) == 0 && strcmp(value, wanted->type) == 0;
    return FINE;
}

static enum status look_for_tags(struct removal *removal, const cJSON *resource,
                                 const cJSON *answer, bool *ours, struct error *error)
{
    const struct way *way = way_of(resource);
    owned char *arn = must_copy(json_string(facts_of(answer, resource), way->arn, ""));
    struct signature seen = {.removal = removal, .type = !removal->type};
    const struct place place = {removal, arn};
    const struct aws_list list = {way->ask_tags, &place, way->tags, way->token};
    enum status status = FINE;
    if (ends_with(arn, ":*"))
        arn[strlen(arn) - 2] = '\0';
    if (*arn)
        status = aws_each(removal->aws, &list, read_tag, &seen, NULL, error);
    *ours = !status && seen.system && seen.type;
    return status;
}

enum status removal_look(struct removal *removal, const cJSON *resource, bool *found, bool *ours,
                         struct error *error)
{
    struct aws_call call = {0};
    enum status status = look(removal, resource, &call, found, error);
    if (ours)
        *ours = false;
    if (ours && *found)
        status = look_for_tags(removal, resource, call.answer, ours, error);
    aws_call_free(&call);
    return status;
}

/* --- deleting --- */

/* Whether the call was refused because the resource is being made, changed or deleted. It is
 * retried. */
static bool is_for_later(const struct aws_call *call)
{
    return aws_failed_with(call, "ResourceInUseException") ||
           aws_failed_with(call, "OperationAbortedException");
}

static enum status carry_out(struct removal *removal, const cJSON *resource, resource_call *what,
                             struct error *error)
{
    struct aws_call call = {0};
    bool missing;
    what(removal, &call, resource);
    enum status status = finish(removal, &call, &missing, error);
    if (is_for_later(&call)) {
        error_free(error);
        *error = (struct error){0};
        status = FINE;
    }
    aws_call_free(&call);
    return status;
}

/* Looks at the resource after a pause, and deletes it unless that is under way. A table that is
 * protected from deletion loses its protection first. */
static enum status step(struct removal *removal, const cJSON *resource, double pause, bool *found,
                        struct error *error)
{
    struct aws_call call = {.pause = pause};
    enum status status = look(removal, resource, &call, found, error);
    const cJSON *table = json_get(call.answer, "Table");
    bool deleting = strcmp(json_string(table, "TableStatus", ""), "DELETING") == 0;
    bool protected = json_true(table, "DeletionProtectionEnabled");
    aws_call_free(&call);
    if (status || !*found || deleting)
        return status;
    return carry_out(removal, resource, protected ? unprotect_table : way_of(resource)->remove,
                     error);
}

enum status removal_delete(struct removal *removal, const cJSON *resource, struct error *error)
{
    const double longest = 600;
    const char *title = resource_kind(json_string(resource, "Type", ""))->title;
    const char *name = resource_name(resource);
    double pause = 0, waited = 0;
    bool found = true;
    enum status status = step(removal, resource, 0, &found, error);
    for (; !status && found && waited < longest; waited += pause) {
        pause = stacks_pause(pause);
        status = step(removal, resource, pause, &found, error);
    }
    if (!status && found)
        status = fail(error, REFUSED, "%s %s is still there after %.0f s", title, name, longest);
    if (status)
        advise(error, "while deleting %s %s; the same command goes on from here", title, name);
    return status;
}
