/* Readings that wait in the spool, because sensorhub cannot store them, or did not get to it. */
#ifndef GENERATOR_LOCAL_BACKLOG_H
#define GENERATOR_LOCAL_BACKLOG_H

#include "common/base/report.h"
#include "service.h"

/* How many; below 0 when it cannot be told. Of a sensorhub that was killed it may be too many, and
 * never too few. hub: its program. */
double backlog_waiting(const char *hub);

/* Says what keeps a sensorhub that runs from storing, if anything does, and what to do about it. */
void backlog_warn(const struct reporter *reporter);

/* Once broker and sensorhub have ended: lets sensorhub store what one that was killed has left in
 * the spool, for at most two minutes. ended: it ended itself just now, and has tried already. What
 * is left in the spool then is said. */
void backlog_drain(const struct reporter *reporter, bool ended);

#endif
