/* Whether what types' rules ask for can be done on this machine. */
#ifndef GENERATOR_LOCAL_CAPABILITIES_H
#define GENERATOR_LOCAL_CAPABILITIES_H

#include "common/base/report.h"

#include <stddef.h>

/* Asks `sensorhub check`, and says as a warning each action that cannot run here, and each measure
 * whose column has another type. That is no reason not to plug the type in: the other actions work,
 * and the error action gets what this one should have. Says nothing where there is no sensorhub. */
void capabilities_check(const struct reporter *reporter, const char *const *types, size_t count);

#endif
