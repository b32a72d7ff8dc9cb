/* A file that a command was given, or standard input where its name is "-". */
#ifndef GENERATOR_COMMANDS_INPUT_H
#define GENERATOR_COMMANDS_INPUT_H

#include "../../common/error.h"
#include "../../common/text.h"

/* Adds at most limit bytes to out; more are WRONG_INPUT. */
enum status read_input(const char *path, size_t limit, struct text *out, struct error *error);

#endif
