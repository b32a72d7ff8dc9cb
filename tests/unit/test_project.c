/* The project around a command: found from any folder below it, its system under the command line's
 * values, the documents of a type and of the system. */
#include "workplace.h"

#include "common/base/json.h"
#include "common/base/paths.h"
#include "generator/project/project.h"
#include "generator/project/types.h"

static struct project project;

static int lay_out(void **state)
{
    if (clear_workplace(state))
        return -1;
    owned char *templates = from_root("templates");
    put(SYSTEM_FILE, "version: 1\nname: home\n");
    put("sensortypes/climate/spec.yaml", "version: 1\ntype: climate\nplatform: esp8266\nmeasures:\n"
                                         "  temperature: {driver: {name: ds18x20, pin: 14}}\n");
    put("deep/er/file", "");
    project = (struct project){0};
    return symlink(templates, "templates");
}

static int forget(void **state)
{
    (void)state;
    project_free(&project);
    error_free(&error);
    return 0;
}

static enum status load(const char *target, const char *database)
{
    const struct project_choices choices = {target, database};
    return project_load(&project, &choices, &error);
}

static void a_project_is_found_upwards(void **state)
{
    (void)state;
    assert_int_equal(chdir("deep/er"), 0);
    assert_int_equal(load(NULL, NULL), FINE);
    assert_true(path_exists(SYSTEM_FILE)); /* we are at its root */
    assert_string_equal(project.templates, "templates");
    owned char *relative = project_path(&project, "x.csv"),
               *absolute = project_path(&project, "/x.csv");
    owned char *wanted = must_format("%s/deep/er/x.csv", workplace);
    assert_string_equal(relative, wanted);
    assert_string_equal(absolute, "/x.csv");
}

static void at_the_root_paths_stay_as_they_are(void **state)
{
    (void)state;
    assert_int_equal(load(NULL, NULL), FINE);
    owned char *path = project_path(&project, "x.csv");
    assert_string_equal(path, "x.csv");
}

static void the_command_line_wins(void **state)
{
    (void)state;
    assert_int_equal(load(NULL, "other.db"), FINE);
    assert_string_equal(project.system.database, "other.db");
    assert_int_equal(project.system.target, TARGET_LOCAL);
}

static void under_the_same_rule(void **state)
{
    (void)state;
    assert_int_equal(load(NULL, "a b"), WRONG_USAGE);
    assert_string_equal(text_string(&error.message),
                        "--database: \"a b\" is not a database's name");
    assert_string_equal(text_string(&error.advice), "3 to 64 of letters, digits and _.-");
}

static void an_unknown_target(void **state)
{
    (void)state;
    assert_int_equal(load("lokal", NULL), WRONG_USAGE);
    assert_string_equal(text_string(&error.message), "--target: \"lokal\" is not a target");
    assert_string_equal(text_string(&error.advice), "did you mean \"local\"? (local, aws)");
}

static void a_wrong_system(void **state)
{
    (void)state;
    put(SYSTEM_FILE, "version: 1\n");
    assert_int_equal(load(NULL, NULL), WRONG_INPUT);
    assert_true(
        begins_with(text_string(&error.message), "iot_system_infra/system.yaml has 1 error\n"));
}

static void documents(void **state)
{
    (void)state;
    struct artifacts all = {0}, one = {0}, again = {0}, system = {0}, none = {0};
    assert_int_equal(load(NULL, NULL), FINE);
    assert_int_equal(project_render(&project, "climate", NULL, &all, &error), FINE);
    assert_int_equal(project_render(&project, "climate", "terraform", &one, &error), FINE);
    assert_int_equal(project_render(&project, "climate", NULL, &again, &error), FINE);
    assert_int_equal(project_render(&project, "system", NULL, &system, &error), FINE);
    assert_true(all.count > one.count && one.count > 0 && system.count > 0);
    assert_int_equal(all.count, again.count);
    for (size_t i = 0; i < all.count; i++) { /* to the byte */
        assert_string_equal(all.at[i].path, again.at[i].path);
        assert_string_equal(text_string(&all.at[i].bytes), text_string(&again.at[i].bytes));
        assert_true(i == 0 || strcmp(all.at[i - 1].path, all.at[i].path) < 0);
    }
    for (size_t i = 0; i < one.count; i++)
        assert_true(begins_with(one.at[i].path, "terraform/"));
    assert_int_equal(project_render(&project, "climate", "terrafrom", &none, &error), WRONG_USAGE);
    assert_true(begins_with(text_string(&error.advice), "did you mean \"terraform\"?"));
    artifacts_free(&all);
    artifacts_free(&one);
    artifacts_free(&again);
    artifacts_free(&system);
    artifacts_free(&none);
}

static void plugging_in(void **state)
{
    (void)state;
    struct emit_report report = {0}, again = {0};
    assert_int_equal(load(NULL, NULL), FINE);
    assert_false(types_is_deployed("climate"));
    assert_int_equal(project_deploy(&project, "climate", &report, &error), FINE);
    assert_true(types_is_deployed("climate") && report.written > 0 && !report.removed);
    struct names *names = types_deployed();
    assert_int_equal(names->count, 1);
    names_free(names);
    assert_int_equal(project_deploy(&project, "climate", &again, &error), FINE);
    assert_int_equal(again.written, 0);
    assert_int_equal(again.unchanged, report.written);
    put("sensortypes/climate/spec.yaml", "version: 2\n"); /* a wrong spec changes nothing */
    assert_int_equal(project_deploy(&project, "climate", &again, &error), WRONG_INPUT);
    assert_true(path_exists("sensortypes/climate/generated/.index"));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, lay_out, forget)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_project_is_found_upwards),
        TEST(at_the_root_paths_stay_as_they_are),
        TEST(the_command_line_wins),
        TEST(under_the_same_rule),
        TEST(an_unknown_target),
        TEST(a_wrong_system),
        TEST(documents),
        TEST(plugging_in),
    };
    return cmocka_run_group_tests(tests, go_to_workplace, leave_workplace);
}
