/* What generate and diff share: the documents of subjects. */
#ifndef GENERATOR_COMMANDS_DOCUMENTS_H
#define GENERATOR_COMMANDS_DOCUMENTS_H

#include "generator/cli/cli.h"
#include "common/base/names.h"
#include "generator/project/project.h"

/* The operands of the command line, or all types and then "system"; freed with names_free(). */
struct names *chosen_subjects(const struct context *context, bool all);

/* Shows what generating would change, and changes nothing. */
enum status diff_documents(struct context *context, struct project *project,
                           const struct names *subjects);

#endif
