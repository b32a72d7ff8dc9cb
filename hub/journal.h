/* What sensorhub says while it runs: a line each, with the time in front, to a file or to the
 * standard error. Threads may say at once. */
#ifndef HUB_JOURNAL_H
#define HUB_JOURNAL_H

#include "../common/error.h"

/* Into this file from now on, appended to; NULL: the standard error. Called again with the same
 * path, it is opened anew (after somebody moved it away). */
enum status journal_open(const char *path, struct error *error);

void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The error's message and advice, each on a line. */
void say_error(const char *before, const struct error *error);

/* The same, but of what keeps being so once a minute only: *last is when it was said, 0 at first.
 */
void say_error_again(const char *before, const struct error *error, double *last);

#endif
