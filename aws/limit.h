/* How fast each operation may be called: token buckets that forked processes share.
 *
 * A bucket holds one moment in time: when it will be full again if nothing is taken. Taking a token
 * moves that moment one interval further, and is possible as long as it is not more than the
 * bucket's depth (one second's worth) ahead. This is the "generic cell rate algorithm" (ITU-T
 * I.371): the same as counting tokens, but in one number, which a compare-and-swap changes. So no
 * process can be killed while it holds a lock, because there is none.
 *
 * AWS says with an error that it was too fast: then the interval doubles (not beyond two seconds),
 * at most once a second, because everything in flight is told the same at once. Each success takes
 * back a hundredth of the rate that was asked for, never beyond the rate that the bucket began
 * with. Reads begin faster, because what AWS allows them is not known; they come back no faster
 * than the others, so that one that has to be slow is not throttled again at once. */
#ifndef AWS_LIMIT_H
#define AWS_LIMIT_H

#include <stddef.h>

struct limits;
struct limit;

/* How many times faster than others an operation that only reads begins. */
enum { READS_FASTER = 4 };

/* rate: calls a second for each operation. Memory is shared with processes forked later. */
struct limits *limits_open(double rate);
void limits_close(struct limits *limits); /* NULL is fine */

/* The bucket of an operation ("iot CreateThing"); the same for all processes. faster: how many
 * times the rate it begins with. NULL when there are more than 128 operations: then it is not
 * limited. */
struct limit *limit_of(struct limits *limits, const char *name, unsigned faster);

/* Takes a token: 0; or, when there is none, after how many seconds to ask again. */
double limit_take(struct limit *limit);

void limit_was_throttled(struct limits *limits, struct limit *limit);
void limit_went_well(struct limits *limits, struct limit *limit);

double limit_rate(const struct limit *limit); /* calls a second, now */

#endif
