#include "values.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

bool address_read(const char *string, unsigned char address[16])
{
    static const unsigned char mapped[12] = {[10] = 0xFF, [11] = 0xFF};
    memcpy(address, mapped, sizeof mapped);
    return inet_pton(AF_INET, string, address + sizeof mapped) == 1 ||
           inet_pton(AF_INET6, string, address) == 1;
}

static bool two_digits(const char *text, int least, int most, int *value)
{
    if (!isdigit((unsigned char)text[0]) || !isdigit((unsigned char)text[1]))
        return false;
    *value = (text[0] - '0') * 10 + text[1] - '0';
    return *value >= least && *value <= most;
}

/* Days since 1970-01-01 in the Gregorian calendar. Years are counted from March, so that a leap day
 * is the last day of its year; 400 years have 146,097 days. */
static int64_t days_since_1970(int year, int month, int day)
{
    int64_t shifted = year - (month <= 2), era = shifted / 400, of_era = shifted - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* "T10:00Z", "T10:00:00.5+02:00". False: not a time of day with a time zone. *seconds is relative
 * to midnight UTC of the written date, so it can be negative. */
static bool read_time_of_day(const char *text, double *seconds)
{
    int hour, minute, second = 0, zone_hour = 0, zone_minute = 0;
    double fraction = 0;
    if (text[0] != 'T' || !two_digits(text + 1, 0, 23, &hour) || text[3] != ':' ||
        !two_digits(text + 4, 0, 59, &minute))
        return false;
    text += 6;
    if (*text == ':') {
        if (!two_digits(text + 1, 0, 60, &second))
            return false;
        text += 3;
    }
    if (*text == '.') {
        double unit = 0.1;
        for (text++; isdigit((unsigned char)*text); text++, unit /= 10)
            fraction += (*text - '0') * unit;
    }
    int sign = *text == '-' ? 1 : -1;
    if (*text == '+' || *text == '-') {
        if (!two_digits(text + 1, 0, 23, &zone_hour) || text[3] != ':' ||
            !two_digits(text + 4, 0, 59, &zone_minute) || text[6])
            return false;
    } else if (text[0] != 'Z' || text[1]) {
        return false;
    }
    *seconds = (hour + sign * zone_hour) * 3600 + (minute + sign * zone_minute) * 60 + second;
    *seconds += fraction;
    return true;
}

bool date_read(const char *string, double *seconds)
{
    int century, year, month = 1, day = 1;
    double of_day = 0;
    char *end;
    if (strspn(string, "0123456789") != 4) {
        *seconds = strtod(string, &end);
        return end != string && !*end;
    }
    if (!two_digits(string, 0, 99, &century) || !two_digits(string + 2, 0, 99, &year))
        return false;
    string += 4;
    for (int *part = &month; part && *string == '-'; part = part == &month ? &day : NULL) {
        if (!two_digits(string + 1, 1, part == &month ? 12 : 31, part))
            return false;
        string += 3;
    }
    if (*string && !read_time_of_day(string, &of_day))
        return false;
    *seconds = (double)days_since_1970(century * 100 + year, month, day) * 86400 + of_day;
    return true;
}
