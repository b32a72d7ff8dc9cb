#include "known_time.h"

static const int64_t day = 86400000;         /* milliseconds */
static const double long_enough = 7 * 86400; /* seconds */

static bool is_near(int64_t one, int64_t other)
{
    return one - other < day && other - one < day;
}

static void believe(struct known_time *known, int64_t wall, double boot)
{
    *known = (struct known_time){.time = wall, .at = boot};
}

int64_t known_time_reached(const struct known_time *known, double boot)
{
    return known->time + (int64_t)((boot - known->at) * 1000);
}

int64_t known_time_now(struct known_time *known, int64_t wall, double boot, int64_t newest)
{
    int64_t time = known_time_reached(known, boot);
    if (!known->time || is_near(wall, time) || (newest && is_near(wall, newest))) {
        believe(known, wall, boot);
        return wall;
    }
    if (!known->doubted || !is_near(wall - time, known->distance)) {
        known->doubted = true;
        known->since = boot;
        known->distance = wall - time;
    }
    if (boot - known->since > long_enough)
        believe(known, wall, boot);
    return wall < time || !known->doubted ? wall : time;
}
