/* What has to be there before the local system can run, made where it is missing. */
#ifndef GENERATOR_LOCAL_PREPARE_H
#define GENERATOR_LOCAL_PREPARE_H

#include "generator/project/project.h"
#include "service.h"

#include <stdbool.h>

struct prepared {
    int port;
    bool running; /* in: the broker is; its configuration stays what it was started with */
    bool changed; /* the configuration is not, or was not, what it should be */
    bool renewed; /* the broker has a new certificate */
};

/* Types: those that are plugged in are checked; with none, all are plugged in. Folders (0700),
 * certificates, the link to the plugin, mosquitto.conf. */
enum status prepare_system(struct project *project, const struct programs *programs,
                           struct prepared *prepared, struct error *error);

/* The folders alone, so that there is something to lock. */
enum status prepare_folders(struct error *error);

#endif
