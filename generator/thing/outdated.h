/* Things whose packages are older than their type.
 *
 * A board sends the measures that its package knows. When a measure is added to a type, the rule
 * asks for it at once, and the boards send it only with a new package. Unless the measure is
 * optional, their readings are invalid until then. */
#ifndef GENERATOR_THING_OUTDATED_H
#define GENERATOR_THING_OUTDATED_H

#include "generator/project/project.h"
#include "record.h"

#include <cjson/cJSON.h>

enum outdated { PACKAGE_CURRENT, PACKAGE_BEHIND, PACKAGE_UNKNOWN };

/* The versions of types (package_plan.version), each found when it is asked for first. */
struct type_versions {
    struct project *project;
    struct type_version {
        char *type;
        char version[RECORD_VERSION]; /* "": the type has no right spec */
    } * at;
    size_t count, room;
};

void outdated_free_versions(struct type_versions *versions);

/* How the package of a thing stands to its type. PACKAGE_UNKNOWN: the record does not say what the
 * package was made of, or the type's spec is not right. */
enum outdated outdated_package(struct type_versions *versions, const struct record *record);

/* "current", "behind", "unknown". */
const char *outdated_name(enum outdated outdated);

/* What is known of the packages of all things, read once:
 *
 *   {"esp8266temp": [["temperature"], null]}    by type: the measures of each package; null: not known
 *
 * The caller deletes. */
cJSON *outdated_packages(void);

/* Measures of the type that packages of its things do not know. The caller deletes:
 *
 *   [{"measure": "humidity", "optional": true, "things": 12}]
 *
 * packages: outdated_packages(). model: of the type as it is to be deployed; documents that were deployed before must still be
 * there, because they say what packages without a "built" know. */
cJSON *outdated_measures(const cJSON *packages, const cJSON *model);

#endif
