/* The rule language of AWS IoT (AWS IoT SQL), versions 2015-10-08 and 2016-03-23, as the developer
 * guide's "AWS IoT SQL reference" has it: compiled once, run on messages.
 *
 *     struct rule_fault fault;
 *     struct rule *rule = rule_compile(sql, length, RULE_2015_10_08, &fault);
 *     struct rule_scratch *scratch = rule_scratch_new(0);
 *     for (each message) {
 *         rule_begin(scratch, &message);
 *         for (each rule)
 *             if (rule_run(rule, scratch, &result) == RULE_SELECTED)
 *                 use(result.bytes, result.length);
 *     }
 *
 * No globals, no clock of its own, no files but those of the system's time zones, which
 * parse_time() and time_to_epoch() read when they are given a zone's name. A compiled rule is never
 * changed: threads may share it, each with a scratch of its own. A message's payload is parsed once
 * for all rules, and a run allocates nothing when the scratch has grown to what its messages need.
 * Depth, memory and time are bounded, whatever the statement or payload; without memory there is a
 * status, never an exit.
 */
#ifndef COMMON_RULE_RULE_H
#define COMMON_RULE_RULE_H

#include "common/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rule_version { RULE_2015_10_08, RULE_2016_03_23 };

/* "2015-10-08" or "2016-03-23"; false for any other name ("beta" may change without notice). */
bool rule_version_read(const char *name, enum rule_version *version);
const char *rule_version_name(enum rule_version version);

/* What is wrong with a statement. find_place() and yaml_place_inside() make line and column. */
struct rule_fault {
    size_t offset, length; /* bytes of the statement; length is at least 1, also at the end */
    char message[192];     /* one sentence without a full stop: what is wrong */
    char hint[192];        /* what was expected, what to do; may be empty */
};

enum {
    RULE_LONGEST = 64 * 1024, /* bytes of a statement; AWS has a limit of its own */
    RULE_DEEPEST = 128,       /* brackets, functions, CASE, NOT inside each other */
};

struct rule;

/* NULL, and *fault filled, when sql is no statement of that version. The rule keeps a copy of what
 * it needs. */
struct rule *rule_compile(const char *sql, size_t length, enum rule_version version,
                          struct rule_fault *fault);
void rule_free(struct rule *rule);

/* --- running --- */

/* A property of an MQTT 5 message that its sender has made up. */
struct rule_user_property {
    const char *key, *value;
};

/* The header of a PUBLISH packet (MQTT 5, 3.3.2.3). Zeroed: a message without properties, which
 * every message of MQTT 3.1.1 is. */
struct rule_mqtt_header {
    const char *content_type;     /* NULL: none */
    const char *response_topic;   /* NULL: none */
    const void *correlation_data; /* NULL: none */
    size_t correlation_length;
    bool is_utf8;                                     /* the payload format indicator is 1 */
    const struct rule_user_property *user_properties; /* in the order of the packet */
    size_t user_property_count;
};

struct rule_message {
    const char *topic;
    const char *payload;
    size_t payload_length;
    const char *client_id; /* NULL: not sent over MQTT */
    const char *principal; /* NULL: unknown */
    const char *account;   /* NULL: unknown */
    const char *trace_id;  /* NULL: none */
    const char *source_ip; /* of the client; NULL: unknown */
    /* NULL: unknown, since it was not kept. A message without properties has one that is zeroed. */
    const struct rule_mqtt_header *header;
    int64_t time;                      /* when it arrived: milliseconds since 1970 */
    uint64_t (*random)(void *context); /* 64 random bits; NULL: rand(), newuuid() are Undefined */
    void *random_context;
};

enum rule_outcome {
    RULE_NO_MATCH,     /* the topic is another one */
    RULE_NOT_SELECTED, /* WHERE is not true */
    RULE_SELECTED,
    RULE_REFUSED,      /* a function would have to be called that needs what is not here */
    RULE_OUT_OF_MEMORY /* or beyond the limit of the scratch */
};

struct rule_result {
    /* RULE_SELECTED: the outgoing payload, JSON on one line. Or (raw) the payload as it came, where
     * "*" selects one that is neither a JSON object nor an array. Valid until the next
     * rule_begin(). */
    const char *bytes;
    size_t length;
    bool raw;
    const char *function; /* RULE_REFUSED: its name, */
    const char *service;  /* and what it needs: "AWS Lambda", "the address of the client" */
};

struct rule_scratch;

/* limit: the most bytes that a message may need, 0 for 16 MiB. NULL without memory. */
struct rule_scratch *rule_scratch_new(size_t limit);
void rule_scratch_free(struct rule_scratch *scratch);

/* message, and all that it points to, stays as it is until the next rule_begin(). */
void rule_begin(struct rule_scratch *scratch, const struct rule_message *message);

/* Whether FROM matches this topic. A statement without FROM matches none, and no FROM matches a
 * topic of Basic Ingest: see rule_ingest(). */
bool rule_matches(const struct rule *rule, const char *topic);

/* Basic Ingest: a topic $aws/rules/<name>/... is for the rule of that name alone, whatever its FROM
 * is. Returns the name, of *length bytes, inside of topic; NULL: it is not such a topic. */
#define RULE_INGEST "$aws/rules/"
const char *rule_ingest(const char *topic, size_t *length);

/* WHERE and SELECT on the message that was begun; rule_run() checks that FROM matches its topic. */
enum rule_outcome rule_select(const struct rule *rule, struct rule_scratch *scratch,
                              struct rule_result *result);
enum rule_outcome rule_run(const struct rule *rule, struct rule_scratch *scratch,
                           struct rule_result *result);

/* Topic filters as MQTT has them: + for a level, # for the rest (and for nothing), neither of them
 * for a first level that begins with $ (MQTT 3.1.1, 4.7). */
bool rule_topic_matches(const char *filter, const char *topic);

/* --- substitution templates: text with ${expression} in it --- */

struct rule_template;

/* rule: the one whose variables the template can use, and which must outlive it; NULL: none. */
struct rule_template *rule_template_compile(const char *text, size_t length,
                                            enum rule_version version, const struct rule *rule,
                                            struct rule_fault *fault);
void rule_template_free(struct rule_template *template);

/* RULE_SELECTED, RULE_REFUSED or RULE_OUT_OF_MEMORY. What is Undefined or Null becomes nothing. */
enum rule_outcome rule_template_run(const struct rule_template *template,
                                    struct rule_scratch *scratch, struct rule_result *result);

/* --- looking into a statement --- */

struct rule_span {
    size_t offset, length; /* bytes of the statement */
};

/* Something that is legal and likely wrong. */
struct rule_note {
    struct rule_span span;
    const char *message; /* one sentence without a full stop */
};

struct rule_column {
    const char *name; /* what it is called in the outgoing payload; of AS a.b it is a */
    size_t length;
    struct rule_span span; /* of the name behind AS, else of the expression */
};

struct rule_outline {
    struct rule_span set;        /* from SET up to SELECT; length 0 without SET */
    struct rule_span list;       /* between SELECT (or VALUE) and FROM */
    struct rule_span filter;     /* between the quotes of FROM; length 0 without FROM */
    struct rule_span condition;  /* behind WHERE; length 0 when there is none */
    struct rule_span value_word; /* VALUE; length 0 when there is none */
    bool has_filter;
    bool value;                     /* SELECT VALUE */
    bool whole;                     /* * is selected */
    const struct rule_span *fields; /* root names of the payload, each time they are read */
    size_t field_count;
    const struct rule_column *columns; /* selected, but for * */
    size_t column_count;
    const struct rule_note *notes;
    size_t note_count;
};

const struct rule_outline *rule_outline(const struct rule *rule);
const char *rule_filter(const struct rule *rule); /* NULL without FROM */
enum rule_version rule_version_of(const struct rule *rule);

#endif
