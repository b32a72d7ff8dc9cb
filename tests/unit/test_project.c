/* The project around a command: found from any folder below it, its system under the command line's
 * values, the documents of a type and of the system. */
#include "workplace.h"

#include "common/base/json.h"
#include "generator/project/project.h"

static struct command command = {.name = "test",
                                 .options = {{.name = "target"}, {.name = "database"}}};
static struct context context;
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
    context = (struct context){.command = &command};
    project = (struct project){0};
    return symlink(templates, "templates");
}

static int forget(void **state)
{
    (void)state;
    project_free(&project);
    error_free(&context.error);
    free(context.start_folder);
    free(context.root);
    free(context.templates);
    free(context.given);
    return 0;
}

static enum status load_with(const char *name, const char *value)
{
    for (const struct option *option = command.options; option->name; option++) {
        if (strcmp(option->name, name) != 0)
            continue;
        context.given = must_array(1, sizeof *context.given);
        context.given[context.given_count++] = (struct given_option){option, value};
    }
    return project_load(&context, &project);
}

static void a_project_is_found_upwards(void **state)
{
    (void)state;
    assert_int_equal(chdir("deep/er"), 0);
    assert_int_equal(project_load(&context, &project), FINE);
    assert_true(path_exists(SYSTEM_FILE)); /* we are at its root */
    assert_string_equal(context.templates, "templates");
    owned char *relative = user_path(&context, "x.csv"), *absolute = user_path(&context, "/x.csv");
    owned char *wanted = must_format("%s/deep/er/x.csv", workplace);
    assert_string_equal(relative, wanted);
    assert_string_equal(absolute, "/x.csv");
}

static void at_the_root_paths_stay_as_they_are(void **state)
{
    (void)state;
    assert_int_equal(project_load(&context, &project), FINE);
    owned char *path = user_path(&context, "x.csv");
    assert_string_equal(path, "x.csv");
}

static void the_command_line_wins(void **state)
{
    (void)state;
    assert_int_equal(load_with("database", "other.db"), FINE);
    assert_string_equal(json_string(project_system(&project), "database", ""), "other.db");
    assert_string_equal(json_string(project_system(&project), "target", ""), "local");
}

static void under_the_same_rule(void **state)
{
    (void)state;
    assert_int_equal(load_with("database", "a b"), WRONG_USAGE);
    assert_string_equal(text_string(&context.error.message),
                        "--database: \"a b\" is not a database's name");
    assert_string_equal(text_string(&context.error.advice), "3 to 64 of letters, digits and _.-");
}

static void an_unknown_target(void **state)
{
    (void)state;
    assert_int_equal(load_with("target", "lokal"), WRONG_USAGE);
    assert_string_equal(text_string(&context.error.message), "--target: \"lokal\" is not a target");
    assert_string_equal(text_string(&context.error.advice), "did you mean \"local\"? (local, aws)");
}

static void a_wrong_system(void **state)
{
    (void)state;
    put(SYSTEM_FILE, "version: 1\n");
    assert_int_equal(project_load(&context, &project), WRONG_INPUT);
    assert_true(begins_with(text_string(&context.error.message),
                            "iot_system_infra/system.yaml has 1 error\n"));
}

static void documents(void **state)
{
    (void)state;
    struct artifacts all = {0}, one = {0}, again = {0}, system = {0}, none = {0};
    assert_int_equal(project_load(&context, &project), FINE);
    assert_int_equal(project_render(&project, "climate", NULL, &all), FINE);
    assert_int_equal(project_render(&project, "climate", "terraform", &one), FINE);
    assert_int_equal(project_render(&project, "climate", NULL, &again), FINE);
    assert_int_equal(project_render(&project, "system", NULL, &system), FINE);
    assert_true(all.count > one.count && one.count > 0 && system.count > 0);
    assert_int_equal(all.count, again.count);
    for (size_t i = 0; i < all.count; i++) { /* to the byte */
        assert_string_equal(all.at[i].path, again.at[i].path);
        assert_string_equal(text_string(&all.at[i].bytes), text_string(&again.at[i].bytes));
        assert_true(i == 0 || strcmp(all.at[i - 1].path, all.at[i].path) < 0);
    }
    for (size_t i = 0; i < one.count; i++)
        assert_true(begins_with(one.at[i].path, "terraform/"));
    assert_int_equal(project_render(&project, "climate", "terrafrom", &none), WRONG_USAGE);
    assert_true(begins_with(text_string(&context.error.advice), "did you mean \"terraform\"?"));
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
    assert_int_equal(project_load(&context, &project), FINE);
    assert_false(type_deployed("climate"));
    assert_int_equal(project_deploy(&project, "climate", &report), FINE);
    assert_true(type_deployed("climate") && report.written > 0 && !report.removed);
    struct names *names = types_deployed();
    assert_int_equal(names->count, 1);
    names_free(names);
    assert_int_equal(project_deploy(&project, "climate", &again), FINE);
    assert_int_equal(again.written, 0);
    assert_int_equal(again.unchanged, report.written);
    put("sensortypes/climate/spec.yaml", "version: 2\n"); /* a wrong spec changes nothing */
    assert_int_equal(project_deploy(&project, "climate", &again), WRONG_INPUT);
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
