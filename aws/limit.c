#include "limit.h"
#include "common/base/clock.h"
#include "common/base/memory.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <time.h>

enum { MOST_LIMITS = 128 };

static const uint64_t second = 1000000000;
static const uint64_t longest_interval = 2000000000; /* 0.5 calls a second */

/* All in nanoseconds of CLOCK_MONOTONIC, which is the same for all processes of a machine. */
struct limit {
    _Atomic uint64_t name; /* a hash of it; 0: free */
    _Atomic uint64_t full_at;
    _Atomic uint64_t fastest;  /* the interval that it began with; 0: not begun yet */
    _Atomic uint64_t interval; /* between two calls; 0: not begun yet */
    _Atomic uint64_t slowed_at;
};

struct limits {
    uint64_t interval; /* of the rate that was asked for */
    struct limit at[MOST_LIMITS];
};

struct limits *limits_open(double rate)
{
    struct limits *limits =
        mmap(NULL, sizeof *limits, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (limits == MAP_FAILED)
        out_of_memory();
    double slowest = 1e9 / (double)INT32_MAX, fastest = 1e6;
    double taken = rate < slowest ? slowest : rate > fastest ? fastest : rate;
    limits->interval = (uint64_t)((double)second / taken);
    return limits;
}

void limits_close(struct limits *limits)
{
    if (limits)
        munmap(limits, sizeof *limits);
}

/* FNV-1a; never 0. */
static uint64_t hash_of(const char *name)
{
    uint64_t hash = 14695981039346656037U;
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 1099511628211U;
    return hash ? hash : 1;
}

struct limit *limit_of(struct limits *limits, const char *name, unsigned faster)
{
    uint64_t hash = hash_of(name), begins = limits->interval / faster;
    for (size_t i = 0; i < MOST_LIMITS; i++) {
        struct limit *limit = &limits->at[i];
        uint64_t found = 0;
        if (atomic_compare_exchange_strong(&limit->name, &found, hash) || found == hash) {
            uint64_t none = 0, nothing = 0;
            atomic_compare_exchange_strong(&limit->fastest, &none, begins);
            atomic_compare_exchange_strong(&limit->interval, &nothing, begins);
            return limit;
        }
    }
    return NULL;
}

double limit_take(struct limit *limit)
{
    uint64_t full_at = atomic_load(&limit->full_at), time = clock_monotonic_nanoseconds();
    for (;;) {
        uint64_t interval = atomic_load(&limit->interval);
        uint64_t start = full_at > time ? full_at : time;
        uint64_t depth = interval < second ? second : interval;
        if (start + interval > time + depth)
            return (double)(start + interval - depth - time) / 1e9;
        if (atomic_compare_exchange_weak(&limit->full_at, &full_at, start + interval))
            return 0;
    }
}

void limit_was_throttled(struct limits *limits, struct limit *limit)
{
    uint64_t before = atomic_load(&limit->slowed_at), time = clock_monotonic_nanoseconds();
    if (before && time < before + second)
        return;
    if (!atomic_compare_exchange_strong(&limit->slowed_at, &before, time))
        return; /* another process has slowed it down at the same time */
    uint64_t interval = atomic_load(&limit->interval);
    uint64_t slowest = limits->interval > longest_interval ? limits->interval : longest_interval;
    uint64_t slower = interval * 2 < slowest ? interval * 2 : slowest;
    atomic_store(&limit->interval, slower);
    /* The tokens of the bucket are dropped: AWS's bucket is empty, too. */
    atomic_store(&limit->full_at, time + (slower < second ? second : slower));
}

void limit_went_well(struct limits *limits, struct limit *limit)
{
    uint64_t interval = atomic_load(&limit->interval), fastest = atomic_load(&limit->fastest);
    if (interval <= fastest)
        return;
    double rate = 1e9 / (double)interval + 1e7 / (double)limits->interval;
    uint64_t faster = (uint64_t)(1e9 / rate);
    if (faster < fastest)
        faster = fastest;
    atomic_compare_exchange_strong(&limit->interval, &interval, faster);
}

double limit_rate(const struct limit *limit)
{
    return 1e9 / (double)atomic_load(&limit->interval);
}
