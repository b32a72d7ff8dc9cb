/* The table of commands (main.c), from which the parser, --help, the man page and the completions are
 * made. */
#ifndef GENERATOR_CLI_COMMAND_H
#define GENERATOR_CLI_COMMAND_H

#include "common/base/error.h"

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

/* The headings of --help, in their order. */
enum command_group {
    GROUP_TYPES,
    GROUP_THINGS,
    GROUP_LOCAL,
    GROUP_TRYING,
    GROUP_PROGRAM,
    GROUP_COUNT
};

struct command_option {
    const char *name;     /* long, without the dashes; NULL ends a list */
    char letter;          /* short; 0: none */
    const char *argument; /* "DIR"; "NAME=VALUE": once for each NAME; NULL: it takes nothing */
    const char *help;     /* one line */
    enum completion completion;
};

enum { MOST_OPTIONS = 12 };

struct command {
    const char *name;
    enum command_group group;
    const char *operands;       /* as the usage line shows them; NULL: it takes none */
    int least, most;            /* how many operands; most < 0: any number */
    enum completion completion; /* of the operands */
    const char *summary;        /* one line */
    const char *details;        /* paragraphs; may be NULL */
    const char *examples;       /* lines; may be NULL */
    enum status (*run)(struct context *context);
    struct command_option options[MOST_OPTIONS]; /* its own, besides the global ones */
};

/* The table (main.c). */
extern const struct command commands[];
extern const size_t command_count;
extern const struct command_option global_options[];

#endif
