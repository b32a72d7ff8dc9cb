/* What the commands on the local system share. */
#ifndef GENERATOR_COMMANDS_LOCAL_H
#define GENERATOR_COMMANDS_LOCAL_H

#include "generator/cli/cli.h"
#include "generator/local/service.h"

/* What runs, and what sensorhub tells of its work:
 *   {"running": true,                             both do their work
 *    "broker": {"running": true, "pid": 12, "since": "2026-11-21T10:12:00Z", "port": 8883},
 *    "sensorhub": {"running": true, "pid": 13, "since": ..., and what service_hub_status() says}}
 * The caller deletes. */
cJSON *local_state(void);

/* The same for people. */
void write_local_state(const cJSON *state, struct text *out);

#endif
