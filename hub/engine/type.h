/* A sensor type as the engine runs it: its emitted documents, read from
 * sensortypes/<type>/generated/awscli/ and compiled. They are the same documents that AWS gets. The
 * members of a document tell what it is:
 *
 *   {"ruleName", "topicRulePayload": {...}}               a rule (CreateTopicRule)
 *   {"DatabaseName", "TableName", "RetentionProperties"}  a table of readings (Timestream)
 *   {"TableName", "KeySchema", ...}                       a table of items (DynamoDB)
 *   {"TableName", "TimeToLiveSpecification"}              that table's time to live
 *   {"logGroupName", "retentionInDays"}                   how long a log group is kept
 *
 * Other documents (roles, policies, backups) are ignored here. Loading may end the program when
 * memory is exhausted; running what was loaded allocates nothing of this. */
#ifndef HUB_ENGINE_TYPE_H
#define HUB_ENGINE_TYPE_H

#include "hub/actions/action.h"
#include "common/spec/system.h"

#include <stdbool.h>

struct deployed_type;

struct hub_rule {
    char *name;
    struct deployed_type *owner; /* set by deployed.c with the routes */
    bool invalid; /* it is from invalid-rule.json: what it selects counts as invalid */
    struct rule *rule;
    const char *type; /* its name; belongs to the type */
    /* Of an invalid rule: that of the valid readings, whose condition says why a reading is not one
     * of them. NULL: there is none. Belongs to the type. */
    const struct rule *valid;
    struct action *actions;
    size_t action_count;
    struct action *error_action; /* NULL: none */
};

struct log_retention {
    char *group;
    double seconds; /* 0: forever */
};

struct type {
    char *name;
    struct hub_rule *rules;
    size_t rule_count;
    struct action_table *tables; /* their names belong to the type */
    size_t table_count;
    struct log_retention *logs;
    size_t log_count;
    char *valid_table;       /* the first table into which a rule puts valid readings; NULL: none */
    char *invalid_table;     /* the same for invalid readings */
    struct column *declared; /* the attributes and measures of the type's spec */
    size_t declared_count;
};

/* Reads and compiles the documents of a type of the project in the working folder. notify: see
 * struct action_scope. WRONG_INPUT with the place when a document is wrong. */
enum status type_load(const char *name, const struct system_topics *notify, struct type **made,
                      struct error *error);
void type_free(struct type *type);

/* The statement that selects the valid readings; NULL: there is none. */
const struct rule *type_valid_rule(const struct type *type);

/* Calls each() with every action that cannot run here. */
void type_faults(const struct type *type,
                 void (*each)(void *context, const struct hub_rule *rule,
                              const struct action *action),
                 void *context);

#endif
