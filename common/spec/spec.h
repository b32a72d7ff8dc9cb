/* The two files that a person writes, checked completely: schema first, then what a schema cannot
 * say.
 *
 * A spec keeps its source, tree and problems, so that a later check (of a rule) can still name a
 * place. Only when problems.errors is 0 may its JSON be used. */
#ifndef COMMON_SPEC_SPEC_H
#define COMMON_SPEC_SPEC_H

#include "catalog.h"
#include "common/base/error.h"
#include "problems.h"
#include "yaml.h"

#include <cjson/cJSON.h>

struct spec {
    char *name; /* of the type; "system" for the system */
    struct source source;
    struct yaml yaml;
    struct problems problems;
    cJSON *json; /* as its schema in schemas/ says, with all defaults filled in */
};

/* Reads and checks sensortypes/<name>/spec.yaml; what is wrong inside is in spec->problems, sorted.
 * WRONG_INPUT only when there is no such type, its file cannot be read, or the catalog's file of a
 * platform or driver that it names is wrong. */
enum status spec_read_type(const char *name, struct catalog *catalog, struct spec *spec,
                           struct error *error);

/* Reads and checks iot_system_infra/system.yaml, likewise. */
enum status spec_read_system(struct spec *spec, struct error *error);

void spec_free(struct spec *spec);

/* WRONG_INPUT with all problems as the message when the spec has errors. */
enum status spec_require(const struct spec *spec, struct error *error);

#endif
