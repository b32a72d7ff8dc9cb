/* What one action of a rule does, compiled from the rule's document. Compiling may end the program
 * when memory is exhausted; running allocates nothing of this. */
#ifndef HUB_ACTIONS_DEFINITION_H
#define HUB_ACTIONS_DEFINITION_H

#include "common/base/json.h"
#include "common/spec/system.h"
#include "common/rule/rule.h"
#include "store/store.h"

#include <stdbool.h>

enum action_kind {
    ACTION_TIMESTREAM,
    ACTION_DYNAMODB,
    ACTION_LOGS,
    ACTION_REPUBLISH,
    ACTION_HTTP,
    ACTION_SNS,
    ACTION_UNSUPPORTED /* AWS has it, this system does not */
};

/* A dimension or an HTTP header: its value is a text with ${expressions} in it. */
struct action_field {
    char *name;
    size_t length; /* of the name */
    struct rule_template *value;
};

struct action {
    enum action_kind kind;
    const struct rule *rule; /* whose variables the templates can use */
    char *name;              /* its key in the document: "timestream" */
    char *place;    /* for messages: "sensortypes/x/generated/awscli/rule.json: actions[0]" */
    char *resource; /* the table, log group, topic, ARN or URL as it is written */
    char *why_not;  /* why it cannot run here, as a sentence's end; NULL when it can */

    /* ACTION_TIMESTREAM and ACTION_DYNAMODB. The table belongs to the store, and is NULL while no
     * store is open or when the store has no such table. */
    struct store_table *table;

    /* ACTION_TIMESTREAM. */
    struct rule_template *thing; /* value of the dimension "thing" */
    struct rule_template *time;  /* NULL: the time at which the message was accepted */
    double time_unit;            /* milliseconds in one unit of time */
    double oldest;               /* a reading may be this many milliseconds old; 0: any age */

    /* ACTION_TIMESTREAM: the other dimensions. ACTION_HTTP: the headers. */
    struct action_field *fields;
    size_t field_count;

    /* ACTION_REPUBLISH, ACTION_HTTP, ACTION_SNS. */
    struct rule_template *target;  /* topic, URL or ARN */
    struct rule_template *allowed; /* ACTION_HTTP: prefix that the URL must have; NULL: any URL */
    int qos;                       /* ACTION_REPUBLISH */
    bool structured;               /* ACTION_SNS: messageFormat is JSON */
};

/* A table that the documents of a type define. */
struct action_table {
    struct table_definition definition;
    double oldest_seconds; /* readings may be this old when they arrive; 0: any age */
};

/* What the document of an action may refer to. Needed only while it is compiled. */
struct action_scope {
    const struct action_table *tables;
    size_t table_count;
    const struct system_topics *notify; /* of system.yaml; NULL: none */
};

/* Notes why the action cannot run here; a later reason takes the place of an earlier one. */
void definition_refuse(struct action *action, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

bool definition_is_template(const char *text); /* whether it has a ${ in it */

/* Compiles a text with ${expressions}. field: the name of its key, for messages. */
enum status definition_template(const struct action *action, const char *field, const char *text,
                                struct rule_template **made, struct error *error);

/* Adds a dimension or header, whose value is compiled by definition_template(). */
enum status definition_add_field(struct action *action, const char *name, const char *value,
                                 struct error *error);

/* Frees what the action holds, not the action itself. */
void definition_free(struct action *action);

#endif
