/* The system's settings as a struct, held against the schema. */
#include "workplace.h"

#include "common/base/json.h"
#include "common/base/paths.h"
#include "common/spec/schema.h"
#include "common/spec/spec.h"
#include "common/spec/system.h"

static struct system settings;

static int forget(void **state)
{
    (void)state;
    system_free(&settings);
    error_free(&error);
    return 0;
}

static void read_file_of(const char *text)
{
    system_free(&settings);
    put(SYSTEM_FILE, text);
    assert_fine(system_read(&settings, &error));
}

static const cJSON *property(const char *section, const char *inner, const char *key)
{
    const cJSON *at = schema_named("system");
    const char *path[] = {section, inner, key};
    for (size_t i = 0; i < 3; i++)
        if (path[i])
            at = json_get(json_get(at, "properties"), path[i]);
    assert_non_null(at);
    return at;
}

static const char *default_text(const char *section, const char *key)
{
    return json_string(property(section, NULL, key), "default", "none");
}

static double default_number(const char *section, const char *inner, const char *key)
{
    return json_number(property(section, inner, key), "default", -1);
}

static void defaults_are_the_schema_s(void **state)
{
    (void)state;
    read_file_of("version: 1\nname: home\n");
    assert_string_equal(settings.name, "home");
    assert_string_equal(settings.database, default_text(NULL, "database"));
    assert_string_equal(system_target_name(settings.target), default_text(NULL, "target"));
    assert_string_equal(settings.ntp, default_text(NULL, "ntp"));
    assert_string_equal(settings.local.host, default_text("local", "host"));
    assert_true(settings.local.mqtt_port == default_number("local", NULL, "mqtt_port"));
    assert_string_equal(settings.local.http.address,
                        json_string(property("local", "http", "address"), "default", "none"));
    assert_true(settings.local.http.port == default_number("local", "http", "port"));
    assert_true(settings.local.messages_per_second ==
                default_number("local", NULL, "messages_per_second"));
    assert_true(settings.local.bytes_per_second ==
                default_number("local", NULL, "bytes_per_second"));
    assert_string_equal(settings.local.store, default_text("local", "store"));
    assert_int_equal(settings.local.notify.count, 0);
    assert_null(settings.aws.region);
    assert_string_equal(settings.aws.account, default_text("aws", "account"));
    assert_string_equal(settings.aws.profile, default_text("aws", "profile"));
    assert_string_equal(system_store_name(settings.aws.store), default_text("aws", "store"));
    assert_true(settings.aws.requests_per_second ==
                default_number("aws", NULL, "requests_per_second"));
}

static void every_setting_is_read(void **state)
{
    (void)state;
    read_file_of(
        "version: 1\nname: barn\ndatabase: db.x\ntarget: aws\nntp: 192.0.2.1\n"
        "local:\n  host: iot.local\n  mqtt_port: 1\n"
        "  http: {address: \"::1\", port: 2}\n  messages_per_second: 0\n  bytes_per_second: 7\n"
        "  store: postgresql://h/d\n  notify:\n"
        "    alarms: [\"mailto:a@b\", \"http://h/\"]\n    none: []\n"
        "aws:\n  region: eu-north-1\n  account: \"123456789012\"\n  profile: p\n"
        "  store: dynamodb\n  requests_per_second: 2.5\n");
    assert_string_equal(settings.name, "barn");
    assert_string_equal(settings.database, "db.x");
    assert_int_equal(settings.target, TARGET_AWS);
    assert_string_equal(settings.ntp, "192.0.2.1");
    assert_string_equal(settings.local.host, "iot.local");
    assert_int_equal(settings.local.mqtt_port, 1);
    assert_string_equal(settings.local.http.address, "::1");
    assert_int_equal(settings.local.http.port, 2);
    assert_int_equal(settings.local.messages_per_second, 0);
    assert_int_equal(settings.local.bytes_per_second, 7);
    assert_string_equal(settings.local.store, "postgresql://h/d");
    assert_int_equal(settings.local.notify.count, 2);
    const struct system_topic *alarms = system_topic(&settings.local.notify, "alarms");
    assert_non_null(alarms);
    assert_int_equal(alarms->count, 2);
    assert_string_equal(alarms->addresses[0], "mailto:a@b");
    assert_string_equal(alarms->addresses[1], "http://h/");
    assert_int_equal(system_topic(&settings.local.notify, "none")->count, 0);
    assert_null(system_topic(&settings.local.notify, "alarm"));
    assert_null(system_topic(&settings.local.notify, ""));
    assert_null(system_topic(NULL, "alarms"));
    assert_string_equal(settings.aws.region, "eu-north-1");
    assert_string_equal(settings.aws.account, "123456789012");
    assert_string_equal(settings.aws.profile, "p");
    assert_int_equal(settings.aws.store, STORE_DYNAMODB);
    assert_true(settings.aws.requests_per_second == 2.5);
    assert_string_equal(json_string(json_get(settings.json, "local"), "host", ""), "iot.local");
}

static void assert_keys(const cJSON *schema, const char *const *keys, size_t count)
{
    const cJSON *property;
    cJSON_ArrayForEach(property, json_get(schema, "properties"))
    {
        bool known = false;
        for (size_t i = 0; i < count && !known; i++)
            known = strcmp(keys[i], property->string) == 0;
        if (!known)
            fail_msg("struct system has no member for \"%s\" of the schema", property->string);
    }
}

/* A key that is added to the schema gets a member, and a place in the test above. */
static void no_key_of_the_schema_is_left_out(void **state)
{
    (void)state;
    static const char *const keys[] = {"version", "name",  "database", "target",
                                       "ntp",     "local", "aws"};
    static const char *const local[] = {
        "host", "mqtt_port", "http", "messages_per_second", "bytes_per_second", "store", "notify"};
    static const char *const http[] = {"address", "port"};
    static const char *const aws[] = {"region", "account", "profile", "store",
                                      "requests_per_second"};
    assert_keys(schema_named("system"), keys, sizeof keys / sizeof *keys);
    assert_keys(property("local", NULL, NULL), local, sizeof local / sizeof *local);
    assert_keys(property("local", "http", NULL), http, sizeof http / sizeof *http);
    assert_keys(property("aws", NULL, NULL), aws, sizeof aws / sizeof *aws);
}

static void words_are_the_schema_s(void **state)
{
    (void)state;
    const cJSON *targets = json_get(property(NULL, NULL, "target"), "enum");
    const cJSON *stores = json_get(property("aws", NULL, "store"), "enum");
    assert_int_equal(cJSON_GetArraySize(targets), TARGET_AWS + 1);
    assert_int_equal(cJSON_GetArraySize(stores), STORE_DYNAMODB + 1);
    for (int i = 0; i <= TARGET_AWS; i++) {
        enum target_kind kind;
        const char *word = cJSON_GetArrayItem(targets, i)->valuestring;
        assert_string_equal(system_target_name((enum target_kind)i), word);
        assert_true(system_target_named(word, &kind) && kind == (enum target_kind)i);
    }
    for (int i = 0; i <= STORE_DYNAMODB; i++)
        assert_string_equal(system_store_name((enum cloud_store)i),
                            cJSON_GetArrayItem(stores, i)->valuestring);
    enum target_kind kind = TARGET_AWS;
    assert_false(system_target_named("moon", &kind) || system_target_named("", &kind));
    assert_int_equal(kind, TARGET_AWS);
}

static void choices_of_the_command_line(void **state)
{
    (void)state;
    read_file_of("version: 1\nname: home\nlocal: {notify: {a: [\"http://h/\"]}}\n");
    assert_fine(system_choose(&settings, "target", NULL, &error));
    assert_int_equal(settings.target, TARGET_LOCAL);
    assert_fine(system_choose(&settings, "target", "aws", &error));
    assert_fine(system_choose(&settings, "database", "other.db", &error));
    assert_int_equal(settings.target, TARGET_AWS);
    assert_string_equal(settings.database, "other.db");
    assert_string_equal(settings.name, "home");
    assert_int_equal(system_topic(&settings.local.notify, "a")->count, 1);
    assert_failed(system_choose(&settings, "target", "lokal", &error), WRONG_USAGE,
                  "--target: \"lokal\" is not a target");
    assert_failed(system_choose(&settings, "database", "a b", &error), WRONG_USAGE,
                  "--database: \"a b\" is not a database's name");
    assert_int_equal(settings.target, TARGET_AWS);
    assert_string_equal(settings.database, "other.db");
    system_set_database(&settings, "third");
    assert_string_equal(settings.database, "third");
    assert_string_equal(json_string(settings.json, "database", ""), "third");
}

static void a_file_that_is_wrong(void **state)
{
    (void)state;
    system_free(&settings);
    put(SYSTEM_FILE, "version: 1\nname: home\nlocal: {mqtt_port: 70000}\n");
    assert_int_equal(system_read(&settings, &error), WRONG_INPUT);
    assert_non_null(strstr(text_string(&error.message), ":3:20: error: 70000 is out of range"));
    assert_null(settings.json);
    assert_int_equal(remove(SYSTEM_FILE), 0);
    assert_int_equal(system_read(&settings, &error), WRONG_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(defaults_are_the_schema_s, forget),
        cmocka_unit_test_teardown(every_setting_is_read, forget),
        cmocka_unit_test_teardown(no_key_of_the_schema_is_left_out, forget),
        cmocka_unit_test_teardown(words_are_the_schema_s, forget),
        cmocka_unit_test_teardown(choices_of_the_command_line, forget),
        cmocka_unit_test_teardown(a_file_that_is_wrong, forget),
    };
    return cmocka_run_group_tests(tests, go_to_workplace, leave_workplace);
}
