/* A type's emitted documents, made ready to run: sensortypes/<type>/generated/awscli/, the same
 * that AWS would get. What a document is, its contents say:
 *
 *   {"ruleName", "topicRulePayload": {...}}               a rule (CreateTopicRule)
 *   {"DatabaseName", "TableName", "RetentionProperties"}  a table of readings (Timestream)
 *   {"TableName", "KeySchema", ...}                       a table of items (DynamoDB)
 *   {"TableName", "TimeToLiveSpecification"}              its time to live
 *   {"logGroupName", "retentionInDays"}                   how long a log group is kept
 *
 * Others (roles, policies, backups) have no meaning here. Loading may end the program without
 * memory; running what was loaded allocates nothing of this. */
#ifndef HUB_ENGINE_TYPE_H
#define HUB_ENGINE_TYPE_H

#include "common/rule/rule.h"
#include "hub/settings.h"
#include "store/store.h"

#include <stdbool.h>

enum action_kind {
    ACTION_TIMESTREAM,
    ACTION_DYNAMODB,
    ACTION_LOGS,
    ACTION_REPUBLISH,
    ACTION_SNS,
    ACTION_HTTP,
    ACTION_ELSEWHERE /* AWS has it, this system has not */
};

/* A name and a value with ${expressions} in it: a dimension, a header. */
struct pair {
    char *name;
    size_t length; /* of the name */
    struct rule_template *value;
};

struct action {
    enum action_kind kind;
    enum rule_version version;
    char *name;     /* as AWS calls it: "timestream" */
    char *place;    /* "sensortypes/x/generated/awscli/rule.json: actions[0]" */
    char *why_not;  /* why it cannot run here; NULL when it can */
    char *resource; /* the table, log group, topic, ARN or URL as it is written */

    struct store_table *table;   /* of table actions; set while a store is open, if it has it */
    const char *trouble;         /* why it has not */
    struct rule_template *thing; /* ACTION_TIMESTREAM: the dimension called thing */
    struct rule_template *time;  /* ACTION_TIMESTREAM: NULL for when the message came */
    double time_unit;            /* milliseconds of one */
    double oldest;               /* milliseconds that a reading may be old; 0: any */
    struct pair *pairs;          /* ACTION_TIMESTREAM: other dimensions. ACTION_HTTP: headers */
    size_t pair_count;
    struct rule_template *target;  /* topic, ARN or URL */
    struct rule_template *allowed; /* ACTION_HTTP: what the URL must begin with; NULL: any */
    int qos;
    bool structured; /* ACTION_SNS: messageFormat JSON */
};

struct hub_rule {
    char *name;
    const char *type;
    bool invalid; /* from invalid-rule.json: what it takes counts as invalid */
    struct rule *rule;
    struct action *actions;
    size_t action_count;
    struct action *error_action; /* NULL: none */
};

struct log_retention {
    char *group;
    double seconds;
};

struct type {
    char *name;
    struct hub_rule *rules;
    size_t rule_count;
    struct table_definition *tables;
    size_t table_count;
    struct log_retention *logs;
    size_t log_count;
    char *valid_table, *invalid_table; /* of readings that are, and are not; NULL: none */
    enum table_kind valid_kind;
};

/* Reads the documents of a type. WRONG_INPUT with the place when one is wrong. */
enum status type_load(const char *name, const struct settings *settings, struct type **made,
                      struct error *error);
void type_free(struct type *type);

/* Calls each() with every action of a type that cannot run here. */
void type_faults(const struct type *type,
                 void (*each)(void *context, const struct hub_rule *rule,
                              const struct action *action),
                 void *context);

#endif
