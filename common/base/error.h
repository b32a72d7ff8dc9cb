/* How a function says that it failed.
 *
 * Every function that can fail returns an enum status and takes a `struct error *`; FINE is 0, so
 * `if ((status = step(..., error))) return status;` reads as a sentence. The numbers are the exit
 * codes of the program. An error holds one message for a person and, where there is something to
 * do, advice. Whoever declares the error frees it (error_free); a failing function fills it once.
 */
#ifndef COMMON_BASE_ERROR_H
#define COMMON_BASE_ERROR_H

#include "text.h"

enum status {
    FINE = 0,
    WRONG_INPUT = 1, /* a file or value that the person wrote is wrong */
    WRONG_USAGE = 2, /* the command line is wrong */
    REFUSED = 3,     /* the world refused: disk, lock, memory, network, remote service */
};

struct error {
    enum status status;
    struct text message; /* one line or more, no newline at the end, no "error: " before it */
    struct text advice;  /* what to do about it; may be empty */
};

/* Fills the error and returns status. */
enum status fail(struct error *error, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same with the arguments of a variadic function. */
enum status failv(struct error *error, enum status status, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

/* As fail(), with ": " and the text of errno behind the message; REFUSED. */
enum status fail_errno(struct error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* "out of memory"; REFUSED. For a long-running program: unlike fail(), it does not end the program
 * when there is no memory for the message either, which is then empty. */
enum status fail_memory(struct error *error);

/* Adds a line of advice to an error that has been filled. A command in the format is named as the
 * person has it (hint.h). Returns its status. */
enum status advise(struct error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Puts "path: " before the message of an error that has been filled: the file that it is about.
 * Returns its status. */
enum status error_in(struct error *error, const char *path);

void error_free(struct error *error);

#endif
