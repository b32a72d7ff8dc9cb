/* Help, man page and completions, made from the table of commands. */
#ifndef GENERATOR_CLI_PAGES_H
#define GENERATOR_CLI_PAGES_H

#include "command.h"
#include "common/base/text.h"

#include <stdbool.h>

void pages_help(const struct command *command, struct text *out); /* NULL: of the program */
void pages_man(struct text *out);

/* shell: "bash" or "zsh"; false when it is another. */
bool pages_completion(const char *shell, struct text *out);

#endif
