/* Specs of types and of the system, checked completely. What each wrong file of
 * tests/schema/corpus/bad must be answered with stands beside it, in <name>.expected: the report as
 * a person sees it. To renew them, after reading what changed:
 *
 *   RENEW=1 build/tests/unit/test_spec && git diff tests/schema/corpus
 *
 * Every file is laid out in a project of its own, as sensortypes/greenhouse/spec.yaml, with a type
 * "fan" that listens to commands and a type "lamp" that does not; with "# code: yes" in its third
 * line, beside a code/sensor.py. A file called system-* is the project's system. */
#include "workplace.h"

#include "common/base/json.h"
#include "common/base/paths.h"
#include "common/base/valid.h"
#include "common/spec/spec.h"

#include <dirent.h>

static struct catalog catalog;

static int set_up(void **state)
{
    if (go_to_workplace(state))
        return -1;
    owned char *templates = from_root("templates");
    return symlink(templates, "templates") || catalog_load("templates", &catalog, &error);
}

static int tear_down(void **state)
{
    catalog_free(&catalog);
    return leave_workplace(state);
}

static void lay_out(const char *name, const char *bytes, size_t length)
{
    static const char rest[] =
        "platform: esp8266\nmeasures: {on: {type: boolean, driver: {name: gpio, pin: 4}}}";
    owned char *fan = must_format("version: 1\ntype: fan\ncommands: true\n%s\n", rest);
    owned char *lamp = must_format("version: 1\ntype: lamp\n%s\n", rest);
    assert_fine(remove_tree("sensortypes", &error));
    put("sensortypes/fan/spec.yaml", fan);
    put("sensortypes/lamp/spec.yaml", lamp);
    bool system = begins_with(name, "system-");
    put_bytes(system ? SYSTEM_FILE : "sensortypes/greenhouse/spec.yaml", bytes, length);
    if (strstr(bytes, "\n# code: yes\n"))
        put("sensortypes/greenhouse/code/sensor.py", "");
}

static void check(const char *name, struct spec *spec)
{
    if (begins_with(name, "system-"))
        assert_fine(spec_read_system(spec, &error));
    else
        assert_fine(spec_read_type("greenhouse", &catalog, spec, &error));
}

static char *with_ending(const char *path, const char *ending)
{
    return must_format("%.*s%s", (int)(strlen(path) - strlen(".yaml")), path, ending);
}

/* One file of the corpus; whether it was answered as it should be. */
static bool answered(const char *path, const char *name, bool good)
{
    struct text bytes = {0}, report = {0};
    struct spec spec;
    owned char *expected_path = with_ending(path, ".expected");
    owned char *expected = NULL;
    assert_fine(read_file(path, 1 << 20, &bytes, &error));
    lay_out(name, text_string(&bytes), bytes.length);
    check(name, &spec);
    problems_write(&spec.problems, false, &report);
    if (getenv("RENEW") && report.length)
        put(expected_path, text_string(&report));
    expected = path_exists(expected_path) ? get(expected_path) : must_copy("");
    bool same = strcmp(text_string(&report), expected) == 0;
    bool right = same && (spec.problems.errors > 0) == !good;
    if (!same)
        print_error("%s\n--- expected\n%s--- got\n%s\n", name, expected, text_string(&report));
    else if (!right)
        print_error("%s: %zu errors\n", name, spec.problems.errors);
    spec_free(&spec);
    text_free(&bytes);
    text_free(&report);
    return right;
}

static void walk_corpus(const char *folder, bool good, size_t least)
{
    owned char *root = from_root(folder);
    size_t count = 0, wrong = 0;
    DIR *listing = opendir(root);
    assert_non_null(listing);
    for (struct dirent *entry; (entry = readdir(listing));) {
        if (!ends_with(entry->d_name, ".yaml"))
            continue;
        owned char *path = path_join(root, entry->d_name);
        count++;
        wrong += !answered(path, entry->d_name, good);
    }
    closedir(listing);
    assert_int_equal(wrong, 0);
    assert_true(count >= least);
}

static void good_specs_have_no_errors(void **state)
{
    (void)state;
    walk_corpus("tests/schema/corpus/good", true, 20);
}

static void bad_specs_are_answered(void **state)
{
    (void)state;
    walk_corpus("tests/schema/corpus/bad", false, 60);
}

/* Nothing is expected of a file that is not there any more. */
static void expectations_have_files(void **state)
{
    (void)state;
    owned char *root = from_root("tests/schema/corpus/bad");
    DIR *listing = opendir(root);
    assert_non_null(listing);
    for (struct dirent *entry; (entry = readdir(listing));) {
        if (!ends_with(entry->d_name, ".expected"))
            continue;
        owned char *path = path_join(root, entry->d_name);
        path[strlen(path) - strlen(".expected")] = '\0';
        owned char *spec = must_format("%s.yaml", path);
        if (!path_exists(spec))
            fail_msg("%s.expected has no spec", path);
    }
    closedir(listing);
}

static const char minimal[] = "version: 1\ntype: greenhouse\nplatform: esp8266\nmeasures:\n"
                              "  temperature: {driver: {name: ds18x20, pin: 14}}\n";

static void defaults_are_filled_in(void **state)
{
    (void)state;
    struct spec spec;
    struct text json = {0};
    lay_out("minimal", minimal, strlen(minimal));
    check("minimal", &spec);
    json_compact(spec.json, &json);
    assert_string_equal(
        text_string(&json),
        "{\"version\":1,\"type\":\"greenhouse\",\"platform\":\"esp8266\",\"measures\":"
        "{\"temperature\":{\"driver\":{\"name\":\"ds18x20\",\"pin\":14},\"type\":\"double\","
        "\"description\":\"\",\"optional\":false}},\"description\":\"\",\"publish_every\":"
        "\"5m\",\"sleep\":\"none\",\"attributes\":{},\"retention\":{\"memory\":\"24h\","
        "\"magnetic\":"
        "\"365d\",\"logs\":\"30d\"},\"control\":[],\"alerts\":[],\"commands\":false,\"portal\":"
        "false}");
    assert_string_equal(spec.name, "greenhouse");
    text_free(&json);
    spec_free(&spec);
}

static void defaults_of_a_system(void **state)
{
    (void)state;
    struct spec spec;
    struct text json = {0};
    put(SYSTEM_FILE, "version: 1\nname: home\n");
    assert_fine(spec_read_system(&spec, &error));
    json_compact(spec.json, &json);
    assert_string_equal(
        text_string(&json),
        "{\"version\":1,\"name\":\"home\",\"database\":\"iot\",\"target\":\"local\","
        "\"ntp\":\"pool.ntp.org\",\"local\":"
        "{\"host\":\"localhost\",\"mqtt_port\":8883,\"http\":{\"address\":\"127.0.0.1\",\"port\":"
        "8080},\"messages_per_second\":200,\"bytes_per_second\":65536,\"store\":\"sqlite\"},"
        "\"aws\":{\"account\":"
        "\"000000000000\",\"profile\":\"default\",\"store\":\"timestream\","
        "\"requests_per_second\":10}}");
    text_free(&json);
    spec_free(&spec);
}

/* What is wrong is left out of the JSON, so that nobody uses it. */
static void wrong_values_are_left_out(void **state)
{
    (void)state;
    static const char wrong[] = "version: 1\ntype: greenhouse\nplatform: esp8266\nsleep: depe\n"
                                "measures:\n  temperature: {driver: {name: ds18x20, pin: 14}}\n";
    struct spec spec;
    lay_out("wrong", wrong, strlen(wrong));
    check("wrong", &spec);
    assert_int_equal(spec.problems.errors, 1);
    assert_string_equal(json_string(spec.json, "sleep", "?"), "none"); /* the default */
    spec_free(&spec);
}

static void a_spec_is_required_to_be_right(void **state)
{
    (void)state;
    struct spec spec;
    lay_out("minimal", minimal, strlen(minimal));
    check("minimal", &spec);
    assert_int_equal(spec_require(&spec, &error), FINE);
    spec_free(&spec);
    lay_out("wrong", "version: 2\n", strlen("version: 2\n"));
    check("wrong", &spec);
    assert_int_equal(spec_require(&spec, &error), WRONG_INPUT);
    assert_true(begins_with(text_string(&error.message),
                            "sensortypes/greenhouse/spec.yaml has 4 errors\n"
                            "sensortypes/greenhouse/spec.yaml:1:1: error: "));
    assert_false(ends_with(text_string(&error.message), "\n"));
    spec_free(&spec);
}

static void a_type_that_is_not_there(void **state)
{
    (void)state;
    struct spec spec;
    lay_out("minimal", minimal, strlen(minimal));
    enum status status = spec_read_type("greenhaus", &catalog, &spec, &error);
    assert_failed(status, WRONG_INPUT, "there is no sensor type \"greenhaus\"");
    assert_string_equal(text_string(&error.advice),
                        "did you mean \"greenhouse\"? (fan, greenhouse, lamp)");
    spec_free(&spec);
    status = spec_read_type("../sensortypes/fan", &catalog, &spec, &error);
    assert_int_equal(status, WRONG_INPUT);
    spec_free(&spec);
}

static void a_file_that_is_too_large(void **state)
{
    (void)state;
    struct spec spec;
    size_t length = (1 << 20) + 1;
    owned char *bytes = must_alloc(length + 1);
    memset(bytes, '#', length);
    lay_out("large", bytes, length);
    enum status status = spec_read_type("greenhouse", &catalog, &spec, &error);
    assert_failed(status, WRONG_INPUT,
                  "sensortypes/greenhouse/spec.yaml has 1048577 bytes; at most 1048576 are read");
    spec_free(&spec);
}

static void names(void **state)
{
    (void)state;
    owned char *longest = must_alloc(66);
    assert_true(valid_type_name("a1b") && valid_type_name("esp8266temp") && valid_type_name("a__"));
    assert_false(valid_type_name("a1") || valid_type_name("sqlite_temp"));
    assert_false(valid_type_name("a") || valid_type_name("") || valid_type_name("1a") ||
                 valid_type_name("aB") || valid_type_name("a-b") || valid_type_name("a/b"));
    memset(longest, 'a', 48);
    assert_true(valid_type_name(longest));
    longest[48] = 'a';
    assert_false(valid_type_name(longest));
    assert_true(valid_thing_name("K") && valid_thing_name("a:b_c-9") && valid_thing_name("-"));
    assert_false(valid_thing_name("") || valid_thing_name("a b") || valid_thing_name("..") ||
                 valid_thing_name("k\xc3\xbc") || valid_thing_name("a/b"));
    memset(longest, 'a', 64);
    assert_true(valid_thing_name(longest));
    longest[64] = 'a';
    assert_false(valid_thing_name(longest));
}

/* Files that are small and would be large, or slow, without bounds. Seconds are the test runner's
 * patience; each of these takes milliseconds. */
static void a_bomb(const char *what, struct text *bytes)
{
    struct spec spec;
    struct text report = {0};
    alarm(20);
    lay_out(what, text_string(bytes), bytes->length);
    check(what, &spec);
    problems_write(&spec.problems, false, &report);
    if (!spec.problems.errors)
        fail_msg("%s was accepted", what);
    assert_true(report.length < 100000);
    assert_true(spec.problems.count <= 10000);
    alarm(0);
    text_free(&report);
    text_free(bytes);
    spec_free(&spec);
}

static void bombs(void **state)
{
    (void)state;
    struct text bytes = {0};
    text_add_string(&bytes, "control:\n  - &c\n    name: x\n");
    for (int i = 0; i < 1900; i++)
        text_add_format(&bytes, "    key%d: &v%d 1\n", i, i);
    for (int i = 0; i < 80000; i++)
        text_add_string(&bytes, "  - *c\n");
    a_bomb("a control of unknown keys, 80,000 times", &bytes);

    text_add_string(&bytes, "measures:\n");
    for (int map = 0; map < 40; map++) {
        text_add_format(&bytes, "  m%d: &m%d\n", map, map);
        for (int i = 0; i < 1000; i++)
            text_add_format(&bytes, "    k%d_%d: *z\n", map, i);
    }
    owned char *rest = text_take(&bytes);
    text_add_format(&bytes, "zero: &z 0\n%sall:\n  <<: [", rest);
    for (int map = 0; map < 40; map++)
        text_add_format(&bytes, "%s*m%d", map ? ", " : "", map);
    text_add_string(&bytes, "]\n");
    a_bomb("40,000 merged keys", &bytes);

    text_add_string(&bytes, "a: &a [x, x, x, x, x, x, x, x, x, x]\n");
    for (char c = 'b'; c < 'k'; c++) {
        text_add_format(&bytes, "%c: &%c [", c, c);
        for (int i = 0; i < 10; i++)
            text_add_format(&bytes, "%s*%c", i ? ", " : "", c - 1);
        text_add_string(&bytes, "]\n");
    }
    owned char *laughs = text_take(&bytes);
    text_add_format(&bytes,
                    "%scontrol:\n  - {name: c, measure: {of: m}, switch_on: {above: 1}, "
                    "switch_off: {below: 0}, publish: {topic: fan/x/command, \"on\": *j, \"off\": "
                    "*j}}\n",
                    laughs);
    a_bomb("a billion laughs", &bytes);

    text_add_string(&bytes, "rule:\n  sql: SELECT a");
    for (int i = 0; i < 3800; i++)
        text_add_format(&bytes, ",%x", i + 0xa000);
    text_add_string(&bytes, " FROM 'greenhouse/+'\n");
    owned char *sql = text_take(&bytes);
    text_add_repeated(&bytes, '\n', 900000);
    text_add_string(&bytes, sql);
    a_bomb("thousands of unknown fields", &bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_specs_have_no_errors),
        cmocka_unit_test(bad_specs_are_answered),
        cmocka_unit_test(expectations_have_files),
        cmocka_unit_test(defaults_are_filled_in),
        cmocka_unit_test(defaults_of_a_system),
        cmocka_unit_test(wrong_values_are_left_out),
        cmocka_unit_test(a_spec_is_required_to_be_right),
        cmocka_unit_test(a_type_that_is_not_there),
        cmocka_unit_test(a_file_that_is_too_large),
        cmocka_unit_test(names),
        cmocka_unit_test(bombs),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
