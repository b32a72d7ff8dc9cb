/* The readings of one group, in the order of their own time, for windows of any length.
 *
 * Each sample carries the sum and the count of all up to it, so the mean, sum and count of a window
 * are two searches and a difference, whatever the number of watches that look at it. Sums are kept
 * in long double: the difference of two of them, rounded to double, is the sum of the window.
 *
 * The number of samples is bounded. Beyond SAMPLES_MOST neighbours that are at most 1/1024 of the
 * longest window apart are merged into one: sums, counts, minima and maxima stay exact, and the
 * edges of a window are then exact to that much. */
#ifndef AUTOMATION_SAMPLES_H
#define AUTOMATION_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SAMPLES_MOST = 4096, SAMPLES_PARTS = 1024 };
#define SAMPLES_MIXED UINT32_MAX /* the merged readings are of several things */

struct sample {
    long double sum;     /* of the values up to and with this one */
    int64_t first, last; /* times; the same where nothing was merged */
    double first_value, last_value, least, most;
    uint64_t count; /* of the readings up to and with this one */
    uint32_t thing; /* index of the caller, or SAMPLES_MIXED */
};

struct samples {
    struct sample *at;
    size_t head, end, room; /* the samples are at[head] to at[end - 1] */
};

void samples_free(struct samples *samples);

/* Adds a reading, and drops samples that are not later than `oldest`. A second reading with the
 * same thing and time changes nothing. span: milliseconds of the longest window. False: out of
 * memory. */
bool samples_add(struct samples *samples, int64_t time, uint32_t thing, double value,
                 int64_t oldest, int64_t span);

/* A window: later than after, until `until` included. */
struct sample_window {
    const struct sample *before; /* NULL: the window begins with the first sample */
    const struct sample *begin, *end;
};

struct sample_window samples_window(const struct samples *samples, int64_t after, int64_t until);

/* The number of readings in it. Everything else needs at least one. */
uint64_t window_count(const struct sample_window *window);
double window_sum(const struct sample_window *window);
double window_mean(const struct sample_window *window);
double window_least(const struct sample_window *window); /* least and most look at each sample */
double window_most(const struct sample_window *window);
double window_last(const struct sample_window *window);
double window_delta(const struct sample_window *window); /* last minus first */

/* The window that holds its last sample only. */
struct sample_window window_of_last(const struct sample_window *window);

#endif
