/* Other programs, run without a shell.
 *
 * words: the program, found on the PATH unless it has a "/", and its arguments; NULL ends them. The
 * program reads nothing (its standard input is /dev/null). While one runs, Ctrl-C and SIGTERM do
 * not end this program but are handed on to it, so that whoever started it can clean up;
 * process_interrupted() tells. */
#ifndef COMMON_BASE_SUBPROCESS_H
#define COMMON_BASE_SUBPROCESS_H

#include "error.h"
#include "text.h"

#include <stdbool.h>

/* How it ended: its exit code, or 128 and the signal that killed it. */
enum { PROCESS_SIGNALLED = 128, PROCESS_TIMED_OUT = -1 };

/* From here on signals are kept, until process_end_watch(). */
void process_watch(void);
void process_end_watch(void);

/* Whether a signal came that asks to stop since process_watch(). */
bool process_interrupted(void);

/* Runs it and waits. What it says goes where this program's own output goes; to standard error
 * alone with only_errors. REFUSED when it cannot be started; *missing (may be NULL) says that there
 * is no such program. */
enum status process_run(const char *const *words, bool only_errors, int *code, bool *missing,
                        struct error *error);

/* The same, with both of its outputs added to said. One that takes longer than seconds is killed:
 * *code is PROCESS_TIMED_OUT. */
enum status process_capture(const char *const *words, int seconds, struct text *said, int *code,
                            bool *missing, struct error *error);

#endif
