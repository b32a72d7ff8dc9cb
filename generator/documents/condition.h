/* The condition of the rule that fills a type's central table: which reading is valid.
 *
 * It asks for the type of each attribute and measure, for the range that the spec gives it, and for
 * all that the table takes (common/spec/stores.h). So a reading that is valid is stored.
 *
 * The rule of the valid readings and the rule of the others have the same condition, in two SQL
 * versions where the table is Timestream's (rules.h). So it is written with what the developer
 * guide promises for both: operators between values of one type, or which convert both sides to a
 * Decimal (<=, >=); no function that came with 2016-03-23, such as length(), numbytes() and
 * isUndefined(). Backslashes are not used either, because the guide does not say what they mean in
 * a text.
 *
 *     x - 0 = x                     a number. Both sides are Int, or both Decimal
 *     floor(x) >= x                 a whole number
 *     x + '' = x                    a text
 *     (x = true OR x = false)       a boolean
 *     replace(x, chr(0), '') = x    a text without NUL
 *     nanvl(x, 20) - 0 = ...        of an optional measure: where it is missing or null, a value
 *                                   that is valid takes its place
 *
 * Timestream's limits are bytes, and no function of 2015-10-08 counts bytes. substring(x, n) is ''
 * for a text of at most n characters. A character has at most four bytes, and one byte if it is
 * between " " and "~":
 *
 *     (substring(x, 512) = '' OR (substring(x, 2048) = '' AND NOT regexp_matches(x, '[^ -~]')))
 *
 * That is exact for texts in ASCII. Of other texts, those beyond a quarter of the limit are not
 * valid. */
#ifndef GENERATOR_DOCUMENTS_CONDITION_H
#define GENERATOR_DOCUMENTS_CONDITION_H

#include "common/base/text.h"
#include "common/spec/stores.h"

#include <cjson/cJSON.h>

/* Adds the condition to the text. type: of the model, with attributes, measures and retention. */
void condition_add(struct text *condition, const cJSON *type, const struct store_takes *takes);

/* Adds a number of the model as the rule language writes it. */
void condition_add_number(struct text *out, double number);

#endif
