/* What sensorhub says while it runs: a line each, with the time in front, to a file or to the
 * standard error. Threads may say at once. */
#ifndef COMMON_BASE_LOG_H
#define COMMON_BASE_LOG_H

#include "error.h"

/* Into this file from now on, appended to; NULL: the standard error. Called again with the same
 * path, it is opened anew (after somebody moved it away). */
enum status log_open(const char *path, struct error *error);

void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The error's message and advice, each on a line. */
void log_error(const char *before, const struct error *error);

/* The same, but of what keeps being so once a minute only: *last is when it was said, 0 at first.
 */
void log_error_each_minute(const char *before, const struct error *error, double *last);

#endif
