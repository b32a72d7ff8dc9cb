/* What one thing may cause in a second: messages, bytes and lines of the log. */
#include "common/base/clock.h"
#include "hub/plugin/allowance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* The clock of these tests, in the place of the machine's. */
static double now = 1000;

double clock_monotonic_coarse(void)
{
    return now;
}

static int taken(struct allowances *allowances, const char *thing, size_t payload)
{
    int count = 0;
    while (count < 10000 && !allowances_exceeded(allowances, thing, payload))
        count++;
    return count;
}

static void messages_are_limited(void **state)
{
    (void)state;
    struct allowances *allowances = allowances_open(200, 0);
    assert_int_equal(taken(allowances, "one", 1000), 200);
    assert_int_equal(taken(allowances, "two", 1000), 200);
    assert_string_equal(allowances_exceeded(allowances, "one", 0),
                        "it exceeds messages_per_second");
    now += 0.5;
    assert_int_equal(taken(allowances, "one", 1000), 100);
    now += 60;
    assert_int_equal(taken(allowances, "one", 1000), 200);
    allowances_close(allowances);
}

static void bytes_are_limited(void **state)
{
    (void)state;
    struct allowances *allowances = allowances_open(0, 262144);
    assert_int_equal(taken(allowances, "one", 131072), 2);
    assert_string_equal(allowances_exceeded(allowances, "one", 1), "it exceeds bytes_per_second");
    assert_null(allowances_exceeded(allowances, "one", 0));
    now += 0.5;
    assert_int_equal(taken(allowances, "one", 1024), 128);
    allowances_close(allowances);
}

/* Otherwise a thing could never send one, and would try it for ever. */
static void the_largest_payload_passes_a_small_limit(void **state)
{
    (void)state;
    struct allowances *allowances = allowances_open(0, 1024);
    assert_int_equal(taken(allowances, "one", 131072), 1);
    now += 127;
    assert_int_equal(taken(allowances, "one", 131072), 0);
    now += 1;
    assert_int_equal(taken(allowances, "one", 131072), 1);
    allowances_close(allowances);
}

/* What one limit refuses is not taken of the other. */
static void both_limits_hold(void **state)
{
    (void)state;
    struct allowances *allowances = allowances_open(10, 131072);
    assert_int_equal(taken(allowances, "one", 65536), 2);
    assert_int_equal(taken(allowances, "one", 0), 8);
    allowances_close(allowances);
}

static void no_limit_is_none(void **state)
{
    (void)state;
    struct allowances *allowances = allowances_open(0, 0);
    assert_int_equal(taken(allowances, "one", 1 << 20), 10000);
    allowances_close(allowances);
}

static unsigned long told;

static void tell(const char *thing, unsigned long left_out)
{
    assert_string_equal(thing, "one");
    told += left_out;
}

static void lines_are_limited_and_counted(void **state)
{
    (void)state;
    struct allowances *allowances = allowances_open(0, 0);
    unsigned long left_out;
    int lines = 0;
    for (int i = 0; i < 1000; i++) {
        lines += allowances_log(allowances, "one", &left_out);
        assert_int_equal(left_out, 0);
    }
    assert_int_equal(lines, 10);
    assert_true(allowances_log(allowances, "two", &left_out));
    allowances_tidy(allowances, tell);
    assert_int_equal(told, 0);
    now += 10;
    assert_true(allowances_log(allowances, "one", &left_out));
    assert_int_equal(left_out, 990);
    assert_false(allowances_log(allowances, "one", &left_out));
    now += 10; /* nothing more comes: it is told all the same, once */
    allowances_tidy(allowances, tell);
    allowances_tidy(allowances, tell);
    assert_int_equal(told, 1);
    now += 1000; /* then it is forgotten */
    allowances_tidy(allowances, tell);
    assert_int_equal(told, 1);
    assert_true(allowances_log(allowances, "one", &left_out));
    assert_int_equal(left_out, 0);
    allowances_close(allowances);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_limited),
        cmocka_unit_test(bytes_are_limited),
        cmocka_unit_test(the_largest_payload_passes_a_small_limit),
        cmocka_unit_test(both_limits_hold),
        cmocka_unit_test(no_limit_is_none),
        cmocka_unit_test(lines_are_limited_and_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
