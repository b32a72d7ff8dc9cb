/* Who is simulated: the things of a type, and those that its controls command, created where they
 * are missing, as `create` creates them. Simulated things are called sim-<type>-<number>, but for
 * those that a control commands, which have the name that its topic gives them. Their wifi network
 * is called "simulated": a thing with another is a real one, whose place is never taken. */
#ifndef GENERATOR_SIMULATE_POPULATION_H
#define GENERATOR_SIMULATE_POPULATION_H

#include "generator/project/project.h"
#include "world.h"

enum { GROUPS = 2 };

/* things of the type (NULL: of the first that controls another), in GROUPS groups of the attribute
 * that its control goes by, and whom it commands. *created counts those that were made. WRONG_INPUT
 * when there is no such type, or a real thing has one of the names. */
enum status population_choose(struct project *project, const char *type, size_t things,
                              struct world *world, size_t *created, struct error *error);

#endif
