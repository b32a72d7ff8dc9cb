/* `sensorhub run`: the loop from the spool to the database. */
#ifndef HUB_RUN_H
#define HUB_RUN_H

#include "common/base/error.h"

#include <stdbool.h>

struct run_options {
    const char *log; /* NULL: the standard error */
    bool drain;      /* store what is in the spool, and end */
};

/* Works in the project's folder. Returns FINE when it was told to end (SIGTERM, SIGINT) and all
 * that was in the spool is stored. */
enum status run_hub(const struct run_options *options, struct error *error);

#endif
