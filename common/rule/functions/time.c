/* parse_time(): formats a time by a pattern of Joda-Time (org.joda.time.format.DateTimeFormat, to
 * which the guide refers), with English names.
 *
 * A pattern consists of runs of letters, and of text in quotes. A run writes a few characters, or
 * as many as it has letters, so the length of the result is bounded by the length of the pattern.
 */
#include "function.h"
#include "zone.h"
#include "common/base/calendar.h"

#include <string.h>

/* A moment in the local time of a zone. */
struct shown {
    const struct rule_zone *zone;
    struct rule_clock clock;
    struct calendar_date date;
    int64_t days;          /* since 1970-01-01 */
    int64_t week_year;     /* the year that the ISO week belongs to */
    int week, day_of_year; /* from 1 */
    int hour, minute, second, millisecond;
};

static int64_t first_week(int64_t year)
{
    int64_t fourth = calendar_days((struct calendar_date){year, 1, 4});
    return fourth - (calendar_weekday(fourth) - 1);
}

/* ISO 8601: a week begins on Monday, and the first week contains January 4. */
static void find_week(struct shown *shown)
{
    shown->week_year = shown->date.year;
    if (shown->days < first_week(shown->week_year))
        shown->week_year--;
    else if (shown->days >= first_week(shown->week_year + 1))
        shown->week_year++;
    shown->week = (int)((shown->days - first_week(shown->week_year)) / 7) + 1;
}

static void show(struct shown *shown, const struct rule_zone *zone, int64_t milliseconds)
{
    int64_t seconds = calendar_divide(milliseconds, 1000);
    shown->zone = zone;
    rule_zone_at(zone, seconds, &shown->clock);
    shown->millisecond = (int)(milliseconds - seconds * 1000);
    seconds += shown->clock.offset;
    shown->days = calendar_divide(seconds, DAY);
    int of_day = (int)(seconds - shown->days * DAY);
    shown->hour = of_day / HOUR;
    shown->minute = of_day % HOUR / MINUTE;
    shown->second = of_day % MINUTE;
    shown->date = calendar_date(shown->days);
    shown->day_of_year =
        (int)(shown->days - calendar_days((struct calendar_date){shown->date.year, 1, 1})) + 1;
    find_week(shown);
}

/* --- writing --- */

static void add_zeros(struct rule_output *output, size_t count)
{
    static const char zeros[] = "0000000000000000000000000000000000000000";
    for (size_t some; count; count -= some) {
        some = count < strlen(zeros) ? count : strlen(zeros);
        rule_output_add(output, zeros, some);
    }
}

static void add_string(struct rule_output *output, const char *string)
{
    rule_output_add(output, string, strlen(string));
}

/* Padded with zeros to that many digits; a minus does not count. */
static void add_number(struct rule_output *output, int64_t number, size_t digits)
{
    char made[24];
    size_t at = sizeof made;
    uint64_t left = number < 0 ? -(uint64_t)number : (uint64_t)number;
    do
        made[--at] = (char)('0' + left % 10);
    while (left /= 10);
    size_t length = sizeof made - at;
    if (number < 0)
        add_string(output, "-");
    if (length < digits)
        add_zeros(output, digits - length);
    rule_output_add(output, made + at, length);
}

/* A year of two letters has its last two digits. */
static void add_year(struct rule_output *output, int64_t year, size_t count)
{
    if (count == 2)
        add_number(output, (year < 0 ? -year : year) % 100, 2);
    else
        add_number(output, year, count);
}

static void add_fraction(struct rule_output *output, int millisecond, size_t count)
{
    const char digits[] = {(char)('0' + millisecond / 100), (char)('0' + millisecond / 10 % 10),
                           (char)('0' + millisecond % 10)};
    rule_output_add(output, digits, count < 3 ? count : 3);
    add_zeros(output, count < 3 ? 0 : count - 3);
}

static void add_name(struct rule_output *output, const char *name, size_t count)
{
    rule_output_add(output, name, count >= 4 ? strlen(name) : 3);
}

/* Z: +0100. ZZ: +01:00. ZZZ and more: the name of the zone. */
static void add_offset(struct rule_output *output, const struct shown *shown, size_t count)
{
    if (count > 2) {
        add_string(output, shown->zone->name);
        return;
    }
    int offset = shown->clock.offset;
    add_string(output, offset < 0 ? "-" : "+");
    offset = offset < 0 ? -offset : offset;
    add_number(output, offset / HOUR, 2);
    add_string(output, count == 2 ? ":" : "");
    add_number(output, offset % HOUR / MINUTE, 2);
}

static void add_zone_name(struct rule_output *output, const struct shown *shown, size_t count)
{
    const char *name = count >= 4 ? rule_zone_long_name(&shown->clock) : NULL;
    add_string(output, name ? name : shown->clock.short_name);
}

/* --- pattern --- */

/* The letters that write a number, with at least as many digits as there are letters. */
static bool number_of(const struct shown *shown, char letter, int64_t *number)
{
    int64_t year = shown->date.year;
    switch (letter) {
    case 'C':
        *number = (year < 0 ? -year : year) / 100;
        break;
    case 'w':
        *number = shown->week;
        break;
    case 'e':
        *number = calendar_weekday(shown->days);
        break;
    case 'D':
        *number = shown->day_of_year;
        break;
    case 'd':
        *number = shown->date.day;
        break;
    case 'K':
        *number = shown->hour % 12;
        break;
    case 'h':
        *number = (shown->hour + 11) % 12 + 1;
        break;
    case 'H':
        *number = shown->hour;
        break;
    case 'k':
        *number = (shown->hour + 23) % 24 + 1;
        break;
    case 'm':
        *number = shown->minute;
        break;
    case 's':
        *number = shown->second;
        break;
    default:
        return false;
    }
    return true;
}

/* The other letters. False: not a letter of a pattern. */
static bool add_other(struct rule_output *output, const struct shown *shown, char letter,
                      size_t count)
{
    int64_t year = shown->date.year;
    switch (letter) {
    case 'G':
        add_string(output, year > 0 ? "AD" : "BC");
        break;
    case 'Y':
        add_year(output, count == 2 || year > 0 ? year : 1 - year, count);
        break;
    case 'y':
        add_year(output, year, count);
        break;
    case 'x':
        add_year(output, shown->week_year, count);
        break;
    case 'E':
        add_name(output, calendar_weekday_names[calendar_weekday(shown->days) - 1], count);
        break;
    case 'M':
        if (count > 2)
            add_name(output, calendar_month_names[shown->date.month - 1], count);
        else
            add_number(output, shown->date.month, count);
        break;
    case 'a':
        add_string(output, shown->hour < 12 ? "AM" : "PM");
        break;
    case 'S':
        add_fraction(output, shown->millisecond, count);
        break;
    case 'z':
        add_zone_name(output, shown, count);
        break;
    case 'Z':
        add_offset(output, shown, count);
        break;
    default:
        return false;
    }
    return true;
}

/* Text in quotes, up to the closing quote or the end; '' is a quote. Returns how much it read. */
static size_t add_quoted(struct rule_output *output, const char *at, size_t length)
{
    size_t i = 1;
    if (length > 1 && at[1] == '\'') {
        add_string(output, "'");
        return 2;
    }
    while (i < length && (at[i] != '\'' || (i + 1 < length && at[i + 1] == '\''))) {
        i += at[i] == '\'';
        rule_output_add(output, at + i++, 1);
    }
    return i < length ? i + 1 : i;
}

static bool is_letter(char character)
{
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z');
}

static bool add_letters(struct rule_output *output, const struct shown *shown, char letter,
                        size_t count)
{
    int64_t number;
    if (!number_of(shown, letter, &number))
        return add_other(output, shown, letter, count);
    add_number(output, number, count);
    return true;
}

/* False: the pattern has a letter without a meaning. */
static bool format(struct rule_output *output, const struct shown *shown, const char *at,
                   size_t length)
{
    for (size_t i = 0, count; i < length; i += count) {
        count = 1;
        if (at[i] == '\'') {
            count = add_quoted(output, at + i, length - i);
        } else if (!is_letter(at[i])) {
            rule_output_add(output, at + i, 1);
        } else {
            while (i + count < length && at[i + count] == at[i])
                count++;
            if (!add_letters(output, shown, at[i], count))
                return false;
        }
    }
    return true;
}

void function_parse_time(struct rule_call *call)
{
    struct rule_value pattern, name = rule_string("UTC", 3);
    struct rule_zone zone;
    struct shown shown;
    int64_t time;
    if (!rule_string_argument(call, 0, &pattern) || !pattern.string.length ||
        !rule_exact_argument(call, 1, RULE_HALF_UP, &time) ||
        (call->count == 3 && !rule_string_argument(call, 2, &name)) ||
        !rule_zone_find(name.string.at, name.string.length, &zone))
        return;
    show(&shown, &zone, time);
    struct rule_output output = {.memory = call->memory};
    if (format(&output, &shown, pattern.string.at, pattern.string.length) && !call->memory->failed)
        *call->result = rule_output_string(&output);
}
