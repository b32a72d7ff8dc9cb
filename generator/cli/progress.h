/* Progress of what takes longer than a second, on standard error: a bar on a terminal, a line now
 * and then in a log, nothing with --quiet. */
#ifndef GENERATOR_CLI_PROGRESS_H
#define GENERATOR_CLI_PROGRESS_H

#include "cli.h"

#include <stddef.h>

struct progress {
    const struct context *context;
    const char *verb; /* "created" */
    size_t done, total;
    double started, shown; /* seconds of the monotonic clock */
    bool terminal;
};

void progress_begin(struct progress *progress, const struct context *context, const char *verb,
                    size_t total);
void progress_step(struct progress *progress, size_t done); /* done in all */
void progress_end(struct progress *progress);               /* leaves no bar behind */

double progress_seconds(const struct progress *progress); /* since the beginning */

#endif
