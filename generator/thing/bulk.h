/* Many things at once, from a table: on all cores, in groups that are flushed together.
 *
 * Workers are processes, not threads: OpenSSL's locks let two threads make hardly more certificates
 * than one (measured), and a process that dies takes nothing with it. Each takes the next group: as
 * many as the target wants, else as many as keep it under about half a second, so that progress is
 * seen and little is lost. */
#ifndef GENERATOR_THING_BULK_H
#define GENERATOR_THING_BULK_H

#include "common/base/error.h"
#include "generator/targets/target.h"
#include "thing.h"

#include <stddef.h>

struct bulk_result {
    size_t index; /* of the thing */
    enum outcome outcome;
    const char *message; /* "" unless FAILED */
    const char *advice;  /* may be "" */
};

/* Called in the calling process for each thing that is through, in any order. */
typedef void bulk_observer(void *context, const struct bulk_result *result);

/* Makes them all, with as many processes as there are cores. REFUSED when a worker could not be
 * started or died; the things that it did not come to are not reported. */
enum status bulk_make(struct target *target, struct making *things, size_t count,
                      bulk_observer *observer, void *context, struct error *error);

#endif
