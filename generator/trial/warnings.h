/* What is legal in a type, and probably wrong. It is found by executing the type's documents on
 * readings.
 *
 * The readings are made from the measures. A value is in its range, at an end of it or beyond it,
 * missing, null, of another type, a whole number where a double is meant, or beyond what a table
 * takes: a large or tiny number, an empty or long text, one with a NUL. Attributes and time
 * are right, missing or wrong. Other messages are no readings at all. Each message must land in
 * exactly one table, as a record that the table accepts. The policy must allow a thing what its
 * type does, under its own name, and nothing else.
 *
 * All of these are warnings, because a rule may be meant as it is. Each is given once, with the
 * first reading that shows it. */
#ifndef GENERATOR_TRIAL_WARNINGS_H
#define GENERATOR_TRIAL_WARNINGS_H

#include "trial.h"
#include "common/spec/spec.h"
#include "common/spec/system.h"

/* Adds warnings to the problems of a spec without errors, and sorts them. type: "type" of the
 * model. store: where the central table is. */
void warnings_find(struct spec *spec, const struct trial *trial, const cJSON *type,
                   enum cloud_store store);

#endif
