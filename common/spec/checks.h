/* What the checks of a sensor type's spec share; only for the files of this folder. */
#ifndef COMMON_SPEC_CHECKS_H
#define COMMON_SPEC_CHECKS_H

#include "catalog.h"
#include "problems.h"
#include "yaml.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

/* A spec while it is checked. Places come from root, values from json: where the schema found a value
 * wrong, json does not have it, and the checks are silent about it. */
struct checked {
    const char *name;            /* of the folder that the spec is in */
    const struct source *source; /* its file */
    struct catalog *catalog;     /* has the platform and the drivers that the spec names */
    const cJSON *json;
    const struct yaml_node *root;
    struct problems *problems;
};

/* The node that a path of keys (it ends with NULL) leads to, or the last one on it that is there. */
const struct yaml_node *checks_walk(const struct yaml_node *node, const char *const *path);

/* The place of it: checks_at(root, "rule", "sql"). */
#define checks_at(node, ...) (checks_walk((node), (const char *const[]){__VA_ARGS__, NULL})->place)

/* A hint for a word that is none of an object's keys; freed by the caller. NULL: it has no keys. */
char *checks_hint_of_keys(const char *word, const cJSON *object);

/* Whether a measure is a double or a bigint. */
bool checks_is_numeric(const cJSON *measure);

#endif
