/* Progress of what takes longer than a second, on standard error: a bar on a terminal, a line now
 * and then in a log, nothing with --quiet. */
#ifndef GENERATOR_CLI_PROGRESS_H
#define GENERATOR_CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

struct progress {
    const char *verb; /* "created" */
    size_t done, total;
    double started; /* seconds of the monotonic clock */
    double shown;   /* when something was shown last, in seconds since started; 0: never */
    bool quiet;
    bool terminal; /* standard error is one */
};

void progress_begin(struct progress *progress, bool quiet, const char *verb, size_t total);
void progress_step(struct progress *progress, size_t done); /* done in all */

/* A line instead of a bar: it takes the place of the last one. */
void progress_state(struct progress *progress, const char *line);

/* Removes the bar from the terminal, so that a line can be written. The next step shows it again. */
void progress_hide(const struct progress *progress);
void progress_end(struct progress *progress);

double progress_seconds(const struct progress *progress); /* since the beginning */

#endif
