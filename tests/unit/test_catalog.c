/* What ships: platforms and drivers, as their data files say. */
#include "workplace.h"

#include "common/spec/catalog.h"
#include "common/base/json.h"

static const char board[] =
    "version: 1\nplatform: board\nkey: {algorithm: ec-p256, encoding: sec1}\n";
static const char clock_driver[] = "version: 1\ndriver: clock\nplatforms: [board]\n"
                                   "quantities: {seconds: {type: bigint}}\n";

static void what_ships(void **state)
{
    (void)state;
    struct catalog catalog;
    owned char *templates = from_root("templates");
    assert_fine(catalog_load(templates, &catalog, &error));
    assert_true(catalog.platform_names->count >= 2 && catalog.driver_names->count >= 5);
    for (size_t i = 1; i < catalog.driver_names->count; i++)
        assert_true(strcmp(catalog.driver_names->at[i - 1], catalog.driver_names->at[i]) < 0);
    assert_string_equal(
        json_string(json_get(catalog_platform(&catalog, "esp8266"), "key"), "encoding", ""),
        "pkcs1");
    assert_non_null(catalog_driver(&catalog, "ds18x20"));
    assert_null(catalog_driver(&catalog, "esp8266"));
    assert_null(catalog_platform(&catalog, "drivers"));
    catalog_free(&catalog);
    assert_null(catalog.platforms);
}

/* Each driver has the code that its data file speaks for, and runs on platforms that there are. */
static void drivers_hold_together(void **state)
{
    (void)state;
    struct catalog catalog;
    const cJSON *driver, *platform, *parameter;
    owned char *templates = from_root("templates");
    assert_fine(catalog_load(templates, &catalog, &error));
    cJSON_ArrayForEach(driver, catalog.drivers)
    {
        owned char *module = must_format("%s/drivers/%s/driver_%s.py", catalog.folder,
                                         driver->string, driver->string);
        assert_true(path_exists(module));
        cJSON_ArrayForEach(platform, json_get(driver, "platforms"))
            assert_non_null(catalog_platform(&catalog, platform->valuestring));
        cJSON_ArrayForEach(parameter, json_get(driver, "required"))
            assert_non_null(json_get(json_get(driver, "parameters"), parameter->valuestring));
    }
    catalog_free(&catalog);
}

static void data_files_are_read(void **state)
{
    (void)state;
    struct catalog catalog;
    put("t/firmware/board/platform.yaml", board);
    put("t/firmware/other/readme", "");
    put("t/firmware/drivers/clock/driver.yaml", clock_driver);
    put("t/firmware/drivers/clock/driver_clock.py", "");
    assert_fine(catalog_load("t", &catalog, &error));
    assert_int_equal(catalog.platform_names->count, 1);
    assert_string_equal(catalog.folder, "t/firmware");
    const cJSON *sleep = json_get(catalog_platform(&catalog, "board"), "sleep");
    assert_string_equal(sleep->child->valuestring, "none"); /* a default */
    catalog_free(&catalog);
}

static void no_templates_at_all(void **state)
{
    (void)state;
    struct catalog catalog;
    assert_fine(catalog_load("nowhere", &catalog, &error));
    assert_int_equal(catalog.platform_names->count, 0);
    catalog_free(&catalog);
}

static void assert_wrong(const char *path, const char *content, const char *message)
{
    struct catalog catalog;
    put("t/firmware/board/platform.yaml", board);
    put("t/firmware/drivers/clock/driver.yaml", clock_driver);
    put("t/firmware/drivers/clock/driver_clock.py", "");
    put(path, content);
    enum status status = catalog_load("t", &catalog, &error);
    assert_failed(status, WRONG_INPUT, message);
    catalog_free(&catalog);
}

static void wrong_data_files(void **state)
{
    (void)state;
    assert_wrong("t/firmware/board/platform.yaml",
                 "version: 1\nplatform: bored\nkey: {algorithm: ec-p256, encoding: sec1}\n",
                 "t/firmware/board/platform.yaml is wrong:\n"
                 "t/firmware/board/platform.yaml:2:11: error: the platform is called \"bored\" and "
                 "its folder \"board\"\n  2 | platform: bored\n    |           ^~~~~ write "
                 "\"platform: board\", or rename the folder");
    assert_wrong("t/firmware/board/platform.yaml",
                 "version: 1\nplatform: board\nkey: {algorithm: rsa, encoding: sec1}\n",
                 "t/firmware/board/platform.yaml is wrong:\n"
                 "t/firmware/board/platform.yaml:3:18: error: \"rsa\" is not an algorithm\n"
                 "  3 | key: {algorithm: rsa, encoding: sec1}\n"
                 "    |                  ^~~ (rsa-2048, ec-p256)");
    assert_wrong("t/firmware/drivers/clock/driver.yaml", "",
                 "t/firmware/drivers/clock/driver.yaml is wrong:\n"
                 "t/firmware/drivers/clock/driver.yaml: error: this file is empty; expected a "
                 "driver");
    assert_wrong("t/firmware/drivers/clock/driver.yaml", "a: [\n",
                 "t/firmware/drivers/clock/driver.yaml is wrong:\n"
                 "t/firmware/drivers/clock/driver.yaml:2:1: error: this is not YAML: did not find "
                 "expected node content\n  2 | \n    | ^ the file ends too early");
}

static void a_driver_without_code(void **state)
{
    (void)state;
    struct catalog catalog;
    put("t/firmware/drivers/clock/driver.yaml", clock_driver);
    enum status status = catalog_load("t", &catalog, &error);
    assert_failed(status, WRONG_INPUT,
                  "t/firmware/drivers/clock/driver_clock.py is missing: the code of the driver");
    catalog_free(&catalog);
}

/* Every kind of driver has what its kind is for. */
static void a_sensor_without_quantities(void **state)
{
    (void)state;
    struct catalog catalog;
    put("t/firmware/drivers/clock/driver.yaml", "version: 1\ndriver: clock\nplatforms: [board]\n");
    put("t/firmware/drivers/clock/driver_clock.py", "");
    enum status status = catalog_load("t", &catalog, &error);
    assert_failed(
        status, WRONG_INPUT,
        "t/firmware/drivers/clock/driver.yaml: a sensor reads at least one of quantities");
    catalog_free(&catalog);
    put("t/firmware/drivers/clock/driver.yaml",
        "version: 1\ndriver: clock\nkind: display\nplatforms: [board]\n");
    assert_fine(catalog_load("t", &catalog, &error));
    assert_true(driver_is(catalog_driver(&catalog, "clock"), "display"));
    catalog_free(&catalog);
}

/* What is wrong with a file is told to whoever needs it, each time, and to nobody else. */
static void files_that_nobody_needs(void **state)
{
    (void)state;
    static const char missing[] =
        "t/firmware/drivers/clock/driver_clock.py is missing: the code of the driver";
    struct catalog catalog;
    put("t/firmware/board/platform.yaml", board);
    put("t/firmware/drivers/clock/driver.yaml", clock_driver);
    catalog_open("t", &catalog);
    assert_int_equal(catalog.driver_names->count, 1);
    assert_null(catalog_platform(&catalog, "board"));
    assert_fine(catalog_read_platform(&catalog, "board", &error));
    assert_fine(catalog_read_platform(&catalog, "boat", &error));
    assert_non_null(catalog_platform(&catalog, "board"));
    for (int i = 0; i < 2; i++) {
        assert_failed(catalog_read_driver(&catalog, "clock", &error), WRONG_INPUT, missing);
        assert_null(catalog_driver(&catalog, "clock"));
        error_free(&error);
    }
    put("t/firmware/drivers/clock/driver_clock.py", "");
    assert_fine(catalog_read_driver(&catalog, "clock", &error));
    assert_non_null(catalog_driver(&catalog, "clock"));
    catalog_free(&catalog);
}

#define TEST(function) cmocka_unit_test_setup(function, clear_workplace)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_ships),
        TEST(drivers_hold_together),
        TEST(data_files_are_read),
        TEST(no_templates_at_all),
        TEST(wrong_data_files),
        TEST(a_driver_without_code),
        TEST(a_sensor_without_quantities),
        TEST(files_that_nobody_needs),
    };
    return cmocka_run_group_tests(tests, go_to_workplace, leave_workplace);
}
