/* The command line: one table of commands and options, from which the parser, --help, the man page
 * and the completions are made.
 *
 * Output that a program may read goes to standard output, through `out`, written in one piece at
 * the end and checked (a full disk, a closed pipe); everything else goes to standard error. */
#ifndef GENERATOR_CLI_CLI_H
#define GENERATOR_CLI_CLI_H

#include "common/base/error.h"
#include "common/base/text.h"

#include <stdbool.h>
#include <stddef.h>

struct context;

/* What a word of the command line can be completed with. */
enum completion {
    COMPLETE_NOTHING,
    COMPLETE_TYPES,
    COMPLETE_THINGS,
    COMPLETE_PLATFORMS,
    COMPLETE_SETS,
    COMPLETE_TARGETS,
    COMPLETE_ESCAPES,
    COMPLETE_SHELLS,
    COMPLETE_COMMANDS,
    COMPLETE_FILES,
    COMPLETE_FOLDERS
};

struct option {
    const char *name;     /* long, without the dashes; NULL ends a list */
    char letter;          /* short; 0: none */
    const char *argument; /* what it takes ("DIR"); NULL: nothing */
    const char *help;     /* one line */
    enum completion completion;
};

enum { MOST_OPTIONS = 12 };

struct command {
    const char *name;
    const char *operands;       /* as the usage line shows them */
    int least, most;            /* how many operands; most < 0: any number */
    enum completion completion; /* of the operands */
    const char *summary;        /* one line */
    const char *details;        /* paragraphs; may be NULL */
    const char *examples;       /* lines; may be NULL */
    enum status (*run)(struct context *context);
    struct option options[MOST_OPTIONS]; /* its own, besides the global ones */
};

/* The table (main.c). */
extern const struct command commands[];
extern const size_t command_count;
extern const struct option global_options[];

struct given_option {
    const struct option *option;
    const char *value;
};

/* What a command gets to see. */
struct context {
    const struct command *command;
    const char **operands;
    size_t operand_count;
    struct given_option *given;
    size_t given_count, given_room;
    bool json, verbose, quiet;
    bool colour;        /* standard error is a terminal that may be coloured */
    char *start_folder; /* absolute; where paths of the command line count from */
    char *root;         /* absolute, after project_open() */
    char *templates;    /* likewise */
    struct text out;    /* for standard output */
    struct error error;
};

/* The value of an option, NULL when it was not given; the last one where it was given twice. */
const char *option_value(const struct context *context, const char *name);
bool option_given(const struct context *context, const char *name);

/* Goes to the project's root (the nearest folder upwards with iot_system_infra/system.yaml), so
 * that all paths are relative to it, and finds the templates. WRONG_INPUT when there is no project.
 */
enum status project_open(struct context *context);

/* A path of the command line, seen from the project's root; freed by the caller. */
char *user_path(const struct context *context, const char *path);

/* A line for people on standard error, unless --quiet. */
void say(const struct context *context, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A line for people that only --verbose shows. */
void say_more(const struct context *context, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The whole of a program: parses, runs, writes the output and the error, returns the exit code. */
int run_command_line(int count, char **words);

/* --- made from the table (cli_pages.c) --- */

void write_help(const struct command *command, struct text *out); /* NULL: of the program */
void write_man_page(struct text *out);
/* shell: "bash" or "zsh"; false when it is another. */
bool write_completion(const char *shell, struct text *out);

#endif
