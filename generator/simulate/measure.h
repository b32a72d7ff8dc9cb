/* What a simulated thing measures: a value that drifts from one reading to the next, with noise
 * around it and, now and then, an absurd one, as the simulate: section of its spec says:
 *
 *   start      the first value; without it the middle of the valid range
 *   drift      change from one reading to the next, a number or a share of the value
 *   noise      random change around the value, in both directions, likewise
 *   artefacts  the share of readings that are absurd: beyond the valid range, or null where there
 * is none. Any other reading is within it, however long the value has drifted.
 *
 * Booleans and texts keep their start; a boolean changes when a command says so. */
#ifndef GENERATOR_SIMULATE_MEASURE_H
#define GENERATOR_SIMULATE_MEASURE_H

#include "common/base/text.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

enum measure_kind { MEASURE_DOUBLE, MEASURE_BIGINT, MEASURE_BOOLEAN, MEASURE_VARCHAR };

struct amount {
    double value;
    bool share; /* of the value that it changes */
};

struct measure {
    const char *name, *words; /* words: of a text; both belong to the model */
    enum measure_kind kind;
    double start, minimum, maximum; /* -INFINITY, INFINITY: none. Of a boolean: 0 or 1 */
    struct amount drift, noise;
    double artefacts; /* 0 to 1 */
};

/* Numbers that look random; the state is never 0. */
struct chance {
    uint64_t state;
};
void chance_begin(struct chance *chance);
double chance_next(struct chance *chance); /* 0 <= x < 1 */

/* From a measure of the model. */
void measure_read(const cJSON *model, struct measure *measure);

/* Which way a value goes: as its drift says, or where something drives it. */
enum direction { DRIFTING, DRIVEN_DOWN, DRIVEN_UP };

/* The value of the next reading. */
double measure_step(const struct measure *measure, double value, enum direction direction);

/* Appends it as JSON, with noise, or as an artefact. A double always has a decimal point: without
 * one it would be an integer for the rules. */
void measure_write(const struct measure *measure, double value, bool artefact,
                   struct chance *chance, struct text *out);

#endif
