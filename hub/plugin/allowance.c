#include "allowance.h"
#include "common/base/clock.h"
#include "common/base/memory.h"

#include <stdlib.h>
#include <string.h>

/* Otherwise uthash ends the program when memory is exhausted. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* The bytes that a bucket holds at least: the largest payload that mosquitto.conf lets in, or a thing
 * could never send one. */
static const double largest_payload = 128 * 1024;

/* Lines of the log: so many at once, and so many a second. */
static const double lines_at_once = 10, lines_per_second = 0.1;

enum bucket { MESSAGES, BYTES, LINES, BUCKETS };

struct allowance {
    char *thing;            /* the key */
    double tokens[BUCKETS]; /* what is left in each bucket */
    double filled;          /* when tokens were computed: seconds of the monotonic clock */
    unsigned long left_out; /* lines that were not logged, and not told yet */
    UT_hash_handle hh;
};

struct allowances {
    double rates[BUCKETS]; /* tokens that a bucket gets in a second; 0: it has no limit */
    double rooms[BUCKETS]; /* tokens that a bucket holds */
    struct allowance *all;
};

struct allowances *allowances_open(double messages, double bytes)
{
    struct allowances *allowances = must_alloc(sizeof *allowances);
    *allowances = (struct allowances){
        .rates = {[MESSAGES] = messages, [BYTES] = bytes, [LINES] = lines_per_second},
        .rooms = {[MESSAGES] = messages,
                  [BYTES] = bytes > largest_payload ? bytes : largest_payload,
                  [LINES] = lines_at_once}};
    return allowances;
}

static void free_allowance(struct allowance *allowance)
{
    if (allowance)
        free(allowance->thing);
    free(allowance);
}

void allowances_close(struct allowances *allowances)
{
    if (!allowances)
        return;
    struct allowance *allowance = allowances->all, *next;
    HASH_CLEAR(hh, allowances->all);
    for (; allowance; allowance = next) {
        next = allowance->hh.next;
        free_allowance(allowance);
    }
    free(allowances);
}

static void fill_up(const struct allowances *allowances, struct allowance *allowance, double time)
{
    for (int i = 0; i < BUCKETS; i++) {
        double tokens = allowance->tokens[i] + (time - allowance->filled) * allowances->rates[i];
        allowance->tokens[i] = tokens < allowances->rooms[i] ? tokens : allowances->rooms[i];
    }
    allowance->filled = time;
}

/* NULL: out of memory. */
static struct allowance *allowance_of(struct allowances *allowances, const char *thing)
{
    struct allowance *found = NULL, *made;
    double time = clock_monotonic_coarse();
    HASH_FIND_STR(allowances->all, thing, found);
    if (found) {
        fill_up(allowances, found, time);
        return found;
    }
    made = calloc(1, sizeof *made);
    if (made && (made->thing = strdup(thing))) {
        memcpy(made->tokens, allowances->rooms, sizeof made->tokens);
        made->filled = time;
        HASH_ADD_KEYPTR(hh, allowances->all, made->thing, strlen(made->thing), made);
    }
    HASH_FIND_STR(allowances->all, thing, found);
    if (found != made)
        free_allowance(made);
    return found;
}

const char *allowances_exceeded(struct allowances *allowances, const char *thing, size_t payload)
{
    const double *rates = allowances->rates;
    struct allowance *allowance =
        rates[MESSAGES] > 0 || rates[BYTES] > 0 ? allowance_of(allowances, thing) : NULL;
    if (!allowance)
        return NULL;
    if (rates[MESSAGES] > 0 && allowance->tokens[MESSAGES] < 1)
        return "it exceeds messages_per_second";
    if (rates[BYTES] > 0 && allowance->tokens[BYTES] < (double)payload)
        return "it exceeds bytes_per_second";
    allowance->tokens[MESSAGES] -= 1;
    allowance->tokens[BYTES] -= (double)payload;
    return NULL;
}

bool allowances_log(struct allowances *allowances, const char *thing, unsigned long *left_out)
{
    struct allowance *allowance = allowance_of(allowances, thing);
    *left_out = 0;
    if (!allowance)
        return true;
    if (allowance->tokens[LINES] < 1) {
        allowance->left_out++;
        return false;
    }
    allowance->tokens[LINES] -= 1;
    *left_out = allowance->left_out;
    allowance->left_out = 0;
    return true;
}

/* A bucket without a limit is full whatever was taken from it. */
static bool is_full(const struct allowances *allowances, const struct allowance *allowance)
{
    for (int i = 0; i < BUCKETS; i++)
        if (allowances->rates[i] > 0 && allowance->tokens[i] < allowances->rooms[i])
            return false;
    return true;
}

static void drop(struct allowances *allowances, struct allowance *allowance)
{
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): an allowance is in the table once */
    HASH_DEL(allowances->all, allowance);
    free_allowance(allowance);
}

void allowances_tidy(struct allowances *allowances,
                     void (*tell)(const char *thing, unsigned long left_out))
{
    double time = clock_monotonic_coarse();
    struct allowance *allowance = allowances->all, *next;
    for (; allowance; allowance = next) {
        next = allowance->hh.next;
        fill_up(allowances, allowance, time);
        if (allowance->left_out && allowance->tokens[LINES] >= 1) {
            tell(allowance->thing, allowance->left_out);
            allowance->tokens[LINES] -= 1;
            allowance->left_out = 0;
        }
        if (is_full(allowances, allowance))
            drop(allowances, allowance);
    }
}
