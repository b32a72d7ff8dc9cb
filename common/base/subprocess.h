/* Runs other programs, without a shell.
 *
 * words: the program, which is searched on the PATH unless it has a "/", its arguments, and NULL.
 * The program's standard input is empty. Between subprocess_watch() and subprocess_end_watch(),
 * Ctrl-C and SIGTERM do not end this process. They are passed on to the program that is running,
 * and subprocess_interrupted() tells the caller, which can then clean up. */
#ifndef COMMON_BASE_SUBPROCESS_H
#define COMMON_BASE_SUBPROCESS_H

#include "error.h"
#include "text.h"

#include <stdbool.h>

/* How a program ended: its exit code, or SUBPROCESS_SIGNALLED plus the signal that killed it. */
enum { SUBPROCESS_SIGNALLED = 128, SUBPROCESS_TIMED_OUT = -1 };

void subprocess_watch(void);
void subprocess_end_watch(void);

/* Whether this process got SIGINT or SIGTERM since subprocess_watch(). */
bool subprocess_interrupted(void);

/* Does what Ctrl-C does between the two. */
void subprocess_stop(void);

/* Runs a program and waits for its end. Its output goes where this program's output goes; with
 * only_errors all of it goes to standard error. REFUSED when it cannot be started; *missing (may be
 * NULL): because there is no such program. */
enum status subprocess_run(const char *const *words, bool only_errors, int *code, bool *missing,
                           struct error *error);

/* The same, but each line of its standard output is handed to take() as soon as it is complete,
 * without its newline; a last line without one, too. */
enum status subprocess_lines(const char *const *words, void (*take)(void *context, char *line),
                             void *context, int *code, bool *missing, struct error *error);

/* The same as subprocess_run(), but all output is added to said. A program that takes longer than so many seconds is
 * killed, and *code is SUBPROCESS_TIMED_OUT. */
enum status subprocess_capture(const char *const *words, int seconds, struct text *said, int *code,
                               bool *missing, struct error *error);

#endif
