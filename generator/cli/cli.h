/* The command line: what was given, and where a command puts what it has to say.
 *
 * Output that a program may read goes to standard output, through `out`, written in one piece at
 * the end and checked (a full disk, a closed pipe); everything else goes to standard error. */
#ifndef GENERATOR_CLI_CLI_H
#define GENERATOR_CLI_CLI_H

#include "common/base/error.h"
#include "common/base/report.h"
#include "common/base/secret.h"
#include "common/base/text.h"
#include "command.h"
#include "progress.h"

#include <stdbool.h>
#include <stddef.h>

struct given_option {
    const struct command_option *option;
    const char *value;
};

/* The arguments of a command, and its output. */
struct context {
    const struct command *command;
    const char **operands;
    size_t operand_count;
    struct given_option *given;
    size_t given_count, given_room;
    bool json, verbose, quiet;
    bool colour;              /* standard error is a terminal that may be coloured */
    struct reporter reporter; /* for rooms: lines and progress on standard error */
    struct progress progress; /* of the reporter */
    bool counting;            /* the reporter's progress has begun, and has not ended */
    struct text out;          /* for standard output */
    int print_failed;         /* errno of a cli_print() that failed; 0: none did */
    struct error error;
};

/* The value of an option, NULL when it was not given; the last one where it was given twice. */
const char *cli_value(const struct context *context, const char *name);
bool cli_given(const struct context *context, const char *name);

/* A line for people on standard error, unless --quiet. */
void cli_say(const struct context *context, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A line for people that only --verbose shows. */
void cli_say_more(const struct context *context, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A line on standard output, at once: for a command that goes on for long. False when it cannot be
 * written (a closed pipe, a full disk); the command fails at its end then, and should stop. */
bool cli_print(struct context *context, const char *line);

/* Asks a question on the terminal; NULL when nobody sits at standard input. */
secret_asker *cli_asker(void);

/* --- for the files of this room --- */

/* "error: " and the message on standard error, with the lines after the first set in under it. */
void cli_show_error(const struct context *context);

/* Whether standard error is a terminal on which colours are wanted (NO_COLOR, TERM=dumb). */
bool cli_can_colour(void);

/* A reporter that writes to standard error, as --quiet and --verbose say. */
struct reporter cli_reporter(struct context *context);

/* --- the program --- */

/* The whole of it: parses, runs, writes the output and the error, returns the exit code. */
int cli_run(int count, char **words);

#endif
