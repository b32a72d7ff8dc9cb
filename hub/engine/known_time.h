/* The time that retention goes by. What it deletes is gone for ever, so it does not believe a clock that
 * somebody or something set far ahead.
 *
 * What is known is a time, and when it was so by a clock that nobody sets; from then on it runs by
 * that clock. It is kept in the database, with the counts. The wall clock is believed when it is less
 * than a day away from it, or from the newest time that a thing gave to a reading by a clock of its own
 * (this machine was off for weeks), or when it has stayed where it is for a week. Otherwise it
 * is doubted, and retention goes by the earlier one of both. */
#ifndef HUB_ENGINE_KNOWN_TIME_H
#define HUB_ENGINE_KNOWN_TIME_H

#include <stdbool.h>
#include <stdint.h>

struct known_time {
    int64_t time;     /* milliseconds since 1970; 0: nothing is known */
    double at;        /* when it was so: clock_since_boot() */
    bool doubted;     /* the wall clock is */
    double since;     /* when that began: clock_since_boot() */
    int64_t distance; /* milliseconds by which the wall clock was ahead then */
};

/* The time to go by, in milliseconds since 1970. wall: what the wall clock shows; boot:
 * clock_since_boot(); newest: the newest time that a thing gave to a reading, 0: none did. */
int64_t known_time_now(struct known_time *known, int64_t wall, double boot, int64_t newest);

/* What is known, by this time of clock_since_boot(). */
int64_t known_time_reached(const struct known_time *known, double boot);

#endif
