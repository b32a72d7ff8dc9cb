/* What of the local system is running, and what sensorhub reports about its work. */
#ifndef GENERATOR_LOCAL_STATE_H
#define GENERATOR_LOCAL_STATE_H

#include "common/base/text.h"

#include <cjson/cJSON.h>

/* {"running": true,                             both services work
 *  "broker": {"running": true, "pid": 12, "since": "2026-11-21T10:12:00Z", "port": 8883},
 *  "sensorhub": {"running": true, "pid": 13, "since": ...,
 *                "working": true,               service_hub_ready()
 *                ...}}                          and the members of service_hub_status()
 * The caller deletes. */
cJSON *state_make(void);

/* Adds a state as lines for people. */
void state_write(const cJSON *state, struct text *out);

#endif
