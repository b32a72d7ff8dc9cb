/* What simulated things measure, and how they act on each other. */
#include "common/base/json.h"
#include "generator/simulate/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MANY = 5000 };

static struct random generator;

static cJSON *parsed(const char *text)
{
    cJSON *value = cJSON_Parse(text);
    assert_non_null(value);
    return value;
}

/* A measure of the model, as JSON; the caller deletes it behind the last use of measure. */
static cJSON *measure_of(const char *text, struct measure *measure)
{
    cJSON *model = parsed(text);
    measure_read(model, measure);
    return model;
}

/* What one reading says, and how it is written. */
static double read_once(const struct measure *measure, double value, bool artefact, char text[64])
{
    struct text out = {0};
    measure_write(measure, value, artefact, &generator, &out);
    snprintf(text, 64, "%s", text_string(&out));
    text_free(&out);
    return strtod(text, NULL);
}

static void a_room_warms_and_stays_in_its_range(void **state)
{
    struct measure measure;
    char text[64];
    (void)state;
    cJSON *model = measure_of("{\"name\": \"t\", \"type\": \"double\", \"minimum\": -55, "
                              "\"maximum\": 40, \"simulate\": {\"start\": 22, \"drift\": \"0.8%\", "
                              "\"noise\": 0.1, \"artefacts\": \"5%\"}}",
                              &measure);
    double value = measure.start;
    assert_true(value == 22);
    assert_true(fabs(measure.artefacts - 0.05) < 1e-12);
    assert_true(fabs(measure_step(&measure, 100.0 / 4, DRIFTING) - 25.2) < 1e-9);
    assert_true(fabs(measure_step(&measure, 25, DRIVEN_DOWN) - 24.8) < 1e-9);
    assert_true(fabs(measure_step(&measure, 25, DRIVEN_UP) - 25.2) < 1e-9);
    for (int i = 0; i < MANY; i++) {
        double written = read_once(&measure, value, false, text);
        assert_true(written <= 40 && fabs(written - value) <= 0.1 + 1e-4);
        assert_non_null(strchr(text, '.')); /* a double has one, or is an integer for the rules */
        assert_true(read_once(&measure, value, true, text) > 40);
        value = measure_step(&measure, value, DRIFTING);
    }
    assert_true(value == 40);
    cJSON_Delete(model);
}

static void every_kind_is_written_as_it_is(void **state)
{
    static const struct {
        const char *model, *normal, *artefact;
    } cases[] = {
        {"{\"type\": \"double\", \"minimum\": null, \"maximum\": null, \"simulate\": null}", "0.0",
         "null"},
        {"{\"type\": \"double\", \"simulate\": {\"start\": 1e30}}",
         "1000000000000000019884624838656.000000000", "null"},
        {"{\"type\": \"double\", \"minimum\": 10, \"maximum\": 20}", "15.0", NULL},
        {"{\"type\": \"bigint\", \"simulate\": {\"start\": 7.9}}", "7", "null"},
        {"{\"type\": \"bigint\", \"minimum\": 0.5, \"maximum\": 3}", "1", NULL},
        {"{\"type\": \"boolean\"}", "false", "null"},
        {"{\"type\": \"boolean\", \"simulate\": {\"start\": true}}", "true", "null"},
        {"{\"type\": \"varchar\", \"simulate\": {\"start\": \"a \\\"b\\\"\"}}", "\"a \\\"b\\\"\"",
         "null"},
        {"{\"type\": \"varchar\"}", "\"\"", "null"},
    };
    char text[64];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct measure measure;
        cJSON *model = measure_of(cases[i].model, &measure);
        read_once(&measure, measure.start, false, text);
        assert_string_equal(text, cases[i].normal);
        double absurd = read_once(&measure, measure.start, true, text);
        if (cases[i].artefact)
            assert_string_equal(text, cases[i].artefact);
        else
            assert_true(absurd > measure.maximum);
        cJSON_Delete(model);
    }
}

/* Two rooms of two zones, an air conditioner in the first. */
static void set_house(struct world *world)
{
    cJSON *room = parsed(
        "{\"type\": {\"name\": \"room\", \"publish_every_seconds\": 300, \"measures\": [{\"name\": "
        "\"t\", \"type\": \"double\", \"simulate\": {\"start\": 20, \"drift\": 1}}], \"control\": "
        "[{\"name\": \"cooling\", \"measure\": {\"of\": \"t\", \"by\": \"zone\"}, \"switch_on\": "
        "{\"above\": 35}, \"publish\": {\"topic\": \"cooler/AC-{zone}/command\", \"on\": "
        "{\"state\": {\"enabled\": true}}}}]}}");
    cJSON *cooler = parsed("{\"type\": {\"name\": \"cooler\", \"commands\": true, \"measures\": "
                           "[{\"name\": \"enabled\", \"type\": \"boolean\"}]}}");
    struct attributes zones[3] = {{0}};
    random_seed(&world->random);
    struct kind *rooms = world_kind(world, room);
    for (size_t i = 0; i < 3; i++)
        attributes_put(&zones[i], "zone", i == 1 ? "2" : "1");
    world_add(world, rooms, "one", &zones[0]);
    world_add(world, rooms, "two", &zones[1]);
    world_add(world, world_kind(world, cooler), "AC-1", &zones[2]);
    world_link(world);
}

static double next_reading(struct world *world, size_t actor, double *time)
{
    struct text out = {0};
    world_read(world, &world->actors[actor], &out);
    cJSON *reading = parsed(text_string(&out));
    double value = json_number(reading, "t", NAN);
    *time = json_number(reading, "time", 0);
    assert_string_equal(json_string(reading, "zone", ""), actor == 1 ? "2" : "1");
    cJSON_Delete(reading);
    text_free(&out);
    return value;
}

static bool obey(struct actor *actor, const char *message)
{
    return world_obey(actor, message, strlen(message));
}

static void a_zone_cools_while_its_cooler_is_on(void **state)
{
    struct world world = {0};
    double time, before = 0;
    (void)state;
    set_house(&world);
    struct actor *cooler = &world.actors[2];
    for (int i = 0; i < 3; i++) {
        assert_true(next_reading(&world, 0, &time) == 20 + i);
        assert_true(time > before); /* however close together */
        before = time;
    }
    assert_true(obey(cooler, "{\"state\": {\"enabled\": true}}"));
    assert_false(obey(cooler, "{\"state\": {\"enabled\": true}}")); /* it does already */
    assert_true(next_reading(&world, 0, &time) == 23);
    assert_true(next_reading(&world, 0, &time) == 22);
    next_reading(&world, 1, &time);
    assert_true(next_reading(&world, 1, &time) == 21); /* the other zone goes on */
    assert_true(obey(cooler, "{\"enabled\": false}"));
    next_reading(&world, 0, &time);
    assert_true(next_reading(&world, 0, &time) == 22);
    world_free(&world);
}

static void what_is_no_command_changes_nothing(void **state)
{
    static const char *const messages[] = {"",
                                           "enabled",
                                           "{",
                                           "[]",
                                           "null",
                                           "{\"enabled\": 1}",
                                           "{\"enabled\": \"true\"}",
                                           "{\"Enabled\": true}",
                                           "{\"state\": {\"enabled\": null}}",
                                           "\xff\xfe",
                                           "{\"enabled\": true"};
    struct world world = {0};
    (void)state;
    set_house(&world);
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        assert_false(obey(&world.actors[2], messages[i]));
        assert_true(world.actors[2].values[0] == 0);
    }
    world_free(&world);
}

static void names_of_world_commandeds(void **state)
{
    static const struct {
        const char *topic, *name;
    } cases[] = {{"cooler/AC-{zone}/command", "AC-1"},
                 {"cooler/x{zone}y{zone}/command", "x1y1"},
                 {"cooler/one/command", "one"},
                 {"cooler/AC-{thing}/command", "AC-kitchen"},
                 {"cooler/{other}/command", ""},
                 {"cooler/{zone/command", "{zone"},
                 {"cooler", NULL},
                 {"cooler/one", NULL}};
    struct attributes attributes = {0};
    (void)state;
    attributes_put(&attributes, "zone", "1");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *name = world_commanded(cases[i].topic, "kitchen", &attributes);
        if (cases[i].name)
            assert_string_equal(name, cases[i].name);
        else
            assert_null(name);
        free(name);
    }
    attributes_free(&attributes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_room_warms_and_stays_in_its_range),
        cmocka_unit_test(every_kind_is_written_as_it_is),
        cmocka_unit_test(a_zone_cools_while_its_cooler_is_on),
        cmocka_unit_test(what_is_no_command_changes_nothing),
        cmocka_unit_test(names_of_world_commandeds),
    };
    random_seed(&generator);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
