/* What became of a simulated board's readings, from the events that the simulator writes. */
#include "heap.h"

#include "generator/board/readings.h"

#define TAKEN(at, members) "\x1e[\"taken\"," #at ",\"" members "\"]"
#define PUBLISHED(id, payload) "\x1e[\"published\"," #id ",\"t/k\",\"" payload "\"]"
#define ACKNOWLEDGED(id) "\x1e[\"acknowledged\"," #id "]"
#define RESTING "\x1e[\"resting\"]"

static struct text told;

static void tell_reading(void *context, const struct reading_report *report)
{
    (void)context;
    text_add_format(&told, "%lld{%s}%s%s;", (long long)report->time, report->members,
                    report->fate == READING_KEPT ? "kept" : "sent", report->late ? " late" : "");
}

static void tell_print(void *context, const char *line)
{
    (void)context;
    text_add_format(&told, "<%s>;", line);
}

/* events: NULL ends them, "" ends a run of the board. */
static void assert_told(const char *const *events, const char *wanted)
{
    struct readings readings = {.listener = {tell_reading, tell_print, NULL}};
    text_clear(&told);
    for (; *events; events++) {
        owned char *line = must_copy(*events);
        if (*line)
            readings_take_line(&readings, line);
        else
            readings_end_run(&readings);
    }
    text_add_format(&told, "%zu/%zu/%zu", readings.taken, readings.acknowledged, readings.kept);
    readings_free(&readings);
    assert_string_equal(text_string(&told), wanted);
}

#define ASSERT_TOLD(wanted, ...) assert_told((const char *const[]){__VA_ARGS__, NULL}, wanted)

static void acknowledged(void **state)
{
    (void)state;
    ASSERT_TOLD("5{\"a\":1}sent;1/1/0", TAKEN(5, "\\\"a\\\":1"), PUBLISHED(1, "{\\\"a\\\":1}"),
                ACKNOWLEDGED(1), RESTING);
    /* The time of the payload counts: the clock was set in between. */
    ASSERT_TOLD("9{\"a\":1}sent;1/1/0", TAKEN(5, "\\\"a\\\":1"),
                PUBLISHED(1, "{\\\"a\\\":1,\\\"time\\\":9}"), ACKNOWLEDGED(1), RESTING);
}

static void kept_and_sent_late(void **state)
{
    (void)state;
    ASSERT_TOLD("5{\"a\":1}kept;1/0/1", TAKEN(5, "\\\"a\\\":1"), RESTING, "", RESTING);
    ASSERT_TOLD("5{\"a\":1}kept;5{\"a\":1}sent late;1/1/0", TAKEN(5, "\\\"a\\\":1"), RESTING, "",
                PUBLISHED(7, "{\\\"a\\\":1}"), ACKNOWLEDGED(7), RESTING);
    /* What an earlier run published is not acknowledged by a packet identifier of this one. */
    ASSERT_TOLD("5{\"a\":1}kept;1/0/1", TAKEN(5, "\\\"a\\\":1"), PUBLISHED(1, "{\\\"a\\\":1}"),
                RESTING, "", ACKNOWLEDGED(1));
}

/* "a":1 is no part of "a":12, and the longest reading wins. */
static void matching(void **state)
{
    (void)state;
    ASSERT_TOLD("6{\"a\":12}sent;5{\"a\":1}kept;2/1/1", TAKEN(5, "\\\"a\\\":1"),
                TAKEN(6, "\\\"a\\\":12"), PUBLISHED(1, "{\\\"a\\\":12,\\\"z\\\":0}"),
                ACKNOWLEDGED(1), RESTING);
    ASSERT_TOLD("6{\"a\":1}sent;5{}kept;2/1/1", TAKEN(5, ""), TAKEN(6, "\\\"a\\\":1"),
                PUBLISHED(1, "{\\\"a\\\":1}"), ACKNOWLEDGED(1), RESTING);
}

static void prints(void **state)
{
    (void)state;
    ASSERT_TOLD("<hello>;0/0/0", "hello", "\x1e", "\x1enot JSON");
    ASSERT_TOLD("<half>;5{}kept;1/0/1", "half" TAKEN(5, ""), RESTING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(acknowledged),
        cmocka_unit_test(kept_and_sent_late),
        cmocka_unit_test(matching),
        cmocka_unit_test(prints),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    text_free(&told);
    return failed;
}
