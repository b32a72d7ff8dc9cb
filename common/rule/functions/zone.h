/* Time zones, for parse_time() and time_to_epoch().
 *
 * Zones are those of the tz database. A zone's file (RFC 8536) is read when a function names it,
 * since tzset() changes the zone of the whole process. It is read into the caller's memory, at most
 * 16 KiB, and nothing is cached, so threads share nothing. */
#ifndef COMMON_RULE_FUNCTIONS_ZONE_H
#define COMMON_RULE_FUNCTIONS_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RULE_LONGEST_ZONE = 64, RULE_LARGEST_ZONE = 16 * 1024, RULE_LONGEST_SHORT_NAME = 16 };

/* The local time of a zone at some moment. */
struct rule_clock {
    int32_t offset;                           /* seconds east of Greenwich */
    char short_name[RULE_LONGEST_SHORT_NAME]; /* "CET"; "+05:30" where there is no name */
};

struct rule_zone {
    char name[RULE_LONGEST_ZONE + 1]; /* "Europe/Berlin", "+05:30" */
    bool fixed;                       /* the offset never changes, and clock holds it */
    struct rule_clock clock;
    /* Not fixed: the parts of the file. At each of the times another type of local time begins. */
    size_t time_count, type_count, letter_count;
    const unsigned char *times;   /* time_count of 8 bytes: seconds since 1970, ascending */
    const unsigned char *indices; /* time_count of 1 byte: the type that begins */
    const unsigned char *types;   /* type_count of 6 bytes: offset, daylight saving, short name */
    const char *letters;          /* letter_count bytes: short names, each with a NUL */
    const char *rule;             /* a POSIX TZ string, for the time after the last of the times */
    unsigned char file[RULE_LARGEST_ZONE + 1];
};

/* Finds a zone of the tz database, or an offset: "+02", "-0130", "+05:30". False: there is none. */
bool rule_zone_find(const char *name, size_t length, struct rule_zone *zone);
void rule_zone_fixed(int32_t offset, struct rule_zone *zone);

/* The local time at a moment, in seconds since 1970. */
void rule_zone_at(const struct rule_zone *zone, int64_t seconds, struct rule_clock *clock);

/* The moment (seconds since 1970) at which the local time is local (counted likewise). When clocks
 * are set back and show it twice, the first of them; when they are set forward and skip it, the
 * moment at which they would show it if they had not been changed. */
int64_t rule_zone_seconds(const struct rule_zone *zone, int64_t local);

/* The long English name of a short name and an offset; NULL: unknown. */
const char *rule_zone_long_name(const struct rule_clock *clock);

/* The zone of a short name, and of the long name that at begins with (used: its bytes); NULL: none.
 */
const char *rule_zone_of_short_name(const char *at, size_t length);
const char *rule_zone_of_long_name(const char *at, size_t length, size_t *used);

#endif
