/* What generate and diff share. A subject is a type, or "system". */
#ifndef GENERATOR_COMMANDS_GENERATE_H
#define GENERATOR_COMMANDS_GENERATE_H

#include "common/base/names.h"
#include "generator/cli/cli.h"
#include "generator/project/project.h"

/* The operands of the command line, or all types and then "system"; freed with names_free(). */
struct names *generate_subjects(const struct context *context, bool all);

/* Shows what generating would change, and changes nothing. */
enum status generate_diff(struct context *context, struct project *project,
                          const struct names *subjects);

#endif
