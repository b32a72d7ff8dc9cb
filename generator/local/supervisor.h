/* `up --foreground`: both programs as children, for systemd and containers. */
#ifndef GENERATOR_LOCAL_SUPERVISOR_H
#define GENERATOR_LOCAL_SUPERVISOR_H

#include "common/base/report.h"
#include "service.h"

/* Runs both until SIGTERM or SIGINT, then ends them. One that dies is started again, after a pause
 * that doubles from a second to a minute. SIGHUP goes to the broker, which reads its certificate
 * again. Returns when both have ended; lock is given back once both are ready. */
enum status supervisor_run(const struct reporter *reporter, const struct programs *programs,
                           int port, int *lock, struct error *error);

#endif
