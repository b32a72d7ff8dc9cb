/* Dates of the Gregorian calendar, counted in days. The calendar is proleptic: it is also used for
 * the time before 1582. The year before 1 is 0, the one before that is -1. */
#ifndef COMMON_BASE_CALENDAR_H
#define COMMON_BASE_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

/* In seconds. */
enum { MINUTE = 60, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

struct calendar_date {
    int64_t year;
    int month, day; /* from 1 */
};

/* Days since 1970-01-01; negative before it. */
int64_t calendar_days(struct calendar_date date);
struct calendar_date calendar_date(int64_t days);

bool calendar_leap_year(int64_t year);
int calendar_days_in_month(int64_t year, int month);
int calendar_weekday(int64_t days); /* 1: Monday, ... 7: Sunday */

/* A quotient rounded towards minus infinity: -1 / 86400 is -1. */
int64_t calendar_divide(int64_t number, int64_t by);

extern const char *const calendar_month_names[12];
extern const char *const calendar_weekday_names[7]; /* Monday first */

#endif
