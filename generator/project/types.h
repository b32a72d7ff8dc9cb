/* The sensor types of a project, and which of them are plugged in.
 *
 * A type is plugged in once it has been deployed; its mark says where:
 *
 *   sensortypes/<type>/deployed.json
 *     {"target": "aws", "database": "iot",
 *      "region": "eu-west-1",                   of an account
 *      "source": "9f86d081884c7d65",            a checksum of spec.yaml and system.yaml
 *      "deployed": "2026-11-21T10:12:00Z"} */
#ifndef GENERATOR_PROJECT_TYPES_H
#define GENERATOR_PROJECT_TYPES_H

#include "common/base/error.h"
#include "common/base/names.h"
#include "common/spec/system.h"

#include <stdbool.h>

/* The names of the types that have a spec, and of those that have a mark; freed with names_free().
 */
struct names *types_all(void);
struct names *types_deployed(void);

/* Whether the type has a mark. */
bool types_is_deployed(const char *type);

/* Whether the type is plugged in on this target. database: the one that its mark
 * names, NULL where it names none; freed by the caller. May be NULL. */
bool types_is_deployed_on(const char *type, enum target_kind target, char **database);

/* Writes the mark. region: the account's; NULL where there is none. */
enum status types_mark(const char *type, enum target_kind target, const char *database,
                       const char *region, struct error *error);

/* Whether spec.yaml and system.yaml are as they were when the type was plugged in. If the documents
 * differ all the same, they are of an earlier version of this program. */
bool types_source_is_marked(const char *type);

/* Removes the mark; that there is none is success. */
enum status types_unmark(const char *type, struct error *error);

#endif
