/* The calendar, and times as text. */
#include "workplace.h"

#include "common/base/calendar.h"
#include "common/base/clock.h"

#include <time.h>

static void every_day_of_the_calendar(void **state)
{
    (void)state;
    struct calendar_date date = {-400, 1, 1};
    int64_t days = calendar_days(date), weekday = calendar_weekday(days);
    assert_int_equal(calendar_days((struct calendar_date){1970, 1, 1}), 0);
    assert_int_equal(calendar_weekday(0), 4);
    assert_int_equal(days, -865625); /* 2,370 years, 574 leap days */
    for (; date.year < 2801; days++) {
        struct calendar_date back = calendar_date(days);
        if (calendar_days(date) != days || back.year != date.year || back.month != date.month ||
            back.day != date.day || calendar_weekday(days) != weekday)
            fail_msg("day %lld", (long long)days);
        if (++date.day > calendar_days_in_month(date.year, date.month))
            date = (struct calendar_date){date.year + (date.month == 12), date.month % 12 + 1, 1};
        weekday = weekday % 7 + 1;
    }
}

static void the_calendar_is_the_c_library_s(void **state)
{
    (void)state;
    /* A prime step, from year 1 to 9999. */
    for (int64_t time = -62135596800; time < 253402300800; time += 86400 * 7 + 3607) {
        time_t seconds = (time_t)time;
        struct tm parts;
        char theirs[64], ours[CLOCK_TEXT];
        gmtime_r(&seconds, &parts);
        snprintf(theirs, sizeof theirs, "%04d-%02d-%02dT%02d:%02d:%02dZ", parts.tm_year + 1900,
                 parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
        clock_write(time, ours);
        assert_string_equal(ours, theirs);
    }
}

static const struct {
    const char *text;
    int64_t milliseconds;
} same[] = {
    /* written so, and read back */
    {"1970-01-01T00:00:00.000Z", 0},
    {"1969-12-31T23:59:59.999Z", -1},
    {"0000-01-01T00:00:00.000Z", -62167219200000},
    {"0001-01-01T00:00:00.000Z", -62135596800000},
    {"1900-02-28T23:59:59.999Z", -2203891200001},
    {"1900-03-01T00:00:00.000Z", -2203891200000},
    {"2000-02-29T12:34:56.789Z", 951827696789},
    {"2028-02-29T23:59:59.001Z", 1835481599001},
    {"2038-01-19T03:14:08.000Z", 2147483648000},
    {"2100-02-28T23:59:59.000Z", 4107542399000},
    {"2100-03-01T00:00:00.000Z", 4107542400000},
    {"9999-12-31T23:59:59.999Z", 253402300799999},
};

static void times_are_written_and_read_back(void **state)
{
    (void)state;
    char text[CLOCK_TEXT];
    int64_t read = 0;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        clock_write_milliseconds(same[i].milliseconds, text);
        assert_string_equal(text, same[i].text);
        assert_true(clock_read(text, &read));
        assert_int_equal(read, same[i].milliseconds);
        assert_true(clock_read_partial(text, &read) && read == same[i].milliseconds);
        assert_true(clock_read_typed(text, &read) && read == same[i].milliseconds);
    }
    clock_write(1795255920, text);
    assert_string_equal(text, "2026-11-21T10:12:00Z");
    clock_write_basic(1795255920, text);
    assert_string_equal(text, "20261121T101200Z");
    clock_write_basic(-62135596800, text);
    assert_string_equal(text, "00010101T000000Z");
    clock_write(-62167219201, text); /* ISO 8601's expanded years have a sign and one digit more */
    assert_string_equal(text, "-0001-12-31T23:59:59Z");
}

static void the_ends_of_the_numbers_are_written_whole(void **state)
{
    (void)state;
    char text[CLOCK_TEXT];
    clock_write_milliseconds(INT64_MAX, text);
    assert_string_equal(text, "292278994-08-17T07:12:55.807Z");
    clock_write_milliseconds(INT64_MIN, text);
    assert_string_equal(text, "-292275055-05-16T16:47:04.192Z");
    clock_write(INT64_MAX, text);
    assert_string_equal(text, "292277026596-12-04T15:30:07Z");
    clock_write(INT64_MIN, text);
    assert_string_equal(text, "-292277022657-01-27T08:29:52Z");
    clock_write_local(INT64_MAX, text); /* more years than struct tm has */
    assert_string_equal(text, "292277026596-12-04T15:30:07Z");
}

static void times_of_other_programs_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t milliseconds;
    } right[] = {
        {"2026-11-21T10:12:00Z", 1795255920000},
        {"2026-11-21T10:12:00UTC", 1795255920000},
        {"2026-11-21T10:12:00+00:00", 1795255920000},
        {"2026-11-21T10:12:00-00:00", 1795255920000},
        {"2026-11-21T10:12:00.1Z", 1795255920100},
        {"2026-11-21T10:12:00.1239999999999999999999999Z", 1795255920123},
        {"2026-11-21T12:12:00+02:00", 1795255920000},
        {"2026-11-21T04:42:00-0530", 1795255920000},
        {"2026-11-22T10:11:00+23:59", 1795255920000},
        {"2016-12-31T23:59:60Z", 1483228800000}, /* leap seconds */
        {"2017-01-01T01:59:60.5+02:00", 1483228800500},
        {"0000-01-01T00:00:00+00:01", -62167219260000},
    };
    static const char *const wrong[] = {"",
                                        "Z",
                                        "2026",
                                        "2026-11",
                                        "2026-11-21",
                                        "2026-11-21Z",
                                        "2026-11-21T",
                                        "2026-11-21T10",
                                        "2026-11-21T10:12:00",
                                        "2026-11-21 10:12:00Z",
                                        "2026-11-21T10:12Z",
                                        "2026-11-21T10:12:Z",
                                        "2026-11-21T10:12:00z",
                                        "2026-11-21t10:12:00Z",
                                        "2026-11-21T10:12:00ZZ",
                                        "2026-11-21T10:12:00U",
                                        "2026-13-01T00:00:00Z",
                                        "2026-00-01T00:00:00Z",
                                        "2026-01-00T00:00:00Z",
                                        "2026-01-32T00:00:00Z",
                                        "2026-02-29T00:00:00Z",
                                        "2100-02-29T00:00:00Z",
                                        "1900-02-29T00:00:00Z",
                                        "2026-11-31T00:00:00Z",
                                        "2026-11-21T24:00:00Z",
                                        "2026-11-21T10:60:00Z",
                                        "2026-11-21T10:12:61Z",
                                        "2026-11-21T10:12:60Z", /* no leap second is there */
                                        "2016-12-31T23:59:60+01:00",
                                        "2026-11-21T10:12:00.Z",
                                        "2026-11-21T10:12:00,5Z",
                                        "2026-11-21T10:12:00+2:00",
                                        "2026-11-21T10:12:00+02",
                                        "2026-11-21T10:12:00+24:00",
                                        "2026-11-21T10:12:00+00:60",
                                        "2026-11-21T10:12:00+0",
                                        "2026-11-21T10:12:00+02:00Z",
                                        "2026-11-21T10:12:00 Z",
                                        "2026-1-21T10:12:00Z",
                                        "2026-11-21T1:12:00Z",
                                        "-026-11-21T10:12:00Z",
                                        "+2026-11-21T10:12:00Z",
                                        "12026-11-21T10:12:00Z",
                                        "20261121T101200Z",
                                        "1795255920",
                                        "2026-11-21T10:12:00Z ",
                                        " 2026-11-21T10:12:00Z",
                                        "2026-11-21T10:12:00Z\n",
                                        "2026/11/21T10:12:00Z"};
    int64_t read = 0;
    for (size_t i = 0; i < sizeof right / sizeof *right; i++)
        if (!clock_read(right[i].text, &read) || read != right[i].milliseconds)
            fail_msg("%s", right[i].text);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        read = 42;
        if (clock_read(wrong[i], &read) || read != 42)
            fail_msg("\"%s\" was read", wrong[i]);
    }
}

static void partial_times(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds;
    } right[] = {
        {"2026", 1767225600},
        {"2026-11", 1793491200},
        {"2026-11-21", 1795219200},
        {"2026-11-21T10:12Z", 1795255920},
        {"2026-11-21T12:12+02:00", 1795255920},
        {"0000", -62167219200},
    };
    static const char *const wrong[] = {"",
                                        "202",
                                        "20261",
                                        "2026-",
                                        "2026-1",
                                        "2026-11-",
                                        "2026-11-1",
                                        "2026-11-31",
                                        "2026Z",
                                        "2026-11-21Z",
                                        "2026-11-21T10Z",
                                        "2026-11-21T10:12",
                                        "2026-11-21T10:12:00",
                                        "2026-11-21T10:12.5Z",
                                        "2026T10:12Z",
                                        "2026-11-21 10:12Z"};
    int64_t read = 0;
    for (size_t i = 0; i < sizeof right / sizeof *right; i++)
        if (!clock_read_partial(right[i].text, &read) || read != right[i].seconds * 1000)
            fail_msg("%s", right[i].text);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (clock_read_partial(wrong[i], &read))
            fail_msg("\"%s\" was read", wrong[i]);
}

static void typed_times(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds;
    } right[] = {
        /* Central European time is an hour ahead of UTC in winter, and two in summer. */
        {"2026-11-21", 1795215600},
        {"2026-07-01", 1782856800},
        {"2026-7-1", 1782856800},
        {"2026-11-21Z", 1795219200},
        {"2026-11-21 11:12", 1795255920},
        {"2026-11-21T11:12", 1795255920},
        {"2026-11-21 11:12:30", 1795255950},
        {"2026-11-21T10:12Z", 1795255920},
        {"2026-11-21 10:12Z", 1795255920},
        {"2026-11-21T04:42-0530", 1795255920},
        {"2026-11-21 9:5:7", 1795248307},
        {"1970-01-01 01:00", 0},
    };
    static const char *const wrong[] = {"",
                                        "2026",
                                        "2026-11",
                                        "2026-11-21T",
                                        "2026-11-21 ",
                                        "2026-11-21 11",
                                        "2026-11-21  11:12",
                                        "2026-11-21 24:00",
                                        "2026-02-29",
                                        "2026-11-21 11:12 Z",
                                        "2026-11-21 11:12:",
                                        "2026-11-21T11:12+2:0",
                                        "26-11-21",
                                        "yesterday"};
    char text[CLOCK_TEXT];
    int64_t read = 0;
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
    for (size_t i = 0; i < sizeof right / sizeof *right; i++)
        if (!clock_read_typed(right[i].text, &read) || read != right[i].seconds * 1000)
            fail_msg("%s: %lld", right[i].text, (long long)read);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (clock_read_typed(wrong[i], &read))
            fail_msg("\"%s\" was read", wrong[i]);
    clock_write_local(1795255920, text);
    assert_string_equal(text, "2026-11-21 11:12:00");
    clock_write_local(1782856800, text);
    assert_string_equal(text, "2026-07-01 00:00:00");
    clock_write_local_milliseconds(-1, text);
    assert_string_equal(text, "1970-01-01 00:59:59.999");
    clock_write_mail(1795255920, text);
    assert_string_equal(text, "Sat, 21 Nov 2026 11:12:00 +0100");
    setenv("TZ", "NST3:30", 1); /* a zone behind UTC, with half an hour */
    tzset();
    clock_write_mail(1782790200, text);
    assert_string_equal(text, "Tue, 30 Jun 2026 00:00:00 -0330");
    unsetenv("TZ");
    tzset();
}

static void durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double seconds;
    } right[] = {{"0s", 0},          {"30s", 30},     {"5m", 300},    {"24h", 86400},
                 {"365d", 31536000}, {"2w", 1209600}, {"1.5h", 5400}, {"007m", 420}};
    static const char *const wrong[] = {"",    "s",  "5",     "-5s", "+5s", " 5s",  "5 s",  "5s ",
                                        "5ss", "5M", "1h30m", "1.s", ".5s", "1e3s", "0x5s", "infs"};
    for (size_t i = 0; i < sizeof right / sizeof *right; i++)
        if (clock_duration(right[i].text) != right[i].seconds)
            fail_msg("%s", right[i].text);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (clock_duration(wrong[i]) != -1)
            fail_msg("\"%s\" was read", wrong[i]);
}

static void the_clocks_run(void **state)
{
    (void)state;
    int64_t wall = clock_milliseconds();
    uint64_t nanoseconds = clock_monotonic_nanoseconds();
    double began = clock_monotonic(), coarse = clock_monotonic_coarse();
    struct timespec until = clock_deadline(1.75);
    double deadline = (double)until.tv_sec + (double)until.tv_nsec / 1e9;
    assert_in_range(until.tv_nsec, 0, 999999999);
    assert_true(wall / 1000 >= time(NULL) - 60 && wall / 1000 <= time(NULL) + 60);
    assert_true((double)nanoseconds / 1e9 <= began && began - coarse < 60);
    assert_true(deadline >= began + 1.749 && deadline < began + 60);
    usleep(1000);
    assert_true(clock_monotonic() >= began + 0.001);
    assert_true(clock_monotonic_nanoseconds() >= nanoseconds + 1000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_of_the_calendar),
        cmocka_unit_test(the_calendar_is_the_c_library_s),
        cmocka_unit_test(times_are_written_and_read_back),
        cmocka_unit_test(the_ends_of_the_numbers_are_written_whole),
        cmocka_unit_test(times_of_other_programs_are_read),
        cmocka_unit_test(partial_times),
        cmocka_unit_test(typed_times),
        cmocka_unit_test(durations),
        cmocka_unit_test(the_clocks_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
