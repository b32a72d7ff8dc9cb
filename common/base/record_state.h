/* The state of a thing, as the member "state" of its record says it (certificates/<thing>/thing.json).
 * generator/thing/record.h describes the whole record; this part is also read by the broker's plugin
 * and by the local authority. */
#ifndef COMMON_BASE_RECORD_STATE_H
#define COMMON_BASE_RECORD_STATE_H

#include <stdbool.h>

/* bytes of the file */
enum { LARGEST_RECORD = 1 << 20 };

enum record_state { RECORD_MAKING, RECORD_ACTIVE, RECORD_ROTATING, RECORD_DELETING };

/* "making", "active", "rotating", "deleting". */
const char *record_state_name(enum record_state state);

/* False when there is no state of this name (NULL: none); *state is left alone then. */
bool record_state_named(const char *name, enum record_state *state);

#endif
