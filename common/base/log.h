/* Logs: the one of sensorhub, and how a full one is set aside.
 *
 * sensorhub's log has lines that begin with the time, in a file or on standard error. Several threads
 * may write at the same time; each line is one write(), at most 2048 bytes long. */
#ifndef COMMON_BASE_LOG_H
#define COMMON_BASE_LOG_H

#include "error.h"

#include <stdbool.h>

/* Appends to this file from now on; NULL: writes to standard error. A second call with the same
 * path opens the file again, after it was renamed (log rotation). */
enum status log_open(const char *path, struct error *error);

/* Writes a line; the format has no newline at its end. */
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The error's message and advice, each on a line. */
void log_error(const char *before, const struct error *error);

/* As log_error(), at most once a minute, for an error that repeats. *last: 0 at first; the
 * monotonic time of the last line afterwards. */
void log_error_each_minute(const char *before, const struct error *error, double *last);

/* --- lines that repeat --- */

/* A limit for lines of one kind: 10 at once, and one in ten seconds. {0} is a fresh one. */
struct log_limit {
    double spent;           /* lines, less what time has given back */
    double since;           /* when spent was computed: seconds of the monotonic clock */
    unsigned long left_out; /* lines that were not logged, and not told yet */
};

/* Whether another line of this kind may be logged now. */
bool log_allows(struct log_limit *limit);

/* Logs how many lines were left out, when there are any and the limit allows a line. To be called now
 * and then. */
void log_tell_left_out(struct log_limit *limit, const char *kind);

/* --- full logs --- */

/* A full log is renamed: <log>.1 is the last one, <log>.3 the oldest one that is kept. So a program
 * has 64 MB of logs at most. */
enum { LOG_FULL = 16 << 20 /* bytes */, LOG_KEPT = 3 };

/* Renames the log at this path if it is full. */
void log_set_aside(const char *path);

/* For a program whose standard error goes to the file at this path: when it is full, or somebody has
 * removed it, standard output and standard error go to a new one. Nothing is lost between the two,
 * because the program itself changes them. The first call finds out whether standard error is that
 * file; where it is not (a terminal, systemd's journal), this does nothing. Costs one fstat(). To be
 * called by one thread only. */
void log_turn(const char *path);

#endif
