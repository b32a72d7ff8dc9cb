/* Makes what must be there before the local system can run. */
#ifndef GENERATOR_LOCAL_PREPARE_H
#define GENERATOR_LOCAL_PREPARE_H

#include "generator/project/project.h"
#include "service.h"

#include <stdbool.h>

struct prepared {
    bool running; /* in: the broker is running, so its configuration is not written */
    int port;     /* of the broker, as system.yaml says */
    bool changed; /* mosquitto.conf differs, or differed, from what it should be */
    bool renewed; /* the broker has a new certificate */
};

/* Checks the types that are plugged in; when there are none, plugs all types in. Makes the folders
 * (0700), the certificates, the link to the plugin and mosquitto.conf. */
enum status prepare_system(struct project *project, const struct service_programs *programs,
                           struct prepared *prepared, struct error *error);

/* Makes the folders only, one of which the caller locks. */
enum status prepare_folders(struct error *error);

#endif
