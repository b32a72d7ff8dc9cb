/* What a simulated thing measures. The value drifts from one reading to the next, with noise around
 * it. Now and then a reading has an artefact: a value that cannot be right. The simulate: section of
 * the spec says how:
 *
 *   start      the first value; without it the middle of the valid range
 *   drift      change from one reading to the next: a number, or a share of the value
 *   noise      the most that a random change around the value is, up or down: likewise
 *   artefacts  the share of readings that have one: beyond the valid range, or null where the
 *              measure has no range
 *
 * Any other reading is within the range, however long the value has drifted. Booleans and texts do
 * not drift; a boolean changes when a command says so. */
#ifndef GENERATOR_SIMULATE_MEASURE_H
#define GENERATOR_SIMULATE_MEASURE_H

#include "common/base/text.h"
#include "random.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

enum measure_kind { MEASURE_DOUBLE, MEASURE_BIGINT, MEASURE_BOOLEAN, MEASURE_VARCHAR };

struct amount {
    double value;
    bool share; /* value is a factor of the measure's value: 0.008 for "0.8%" */
};

struct measure {
    const char *name; /* belongs to the model */
    enum measure_kind kind;
    const char *text;        /* MEASURE_VARCHAR: what it always says; belongs to the model */
    double start;            /* MEASURE_BOOLEAN: 0 or 1 */
    double minimum, maximum; /* -INFINITY, INFINITY: none */
    struct amount drift, noise;
    double artefacts; /* 0 to 1 */
};

/* From a measure of the model. */
void measure_read(const cJSON *model, struct measure *measure);

/* Which way a value goes: as its drift says, or as another thing drives it. */
enum direction { DRIFTING, DRIVEN_DOWN, DRIVEN_UP };

/* The value of the next reading. */
double measure_step(const struct measure *measure, double value, enum direction direction);

/* Appends a reading of the value as JSON: with noise, or as an artefact. A double always has a
 * decimal point: without one it would be an integer for the rules. */
void measure_write(const struct measure *measure, double value, bool artefact,
                   struct random *random, struct text *out);

#endif
