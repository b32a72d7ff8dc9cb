/* The readings in the spool that sensorhub has not stored yet. */
#ifndef GENERATOR_LOCAL_BACKLOG_H
#define GENERATOR_LOCAL_BACKLOG_H

#include "common/base/report.h"

#include <stdbool.h>

/* How many readings wait; below 0 when that cannot be found out. After sensorhub was killed it may
 * count readings twice, but never too few. hub: the path of the program. */
double backlog_waiting(const char *hub);

/* When a running sensorhub cannot store readings: reports why, and what to do. */
void backlog_warn(const struct reporter *reporter);

/* Called after broker and sensorhub have ended. Starts sensorhub once more to store what is left in
 * the spool, for at most two minutes; not when ended is true: then a sensorhub has just ended by
 * itself, and has tried. Reports what is still in the spool afterwards. */
void backlog_drain(const struct reporter *reporter, bool ended);

#endif
