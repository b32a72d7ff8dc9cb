/* time_to_epoch(): parses a time by a pattern of JDK 11 (java.time.format.DateTimeFormatter, to
 * which the guide refers), with English names. It resolves dates as Java's SMART style: a day that
 * its month does not have becomes the last day of the month.
 *
 * Pattern and text are read side by side into fields. At the end they make a date, a time of day
 * and an offset. A number of variable width leaves the digits to the numbers of fixed width that
 * follow it directly ("yyyyMMdd"). */
#include "function.h"
#include "zone.h"
#include "common/base/calendar.h"

#include <string.h>

enum { NANO = 1000 * 1000 * 1000 };
enum { LONGEST_NUMBER = 19, DEEPEST_OPTION = 8 };

enum field {
    YEAR, /* 0 is 1 BC */
    YEAR_OF_ERA,
    ERA, /* 0: BC, 1: AD */
    DAY_OF_YEAR,
    MONTH,
    QUARTER,
    DAY_OF_MONTH,
    WEEK_YEAR,
    WEEK,
    WEEK_OF_MONTH,
    WEEKDAY,       /* from Monday */
    LOCAL_WEEKDAY, /* from Sunday */
    HALF_DAY,
    HOUR_OF_HALF, /* 0 to 11 */
    CLOCK_HOUR_OF_HALF,
    HOUR_OF_DAY,
    CLOCK_HOUR, /* 1 to 24; 0 is read too */
    MINUTE_OF_HOUR,
    SECOND_OF_MINUTE,
    NANO_OF_SECOND,
    MILLI_OF_DAY,
    NANO_OF_DAY,
    OFFSET, /* seconds east of Greenwich */
    FIELDS
};

/* The range of each field. */
static const struct {
    int64_t least, most;
} ranges[FIELDS] = {
    [YEAR] = {-999999999, 999999999},
    [YEAR_OF_ERA] = {1, 999999999},
    [ERA] = {0, 1},
    [DAY_OF_YEAR] = {1, 366},
    [MONTH] = {1, 12},
    [QUARTER] = {1, 4},
    [DAY_OF_MONTH] = {1, 31},
    [WEEK_YEAR] = {-999999999, 999999999},
    [WEEK] = {1, 53},
    [WEEK_OF_MONTH] = {0, 6},
    [WEEKDAY] = {1, 7},
    [LOCAL_WEEKDAY] = {1, 7},
    [HALF_DAY] = {0, 1},
    [HOUR_OF_HALF] = {0, 11},
    [CLOCK_HOUR_OF_HALF] = {0, 12},
    [HOUR_OF_DAY] = {0, 24}, /* 24:00 is the end of the day */
    [CLOCK_HOUR] = {0, 24},
    [MINUTE_OF_HOUR] = {0, 59},
    [SECOND_OF_MINUTE] = {0, 59},
    [NANO_OF_SECOND] = {0, NANO - 1},
    [MILLI_OF_DAY] = {0, 86399999},
    [NANO_OF_DAY] = {0, 86399999999999},
    [OFFSET] = {-18 * HOUR, 18 * HOUR},
};

/* What was read so far. */
struct reading {
    bool has[FIELDS];
    int64_t fields[FIELDS];
    bool has_zone; /* zone was filled */
    struct rule_zone *zone;
};

/* What is not read yet of the text. */
struct text_left {
    const char *at, *end;
};

struct reader {
    struct text_left text;
    const char *pattern, *pattern_end;
    struct reading reading;
};

/* False: out of range, or the field has another value already. */
static bool set(struct reading *reading, enum field field, int64_t value)
{
    if (value < ranges[field].least || value > ranges[field].most ||
        (reading->has[field] && reading->fields[field] != value))
        return false;
    reading->has[field] = true;
    reading->fields[field] = value;
    return true;
}

/* --- numbers --- */

/* Which sign a number can have: "-"; none; "-", and "+" exactly when it has more digits than least.
 */
enum sign { SIGN_MINUS, SIGN_NONE, SIGN_EXCEEDS };

struct number {
    enum field field;
    size_t least, most; /* digits */
    enum sign sign;
    bool fraction; /* the digits are those behind a decimal point */
    bool reduced;  /* the last two digits of a year from 2000 to 2099 */
};

static bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

static size_t digits_at(const struct text_left *text, size_t most)
{
    size_t count = 0;
    while (count < most && text->at + count < text->end && is_digit(text->at[count]))
        count++;
    return count;
}

/* reserved: digits that belong to the next numbers of the pattern. */
static bool read_digits(struct text_left *text, const struct number *number, size_t reserved,
                        int64_t *value, size_t *count)
{
    *count = digits_at(text, number->most + reserved);
    if (reserved)
        *count = *count > reserved + number->least ? *count - reserved : number->least;
    if (*count > number->most)
        *count = number->most;
    if (digits_at(text, *count) < *count || *count < number->least)
        return false;
    *value = 0;
    for (size_t i = 0; i < *count; i++)
        if (__builtin_mul_overflow(*value, 10, value) ||
            __builtin_add_overflow(*value, text->at[i] - '0', value))
            return false;
    text->at += *count;
    return true;
}

static char read_sign(struct text_left *text, enum sign sign)
{
    char found = text->at < text->end ? *text->at : 0;
    if (!((found == '-' && sign != SIGN_NONE) || (found == '+' && sign == SIGN_EXCEEDS)))
        return 0;
    text->at++;
    return found;
}

static bool read_number(struct reader *reader, const struct number *number, size_t reserved)
{
    int64_t value;
    size_t count;
    char sign = read_sign(&reader->text, number->sign);
    if (!read_digits(&reader->text, number, reserved, &value, &count))
        return false;
    if (number->sign == SIGN_EXCEEDS &&
        ((sign == '+' && count <= number->least) || (!sign && count > number->least)))
        return false;
    if (sign == '-' && !value)
        return false;
    if (number->fraction)
        for (size_t i = count; i < 9; i++)
            value *= 10;
    return set(&reader->reading, number->field,
               (sign == '-' ? -value : value) + (number->reduced ? 2000 : 0));
}

/* --- names --- */

static bool read_name(struct text_left *text, const char *name, size_t length)
{
    if (length > (size_t)(text->end - text->at) || memcmp(text->at, name, length) != 0)
        return false;
    text->at += length;
    return true;
}

/* letters 3: the first three letters of a name; 4: all of it; 5: its first letter, if no other name
 * has it. */
static bool read_named(struct reader *reader, enum field field, const char *const *names,
                       size_t count, size_t letters)
{
    size_t found = 0, matches = 0;
    for (size_t i = 0; i < count; i++) {
        size_t length = letters == 4 ? strlen(names[i]) : letters == 5 ? 1 : 3;
        struct text_left text = reader->text;
        if (!read_name(&text, names[i], length))
            continue;
        found = i;
        matches++;
    }
    if (matches != 1)
        return false;
    reader->text.at += letters == 4 ? strlen(names[found]) : letters == 5 ? 1 : 3;
    return set(&reader->reading, field, (int64_t)found + 1);
}

static bool read_either(struct reader *reader, enum field field, const char *no, const char *yes)
{
    bool second = read_name(&reader->text, yes, strlen(yes));
    return (second || read_name(&reader->text, no, strlen(no))) &&
           set(&reader->reading, field, second);
}

static bool read_era(struct reader *reader, size_t letters)
{
    if (letters > 5)
        return false;
    return letters == 5   ? read_either(reader, ERA, "B", "A")
           : letters == 4 ? read_either(reader, ERA, "Before Christ", "Anno Domini")
                          : read_either(reader, ERA, "BC", "AD");
}

static bool read_quarter(struct reader *reader, size_t letters)
{
    static const char *const names[] = {"1st quarter", "2nd quarter", "3rd quarter", "4th quarter"};
    for (int64_t i = 0; letters == 4 && i < 4; i++)
        if (read_name(&reader->text, names[i], strlen(names[i])))
            return set(&reader->reading, QUARTER, i + 1);
    if (letters == 3 && !read_name(&reader->text, "Q", 1))
        return false;
    struct number number = {.field = QUARTER, .least = 1, .most = 1, .sign = SIGN_NONE};
    return (letters == 3 || letters == 5) && read_number(reader, &number, 0);
}

/* --- offsets and zones --- */

static bool two_digits(struct text_left *text, int below, int *number)
{
    if (digits_at(text, 2) < 2)
        return false;
    *number = (text->at[0] - '0') * 10 + (text->at[1] - '0');
    text->at += 2;
    return *number < below;
}

static bool read_part(struct text_left *text, bool colon, int *number)
{
    struct text_left left = *text;
    int found;
    if ((colon && !read_name(&left, ":", 1)) || !two_digits(&left, 60, &found))
        return false;
    *text = left;
    *number = found;
    return true;
}

/* Reads an offset. shape is one of Java's OffsetIdPrinterParser, such as "+HHmm": minutes in
 * capitals are required; with "ss", seconds can follow. zero is the text of the offset 0. */
static bool read_offset(struct text_left *text, const char *shape, const char *zero,
                        int64_t *offset)
{
    bool colon = strchr(shape, ':') != NULL;
    int hours, minutes = 0, seconds = 0;
    *offset = 0;
    if (read_name(text, zero, strlen(zero)))
        return true;
    bool west = read_name(text, "-", 1);
    if ((!west && !read_name(text, "+", 1)) || !two_digits(text, 19, &hours))
        return false;
    bool more = read_part(text, colon, &minutes);
    if (!more && strstr(shape, "MM"))
        return false;
    if (more && strstr(shape, "ss"))
        read_part(text, colon, &seconds);
    *offset = (int64_t)(hours * HOUR + minutes * MINUTE + seconds) * (west ? -1 : 1);
    return true;
}

/* "GMT", "GMT+8", "GMT+8:30"; full: "GMT+08:00", with two digits of hours, and with minutes. */
static bool read_gmt_offset(struct text_left *text, bool full, int64_t *offset)
{
    *offset = 0;
    if (!read_name(text, "GMT", 3))
        return false;
    bool west = read_name(text, "-", 1);
    int hours, minutes = 0, seconds = 0;
    if (!west && !read_name(text, "+", 1))
        return true;
    if (full || digits_at(text, 2) == 2) {
        if (!two_digits(text, 19, &hours))
            return false;
    } else {
        if (!digits_at(text, 1))
            return false;
        hours = *text->at++ - '0';
    }
    if (read_part(text, true, &minutes))
        read_part(text, true, &seconds);
    else if (full)
        return false;
    *offset = (int64_t)(hours * HOUR + minutes * MINUTE + seconds) * (west ? -1 : 1);
    return true;
}

static bool read_offset_letters(struct reader *reader, char letter, size_t count)
{
    static const char *const shapes[] = {"+HHmm", "+HHMM", "+HH:MM", "+HHMMss", "+HH:MM:ss"};
    static const char *const zeros[] = {"+00", "+0000", "+00:00", "+0000", "+00:00"};
    struct text_left *text = &reader->text;
    int64_t offset = 0;
    bool read = false;
    if (count > 5)
        return false;
    if (letter == 'X')
        read = read_offset(text, shapes[count - 1], "Z", &offset);
    else if (letter == 'x')
        read = read_offset(text, shapes[count - 1], zeros[count - 1], &offset);
    else if (letter == 'O')
        read = (count == 1 || count == 4) && read_gmt_offset(text, count == 4, &offset);
    else if (letter == 'Z' && count == 4)
        read = read_gmt_offset(text, true, &offset);
    else if (letter == 'Z')
        read = count == 5 ? read_offset(text, "+HH:MM:ss", "Z", &offset)
                          : read_offset(text, "+HHMM", "+0000", &offset);
    return read && set(&reader->reading, OFFSET, offset);
}

static bool part_of_zone(char character)
{
    return is_digit(character) || (character >= 'a' && character <= 'z') ||
           (character >= 'A' && character <= 'Z') || (character && strchr("/_+-", character));
}

/* "+01:00", also after "UTC", "GMT" or "UT". False: not an offset, and nothing was read. */
static bool read_zone_offset(struct text_left *text, int64_t *offset)
{
    static const char *const prefixes[] = {"UTC", "GMT", "UT", ""};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        struct text_left behind = *text;
        if (!read_name(&behind, prefixes[i], strlen(prefixes[i])) || behind.at == behind.end ||
            (*behind.at != '+' && *behind.at != '-') ||
            !read_offset(&behind, "+HH:MM:ss", "Z", offset))
            continue;
        *text = behind;
        return true;
    }
    return false;
}

/* Finds the zone with the longest name that the text begins with. Returns its length; 0: none. */
static size_t find_zone(const char *at, size_t length, bool names, struct rule_zone *zone)
{
    size_t used;
    const char *name = names ? rule_zone_of_long_name(at, length, &used) : NULL;
    if (name)
        return rule_zone_find(name, strlen(name), zone) ? used : 0;
    if (length && (*at == '+' || *at == '-'))
        return 0; /* an offset that Java does not read */
    used = 0;
    while (used < length && used < RULE_LONGEST_ZONE && part_of_zone(at[used]))
        used++;
    for (; used; used--) {
        name = names ? rule_zone_of_short_name(at, used) : NULL;
        if (name ? rule_zone_find(name, strlen(name), zone) : rule_zone_find(at, used, zone))
            return used;
    }
    return length && *at == 'Z' && rule_zone_find("UTC", 3, zone);
}

/* An offset, an identifier of the tz database, or (names) a short or long name of a zone. */
static bool read_zone(struct reader *reader, bool names)
{
    struct text_left *text = &reader->text;
    int64_t offset;
    reader->reading.has_zone = true;
    if (read_zone_offset(text, &offset)) {
        if (offset < ranges[OFFSET].least || offset > ranges[OFFSET].most)
            return false;
        rule_zone_fixed((int32_t)offset, reader->reading.zone);
        return true;
    }
    size_t length =
        find_zone(text->at, (size_t)(text->end - text->at), names, reader->reading.zone);
    text->at += length;
    return length > 0;
}

/* --- pattern --- */

static struct number variable(enum field field)
{
    return (struct number){.field = field, .least = 1, .most = LONGEST_NUMBER};
}

static struct number fixed(enum field field, size_t digits)
{
    return (struct number){.field = field, .least = digits, .most = digits, .sign = SIGN_NONE};
}

static struct number at_least(enum field field, size_t least, size_t most)
{
    return (struct number){.field = field, .least = least, .most = most, .sign = SIGN_NONE};
}

static struct number a_year(enum field field, size_t count)
{
    struct number number = count == 2 ? fixed(field, 2) : variable(field);
    number.reduced = count == 2;
    if (count > 2)
        number.least = count;
    if (count > 3)
        number.sign = SIGN_EXCEEDS;
    return number;
}

/* Letters that mean the same number, of any width (one letter) or of two digits (two letters). */
static bool plain_field(char letter, enum field *field)
{
    static const char letters[] = "MLdhHkKmsQq";
    static const enum field fields[] = {
        MONTH,      MONTH,        DAY_OF_MONTH,   CLOCK_HOUR_OF_HALF, HOUR_OF_DAY,
        CLOCK_HOUR, HOUR_OF_HALF, MINUTE_OF_HOUR, SECOND_OF_MINUTE,   QUARTER,
        QUARTER};
    const char *found = strchr(letters, letter);
    if (found)
        *field = fields[found - letters];
    return found;
}

/* The number that a run of count letters reads. False: it reads no number. */
static bool number_of(char letter, size_t count, struct number *number)
{
    enum field field;
    if (plain_field(letter, &field)) {
        *number = count == 1 ? variable(field) : fixed(field, 2);
        return count <= 2;
    }
    switch (letter) {
    case 'u':
        *number = a_year(YEAR, count);
        return count <= LONGEST_NUMBER;
    case 'y':
        *number = a_year(YEAR_OF_ERA, count);
        return count <= LONGEST_NUMBER;
    case 'Y':
        *number = a_year(WEEK_YEAR, count);
        return count <= LONGEST_NUMBER;
    case 'D':
        *number = count == 1 ? variable(DAY_OF_YEAR) : at_least(DAY_OF_YEAR, count, 3);
        return count <= 3;
    case 'w':
        *number = at_least(WEEK, count, 2);
        return count <= 2;
    case 'W':
    case 'F':
        *number = at_least(WEEK_OF_MONTH, 1, 1);
        return count == 1;
    case 'e':
    case 'c':
        *number = fixed(LOCAL_WEEKDAY, count);
        return count == 1 || (count == 2 && letter == 'e');
    case 'S':
        *number = fixed(NANO_OF_SECOND, count);
        number->fraction = true;
        return count <= 9;
    case 'A':
        *number = at_least(MILLI_OF_DAY, count, LONGEST_NUMBER);
        return count <= LONGEST_NUMBER;
    case 'n':
        *number = at_least(NANO_OF_SECOND, count, LONGEST_NUMBER);
        return count <= LONGEST_NUMBER;
    case 'N':
        *number = at_least(NANO_OF_DAY, count, LONGEST_NUMBER);
        return count <= LONGEST_NUMBER;
    default:
        return false;
    }
}

static bool is_letter(char character)
{
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z');
}

static size_t run_of_letters(const char *at, const char *end)
{
    size_t count = 1;
    while (at + count < end && at[count] == *at)
        count++;
    return count;
}

/* The digits of the numbers of fixed width that follow next in the pattern. */
static size_t reserved_digits(const struct reader *reader)
{
    size_t reserved = 0;
    struct number number;
    for (const char *at = reader->pattern; at < reader->pattern_end && is_letter(*at);) {
        size_t count = run_of_letters(at, reader->pattern_end);
        if (!number_of(*at, count, &number) || number.least != number.most)
            break;
        reserved += number.most;
        at += count;
    }
    return reserved;
}

static bool read_names(struct reader *reader, char letter, size_t count)
{
    size_t letters = count < 3 ? 3 : count;
    if (count > 5)
        return false;
    switch (letter) {
    case 'G':
        return read_era(reader, count);
    case 'M':
    case 'L':
        return read_named(reader, MONTH, calendar_month_names, 12, letters);
    case 'E':
    case 'e':
    case 'c':
        return (letter == 'E' || count > 2) &&
               read_named(reader, WEEKDAY, calendar_weekday_names, 7, letters);
    case 'Q':
    case 'q':
        return read_quarter(reader, letters);
    case 'a':
        return count == 1 && read_either(reader, HALF_DAY, "AM", "PM");
    case 'V':
        return count == 2 && read_zone(reader, false);
    case 'z':
        return count <= 4 && read_zone(reader, true);
    case 'v':
        return (count == 1 || count == 4) && read_zone(reader, true);
    default:
        return read_offset_letters(reader, letter, count);
    }
}

/* Reads what the next run of a letter in the pattern reads. */
static bool read_letters(struct reader *reader)
{
    char letter = *reader->pattern;
    size_t count = run_of_letters(reader->pattern, reader->pattern_end);
    struct number number;
    reader->pattern += count;
    if (!number_of(letter, count, &number))
        return read_names(reader, letter, count);
    return read_number(reader, &number, number.least < number.most ? reserved_digits(reader) : 0);
}

/* "ppH": the next run of a letter, padded with blanks to the width of the run of p. */
static bool read_padded(struct reader *reader)
{
    size_t width = run_of_letters(reader->pattern, reader->pattern_end);
    reader->pattern += width;
    const char *end = reader->text.end;
    if (reader->pattern == reader->pattern_end || !is_letter(*reader->pattern) ||
        *reader->pattern == 'p' || width > (size_t)(end - reader->text.at))
        return false;
    reader->text.end = reader->text.at + width;
    while (reader->text.at < reader->text.end && *reader->text.at == ' ')
        reader->text.at++;
    bool right = read_letters(reader) && reader->text.at == reader->text.end;
    reader->text.end = end;
    return right;
}

/* Text in quotes; '' is a quote, inside too. */
static bool read_quoted(struct reader *reader)
{
    const char *at = reader->pattern + 1, *end = reader->pattern_end;
    if (at < end && *at == '\'' && (at + 1 == end || at[1] != '\'')) {
        reader->pattern = at + 1;
        return read_name(&reader->text, "'", 1);
    }
    for (; at < end && (*at != '\'' || (at + 1 < end && at[1] == '\'')); at++) {
        at += *at == '\'';
        if (!read_name(&reader->text, at, 1))
            return false;
    }
    reader->pattern = at + 1;
    return at < end;
}

/* After the "]" that closes the option that was opened before at; end: there is none. */
static const char *behind_option(const char *at, const char *end)
{
    bool quoted = false;
    for (int open = 1; at < end; at++) {
        quoted ^= *at == '\'';
        if (quoted)
            continue;
        open += *at == '[' ? 1 : *at == ']' ? -1 : 0;
        if (!open)
            return at + 1;
    }
    return end;
}

static bool read_pattern(struct reader *reader, int depth);

/* "[...]": when the text does not match, nothing is read and parsing goes on. */
static bool read_option(struct reader *reader, int depth)
{
    const char *behind = behind_option(++reader->pattern, reader->pattern_end);
    struct reader before = *reader;
    if (depth == DEEPEST_OPTION)
        return false;
    if (!read_pattern(reader, depth + 1))
        *reader = before;
    reader->pattern = behind;
    return true;
}

/* Up to the end of the pattern, or to the "]" of the option. */
static bool read_pattern(struct reader *reader, int depth)
{
    while (reader->pattern < reader->pattern_end) {
        char next = *reader->pattern;
        bool fits;
        if (next == ']')
            return depth > 0;
        if (next == '[')
            fits = read_option(reader, depth);
        else if (next == 'p')
            fits = read_padded(reader);
        else if (is_letter(next))
            fits = read_letters(reader);
        else if (next == '\'')
            fits = read_quoted(reader);
        else
            fits = !strchr("{}#", next) && read_name(&reader->text, reader->pattern++, 1);
        if (!fits)
            return false;
    }
    return true;
}

/* --- resolving the fields --- */

static bool find_year(struct reading *reading)
{
    int64_t of_era = reading->fields[YEAR_OF_ERA];
    bool before;
    if (!reading->has[YEAR_OF_ERA])
        return true;
    if (reading->has[ERA])
        before = !reading->fields[ERA];
    else
        before = reading->has[YEAR] && reading->fields[YEAR] < 1;
    return set(reading, YEAR, before ? 1 - of_era : of_era);
}

/* The Sunday that the first week of a year begins with; in days since 1970-01-01. */
static int64_t first_sunday(int64_t year)
{
    int64_t first = calendar_days((struct calendar_date){year, 1, 1});
    return first - calendar_weekday(first) % 7;
}

/* Days since 1970-01-01. Weeks are those of the United States: they begin on Sunday, and the first
 * one contains January 1. */
static bool find_days(const struct reading *reading, int64_t *days)
{
    const bool *has = reading->has;
    const int64_t *fields = reading->fields;
    int64_t year = fields[YEAR];
    if (has[YEAR] && has[MONTH] && has[DAY_OF_MONTH]) {
        int month = (int)fields[MONTH], day = (int)fields[DAY_OF_MONTH];
        int last = calendar_days_in_month(year, month);
        *days = calendar_days((struct calendar_date){year, month, day < last ? day : last});
        return true;
    }
    if (has[YEAR] && has[DAY_OF_YEAR]) {
        *days = calendar_days((struct calendar_date){year, 1, 1}) + fields[DAY_OF_YEAR] - 1;
        return fields[DAY_OF_YEAR] < 366 || calendar_leap_year(year);
    }
    if (!has[WEEK_YEAR] || !has[WEEK] || (!has[WEEKDAY] && !has[LOCAL_WEEKDAY]))
        return false;
    int64_t from_sunday = has[LOCAL_WEEKDAY] ? fields[LOCAL_WEEKDAY] - 1 : fields[WEEKDAY] % 7;
    *days = first_sunday(fields[WEEK_YEAR]) + 7 * (fields[WEEK] - 1) + from_sunday;
    return true;
}

static bool week_fits(struct reading *reading, int64_t days, const struct calendar_date *date)
{
    int64_t first = calendar_days((struct calendar_date){date->year, date->month, 1});
    bool next = days >= first_sunday(date->year + 1);
    int64_t week = (days - first_sunday(date->year + next)) / 7 + 1;
    int64_t of_month = (days - first + calendar_weekday(first) % 7) / 7 + 1;
    return set(reading, WEEK_YEAR, date->year + next) && set(reading, WEEK, week) &&
           set(reading, WEEK_OF_MONTH, of_month);
}

/* Whether the fields that the date was not made of are right for it. */
static bool date_fits(struct reading *reading, int64_t days)
{
    struct calendar_date date = calendar_date(days);
    int64_t of_year = days - calendar_days((struct calendar_date){date.year, 1, 1}) + 1;
    int weekday = calendar_weekday(days);
    bool clamped = reading->has[MONTH] && date.day < reading->fields[DAY_OF_MONTH];
    return set(reading, YEAR, date.year) && set(reading, MONTH, date.month) &&
           (clamped || set(reading, DAY_OF_MONTH, date.day)) &&
           set(reading, DAY_OF_YEAR, of_year) && set(reading, QUARTER, (date.month + 2) / 3) &&
           set(reading, WEEKDAY, weekday) && set(reading, LOCAL_WEEKDAY, weekday % 7 + 1) &&
           week_fits(reading, days, &date);
}

static bool find_hour(struct reading *reading)
{
    const int64_t *fields = reading->fields;
    if (reading->has[CLOCK_HOUR] && !set(reading, HOUR_OF_DAY, fields[CLOCK_HOUR] % 24))
        return false;
    if (reading->has[CLOCK_HOUR_OF_HALF] &&
        !set(reading, HOUR_OF_HALF, fields[CLOCK_HOUR_OF_HALF] % 12))
        return false;
    return !reading->has[HALF_DAY] || !reading->has[HOUR_OF_HALF] ||
           set(reading, HOUR_OF_DAY, fields[HALF_DAY] * 12 + fields[HOUR_OF_HALF]);
}

static bool set_seconds(struct reading *reading, int64_t of_day)
{
    return set(reading, HOUR_OF_DAY, of_day / HOUR) &&
           set(reading, MINUTE_OF_HOUR, of_day % HOUR / MINUTE) &&
           set(reading, SECOND_OF_MINUTE, of_day % MINUTE);
}

/* Splits a nanosecond or millisecond of the day into hour, minute, second and nanosecond. */
static bool split_day(struct reading *reading)
{
    int64_t nano = reading->fields[NANO_OF_DAY], milli = reading->fields[MILLI_OF_DAY];
    if (reading->has[NANO_OF_DAY] &&
        (!set_seconds(reading, nano / NANO) || !set(reading, NANO_OF_SECOND, nano % NANO)))
        return false;
    if (!reading->has[MILLI_OF_DAY])
        return true;
    int64_t milli_nanos = milli % 1000 * (NANO / 1000);
    if (reading->has[NANO_OF_SECOND]) /* may say more exactly */
        milli_nanos += reading->fields[NANO_OF_SECOND] % (NANO / 1000);
    return set_seconds(reading, milli / 1000) && set(reading, NANO_OF_SECOND, milli_nanos);
}

/* Nanoseconds since midnight; 0 when no field of the time of day was read. False: a smaller unit
 * was read without all the larger ones. */
static bool find_nanos(struct reading *reading, int64_t *nanos)
{
    const bool *has = reading->has;
    const int64_t *fields = reading->fields;
    if (!find_hour(reading) || !split_day(reading))
        return false;
    if ((!has[HOUR_OF_DAY] && (has[HALF_DAY] || has[HOUR_OF_HALF])) ||
        (has[MINUTE_OF_HOUR] && !has[HOUR_OF_DAY]) ||
        (has[SECOND_OF_MINUTE] && !has[MINUTE_OF_HOUR]) ||
        (has[NANO_OF_SECOND] && !has[SECOND_OF_MINUTE]))
        return false;
    int64_t seconds =
        fields[HOUR_OF_DAY] * HOUR + fields[MINUTE_OF_HOUR] * MINUTE + fields[SECOND_OF_MINUTE];
    *nanos = seconds * NANO + fields[NANO_OF_SECOND];
    return *nanos <= (int64_t)DAY * NANO;
}

static bool find_milliseconds(struct reading *reading, int64_t *milliseconds)
{
    int64_t days, nanos, seconds;
    if (!find_year(reading) || !find_days(reading, &days) || !date_fits(reading, days) ||
        !find_nanos(reading, &nanos))
        return false;
    seconds = days * DAY + nanos / NANO;
    if (reading->has[OFFSET])
        seconds -= reading->fields[OFFSET];
    else if (reading->has_zone)
        seconds = rule_zone_seconds(reading->zone, seconds);
    return !__builtin_mul_overflow(seconds, 1000, milliseconds) &&
           !__builtin_add_overflow(*milliseconds, nanos % NANO / (NANO / 1000), milliseconds);
}

void function_time_to_epoch(struct rule_call *call)
{
    struct rule_value text, pattern;
    struct rule_zone zone;
    int64_t milliseconds;
    if (!rule_string_argument(call, 0, &text) || !rule_string_argument(call, 1, &pattern))
        return;
    struct reader reader = {
        .text = {text.string.at, text.string.at + text.string.length},
        .pattern = pattern.string.at,
        .pattern_end = pattern.string.at + pattern.string.length,
        .reading.zone = &zone,
    };
    if (read_pattern(&reader, 0) && reader.text.at == reader.text.end &&
        find_milliseconds(&reader.reading, &milliseconds))
        *call->result = rule_int(milliseconds);
}
