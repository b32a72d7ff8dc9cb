/* The checker: a YAML tree against a JSON Schema, giving JSON with all defaults filled in.
 *
 * The schemas in schemas/ are the only place where a key, a type, a range, a name rule, a default
 * or a description is written. Editors read the same files. Of JSON Schema 2020-12 this
 * understands: type, enum, const, pattern, minLength, maxLength, minimum, maximum, properties,
 * required, additionalProperties, propertyNames, minProperties, maxProperties, items, minItems,
 * maxItems, uniqueItems, not, default, and $ref to "#/$defs/...". Any other keyword but an
 * annotation is a mistake in the schema, and a test says so. Patterns are those of PCRE2.
 *
 * Annotations for messages, and for checks that JSON Schema does not have. Other validators ignore
 * them.
 *
 *   title        what the value is, for messages: "duble" is not *a type of a measure*
 *   description  for the reference page and the scaffold
 *   x-expected   what was expected, for a value that its pattern does not match
 *   x-duration   the range of a duration, which a pattern cannot state:
 *                {"minimum": "1h", "maximum": "8766h", "unit": "1h", "why": "Timestream takes"}
 *   x-example    a value for the scaffold and the reference page
 *   x-not        beside `not`: why a value is refused that `not` matches
 */
#ifndef COMMON_SPEC_SCHEMA_H
#define COMMON_SPEC_SCHEMA_H

#include "problems.h"
#include "yaml.h"

#include <cjson/cJSON.h>

/* The schema that is built into the program: "sensortype", "system", "platform", "driver" or
 * "secrets". Parsed on first use, kept for the program's life; never NULL for those names. */
const cJSON *schema_named(const char *name);

/* Checks node (NULL: an empty file) against schema (NULL: everything is allowed; scalars are what
 * YAML 1.1 reads); $ref is looked up in root. Everything wrong is added to problems. The JSON that comes back has defaults filled in where it is right and leaves
 * out what is wrong; the caller deletes it. */
cJSON *schema_check(const cJSON *root, const cJSON *schema, const struct yaml_node *node,
                    struct problems *problems);

#endif
