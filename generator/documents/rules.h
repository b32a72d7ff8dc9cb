/* The two rules of a type: which reading is valid, and its exact opposite.
 *
 * Every message that arrives lands in exactly one of two tables. A comparison with a field that is
 * missing or of the wrong type is Undefined, and so is NOT of it (developer guide, "Operators"), so
 * a naive pair of conditions loses such a message in both. Therefore:
 *   - the valid rule asks for the type of each measure and attribute first. Arithmetic tells types
 *     apart, because "=" never converts: `x - 0 = x` is true for a number only, `floor(x) = x` for
 * a whole one, `x + '' = x` for a string only.
 *   - the invalid rule is `CASE isUndefined((condition)) WHEN true THEN true ELSE (condition) <>
 * true END`, which is true whenever the condition is not: Undefined is asked for first, because it
 * would make the whole Undefined, and "<>" of two types is true. The valid rule uses SQL version
 * 2015-10-08, in which 25.0 stays a decimal; `x + 0.0` makes an integer one, so that 24.6 and 25
 * land in the same column. The invalid rule needs 2016-03-23 for encode(), which keeps the message
 * as it came, JSON or not; and it selects an id, the table's sort key, because several messages of
 * a thing may come in one millisecond. */
#ifndef GENERATOR_DOCUMENTS_RULES_H
#define GENERATOR_DOCUMENTS_RULES_H

#include "common/base/text.h"

#include <cjson/cJSON.h>

/* Adds "rules" and "timestamp" to the model's type, whose names and retention are already there.
 * spec is the JSON of the checked spec, dynamodb whether the central table is in DynamoDB. */
void rules_add(cJSON *type, const cJSON *spec, bool dynamodb);

#endif
