/* Both services together: started, ended (service.h). */
#ifndef GENERATOR_LOCAL_SERVICES_H
#define GENERATOR_LOCAL_SERVICES_H

#include "common/base/report.h"
#include "service.h"

struct services {
    struct daemon processes[SERVICES];
    bool started[SERVICES]; /* by services_start() */
};

/* Finds those that are running. The caller closes. */
void services_find(struct services *services);
void services_close(struct services *services);

bool services_running(const struct services *services, enum service service);

/* Starts those that are not running, and waits until both work. When that fails, those that it has
 * started are ended again. port: of the broker. */
enum status services_start(struct services *services, const struct service_programs *programs,
                           int port, struct error *error);

/* Ends what keeps the services running (supervisor.h), then the broker, then sensorhub: it stores
 * what the broker has accepted. Lets another sensorhub store what is left (backlog_drain()). Both
 * are ended even when the first cannot be ended in time; then the status is REFUSED. *any:
 * something was running. */
enum status services_end(const struct reporter *reporter, bool *any, struct error *error);

/* Ends those that run and started before a moment (seconds since 1970), and starts them again; under
 * `up --foreground` the supervisor starts them. Nothing is lost: sensorhub stores what is in the spool,
 * boards connect again. *any: some were. */
enum status services_restart(const struct service_programs *programs, time_t before, bool *any,
                             struct error *error);

#endif
