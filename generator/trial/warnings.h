/* What is legal in a type and wrong: found by running its emitted documents on readings.
 *
 * The readings are made from the measures: in range, at its ends and beyond them, missing, null, of
 * each other type, a whole number where a double is meant; with attributes and a time of their own
 * that are right, missing or wrong; and messages that are no readings at all. Each must land in
 * exactly one table, as a record that the table takes. And the policy must let a thing do what its
 * type does, as itself, and nothing else.
 *
 * All of it are warnings: a rule may mean what it does. Each is said once, with the first reading
 * that shows it. */
#ifndef GENERATOR_TRIAL_WARNINGS_H
#define GENERATOR_TRIAL_WARNINGS_H

#include "trial.h"
#include "common/spec/spec.h"

/* Adds to the problems of a spec that has no errors, and sorts them. type is the model's. */
void rules_check(struct spec *spec, const struct trial *trial, const cJSON *type);

#endif
