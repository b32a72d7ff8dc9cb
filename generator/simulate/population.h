/* Which things are simulated: those of a type, and those that its first control commands. They are
 * ordinary things of the target local, created where they are missing.
 *
 * Simulated things are called sim-<type>-<number>. A thing that a control commands has the name that
 * the control's topic gives it. What tells a simulated thing from a real one is its wifi network,
 * which is called "simulated": the place of a thing with another network is never taken. */
#ifndef GENERATOR_SIMULATE_POPULATION_H
#define GENERATOR_SIMULATE_POPULATION_H

#include "generator/project/project.h"
#include "world.h"

/* Things that measure are put into so many groups, each under a commanded thing of its own. */
enum { GROUPS = 2 };

/* Fills the world with things of the type (NULL: the first type that controls another) and with those
 * that they command, and creates those that are missing. *created: how many those were. WRONG_INPUT
 * when there is no such type, or a real thing has one of the names; WRONG_USAGE when no type is given
 * and none controls another; REFUSED when some could not be created. */
enum status population_choose(struct project *project, const char *type, size_t things,
                              struct world *world, size_t *created, struct error *error);

#endif
