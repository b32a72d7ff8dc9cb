#include "removal.h"
#include "../../common/json.h"
#include "../../common/memory.h"
#include "../aws/dynamodb.h"
#include "../aws/iot_types.h"
#include "../aws/logs.h"
#include "../aws/timestream.h"
#include "../progress.h"
#include "stack_plan.h"
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

/* Waits for the call; that there is no such thing is *missing, and no error. */
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
    names->at = must_grow(names->at, names->count, &names->room, sizeof *names->at);
    names->at[names->count++] = must_copy(name);
}

/* --- what hangs on it --- */

enum status removal_find_things(struct removal *removal, const char *thing_type,
                                struct names *found, struct error *error)
{
    struct aws_call call = {0};
    bool missing;
    iot_list_things_of_type(removal->aws, &call, thing_type, NULL);
    enum status status = finish(removal, &call, &missing, error);
    const cJSON *thing;
    cJSON_ArrayForEach(thing, json_get(call.answer, "things"))
    {
        add_name(found, json_string(thing, "thingName", ""));
    }
    aws_call_free(&call);
    return status;
}

enum status removal_find_targets(struct removal *removal, const char *policy, struct names *found,
                                 struct error *error)
{
    struct aws_call call = {0};
    bool missing;
    iot_list_targets_for_policy(removal->aws, &call, policy, NULL);
    enum status status = finish(removal, &call, &missing, error);
    const cJSON *target;
    cJSON_ArrayForEach(target, json_get(call.answer, "targets"))
    {
        const char *arn = cJSON_GetStringValue(target), *slash = arn ? strrchr(arn, '/') : NULL;
        if (arn)
            add_name(found, slash ? slash + 1 : arn);
    }
    aws_call_free(&call);
    return status;
}

enum status removal_find_tables(struct removal *removal, const char *database, struct names *found,
                                struct error *error)
{
    struct aws_call call = {0};
    bool missing;
    enum status status = need_timestream(removal, error);
    if (status)
        return status;
    timestream_list_tables(removal->timestream, &call, database, NULL);
    status = finish(removal, &call, &missing, error);
    const cJSON *table;
    cJSON_ArrayForEach(table, json_get(call.answer, "Tables"))
    {
        add_name(found, json_string(table, "TableName", ""));
    }
    aws_call_free(&call);
    return status;
}

/* --- the five minutes of a thing type --- */

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
    struct progress progress;
    size_t total = (size_t)ceil(seconds);
    progress_begin(&progress, removal->context, "seconds waited", total);
    double spent = 0;
    while (spent < seconds) {
        double left = seconds - spent, step = left < 1 ? left : 1;
        struct timespec pause = {(time_t)step, (long)((step - floor(step)) * 1e9)};
        nanosleep(&pause, NULL);
        spent = progress_seconds(&progress);
        progress_step(&progress, spent < seconds ? (size_t)spent : total);
    }
    progress_end(&progress);
}

enum status removal_retire_thing_type(struct removal *removal, const char *thing_type,
                                      struct error *error)
{
    bool missing = false;
    double since = 0, full = deprecation_seconds();
    enum status status = look_at_thing_type(removal, thing_type, &missing, &since, error);
    if (!status && !missing && since == 0)
        status = deprecate(removal, thing_type, &missing, error);
    if (status || missing)
        return status;
    /* Another machine's clock: what it says counts only where it is no longer than the rule. */
    double left = since > 0 ? since + full - (double)time(NULL) : full;
    if (left > full)
        left = full;
    if (left <= 0)
        return FINE;
    say(removal->context,
        "thing type %s is deprecated; AWS lets it be deleted in %.0f s. Stopped, the same command "
        "goes on from here",
        thing_type, ceil(left));
    wait_for(removal, left);
    return FINE;
}

/* --- what outlives a stack --- */

static const char *property(const cJSON *resource, const char *name)
{
    return json_string(json_get(resource, "Properties"), name, "");
}

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

static const struct way {
    const char *type;
    resource_call *find, *remove;
    bool timestream;
} ways[] = {
    {"AWS::DynamoDB::Table", find_table, delete_table, false},
    {"AWS::Timestream::Table", find_timestream_table, delete_timestream_table, true},
    {"AWS::Timestream::Database", find_database, delete_database, true},
    {"AWS::Logs::LogGroup", find_group, delete_group, false},
    {"AWS::IoT::ThingType", find_thing_type, delete_thing_type, false},
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

/* Log groups are found by prefix: the name must be the whole of it. */
static bool lists_other_groups_only(const cJSON *answer, const cJSON *resource)
{
    const cJSON *groups = json_get(answer, "logGroups"), *group;
    cJSON_ArrayForEach(group, groups)
    {
        if (strcmp(json_string(group, "logGroupName", ""), property(resource, "LogGroupName")) == 0)
            return false;
    }
    return groups;
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
    *found = !status && !missing && !lists_other_groups_only(call->answer, resource);
    return status;
}

enum status removal_look(struct removal *removal, const cJSON *resource, bool *found,
                         struct error *error)
{
    struct aws_call call = {0};
    enum status status = look(removal, resource, &call, found, error);
    aws_call_free(&call);
    return status;
}

/* Refused because it is being made, changed or deleted just now: asked again later. */
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

/* The next step on the way to its being gone, after a pause. */
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
        pause = longer_pause(pause);
        status = step(removal, resource, pause, &found, error);
    }
    if (!status && found)
        status = fail(error, REFUSED, "%s %s is still there after %.0f s", title, name, longest);
    if (status)
        advise(error, "while deleting %s %s; the same command goes on from here", title, name);
    return status;
}
