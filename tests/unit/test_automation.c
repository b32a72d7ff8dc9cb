/* The automation engine, by cases: what each line of automation-cases.txt means, its head says.
 *
 * Every case is run twice: as it is written, and with the engine thrown away and made anew from the
 * stored states and readings before each tick. Both must decide the same. A case in which the first
 * tick after a start matters (silence is granted anew then) is marked "once". */
#include "automation/automation.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FEWEST_CASES = 150, LONGEST_LINE = 8192, MOST_COLUMNS = 16, WAIT = 20000 };
#define BEGINNING 1767225600000 /* 2026-01-01T00:00:00Z, which is 0 in the cases */

struct line {
    char *text;
    size_t number;
};

struct test_case {
    char *name;
    bool once;
    struct line *lines;
    size_t count, room;
};

static struct test_case *cases;
static size_t case_count, case_room;

/* --- the world of a case --- */

struct stored {
    char *type, *watch, *group, *json;
};

struct reading {
    char *type, *thing;
    int64_t time, arrived;
    bool valid;
    struct automation_value values[MOST_COLUMNS];
};

struct world {
    struct automation *automation;
    cJSON *documents; /* by type */
    cJSON *things;    /* by type: by name, when it was created */
    struct stored *states;
    size_t state_count, state_room;
    struct reading *readings;
    size_t reading_count, reading_room;
    struct text said; /* since the last tick */
    bool refuse;      /* the sink refuses: the transaction fails */
    int64_t ticked;   /* the last tick; 0: none yet */
};

static void free_stored(struct stored *stored)
{
    free(stored->type);
    free(stored->watch);
    free(stored->group);
    free(stored->json);
}

static void free_reading(struct reading *reading)
{
    free(reading->type);
    free(reading->thing);
    for (size_t i = 0; i < MOST_COLUMNS; i++)
        free((void *)(uintptr_t)reading->values[i].text);
}

static void put_state(struct world *world, const struct automation_key *key, const char *json)
{
    for (size_t i = 0; i < world->state_count; i++) {
        struct stored *at = &world->states[i];
        if (strcmp(at->type, key->type) == 0 && strcmp(at->watch, key->watch) == 0 &&
            !at->group == !key->group && (!key->group || strcmp(at->group, key->group) == 0)) {
            free(at->json);
            at->json = must_copy(json);
            return;
        }
    }
    world->states =
        must_grow(world->states, world->state_count, &world->state_room, sizeof *world->states);
    world->states[world->state_count++] =
        (struct stored){must_copy(key->type), must_copy(key->watch),
                        key->group ? must_copy(key->group) : NULL, must_copy(json)};
}

static enum status away(struct error *error)
{
    text_add_string(&error->message, "the store is away");
    return error->status = REFUSED;
}

static enum status on_state(void *context, const struct automation_key *key, const char *json,
                            struct error *error)
{
    struct world *world = context;
    if (world->refuse)
        return away(error);
    put_state(world, key, json);
    return FINE;
}

static enum status on_decision(void *context, const struct automation_decision *decision,
                               struct error *error)
{
    struct world *world = context;
    if (world->refuse)
        return away(error);
    text_add_format(&world->said, "%s/%s %s: %s", decision->watch,
                    *decision->group ? decision->group : "all",
                    automation_state_name(decision->state), decision->why);
    if (decision->topic)
        text_add_format(&world->said, " -> %s %s", decision->topic, decision->payload);
    text_add_char(&world->said, '\n');
    return FINE;
}

static enum status on_notice(void *context, const struct automation_notice *notice,
                             struct error *error)
{
    struct world *world = context;
    if (world->refuse)
        return away(error);
    owned char *name = must_format("%s.json", notice->id);
    cJSON *json = NULL;
    assert_int_equal(json_parse(name, notice->json, strlen(notice->json), &json, error), FINE);
    cJSON_Delete(json);
    text_add_format(&world->said, "%s <- %s\n", notice->address, notice->subject);
    return FINE;
}

static struct automation_sink sink_of(struct world *world)
{
    return (struct automation_sink){world, on_state, on_decision, on_notice};
}

/* --- making the engine anew --- */

static void feed(struct world *world, const struct reading *reading)
{
    struct error error = {0};
    struct automation_type *type = automation_type(world->automation, reading->type);
    struct automation_reading given = {.thing = reading->thing,
                                       .thing_length = strlen(reading->thing),
                                       .time = reading->time,
                                       .arrived = reading->arrived,
                                       .valid = reading->valid,
                                       .values = reading->valid ? reading->values : NULL};
    if (type)
        assert_int_equal(automation_reading(type, &given, &error), FINE);
}

static void start(struct world *world)
{
    struct error error = {0};
    const cJSON *document, *things, *thing;
    automation_free(world->automation);
    world->automation = automation_new();
    cJSON_ArrayForEach(document, world->documents) assert_int_equal(
        automation_load(world->automation, document->string, document, &error), FINE);
    cJSON_ArrayForEach(things, world->things) cJSON_ArrayForEach(thing, things)
        assert_int_equal(automation_thing(automation_type(world->automation, things->string),
                                          thing->string, (int64_t)thing->valuedouble, &error),
                         FINE);
    for (size_t i = 0; i < world->state_count; i++) {
        struct stored *at = &world->states[i];
        struct automation_key key = {at->type, at->watch, at->group};
        assert_int_equal(automation_restore(world->automation, &key, at->json, &error), FINE);
    }
    for (size_t i = 0; i < world->reading_count; i++)
        feed(world, &world->readings[i]);
}

/* --- the lines --- */

/* "90", "5m", "1h+3": seconds, minutes, hours after the beginning. */
static int64_t moment(const char *text)
{
    double seconds = 0;
    for (const char *at = text; *at;) {
        char *end;
        double number = strtod(at, &end);
        if (end == at)
            fail_msg("\"%s\" is no time", text);
        double unit = *end == 'm' ? 60 : *end == 'h' ? 3600 : *end == 'd' ? 86400 : 1;
        seconds += number * unit;
        at = end + (*end && strchr("smhd", *end) != NULL);
        at += *at == '+';
    }
    return BEGINNING + (int64_t)(seconds * 1000 + (seconds < 0 ? -0.5 : 0.5));
}

static char *word(char **line)
{
    char *at = *line + strspn(*line, " ");
    char *end = at + strcspn(at, " ");
    *line = *end ? end + 1 : end;
    *end = '\0';
    return at;
}

static void read_value(struct automation_value *value, const char *text)
{
    char *end;
    bool quoted = *text == '\'';
    *value = (struct automation_value){.kind = AUTOMATION_NUMBER, .number = strtod(text, &end)};
    if (end == text || *end) {
        char *copy = must_copy_bytes(text + quoted, strlen(text) - 2 * quoted);
        *value = (struct automation_value){
            .kind = AUTOMATION_TEXT, .text = copy, .length = strlen(copy)};
    }
}

/* TYPE THING TIME [ARRIVED] name=value... */
static void read_reading(struct world *world, char *line, bool valid)
{
    struct reading reading = {.valid = valid};
    reading.type = must_copy(word(&line));
    reading.thing = must_copy(word(&line));
    reading.time = reading.arrived = moment(word(&line));
    struct automation_type *type = automation_type(world->automation, reading.type);
    const char *const *names;
    size_t count = automation_columns(type, &names);
    while (*line) {
        char *given = word(&line), *equals = strchr(given, '=');
        if (!equals) {
            reading.arrived = moment(given);
            continue;
        }
        *equals = '\0';
        for (size_t i = 0; i < count; i++)
            if (strcmp(names[i], given) == 0)
                read_value(&reading.values[i], equals + 1);
    }
    world->readings = must_grow(world->readings, world->reading_count, &world->reading_room,
                                sizeof *world->readings);
    world->readings[world->reading_count++] = reading;
    feed(world, &reading);
}

static void decide(struct world *world, struct automation_time time, bool anew)
{
    struct error error = {0};
    struct automation_sink sink = sink_of(world);
    text_clear(&world->said);
    world->ticked = time.now;
    if (anew)
        start(world);
    enum status status = automation_decide(world->automation, &time, &sink, &error);
    if (status)
        automation_abandon(world->automation);
    else
        automation_commit(world->automation);
    assert_true(world->refuse || status == FINE);
    error_free(&error);
}

static void tick(struct world *world, char *line, bool anew)
{
    struct automation_time time;
    time.now = time.horizon = moment(word(&line));
    if (*line)
        time.horizon = moment(word(&line));
    decide(world, time, anew);
}

/* As tick, with ticks before it that have nothing to say. */
static void wait_until(struct world *world, char *line, bool anew)
{
    int64_t until = moment(word(&line));
    while (world->ticked && world->ticked + WAIT < until) {
        int64_t now = world->ticked + WAIT;
        decide(world, (struct automation_time){now, now}, anew);
        if (world->said.length)
            fail_msg("at %lld seconds already:\n%s", (long long)(now - BEGINNING) / 1000,
                     text_string(&world->said));
    }
    decide(world, (struct automation_time){until, until}, anew);
}

static cJSON *parse(const char *text)
{
    struct error error = {0};
    cJSON *parsed = NULL;
    if (json_parse("case", text, strlen(text), &parsed, &error))
        fail_msg("%s in %s", text_string(&error.message), text);
    return parsed;
}

/* A watch as the cases write it, with what is usual filled in. */
static void complete(cJSON *watch)
{
    static const struct {
        const char *name;
        double value;
    } usual[] = {{"every_ms", 60000}, {"window_ms", 600000}};
    if (strcmp(json_string(watch, "kind", ""), "presence") == 0)
        return;
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (!json_get(watch, usual[i].name))
            json_put_number(watch, usual[i].name, usual[i].value);
    if (!json_get(watch, "of"))
        json_put_string(watch, "of", "t");
    if (!json_get(watch, "statistic"))
        json_put_string(watch, "statistic", "mean");
}

static void load(struct world *world, char *line)
{
    struct error error = {0};
    char *type = word(&line);
    cJSON *watches = *line ? parse(line) : NULL, *watch, *document = NULL;
    if (watches) {
        document = parse("{\"version\": 1, \"columns\": {\"measures\": [\"t\", \"u\"], "
                         "\"attributes\": [\"zone\"]}}");
        cJSON_ArrayForEach(watch, watches) complete(watch);
        json_put(document, "watches", watches);
    }
    cJSON_DeleteItemFromObjectCaseSensitive(world->documents, type);
    if (document)
        json_put(world->documents, type, document);
    assert_int_equal(automation_load(world->automation, type, document, &error), FINE);
    struct automation_type *made = automation_type(world->automation, type);
    const cJSON *thing;
    cJSON_ArrayForEach(thing, json_get(world->things, type)) if (made) assert_int_equal(
        automation_thing(made, thing->string, (int64_t)thing->valuedouble, &error), FINE);
    for (size_t i = 0; i < world->reading_count; i++)
        if (strcmp(world->readings[i].type, type) == 0)
            feed(world, &world->readings[i]);
}

static void take_thing(struct world *world, char *line)
{
    struct error error = {0};
    char *type = word(&line), *name = word(&line);
    int64_t created = *line ? moment(word(&line)) : 0;
    if (!json_get(world->things, type))
        json_put(world->things, type, json_object());
    json_put_number(json_get(world->things, type), name, (double)created);
    assert_int_equal(
        automation_thing(automation_type(world->automation, type), name, created, &error), FINE);
}

static void forget(struct world *world, char *line)
{
    char *type = word(&line), *name = word(&line);
    cJSON_DeleteItemFromObjectCaseSensitive(json_get(world->things, type), name);
    automation_forget(automation_type(world->automation, type), name);
    for (size_t i = 0; i < world->reading_count; i++)
        if (strcmp(world->readings[i].thing, name) == 0) {
            free_reading(&world->readings[i]);
            world->readings[i--] = world->readings[--world->reading_count];
        }
    for (size_t i = 0; i < world->state_count; i++)
        if (world->states[i].group && strcmp(world->states[i].group, name) == 0) {
            free_stored(&world->states[i]);
            world->states[i--] = world->states[--world->state_count];
        }
}

struct view_line {
    struct text *said;
};

static bool on_view(void *context, const struct automation_view *view)
{
    struct text *said = context;
    text_add_format(said, "%s/%s %s", view->watch, *view->group ? view->group : "all",
                    automation_state_name(view->state));
    if (view->blind_since)
        text_add_format(said, " blind %lld", (long long)(view->blind_since - BEGINNING) / 1000);
    if (view->holds_since)
        text_add_format(said, " holds %lld", (long long)(view->holds_since - BEGINNING) / 1000);
    if (view->has_value)
        text_add_format(said, " %.6g of %llu", view->value, (unsigned long long)view->readings);
    text_add_string(said, "\n");
    return true;
}

static void look(struct world *world, char *line)
{
    text_clear(&world->said);
    automation_look(world->automation, moment(word(&line)), on_view, &world->said);
}

/* --- a case --- */

/* The lines that begin with "> " behind line i are what has to be said now. */
static size_t compare(struct world *world, const struct test_case *test, size_t i, bool anew)
{
    struct text wanted = {0};
    size_t number = test->lines[i].number;
    for (; i + 1 < test->count && begins_with(test->lines[i + 1].text, "> "); i++)
        text_add_format(&wanted, "%s\n", test->lines[i + 1].text + 2);
    if (strcmp(text_string(&wanted), text_string(&world->said)) != 0)
        fail_msg("line %zu of automation-cases.txt%s\nwanted:\n%sgot:\n%s", number,
                 anew ? ", with a restart before each tick" : "", text_string(&wanted),
                 text_string(&world->said));
    text_free(&wanted);
    return i;
}

static void run_line(struct world *world, char *text, bool anew)
{
    char *line = text, *what = word(&line);
    if (strcmp(what, "load") == 0)
        load(world, line);
    else if (strcmp(what, "thing") == 0)
        take_thing(world, line);
    else if (strcmp(what, "forget") == 0)
        forget(world, line);
    else if (strcmp(what, "read") == 0 || strcmp(what, "heard") == 0)
        read_reading(world, line, *what == 'r');
    else if (strcmp(what, "store") == 0)
        world->refuse = strcmp(word(&line), "away") == 0;
    else if (strcmp(what, "tick") == 0)
        tick(world, line, anew);
    else if (strcmp(what, "wait") == 0)
        wait_until(world, line, anew);
    else if (strcmp(what, "look") == 0)
        look(world, line);
    else
        fail_msg("\"%s\" is no line of a case", what);
}

static void clear(struct world *world)
{
    automation_free(world->automation);
    cJSON_Delete(world->documents);
    cJSON_Delete(world->things);
    for (size_t i = 0; i < world->state_count; i++)
        free_stored(&world->states[i]);
    for (size_t i = 0; i < world->reading_count; i++)
        free_reading(&world->readings[i]);
    free(world->states);
    free(world->readings);
    text_free(&world->said);
}

static void run_once(const struct test_case *test, bool anew)
{
    struct world world = {
        .automation = automation_new(), .documents = json_object(), .things = json_object()};
    for (size_t i = 0; i < test->count; i++) {
        owned char *text = must_copy(test->lines[i].text);
        bool speaks =
            begins_with(text, "tick ") || begins_with(text, "wait ") || begins_with(text, "look ");
        run_line(&world, text, anew);
        if (speaks)
            i = compare(&world, test, i, anew);
    }
    clear(&world);
}

static void run_case(void **state)
{
    const struct test_case *test = *state;
    run_once(test, false);
    if (!test->once)
        run_once(test, true);
}

/* --- reading the file --- */

static void add_line(struct test_case *test, const char *text, size_t number)
{
    test->lines = must_grow(test->lines, test->count, &test->room, sizeof *test->lines);
    test->lines[test->count++] = (struct line){must_copy(text), number};
}

static void begin_case(const char *name)
{
    cases = must_grow(cases, case_count, &case_room, sizeof *cases);
    bool once = begins_with(name, "once: ");
    cases[case_count++] =
        (struct test_case){.name = must_copy(name + (once ? 6 : 0)), .once = once};
}

static void read_cases(void)
{
    const char *root = getenv("SENSORFORGE_SOURCE");
    owned char *path = must_format("%s/tests/unit/automation-cases.txt", root ? root : ".");
    FILE *file = fopen(path, "r");
    char line[LONGEST_LINE];
    if (!file) {
        fprintf(stderr, "cannot open %s; run from the root or set SENSORFORGE_SOURCE\n", path);
        exit(1);
    }
    for (size_t number = 1; fgets(line, sizeof line, file); number++) {
        line[strcspn(line, "\n")] = 0;
        if (begins_with(line, "== "))
            begin_case(line + 3);
        else if (*line && *line != '#' && case_count)
            add_line(&cases[case_count - 1], line, number);
    }
    fclose(file);
}

/* The engine takes what templates/automation makes of the types that ship. */
static void takes_the_documents_that_ship(void **state)
{
    static const char *const types[] = {"aircon",      "esp32air", "esp8266climate",
                                        "esp8266temp", "picoair",  "watermeter"};
    struct automation *automation = automation_new();
    struct error error = {0};
    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        owned char *path = must_format(
            "%s/tests/golden/expected/timestream/%s/automation/automation.json",
            getenv("SENSORFORGE_SOURCE") ? getenv("SENSORFORGE_SOURCE") : ".", types[i]);
        cJSON *document = NULL;
        assert_int_equal(json_read(path, 1 << 20, &document, &error), FINE);
        assert_int_equal(automation_load(automation, types[i], document, &error), FINE);
        assert_non_null(automation_type(automation, types[i]));
        cJSON_Delete(document);
    }
    automation_free(automation);
}

int main(void)
{
    setenv("TZ", "UTC", 1);
    read_cases();
    if (case_count < FEWEST_CASES) {
        fprintf(stderr, "only %zu cases were read\n", case_count);
        return 1;
    }
    struct CMUnitTest *tests = must_array(case_count + 1, sizeof *tests);
    for (size_t i = 0; i < case_count; i++)
        tests[i] = (struct CMUnitTest){
            .name = cases[i].name, .test_func = run_case, .initial_state = &cases[i]};
    tests[case_count] = (struct CMUnitTest)cmocka_unit_test(takes_the_documents_that_ship);
    int failed = _cmocka_run_group_tests("automation", tests, case_count + 1, NULL, NULL);
    for (size_t i = 0; i < case_count; i++) {
        for (size_t j = 0; j < cases[i].count; j++)
            free(cases[i].lines[j].text);
        free(cases[i].lines);
        free(cases[i].name);
    }
    free(cases);
    free(tests);
    return failed;
}
