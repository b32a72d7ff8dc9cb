#include "clock.h"
#include "calendar.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- now --- */

static double seconds_of(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int64_t clock_milliseconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

double clock_monotonic(void)
{
    return seconds_of(CLOCK_MONOTONIC);
}

double clock_since_boot(void)
{
    return seconds_of(CLOCK_BOOTTIME);
}

double clock_monotonic_coarse(void)
{
    return seconds_of(CLOCK_MONOTONIC_COARSE);
}

uint64_t clock_monotonic_nanoseconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

struct timespec clock_deadline(double seconds)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    time_t whole = (time_t)seconds;
    until.tv_sec += whole;
    until.tv_nsec += (long)((seconds - (double)whole) * 1e9);
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    return until;
}

void clock_sleep(double seconds)
{
    time_t whole = (time_t)seconds;
    struct timespec time = {whole, (long)((seconds - (double)whole) * 1e9)};
    nanosleep(&time, NULL);
}

/* --- writing --- */

/* What calendar_divide() leaves: 0 to by - 1, also below 0. */
static int remainder_of(int64_t number, int by)
{
    int left = (int)(number % by);
    return left < 0 ? left + by : left;
}

static void write_utc(int64_t seconds, const char *dash, const char *colon, char text[CLOCK_TEXT])
{
    int of_day = remainder_of(seconds, DAY);
    struct calendar_date date = calendar_date(calendar_divide(seconds, DAY));
    snprintf(text, CLOCK_TEXT, "%0*" PRId64 "%s%02d%s%02dT%02d%s%02d%s%02dZ", date.year < 0 ? 5 : 4,
             date.year, dash, date.month, dash, date.day, of_day / HOUR, colon,
             of_day % HOUR / MINUTE, colon, of_day % MINUTE);
}

void clock_write(int64_t seconds, char text[CLOCK_TEXT])
{
    write_utc(seconds, "-", ":", text);
}

void clock_write_milliseconds(int64_t milliseconds, char text[CLOCK_TEXT])
{
    clock_write(calendar_divide(milliseconds, 1000), text);
    size_t length = strlen(text) - 1; /* without the Z */
    snprintf(text + length, CLOCK_TEXT - length, ".%03dZ", remainder_of(milliseconds, 1000));
}

void clock_write_basic(int64_t seconds, char text[CLOCK_TEXT])
{
    write_utc(seconds, "", "", text);
}

void clock_write_local(int64_t seconds, char text[CLOCK_TEXT])
{
    time_t time = (time_t)seconds;
    struct tm parts;
    if (localtime_r(&time, &parts))
        strftime(text, CLOCK_TEXT, "%Y-%m-%d %H:%M:%S", &parts);
    else
        clock_write(seconds, text); /* a year that struct tm does not hold */
}

void clock_write_local_milliseconds(int64_t milliseconds, char text[CLOCK_TEXT])
{
    clock_write_local(calendar_divide(milliseconds, 1000), text);
    size_t length = strlen(text);
    snprintf(text + length, CLOCK_TEXT - length, ".%03d", remainder_of(milliseconds, 1000));
}

void clock_write_mail(int64_t seconds, char text[CLOCK_TEXT])
{
    time_t time = (time_t)seconds;
    struct tm parts;
    *text = '\0';
    if (localtime_r(&time, &parts)) /* the names are English: no program here calls setlocale() */
        strftime(text, CLOCK_TEXT, "%a, %d %b %Y %H:%M:%S %z", &parts);
}

/* --- reading --- */

enum form { FULL, PARTIAL, TYPED };

struct reading {
    const char *at;
    enum form form;
    int year, month, day;
    int hour, minute, second, millisecond;
    int offset; /* seconds east of Greenwich */
    bool has_time, has_offset;
};

/* A number of exactly so many digits; what a person types may have fewer. */
static bool read_digits(struct reading *reading, int digits, int *number)
{
    int read = 0;
    *number = 0;
    for (; read < digits && *reading->at >= '0' && *reading->at <= '9'; read++)
        *number = *number * 10 + *reading->at++ - '0';
    return read == digits || (read && reading->form == TYPED && digits == 2);
}

static bool read_mark(struct reading *reading, char mark)
{
    bool there = *reading->at == mark;
    reading->at += there;
    return there;
}

static bool read_date(struct reading *reading)
{
    bool partial = reading->form == PARTIAL;
    reading->month = reading->day = 1;
    if (!read_digits(reading, 4, &reading->year))
        return false;
    if (!read_mark(reading, '-'))
        return partial && !*reading->at;
    if (!read_digits(reading, 2, &reading->month) || reading->month < 1 || reading->month > 12)
        return false;
    if (!read_mark(reading, '-'))
        return partial && !*reading->at;
    return read_digits(reading, 2, &reading->day) && reading->day >= 1 &&
           reading->day <= calendar_days_in_month(reading->year, reading->month);
}

/* What is behind the point; the digits after the third are cut off. */
static bool read_fraction(struct reading *reading)
{
    size_t digits = strspn(reading->at, "0123456789");
    for (size_t i = 0; i < 3; i++)
        reading->millisecond = reading->millisecond * 10 + (i < digits ? reading->at[i] - '0' : 0);
    reading->at += digits;
    return digits > 0;
}

static bool read_time_of_day(struct reading *reading)
{
    if (!read_mark(reading, 'T') && !(reading->form == TYPED && read_mark(reading, ' ')))
        return !*reading->at || reading->form == TYPED;
    reading->has_time = true;
    if (!read_digits(reading, 2, &reading->hour) || !read_mark(reading, ':') ||
        !read_digits(reading, 2, &reading->minute) || reading->hour > 23 || reading->minute > 59)
        return false;
    if (!read_mark(reading, ':'))
        return reading->form != FULL;
    return read_digits(reading, 2, &reading->second) && reading->second <= 60 &&
           (!read_mark(reading, '.') || read_fraction(reading));
}

static bool read_offset(struct reading *reading)
{
    int hours = 0, minutes = 0, sign = *reading->at == '-' ? -1 : 1;
    if (!*reading->at)
        return true;
    reading->has_offset = true;
    if (strcmp(reading->at, "Z") == 0 || strcmp(reading->at, "UTC") == 0)
        return true;
    if (!read_mark(reading, '+') && !read_mark(reading, '-'))
        return false;
    reading->form = FULL; /* two digits each, also where it was typed */
    if (!read_digits(reading, 2, &hours))
        return false;
    read_mark(reading, ':');
    if (!read_digits(reading, 2, &minutes) || *reading->at || hours > 23 || minutes > 59)
        return false;
    reading->offset = sign * (hours * HOUR + minutes * MINUTE);
    return true;
}

/* Seconds since 1970 of a time with an offset. */
static int64_t utc_seconds(const struct reading *reading)
{
    const struct calendar_date date = {reading->year, reading->month, reading->day};
    return calendar_days(date) * DAY + reading->hour * HOUR + reading->minute * MINUTE +
           reading->second - reading->offset;
}

/* The same of a local time. One that the clocks skip or show twice is the C library's choice. */
static int64_t local_seconds(const struct reading *reading)
{
    struct tm parts = {.tm_year = reading->year - 1900,
                       .tm_mon = reading->month - 1,
                       .tm_mday = reading->day,
                       .tm_hour = reading->hour,
                       .tm_min = reading->minute,
                       .tm_sec = reading->second,
                       .tm_isdst = -1};
    return mktime(&parts);
}

static bool read_time(const char *text, enum form form, int64_t *milliseconds)
{
    struct reading reading = {.at = text, .form = form};
    if (!read_date(&reading) || !read_time_of_day(&reading) || !read_offset(&reading))
        return false;
    bool local = form == TYPED && !reading.has_offset;
    if (form != TYPED && (reading.has_time ? !reading.has_offset : form == FULL))
        return false;
    int64_t seconds = local ? local_seconds(&reading) : utc_seconds(&reading);
    /* A leap second is the last one of a day in UTC. */
    if (reading.second == 60 && remainder_of(seconds, DAY) != 0)
        return false;
    *milliseconds = seconds * 1000 + reading.millisecond;
    return true;
}

bool clock_read(const char *text, int64_t *milliseconds)
{
    return read_time(text, FULL, milliseconds);
}

bool clock_read_partial(const char *text, int64_t *milliseconds)
{
    return read_time(text, PARTIAL, milliseconds);
}

bool clock_read_typed(const char *text, int64_t *milliseconds)
{
    return read_time(text, TYPED, milliseconds);
}

double clock_duration(const char *text)
{
    static const char digits[] = "0123456789", units[] = "smhdw";
    static const double seconds[] = {1, MINUTE, HOUR, DAY, 7 * DAY};
    size_t length = strspn(text, digits), more = 0;
    if (length && text[length] == '.')
        more = strspn(text + length + 1, digits);
    length += more ? more + 1 : 0;
    const char *unit = length && text[length] ? strchr(units, text[length]) : NULL;
    return unit && !text[length + 1] ? strtod(text, NULL) * seconds[unit - units] : -1;
}
