/* Time zones for the functions of time.
 *
 * Zones are those of the tz database, read from the system's files (RFC 8536) when a function names
 * one: tzset() and its like know one zone for the whole process. A file is read into the caller's
 * memory, of at most 16 KiB; nothing is kept, so threads do not meet. */
#ifndef COMMON_RULE_FUNCTIONS_ZONE_H
#define COMMON_RULE_FUNCTIONS_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RULE_LONGEST_ZONE = 64, RULE_LARGEST_ZONE = 16 * 1024, RULE_LONGEST_SHORT_NAME = 16 };

/* What the clocks of a zone show. */
struct rule_clock {
    int32_t offset;                           /* seconds east of Greenwich */
    char short_name[RULE_LONGEST_SHORT_NAME]; /* "CET"; "+05:30" where there is no name */
};

struct rule_zone {
    char name[RULE_LONGEST_ZONE + 1];
    bool fixed;              /* always the same: */
    struct rule_clock clock; /* this */
    /* Else times (seconds since 1970, 8 bytes each) when what a type says begins to hold. */
    size_t time_count, type_count, letter_count;
    const unsigned char *times, *indices, *types;
    const char *letters; /* short names, each with a NUL */
    const char *rule;    /* what holds behind the last time, as POSIX writes TZ */
    unsigned char file[RULE_LARGEST_ZONE + 1];
};

/* A zone of the tz database, or an offset: "+02", "-0130", "+05:30". */
bool rule_zone_find(const char *name, size_t length, struct rule_zone *zone);
void rule_zone_fixed(int32_t offset, struct rule_zone *zone);

/* seconds since 1970 */
void rule_zone_at(const struct rule_zone *zone, int64_t seconds, struct rule_clock *clock);

/* Seconds since 1970 when the zone's clocks show local (seconds since 1970, too). When they show it
 * twice, the first time; when they skip it, as if they had not been changed yet. */
int64_t rule_zone_seconds(const struct rule_zone *zone, int64_t local);

/* The long English name for a short one, which can mean several offsets; NULL: not known. */
const char *rule_zone_long_name(const struct rule_clock *clock);

/* The zone that a short name, or the long name that at begins with, stands for; NULL: none. */
const char *rule_zone_of_short_name(const char *at, size_t length);
const char *rule_zone_of_long_name(const char *at, size_t length, size_t *used);

#endif
