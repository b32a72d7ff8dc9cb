/* The settings of the central system: iot_system_infra/system.yaml as a struct.
 *
 * Defaults and ranges are the schema's (schemas/system.schema.json); none of them is repeated
 * here. */
#ifndef COMMON_SPEC_SYSTEM_H
#define COMMON_SPEC_SYSTEM_H

#include "common/base/error.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

struct spec;

/* Where types and things are made real. */
enum target_kind { TARGET_LOCAL, TARGET_AWS };

/* Where AWS keeps readings. */
enum cloud_store { STORE_TIMESTREAM, STORE_DYNAMODB };

/* Whom the local system tells what rules publish to SNS topics. */
struct system_topics {
    struct system_topic {
        const char *name;       /* of the SNS topic */
        const char **addresses; /* count of them: "mailto:...", "http://...", "https://..." */
        size_t count;
    } * at;
    size_t count;
};

struct system {
    const char *name;        /* the prefix of the names of stacks, roles and log groups */
    const char *database;    /* the central database */
    enum target_kind target; /* of types; a thing's record has its own */
    const char *ntp;         /* the time server of boards: a host name or an address */
    struct {
        const char *host; /* what boards reach this machine by: a name or an address */
        int mqtt_port;    /* of the broker, with TLS */
        struct {
            const char *address;
            int port;
        } http;                  /* where the HTTP interface listens */
        int messages_per_second; /* that the broker takes of one thing; 0: any number */
        int bytes_per_second;    /* of payload, likewise */
        const char *store;       /* of the central database, for store_open() */
        struct system_topics notify;
    } local;
    struct {
        const char *region;  /* NULL: the AWS CLI's configuration decides */
        const char *account; /* twelve digits; zeros: the file names none */
        const char *profile; /* of the AWS CLI's configuration */
        enum cloud_store store;
        double requests_per_second; /* at most, of those that make things */
    } aws;
    cJSON *json; /* all of the file, with defaults, as templates see it; owns the strings above */
};

/* Reads system.yaml of the project in the working folder. WRONG_INPUT with all problems as the
 * message when it is wrong. The caller frees the system, also after a failure. */
enum status system_read(struct system *system, struct error *error);

/* The settings of a spec that spec_read_system() read and that has no errors. The system takes over
 * the spec's JSON; the spec has none afterwards. */
void system_take(struct spec *spec, struct system *system);

void system_free(struct system *system); /* {0} is fine */

/* Puts a value of the command line in the place of the file's: "target" or "database". NULL changes
 * nothing. WRONG_USAGE, about --key, when the schema refuses the value. */
enum status system_choose(struct system *system, const char *key, const char *value,
                          struct error *error);

/* Names another database, unchecked: the one that a type was plugged into. */
void system_set_database(struct system *system, const char *database);

/* The topic of that name; NULL when there is none, or topics is NULL. */
const struct system_topic *system_topic(const struct system_topics *topics, const char *name);

/* "local", "aws"; system_target_named() is false when there is no target of this name. */
const char *system_target_name(enum target_kind kind);
bool system_target_named(const char *name, enum target_kind *kind);

/* "timestream", "dynamodb" */
const char *system_store_name(enum cloud_store store);

#endif
