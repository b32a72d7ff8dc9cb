#include "calendar.h"

const char *const calendar_month_names[12] = {"January",   "February", "March",    "April",
                                              "May",       "June",     "July",     "August",
                                              "September", "October",  "November", "December"};
const char *const calendar_weekday_names[7] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                               "Friday", "Saturday", "Sunday"};

/* Days from 0000-03-01 to 1970-01-01. */
enum { EPOCH = 719468 };

int64_t calendar_divide(int64_t number, int64_t by)
{
    return number / by - (number % by < 0);
}

bool calendar_leap_year(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int calendar_days_in_month(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && calendar_leap_year(year));
}

/* The computation uses years that begin on March 1, so that a leap day is the last day of its year.
 * 400 years (an era) have 146,097 days. (153 * month + 2) / 5 is the number of days before a month,
 * when March is month 0. */
int64_t calendar_days(struct calendar_date date)
{
    int64_t year = date.year - (date.month <= 2), era = calendar_divide(year, 400);
    int64_t of_era = year - era * 400, month = (date.month + 9) % 12;
    int64_t of_year = (153 * month + 2) / 5 + date.day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - EPOCH;
}

struct calendar_date calendar_date(int64_t days)
{
    days += EPOCH;
    int64_t era = calendar_divide(days, 146097), of_era = days - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100),
            month = (5 * of_year + 2) / 153;
    struct calendar_date date = {
        .month = (int)(month < 10 ? month + 3 : month - 9),
        .day = (int)(of_year - (153 * month + 2) / 5 + 1),
    };
    date.year = year + era * 400 + (date.month <= 2);
    return date;
}

int calendar_weekday(int64_t days)
{
    return (int)(days + 3 - calendar_divide(days + 3, 7) * 7) + 1; /* 1970-01-01: a Thursday */
}
