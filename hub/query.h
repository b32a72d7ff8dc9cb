/* `sensorhub query`: readings of the central database, the newest last. */
#ifndef HUB_QUERY_H
#define HUB_QUERY_H

#include "common/base/error.h"

#include <stdbool.h>

/* Options as they were typed; NULL: not given. */
struct query_options {
    const char *type;      /* required */
    const char *thing;     /* NULL: all things */
    const char *last;      /* "1h": how far back from now */
    const char *from, *to; /* a span, instead of last */
    const char *limit;     /* how many rows, the newest ones */
    bool invalid;          /* readings of the type's table of invalid readings */
    bool json, csv;        /* the output; neither: an aligned table */
};

/* Reads and writes to standard output. WRONG_USAGE and WRONG_INPUT for wrong options, an unknown type or
 * an unknown thing; REFUSED when the database cannot be read. */
enum status query_readings(const struct query_options *options, struct error *error);

#endif
