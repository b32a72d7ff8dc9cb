/* A house of two zones with two rooms each, whose conditioners are told by the control `cooling`. Each
 * room is read every 5 s; it warms by 0.8 % a step up to 40 degrees, and its conditioner cools it by
 * 1.2 or 0.8 % a step down to 20. One reading in twenty is an artefact above 40, which the type's rule
 * calls invalid. The control looks each minute at the mean of the last one. */
#include "automation/automation.h"
#include "common/base/json.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { ZONES = 2, ROOMS = 4, STEP = 5, STEPS = 20000 };
#define BEGINNING 1767225605000 /* 2026-01-01T00:00:05Z: the first minute is full after 55 s */

static const double coolest = 20, warmest = 40, warming = 1.008;
static const double cooling[ROOMS] = {0.988, 0.992, 0.988, 0.992};

struct house {
    struct automation *automation;
    struct automation_type *type;
    double rooms[ROOMS];
    bool cooled[ZONES];
    int64_t now; /* seconds since the beginning */
    int64_t first_on[ZONES], first_off[ZONES];
    int turned[ZONES];
    uint32_t random;
};

static enum status on_state(void *context, const struct automation_key *key, const char *json,
                            struct error *error)
{
    (void)context, (void)key, (void)json, (void)error;
    return FINE;
}

static enum status on_decision(void *context, const struct automation_decision *decision,
                               struct error *error)
{
    struct house *house = context;
    int zone = decision->group[0] - '1';
    bool on = decision->state == AUTOMATION_ON;
    (void)error;
    assert_in_range(zone, 0, ZONES - 1);
    assert_string_equal(decision->payload, on ? "{\"enabled\":true}" : "{\"enabled\":false}");
    assert_string_equal(decision->topic, zone ? "aircon/AC-2/command" : "aircon/AC-1/command");
    house->cooled[zone] = on;
    house->turned[zone]++;
    int64_t *first = on ? &house->first_on[zone] : &house->first_off[zone];
    if (!*first && (on || house->first_on[zone]))
        *first = house->now;
    return FINE;
}

static enum status on_notice(void *context, const struct automation_notice *notice,
                             struct error *error)
{
    (void)context, (void)notice, (void)error;
    return FINE;
}

static void begin(struct house *house, const char *switch_off)
{
    static const char document[] =
        "{\"version\": 1, \"columns\": {\"measures\": [\"temperature\"], \"attributes\": "
        "[\"zone\"]}, \"watches\": [{\"kind\": \"control\", \"name\": \"cooling\", \"of\": "
        "\"temperature\", \"by\": \"zone\", \"statistic\": \"mean\", \"every_ms\": 60000, "
        "\"window_ms\": 60000, \"for_ms\": 0, \"on\": {\"compare\": \"above\", \"value\": 35}, "
        "\"off\": {\"compare\": \"at_most\", \"value\": 20}, \"publish\": {\"topic\": "
        "\"aircon/AC-{zone}/command\", \"on\": {\"enabled\": true}, \"off\": {\"enabled\": "
        "false}}}]}";
    cJSON *parsed = cJSON_Parse(document);
    cJSON *off = cJSON_GetObjectItem(cJSON_GetObjectItem(parsed, "watches")->child, "off");
    struct error error = {0};
    *house = (struct house){.automation = automation_new(), .random = 1};
    cJSON_SetValuestring(cJSON_GetObjectItem(off, "compare"), switch_off);
    assert_int_equal(automation_load(house->automation, "room", parsed, &error), FINE);
    house->type = automation_type(house->automation, "room");
    for (int room = 0; room < ROOMS; room++)
        house->rooms[room] = coolest;
    cJSON_Delete(parsed);
}

static void read_room(struct house *house, int room)
{
    static const char *const names[ROOMS] = {"kitchen", "living", "bed", "bath"};
    struct automation_value values[] = {
        {.kind = AUTOMATION_NUMBER, .number = house->rooms[room]},
        {.kind = AUTOMATION_TEXT, .text = room < ROOMS / ZONES ? "1" : "2", .length = 1}};
    struct error error = {0};
    house->random = house->random * 1664525 + 1013904223; /* Knuth's; the same each time */
    bool valid = house->random >> 16 >= 65536 / 20;
    struct automation_reading reading = {.thing = names[room],
                                         .thing_length = strlen(names[room]),
                                         .time = BEGINNING + 1000 * house->now,
                                         .arrived = BEGINNING + 1000 * house->now,
                                         .valid = valid,
                                         .values = valid ? values : NULL};
    assert_int_equal(automation_reading(house->type, &reading, &error), FINE);
}

static void step(struct house *house)
{
    struct automation_sink sink = {house, on_state, on_decision, on_notice};
    struct automation_time time = {BEGINNING + 1000 * house->now, BEGINNING + 1000 * house->now};
    struct error error = {0};
    for (int room = 0; room < ROOMS; room++) {
        read_room(house, room);
        bool cooled = house->cooled[room / (ROOMS / ZONES)];
        double next = house->rooms[room] * (cooled ? cooling[room] : warming);
        house->rooms[room] = fmin(fmax(next, coolest), warmest);
    }
    assert_int_equal(automation_decide(house->automation, &time, &sink, &error), FINE);
    automation_commit(house->automation);
    house->now += STEP;
}

static void run(struct house *house)
{
    for (int i = 0; i < STEPS; i++)
        step(house);
    automation_free(house->automation);
}

/* The mean of rooms that stop at exactly 20 is never below 20. */
static void below_never_switches_off_again(void **state)
{
    struct house house;
    (void)state;
    begin(&house, "below");
    run(&house);
    for (int zone = 0; zone < ZONES; zone++) {
        assert_int_equal(house.first_on[zone], 415);
        assert_int_equal(house.first_off[zone], 0);
        assert_true(house.cooled[zone]);
        assert_int_equal(house.turned[zone], 1);
    }
}

static void at_most_cycles(void **state)
{
    struct house house;
    (void)state;
    begin(&house, "at_most");
    run(&house);
    for (int zone = 0; zone < ZONES; zone++) {
        assert_int_equal(house.first_on[zone], 415);
        assert_in_range(house.first_off[zone], 415 + 60, 2000);
        assert_in_range(house.turned[zone], 100, 400);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(below_never_switches_off_again),
        cmocka_unit_test(at_most_cycles),
    };
    return cmocka_run_group_tests_name("automation_house", tests, NULL, NULL);
}
