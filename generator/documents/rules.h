/* The two rules of a type: which reading is valid, and the exact opposite.
 *
 * Every message that arrives lands in exactly one of two tables. A comparison with a field that is
 * missing or of the wrong type is Undefined, and NOT of it is Undefined too (developer guide,
 * "Operators"). With a condition and its negation such a message would be in neither table. So the
 * invalid rule has the condition
 *
 *       CASE isUndefined(NOT (condition)) WHEN true THEN true ELSE NOT (condition) END
 *
 * which is true whenever the condition of the valid rule (condition.h) is not: NOT of what is no
 * Boolean is Undefined.
 *
 * SQL versions. The invalid rule uses 2016-03-23, which has isUndefined() and encode(): it keeps the
 * message as it came, JSON or not. The valid rule uses the same version with DynamoDB. Timestream
 * has one column for decimals and another for integers, and only in 2015-10-08 does 25.0 stay a
 * decimal: `x + 0.0` makes one of an integer, so that 24.6 and 25 land in the same column. The
 * condition is written so that both versions decide alike.
 *
 * The invalid rule also selects an id, the sort key of its table, because several messages of a
 * thing may arrive in one millisecond. Where the valid rule is written by hand, the invalid one has
 * its SET clause, too. */
#ifndef GENERATOR_DOCUMENTS_RULES_H
#define GENERATOR_DOCUMENTS_RULES_H

#include "common/base/text.h"

#include <cjson/cJSON.h>

/* Adds "rules" and "timestamp" to the model's type, whose names and retention are already there.
 * spec is the JSON of the checked spec, dynamodb whether the central table is in DynamoDB. */
void rules_add(cJSON *type, const cJSON *spec, bool dynamodb);

/* The names that the statement of a rule's document selects, a list; NULL: it selects "*", or cannot
 * be read. The caller deletes. */
cJSON *rules_selected(const cJSON *document);

#endif
