/* The two rules of a type: which reading is valid, and the exact opposite.
 *
 * Every message that arrives lands in exactly one of two tables. A comparison with a field that is
 * missing or of the wrong type is Undefined, and NOT of it is Undefined too (developer guide,
 * "Operators"). With a condition and its negation such a message would be in neither table.
 * Therefore:
 *
 * - The valid rule checks the type of each measure and attribute first. Arithmetic tells types
 *   apart, because "=" never converts:
 *
 *       x - 0 = x       is true for a number only
 *       floor(x) = x    for a whole number only
 *       x + '' = x      for a string only
 *
 * - The invalid rule has the condition
 *
 *       CASE isUndefined((condition)) WHEN true THEN true ELSE (condition) <> true END
 *
 *   which is true whenever the condition of the valid rule is not. Undefined has a branch of its
 *   own, because a comparison with it is Undefined. "<>" of two types is true.
 *
 * The valid rule uses SQL version 2015-10-08, in which 25.0 stays a decimal. `x + 0.0` makes a
 * decimal of an integer, so that 24.6 and 25 land in the same column. The invalid rule uses
 * 2016-03-23, which has encode(): it keeps the message as it came, JSON or not. It also selects an
 * id, the sort key of its table, because several messages of a thing may arrive in one
 * millisecond. Where the valid rule is written by hand, the invalid one has its SET clause, too. */
#ifndef GENERATOR_DOCUMENTS_RULES_H
#define GENERATOR_DOCUMENTS_RULES_H

#include "common/base/text.h"

#include <cjson/cJSON.h>

/* Adds "rules" and "timestamp" to the model's type, whose names and retention are already there.
 * spec is the JSON of the checked spec, dynamodb whether the central table is in DynamoDB. */
void rules_add(cJSON *type, const cJSON *spec, bool dynamodb);

#endif
