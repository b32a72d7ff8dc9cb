/* Many things at once: on all cores, in groups that are flushed to the disk together.
 *
 * The workers are processes, not threads: with OpenSSL's locks two threads make hardly more
 * certificates than one (measured), and a worker that crashes does not end the others. Each worker
 * takes the next group of things that no other has taken. A group has the size that the target asks
 * for (target.group); otherwise a size that takes about half a second, so that a person sees progress
 * and a kill costs little work. */
#ifndef GENERATOR_THING_BULK_H
#define GENERATOR_THING_BULK_H

#include "common/base/error.h"
#include "generator/targets/target.h"
#include "thing.h"

#include <stddef.h>

struct bulk_result {
    size_t index; /* of the thing in the array that was given */
    enum outcome outcome;
    const char *message; /* "" unless FAILED */
    const char *advice;  /* may be "" */
};

/* Called in the calling process for each thing whose work has ended, in any order. */
typedef void bulk_observer(void *context, const struct bulk_result *result);

/* Makes all of them, with as many processes as there are cores. REFUSED when a worker could not be
 * started, or ended before its work; the things that it had not finished are not observed. */
enum status bulk_make(struct target *target, struct making *things, size_t count,
                      bulk_observer *observer, void *context, struct error *error);

#endif
