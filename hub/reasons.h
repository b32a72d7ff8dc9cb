/* Why the readings of the table of invalid ones are invalid: their payloads are tried again on the
 * rule of the valid readings, at the time at which they came. */
#ifndef HUB_REASONS_H
#define HUB_REASONS_H

#include "common/base/text.h"
#include "hub/engine/type.h"
#include "store/read.h"

struct reasons;

/* type must outlive it. NULL: the type has no rule that could tell. */
struct reasons *reasons_new(const struct type *type);
void reasons_free(struct reasons *reasons);

/* Adds the reasons of a row: as a JSON array, or as one line. A reading that was invalid and is not
 * any more, because the rule has changed since, gets a sentence that says so. */
void reasons_add(struct reasons *reasons, const struct read_row *row, bool json, struct text *out);

#endif
