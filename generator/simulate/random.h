/* Pseudo-random numbers, fast and good enough for noise: xorshift64* (Vigna, "An experimental
 * exploration of Marsaglia's xorshift generators"). Not for secrets. */
#ifndef GENERATOR_SIMULATE_RANDOM_H
#define GENERATOR_SIMULATE_RANDOM_H

#include <stdint.h>

struct random {
    uint64_t state; /* never 0 */
};

/* A seed from the kernel. */
void random_seed(struct random *random);

/* 0 <= x < 1 */
double random_next(struct random *random);

#endif
