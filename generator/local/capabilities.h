/* What of the rules of a type this machine cannot execute. */
#ifndef GENERATOR_LOCAL_CAPABILITIES_H
#define GENERATOR_LOCAL_CAPABILITIES_H

#include "common/base/report.h"

#include <stddef.h>

/* Runs `sensorhub check` on the types. Reports a warning for each action that cannot run here, and
 * for each measure whose column in the database has another type. A type may be plugged in all the
 * same: its other actions work, and the error action gets what this action should get. Does nothing
 * when there is no sensorhub, or no reporter. */
void capabilities_check(const struct reporter *reporter, const char *const *types, size_t count);

#endif
