/* A file that a command was given, or standard input where its name is "-". */
#ifndef GENERATOR_CLI_INPUT_H
#define GENERATOR_CLI_INPUT_H

#include "common/base/error.h"
#include "common/base/text.h"

/* Adds at most limit bytes to out; more are WRONG_INPUT. */
enum status read_input(const char *path, size_t limit, struct text *out, struct error *error);

#endif
