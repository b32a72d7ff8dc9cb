/* The files that a new sensor type begins with (templates/scaffold). */
#ifndef GENERATOR_PROJECT_SCAFFOLD_H
#define GENERATOR_PROJECT_SCAFFOLD_H

#include "project.h"

/* Writes the folder of a type, which does not exist, for a platform of the project's catalog. The
 * folder appears whole or not at all. */
enum status scaffold_write(const struct project *project, const char *type, const char *platform,
                           struct error *error);

#endif
