#include "random.h"

#include <sys/random.h>
#include <time.h>

void random_seed(struct random *random)
{
    if (getrandom(&random->state, sizeof random->state, 0) != (ssize_t)sizeof random->state)
        random->state = (uint64_t)time(NULL);
    random->state |= 1;
}

double random_next(struct random *random)
{
    const double steps = 9007199254740992.0; /* 2^53: as many as a double tells apart below 1 */
    random->state ^= random->state >> 12;
    random->state ^= random->state << 25;
    random->state ^= random->state >> 27;
    return (double)((random->state * 0x2545F4914F6CDD1DU) >> 11) / steps;
}
