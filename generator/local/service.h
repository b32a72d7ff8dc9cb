/* The two programs of the local system: sensorhub, which stores readings, and the broker, which
 * receives them. Both work in the project's root, with the rights of the user who starts them.
 *
 * They are started in the order of enum service and ended in the reverse order: the broker must not
 * accept readings while sensorhub is not there. */
#ifndef GENERATOR_LOCAL_SERVICE_H
#define GENERATOR_LOCAL_SERVICE_H

#include "common/base/error.h"
#include "daemon.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

enum service { HUB, BROKER, SERVICES };

/* The name of the process, of its pid file and of its log: "sensorhub", "mosquitto". */
extern const char *const service_names[SERVICES];

/* For messages: "sensorhub", "broker". */
extern const char *const service_titles[SERVICES];

/* The name of the process of `up --foreground` (supervisor.h). */
#define SUPERVISOR "sensorforge"

/* The paths of the programs, found once. */
struct service_programs {
    char *paths[SERVICES];
    char *plugin;
};

/* REFUSED, with what to install, when one is missing. Freed by the caller, also after a failure. */
enum status service_find_programs(struct service_programs *programs, struct error *error);
void service_free_programs(struct service_programs *programs);

/* See daemon_find() and daemon_start(). */
bool service_find(enum service service, struct daemon *found);
enum status service_start(const struct service_programs *programs, enum service service,
                          bool attached, struct daemon *started, struct error *error);

/* Waits until the service works. The broker works when it accepts a client with a certificate.
 * sensorhub works when it says that it is ready, or says what it waits for: see
 * service_hub_ready(). REFUSED, with the end of its log, when it ends before that, or when the
 * broker takes longer than 30 seconds. */
enum status service_await(enum service service, const struct daemon *process, int port,
                          struct error *error);

/* Ends it with SIGTERM. REFUSED when it did not end in time and was killed. */
enum status service_end(enum service service, struct daemon *process, struct error *error);

/* The port in the broker's configuration, on which a running broker listens; otherwise when there
 * is no configuration. */
int service_broker_port(int otherwise);

/* What sensorhub last wrote about itself, iot_system_infra/local/run/sensorhub.status.json; NULL
 * when there is no such file. The caller deletes. */
cJSON *service_hub_status(void);

/* Whether a status says that sensorhub stores readings: it has connected to its database, and
 * reports no trouble. */
bool service_hub_ready(const cJSON *status);

#endif
