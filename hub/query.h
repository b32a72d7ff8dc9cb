/* `sensorhub query`: readings of the central database, the newest last. */
#ifndef HUB_QUERY_H
#define HUB_QUERY_H

#include "common/base/error.h"

#include <stdbool.h>

/* As they were typed; NULL: not given. */
struct query_options {
    const char *type;      /* must be there */
    const char *thing;     /* all, if not given */
    const char *last;      /* "1h": how far back from now */
    const char *from, *to; /* instead of last */
    const char *limit;     /* the newest so many */
    bool invalid;          /* of the type's table of invalid readings */
    bool json, csv;        /* one JSON object a line; comma-separated; else an aligned table */
};

enum status query_readings(const struct query_options *options, struct error *error);

#endif
