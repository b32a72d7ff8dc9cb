/* `up --foreground`: sensorhub and the broker run as children of this process, for systemd and
 * containers. */
#ifndef GENERATOR_LOCAL_SUPERVISOR_H
#define GENERATOR_LOCAL_SUPERVISOR_H

#include "common/base/report.h"
#include "service.h"

/* Runs both until this process gets SIGTERM or SIGINT, then ends them. A child that ends by itself
 * is started again after a pause; the pause begins with one second and doubles up to a minute.
 * SIGHUP is passed on to the broker, which reads its certificate again. Returns when both have
 * ended.
 *
 * *lock is released as soon as both are ready. */
enum status supervisor_run(const struct reporter *reporter, const struct service_programs *programs,
                           int port, int *lock, struct error *error);

#endif
