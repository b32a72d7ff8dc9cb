/* The log of sensorhub: lines that begin with the time, in a file or on standard error. Several
 * threads may write at the same time; each line is one write(), at most 2048 bytes long. */
#ifndef COMMON_BASE_LOG_H
#define COMMON_BASE_LOG_H

#include "error.h"

/* Appends to this file from now on; NULL: writes to standard error. A second call with the same
 * path opens the file again, after it was renamed (log rotation). */
enum status log_open(const char *path, struct error *error);

void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The error's message and advice, each on a line. */
void log_error(const char *before, const struct error *error);

/* As log_error(), at most once a minute, for an error that repeats. *last: 0 at first; the
 * monotonic time of the last line afterwards. */
void log_error_each_minute(const char *before, const struct error *error, double *last);

#endif
