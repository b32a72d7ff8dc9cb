/* The keys and certificates of the local system itself, each made where it is missing or does not
 * fit any more: another authority, another name of this machine, an end within thirty days.
 *
 *   iot_system_infra/local/broker/{key,cert}.pem   the broker's, with every name that it is called
 * by iot_system_infra/local/hub/{key,cert}.pem      of the system's own client (OU
 *                                                  SERVICE_UNIT), who may do everything */
#ifndef GENERATOR_LOCAL_CERTIFICATES_H
#define GENERATOR_LOCAL_CERTIFICATES_H

#include "common/base/error.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

/* system: the JSON of a checked system.yaml. *renewed: whether the broker's is a new one. */
enum status certificates_renew(const cJSON *system, bool *renewed, struct error *error);

#endif
