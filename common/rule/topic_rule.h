/* A topic rule as CreateTopicRule takes it: a statement, and the actions that its result goes to.
 * It is compiled once from the same document that AWS would get, and run on each message.
 *
 *   {"ruleName": "esp8266temp_valid",
 *    "topicRulePayload": {"sql": "...", "awsIotSqlVersion": "2015-10-08", "ruleDisabled": false,
 *                         "actions": [{"timestream": {...}}, {"dynamoDBv2": {...}}],
 *                         "errorAction": {...}}}
 *
 * The fields of an action can contain ${expressions}. They see the message, not what was selected
 * (developer guide, "Substitution templates"). Nothing here writes to a table; the caller does. */
#ifndef COMMON_RULE_TOPIC_RULE_H
#define COMMON_RULE_TOPIC_RULE_H

#include "common/base/error.h"
#include "rule.h"

#include <cjson/cJSON.h>

/* Of a rule without awsIotSqlVersion (CloudFormation, AWS::IoT::TopicRule TopicRulePayload). */
#define DEFAULT_SQL_VERSION RULE_2015_10_08

enum topic_action_kind {
    TOPIC_TIMESTREAM,  /* one record for each selected value */
    TOPIC_DYNAMODB_V2, /* one item, a column for each selected value */
    TOPIC_OTHER        /* any other: only its name is read */
};

struct topic_dimension {
    char *name;
    struct rule_template *value;
};

struct topic_action {
    enum topic_action_kind kind;
    char *name;                     /* as the document calls it: "timestream" */
    struct rule_template *database; /* NULL where there is none */
    struct rule_template *table;
    struct topic_dimension *dimensions;
    size_t dimension_count, dimension_room;
    struct rule_template *time; /* NULL: the time at which the rule runs, in milliseconds */
    char *unit;                 /* "MILLISECONDS" */
};

struct topic_rule {
    char *name, *sql;
    bool disabled;
    struct rule *rule;
    struct topic_action *actions;
    size_t action_count, action_room;
};

/* Whether a document is a topic rule. */
bool is_topic_rule(const cJSON *document);

/* Compiles the statement of a "topicRulePayload", in the version that it names. file is what
 * messages call the document. WRONG_INPUT with line and column. */
enum status topic_rule_statement(const char *file, const cJSON *payload, struct rule **made,
                                 struct error *error);

/* Compiles a field with ${expressions}. what is what messages call the field. Otherwise as
 * topic_rule_statement(). */
enum status topic_rule_template(const char *file, const char *what, const char *text,
                                const struct rule *rule, struct rule_template **made,
                                struct error *error);

/* Compiles a document. WRONG_INPUT with line and column of the statement or template. The caller
 * frees the rule with topic_rule_free(); on failure it is empty. */
enum status topic_rule_compile(const char *file, const cJSON *document, struct topic_rule *rule,
                               struct error *error);
void topic_rule_free(struct topic_rule *rule);

/* Whether a message on this topic is for the rule of that name: FROM matches the topic, or the
 * topic names the rule (Basic Ingest: $aws/rules/<name>/...). */
bool topic_rule_matches(const char *name, const struct rule *rule, const char *topic);

/* The type that a Timestream column gets for a value of the selected JSON ("bigint", "boolean",
 * "double", "varchar"; developer guide, "Timestream"), from how it is written: 25 is a bigint, 25.0
 * a double. NULL for null, which is not written. */
const char *timestream_type(const char *json);

#endif
