/* Time zones from the system's tz database. A file (RFC 8536) has a part with 32-bit times, the
 * same with 64-bit times, and a POSIX TZ string for the time after the last of them:
 * "CET-1CEST,M3.5.0,M10.5.0/3". */
#include "zone.h"
#include "common/base/calendar.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- names --- */

/* Short names of the tz database that are unique together with their offset. A short name alone
 * means the first one in this table. */
static const struct {
    const char *short_name;
    int minutes;
    const char *long_name, *zone;
} names[] = {
    {"UTC", 0, "Coordinated Universal Time", "UTC"},
    {"GMT", 0, "Greenwich Mean Time", "GMT"},
    {"WET", 0, "Western European Standard Time", "Europe/Lisbon"},
    {"WEST", 60, "Western European Summer Time", "Europe/Lisbon"},
    {"BST", 60, "British Summer Time", "Europe/London"},
    {"CET", 60, "Central European Standard Time", "Europe/Paris"},
    {"CEST", 120, "Central European Summer Time", "Europe/Paris"},
    {"EET", 120, "Eastern European Standard Time", "Europe/Bucharest"},
    {"EEST", 180, "Eastern European Summer Time", "Europe/Bucharest"},
    {"MSK", 180, "Moscow Standard Time", "Europe/Moscow"},
    {"WAT", 60, "West Africa Standard Time", "Africa/Lagos"},
    {"CAT", 120, "Central Africa Time", "Africa/Maputo"},
    {"SAST", 120, "South Africa Standard Time", "Africa/Johannesburg"},
    {"EAT", 180, "East Africa Time", "Africa/Nairobi"},
    {"IST", 330, "India Standard Time", "Asia/Kolkata"},
    {"IST", 120, "Israel Standard Time", "Asia/Jerusalem"},
    {"IDT", 180, "Israel Daylight Time", "Asia/Jerusalem"},
    {"IST", 60, "Irish Standard Time", "Europe/Dublin"},
    {"PKT", 300, "Pakistan Standard Time", "Asia/Karachi"},
    {"WIB", 420, "Western Indonesia Time", "Asia/Jakarta"},
    {"WITA", 480, "Central Indonesia Time", "Asia/Makassar"},
    {"WIT", 540, "Eastern Indonesia Time", "Asia/Jayapura"},
    {"HKT", 480, "Hong Kong Standard Time", "Asia/Hong_Kong"},
    {"JST", 540, "Japan Standard Time", "Asia/Tokyo"},
    {"KST", 540, "Korean Standard Time", "Asia/Seoul"},
    {"AWST", 480, "Australian Western Standard Time", "Australia/Perth"},
    {"ACST", 570, "Australian Central Standard Time", "Australia/Adelaide"},
    {"ACDT", 630, "Australian Central Daylight Time", "Australia/Adelaide"},
    {"AEST", 600, "Australian Eastern Standard Time", "Australia/Sydney"},
    {"AEDT", 660, "Australian Eastern Daylight Time", "Australia/Sydney"},
    {"NZST", 720, "New Zealand Standard Time", "Pacific/Auckland"},
    {"NZDT", 780, "New Zealand Daylight Time", "Pacific/Auckland"},
    {"ChST", 600, "Chamorro Standard Time", "Pacific/Guam"},
    {"SST", -660, "Samoa Standard Time", "Pacific/Pago_Pago"},
    {"HST", -600, "Hawaii-Aleutian Standard Time", "Pacific/Honolulu"},
    {"HDT", -540, "Hawaii-Aleutian Daylight Time", "America/Adak"},
    {"AKST", -540, "Alaska Standard Time", "America/Anchorage"},
    {"AKDT", -480, "Alaska Daylight Time", "America/Anchorage"},
    {"PST", -480, "Pacific Standard Time", "America/Los_Angeles"},
    {"PDT", -420, "Pacific Daylight Time", "America/Los_Angeles"},
    {"MST", -420, "Mountain Standard Time", "America/Denver"},
    {"MDT", -360, "Mountain Daylight Time", "America/Denver"},
    {"CST", -360, "Central Standard Time", "America/Chicago"},
    {"CST", 480, "China Standard Time", "Asia/Shanghai"},
    {"CDT", -300, "Central Daylight Time", "America/Chicago"},
    {"EST", -300, "Eastern Standard Time", "America/New_York"},
    {"EDT", -240, "Eastern Daylight Time", "America/New_York"},
    {"AST", -240, "Atlantic Standard Time", "America/Halifax"},
    {"ADT", -180, "Atlantic Daylight Time", "America/Halifax"},
    {"NST", -210, "Newfoundland Standard Time", "America/St_Johns"},
    {"NDT", -150, "Newfoundland Daylight Time", "America/St_Johns"},
};

static const size_t name_count = sizeof names / sizeof *names;

const char *rule_zone_long_name(const struct rule_clock *clock)
{
    for (size_t i = 0; i < name_count; i++)
        if (names[i].minutes * MINUTE == clock->offset &&
            !strcmp(names[i].short_name, clock->short_name))
            return names[i].long_name;
    return NULL;
}

const char *rule_zone_of_short_name(const char *at, size_t length)
{
    for (size_t i = 0; i < name_count; i++)
        if (strlen(names[i].short_name) == length && !memcmp(names[i].short_name, at, length))
            return names[i].zone;
    return NULL;
}

const char *rule_zone_of_long_name(const char *at, size_t length, size_t *used)
{
    for (size_t i = 0; i < name_count; i++) {
        *used = strlen(names[i].long_name);
        if (*used <= length && !memcmp(names[i].long_name, at, *used))
            return names[i].zone;
    }
    return NULL;
}

/* --- reading a file --- */

static int64_t number_at(const unsigned char *at, size_t bytes)
{
    uint64_t number = at[0] & 0x80 ? UINT64_MAX : 0;
    for (size_t i = 0; i < bytes; i++)
        number = number << 8 | at[i];
    return (int64_t)number;
}

/* A part has a header of 44 bytes: magic and version, 15 unused bytes, and six counts in this
 * order. */
enum { UTC_COUNT, STANDARD_COUNT, LEAP_COUNT, TIME_COUNT, TYPE_COUNT, LETTER_COUNT, COUNTS };
enum { HEADER = 44, TYPE_SIZE = 6 };

static bool read_counts(const unsigned char *at, size_t left, size_t counts[COUNTS])
{
    if (left < HEADER || memcmp(at, "TZif", 4) != 0)
        return false;
    for (size_t i = 0; i < COUNTS; i++) {
        int64_t count = number_at(at + 20 + 4 * i, 4);
        if (count < 0 || count > RULE_LARGEST_ZONE)
            return false;
        counts[i] = (size_t)count;
    }
    return true;
}

static size_t part_size(const size_t counts[COUNTS], size_t time_size)
{
    return HEADER + counts[TIME_COUNT] * (time_size + 1) + counts[TYPE_COUNT] * TYPE_SIZE +
           counts[LETTER_COUNT] + counts[LEAP_COUNT] * (time_size + 4) + counts[STANDARD_COUNT] +
           counts[UTC_COUNT];
}

static bool indices_are_right(const struct rule_zone *zone)
{
    for (size_t i = 0; i < zone->time_count; i++)
        if (zone->indices[i] >= zone->type_count)
            return false;
    for (size_t i = 0; i < zone->type_count; i++)
        if (zone->types[i * TYPE_SIZE + 5] >= zone->letter_count)
            return false;
    return zone->type_count && zone->letters[zone->letter_count - 1] == 0;
}

/* Finds the parts of zone->file, which has a NUL at its end. */
static bool read_file(struct rule_zone *zone, size_t size)
{
    size_t counts[COUNTS], first;
    const unsigned char *at = zone->file;
    if (!read_counts(at, size, counts) || at[4] < '2' || (first = part_size(counts, 4)) > size)
        return false;
    at += first;
    size -= first;
    if (!read_counts(at, size, counts) || part_size(counts, 8) > size || !counts[LETTER_COUNT])
        return false;
    zone->time_count = counts[TIME_COUNT];
    zone->type_count = counts[TYPE_COUNT];
    zone->letter_count = counts[LETTER_COUNT];
    zone->times = at + HEADER;
    zone->indices = zone->times + 8 * zone->time_count;
    zone->types = zone->indices + zone->time_count;
    zone->letters = (const char *)(zone->types + TYPE_SIZE * zone->type_count);
    zone->rule = (const char *)(at + part_size(counts, 8));
    zone->rule += *zone->rule == '\n';
    return indices_are_right(zone);
}

/* Whether it can be a name in the database: no "..", no absolute path, and none of the copies of
 * the database with other rules. */
static bool name_is_plain(const char *name, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)name[i]) && (!strchr("/_+-", name[i]) || !name[i]))
            return false;
    return length && length <= RULE_LONGEST_ZONE && isalpha((unsigned char)name[0]) &&
           strncmp(name, "right/", 6) != 0 && strncmp(name, "posix/", 6) != 0;
}

static bool read_zone(struct rule_zone *zone)
{
    char path[sizeof "/usr/share/zoneinfo/" + RULE_LONGEST_ZONE];
    snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", zone->name);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    ssize_t got = read(file, zone->file, RULE_LARGEST_ZONE);
    close(file);
    if (got <= 0)
        return false;
    zone->file[got] = 0;
    return read_file(zone, (size_t)got);
}

/* --- offsets --- */

/* As Joda-Time prints an offset: always with minutes, with seconds only where they are not 0. */
static void name_offset(struct rule_clock *clock)
{
    int offset = abs(clock->offset), seconds = offset % MINUTE;
    int length =
        snprintf(clock->short_name, sizeof clock->short_name, "%c%02d:%02d",
                 clock->offset < 0 ? '-' : '+', offset / HOUR % 100, offset / MINUTE % MINUTE);
    if (seconds)
        snprintf(clock->short_name + length, sizeof clock->short_name - (size_t)length, ":%02d",
                 seconds);
}

void rule_zone_fixed(int32_t offset, struct rule_zone *zone)
{
    zone->fixed = true;
    zone->clock.offset = offset;
    name_offset(&zone->clock);
    snprintf(zone->name, sizeof zone->name, "%s", zone->clock.short_name);
}

static bool two_digits(const char *at, int below, int *number)
{
    if (!isdigit((unsigned char)at[0]) || !isdigit((unsigned char)at[1]))
        return false;
    *number = (at[0] - '0') * 10 + (at[1] - '0');
    return *number < below;
}

static bool read_offset(const char *at, size_t length, int32_t *offset)
{
    int hours, minutes = 0;
    if ((length != 3 && length != 5 && length != 6) || (at[0] != '+' && at[0] != '-') ||
        !two_digits(at + 1, 24, &hours) || (length == 6 && at[3] != ':') ||
        (length > 3 && !two_digits(at + length - 2, MINUTE, &minutes)))
        return false;
    *offset = (hours * HOUR + minutes * MINUTE) * (at[0] == '-' ? -1 : 1);
    return true;
}

bool rule_zone_find(const char *name, size_t length, struct rule_zone *zone)
{
    int32_t offset;
    zone->fixed = false;
    if (read_offset(name, length, &offset)) {
        rule_zone_fixed(offset, zone);
        return true;
    }
    if (!name_is_plain(name, length))
        return false;
    memcpy(zone->name, name, length);
    zone->name[length] = 0;
    if (strcmp(zone->name, "UTC") != 0)
        return read_zone(zone);
    zone->fixed = true;
    zone->clock = (struct rule_clock){.short_name = "UTC"};
    return true;
}

/* --- POSIX TZ strings --- */

/* When clocks are changed, in each year. */
struct change {
    char kind; /* 'J': day is 1 to 365, February 29 is not counted. '0': day is 0 to 365, it is
                * counted. 'M': day 0 (Sunday) to 6 of week 1 to 5 of month; week 5 is the last */
    int month, week, day;
    int time; /* seconds after midnight; can be negative, or more than a day */
};

static bool read_name(const char **at, char name[RULE_LONGEST_SHORT_NAME])
{
    bool quoted = **at == '<';
    const char *begin = *at + quoted, *end = begin;
    while (quoted ? *end && *end != '>' : isalpha((unsigned char)*end))
        end++;
    size_t length = (size_t)(end - begin);
    if (length < 1 || length >= RULE_LONGEST_SHORT_NAME || (quoted && !*end))
        return false;
    memcpy(name, begin, length);
    name[length] = 0;
    *at = end + quoted;
    return true;
}

static bool read_number(const char **at, int most, int *number)
{
    if (!isdigit((unsigned char)**at))
        return false;
    *number = 0;
    while (isdigit((unsigned char)**at) && *number <= most)
        *number = *number * 10 + (*(*at)++ - '0');
    return *number <= most;
}

static bool skip(const char **at, char what)
{
    if (**at != what)
        return false;
    (*at)++;
    return true;
}

/* [+-]hours[:minutes[:seconds]] */
static bool read_time(const char **at, int *seconds)
{
    bool negative = skip(at, '-');
    int hours, minutes = 0, rest = 0;
    if (!negative)
        skip(at, '+');
    if (!read_number(at, 167, &hours) ||
        (skip(at, ':') &&
         (!read_number(at, 59, &minutes) || (skip(at, ':') && !read_number(at, 59, &rest)))))
        return false;
    *seconds = (hours * HOUR + minutes * MINUTE + rest) * (negative ? -1 : 1);
    return true;
}

static bool read_change(const char **at, struct change *change)
{
    *change = (struct change){.kind = '0', .time = 2 * HOUR};
    if (!skip(at, ','))
        return false;
    if (skip(at, 'M')) {
        change->kind = 'M';
        if (!read_number(at, 12, &change->month) || !change->month || !skip(at, '.') ||
            !read_number(at, 5, &change->week) || !change->week || !skip(at, '.'))
            return false;
    } else if (skip(at, 'J')) {
        change->kind = 'J';
    }
    return read_number(at, change->kind == 'M' ? 6 : 365, &change->day) &&
           (!skip(at, '/') || read_time(at, &change->time));
}

/* The local time of a change, in seconds since 1970, before the clocks are changed. */
static int64_t change_in(const struct change *change, int64_t year)
{
    int64_t days = calendar_days((struct calendar_date){year, 1, 1});
    if (change->kind == 'M') {
        days = calendar_days((struct calendar_date){year, change->month, 1});
        int first = (change->day - calendar_weekday(days) % 7 + 7) % 7; /* Sunday is 0 */
        int day = first + 7 * (change->week - 1);
        days += day < calendar_days_in_month(year, change->month) ? day : day - 7;
    } else {
        bool skips = change->kind == 'J' && calendar_leap_year(year) && change->day > 59;
        days += change->day - (change->kind == 'J') + skips;
    }
    return days * DAY + change->time;
}

static void name_clock(struct rule_clock *clock)
{
    if (clock->short_name[0] == '+' || clock->short_name[0] == '-')
        name_offset(clock);
}

static bool is_daylight_saving(const struct change *begin, const struct change *end,
                               int64_t seconds, int standard_offset, int daylight_offset)
{
    int64_t year = calendar_date(calendar_divide(seconds + standard_offset, DAY)).year;
    int64_t from = change_in(begin, year) - standard_offset,
            to = change_in(end, year) - daylight_offset;
    return from < to ? seconds >= from && seconds < to : seconds >= from || seconds < to;
}

/* The local time at a moment by a TZ string. False: it is not one. */
static bool clock_by_rule(const char *rule, int64_t seconds, struct rule_clock *clock)
{
    struct rule_clock standard = {0}, daylight = {0};
    struct change begin, end;
    int west;
    if (!read_name(&rule, standard.short_name) || !read_time(&rule, &west))
        return false;
    standard.offset = -west;
    *clock = standard;
    if (!read_name(&rule, daylight.short_name))
        return true;
    daylight.offset = standard.offset + HOUR;
    if (*rule != ',') {
        if (!read_time(&rule, &west))
            return true;
        daylight.offset = -west;
    }
    if (read_change(&rule, &begin) && read_change(&rule, &end) &&
        is_daylight_saving(&begin, &end, seconds, standard.offset, daylight.offset))
        *clock = daylight;
    return true;
}

/* --- local time --- */

static void of_type(const struct rule_zone *zone, size_t index, struct rule_clock *clock)
{
    const unsigned char *type = zone->types + TYPE_SIZE * index;
    clock->offset = (int32_t)number_at(type, 4);
    snprintf(clock->short_name, sizeof clock->short_name, "%s", zone->letters + type[5]);
}

/* How many of the times are at or before a moment. */
static size_t times_before(const struct rule_zone *zone, int64_t seconds)
{
    size_t low = 0, high = zone->time_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (number_at(zone->times + 8 * middle, 8) <= seconds)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The first type applies before the first of the times. */
void rule_zone_at(const struct rule_zone *zone, int64_t seconds, struct rule_clock *clock)
{
    if (zone->fixed) {
        *clock = zone->clock;
        return;
    }
    size_t before = times_before(zone, seconds);
    if (before < zone->time_count || !clock_by_rule(zone->rule, seconds, clock))
        of_type(zone, before ? zone->indices[before - 1] : 0, clock);
    name_clock(clock);
}

int64_t rule_zone_seconds(const struct rule_zone *zone, int64_t local)
{
    struct rule_clock before, after, there;
    rule_zone_at(zone, local - DAY, &before);
    rule_zone_at(zone, local + DAY, &after);
    rule_zone_at(zone, local - before.offset, &there);
    if (there.offset == before.offset)
        return local - before.offset;
    rule_zone_at(zone, local - after.offset, &there);
    return local - (there.offset == after.offset ? after.offset : before.offset);
}
