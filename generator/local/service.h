/* The two programs that the local system is: sensorhub, which stores readings, and the broker,
 * which takes them. They work in the project's root, as whoever started them. Started in this
 * order, ended in the other: nobody brings readings that nobody stores. */
#ifndef GENERATOR_LOCAL_SERVICE_H
#define GENERATOR_LOCAL_SERVICE_H

#include "common/base/error.h"
#include "daemon.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

enum service { HUB, BROKER, SERVICES };

/* "sensorhub", "mosquitto": of the process, its pid file, its log. "sensorhub", "broker": in words.
 */
extern const char *const service_names[SERVICES];
extern const char *const service_titles[SERVICES];

/* `up --foreground`: the process that keeps both running. */
#define SUPERVISOR "sensorforge"

/* What each service is started with: paths of programs, found once. */
struct programs {
    char *paths[SERVICES];
    char *plugin;
};

/* REFUSED, with what to install, when one is missing. */
enum status programs_find(struct programs *programs, struct error *error);
void programs_free(struct programs *programs);

/* A program beside this one, or where the shell would find it; NULL when there is none. Freed by
 * the caller. */
char *programs_path(const char *name);

bool service_find(enum service service, struct daemon *found);
enum status service_start(const struct programs *programs, enum service service, bool attached,
                          struct daemon *started, struct error *error);

/* Waits until it does its work: the broker answers to a client with a certificate, sensorhub says
 * that it is ready, or what it waits for; service_hub_ready() tells which. REFUSED, with the end of its
 * log, when it ends before, or the broker takes too long. */
enum status service_await(enum service service, const struct daemon *process, int port,
                          struct error *error);

/* Ends it; what it had to be killed for is told. */
enum status service_end(enum service service, struct daemon *process, struct error *error);

/* The port that its configuration names, which is the one that a broker that runs listens on. */
int service_broker_port(int otherwise);

/* What sensorhub last wrote of itself (iot_system_infra/local/run/sensorhub.status.json); NULL when
 * there is nothing. The caller deletes. */
cJSON *service_hub_status(void);

/* Whether that says that it works: it has reached its database, and nothing is in its way. */
bool service_hub_ready(const cJSON *status);

#endif
