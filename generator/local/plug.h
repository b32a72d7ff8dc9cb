/* Plugging a type in on this machine: its documents are all that the local system needs of it. */
#ifndef GENERATOR_LOCAL_PLUG_H
#define GENERATOR_LOCAL_PLUG_H

#include "generator/project/project.h"

/* Writes the documents of a type and its mark, unless it is plugged in already. Reports that it was
 * done, and what of its rules cannot run here (capabilities.h). */
enum status plug_in(struct project *project, const char *type, struct error *error);

#endif
