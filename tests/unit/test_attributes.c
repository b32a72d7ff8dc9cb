/* What a person wants a thing to be, and which wifi it may join. */
#include "workplace.h"

#include "common/base/json.h"
#include "generator/thing/wifi.h"
#include "generator/targets/attributes.h"
#include "generator/thing/thing.h"

static const char type[] = "{\"name\": \"climate\", \"attributes\": [{\"name\": \"zone\", "
                           "\"default\": \"1\", \"pattern\": "
                           "\"[0-9]+\", \"description\": \"\"}, {\"name\": \"room\", \"default\": "
                           "null, \"pattern\": null, "
                           "\"description\": \"Which room\"}]}";

/* {"room": "bath"} as a person gives it. */
static struct attributes given(const char *text)
{
    struct attributes attributes = {0};
    cJSON *json = cJSON_Parse(text);
    const cJSON *member;
    assert_non_null(json);
    cJSON_ArrayForEach(member, json)
        attributes_put(&attributes, member->string, member->valuestring);
    cJSON_Delete(json);
    return attributes;
}

static enum status complete(const char *text, struct attributes *attributes)
{
    cJSON *type_json = cJSON_Parse(type);
    struct attributes some = given(text);
    enum status status = attributes_complete(type_json, &some, "t.csv:2: ", attributes, &error);
    cJSON_Delete(type_json);
    attributes_free(&some);
    return status;
}

static void assert_completed(const char *text, const char *wanted)
{
    struct attributes attributes = {0};
    struct text got = {0};
    assert_fine(complete(text, &attributes));
    cJSON *json = attributes_json(&attributes);
    json_compact(json, &got);
    assert_string_equal(text_string(&got), wanted);
    cJSON_Delete(json);
    attributes_free(&attributes);
    text_free(&got);
}

static void attributes_that_may_be(void **state)
{
    (void)state;
    assert_completed("{\"room\": \"bath\"}", "{\"zone\":\"1\",\"room\":\"bath\"}");
    assert_completed("{\"room\": \"a/b:c#[d]\", \"zone\": \"22\"}",
                     "{\"zone\":\"22\",\"room\":\"a/b:c#[d]\"}");
}

static void attributes_are_a_list(void **state)
{
    (void)state;
    struct attributes one = given("{\"zone\": \"1\", \"room\": \"bath\"}");
    struct attributes other = given("{\"room\": \"bath\", \"zone\": \"1\"}");
    struct attributes copy = attributes_copy(&one), none = {0};
    assert_true(attributes_equal(&one, &other) && attributes_equal(&one, &copy));
    assert_false(attributes_equal(&one, &none) || attributes_equal(&none, &one));
    attributes_put(&copy, "zone", "2");
    assert_int_equal(copy.count, 2);
    assert_string_equal(attributes_get(&copy, "zone"), "2");
    assert_string_equal(attributes_get(&one, "zone"), "1");
    assert_null(attributes_get(&one, "Zone"));
    assert_false(attributes_equal(&one, &copy));
    attributes_put(&copy, "zone", "1");
    attributes_put(&copy, "floor", "3");
    assert_false(attributes_equal(&one, &copy) || attributes_equal(&copy, &one));
    attributes_free(&one);
    attributes_free(&other);
    attributes_free(&copy);
    assert_null(copy.at);
}

static void assert_refused(const char *text, const char *message, const char *advice)
{
    struct attributes attributes;
    assert_failed(complete(text, &attributes), WRONG_INPUT, message);
    assert_string_equal(text_string(&error.advice), advice);
    assert_null(attributes.at);
}

static void attributes_that_cannot_be(void **state)
{
    (void)state;
    assert_refused("{}", "t.csv:2: the attribute \"room\" is missing", "room=... (Which room)");
    assert_refused("{\"room\": \"x\", \"zone\": \"1a\"}",
                   "t.csv:2: \"1a\" does not match the pattern of zone: [0-9]+", "");
    assert_refused("{\"room\": \"x\", \"zone\": \"12\\n\"}",
                   "t.csv:2: \"12\n\" cannot be the value of zone",
                   "1 to 800 of letters, digits and _.,@/:#=[]- (AWS IoT takes no other)");
    assert_refused("{\"room\": \"two words\"}",
                   "t.csv:2: \"two words\" cannot be the value of room",
                   "1 to 800 of letters, digits and _.,@/:#=[]- (AWS IoT takes no other)");
    assert_refused("{\"room\": \"\"}", "t.csv:2: \"\" cannot be the value of room",
                   "1 to 800 of letters, digits and _.,@/:#=[]- (AWS IoT takes no other)");
    assert_refused("{\"room\": \"x\", \"zoen\": \"1\"}",
                   "t.csv:2: climate has no attribute \"zoen\"",
                   "did you mean \"zone\"? (zone, room)");
}

static void names(void **state)
{
    (void)state;
    assert_int_equal(thing_check_name("AC-1", "", &error), FINE);
    assert_failed(thing_check_name("a b", "t.csv:2: ", &error), WRONG_INPUT,
                  "t.csv:2: \"a b\" cannot be the name of a thing");
    assert_string_equal(text_string(&error.advice), "1 to 64 of letters, digits and : _ -");
}

/* --- wifi --- */

static const char sixty_three[] = "123456789012345678901234567890123456789012345678901234567890123";
static const char key[] = "0123456789abcdefABCDEF0123456789abcdefABCDEF0123456789abcdefABCD";

static enum status check(const char *ssid, const char *password, const char *where)
{
    const struct wifi wifi = {(char *)ssid, {(char *)password, strlen(password)}};
    return wifi_check(&wifi, where, &error);
}

static void wifi_that_may_be(void **state)
{
    (void)state;
    assert_int_equal(check("N", "", ""), FINE);
    assert_int_equal(check("Home", "12345678", ""), FINE);
    assert_int_equal(check("Home", sixty_three, ""), FINE);
    assert_int_equal(check("Home", key, ""), FINE);
    assert_int_equal(check("$ & / \\ ' \" # \xc3\xbc", " $&/\\'\"# ", ""), FINE);
    assert_int_equal(check("12345678901234567890123456789012", "12345678", ""), FINE);
    assert_int_equal(check("a\tb", "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc", ""), FINE);
}

static void wifi_that_cannot_be(void **state)
{
    (void)state;
    char almost[65];
    memcpy(almost, key, sizeof almost);
    almost[63] = 'g';
    assert_failed(check("", "12345678", "w: "), WRONG_INPUT,
                  "w: a wifi network's name has 1 to 32 bytes; this has 0");
    assert_failed(check("123456789012345678901234567890123", "", ""), WRONG_INPUT,
                  "a wifi network's name has 1 to 32 bytes; this has 33");
    assert_failed(check("\xe4\x1b", "1234567", ""), WRONG_INPUT,
                  "the wifi password for \"\\xE4\\x1B\" has 7 bytes");
    assert_fine(check("\xe4", "", ""));
    assert_failed(check("N", "1234567", ""), WRONG_INPUT,
                  "the wifi password for \"N\" has 7 bytes");
    assert_failed(check("N", almost, ""), WRONG_INPUT, "the wifi password for \"N\" has 64 bytes");
    assert_failed(check("N", "1234567\n", "w: "), WRONG_INPUT,
                  "w: the wifi password for \"N\" holds a control character or bytes that are not "
                  "UTF-8");
    assert_int_equal(check("N", "1234567\xff", ""), WRONG_INPUT);
    assert_int_equal(check("N", "1234567\x7f", ""), WRONG_INPUT);
}

static int no_wifi(void **state)
{
    unsetenv("SENSORFORGE_WIFI_SSID");
    unsetenv("SENSORFORGE_WIFI_PASSWORD");
    return clear_workplace(state);
}

static void assert_found(const char *ssid, const char *wanted_ssid, const char *wanted_password)
{
    struct wifi wifi = {0};
    assert_fine(wifi_find(ssid, NULL, &wifi, &error));
    assert_string_equal(wifi.ssid, wanted_ssid);
    assert_string_equal(wifi.password.at, wanted_password);
    wifi_free(&wifi);
    assert_null(wifi.password.at);
}

static void sources_in_their_order(void **state)
{
    (void)state;
    put("secrets.yaml", "wifi_ssid: \" File #1\"\nwifi_password: 'of $the \"file'\nother: 1\n");
    assert_found(NULL, " File #1", "of $the \"file");
    assert_found(" File #1", " File #1", "of $the \"file");
    setenv("SENSORFORGE_WIFI_SSID", "Environment", 1);
    setenv("SENSORFORGE_WIFI_PASSWORD", "of the environment", 1);
    assert_found(NULL, "Environment", "of the environment");
    assert_found("Given", "Given", "of the environment");
    setenv("SENSORFORGE_WIFI_PASSWORD", "", 1);
    assert_found("Open", "Open", "");
}

/* A password is for its own network only. */
static void a_password_of_another_network(void **state)
{
    (void)state;
    struct wifi wifi = {0};
    put("secrets.yaml", "wifi_ssid: Home\nwifi_password: secretsecret\n");
    assert_failed(wifi_find("Guests", NULL, &wifi, &error), WRONG_USAGE,
                  "the wifi password is missing");
    wifi_free(&wifi);
}

static void nothing_to_be_found(void **state)
{
    (void)state;
    struct wifi wifi = {0};
    assert_failed(wifi_find(NULL, NULL, &wifi, &error), WRONG_USAGE,
                  "the wifi network's name is missing");
    wifi_free(&wifi);
}

/* What is wrong in secrets.yaml is told without the line, which may hold the password. */
static void errors_keep_the_secret(void **state)
{
    (void)state;
    static const char *const broken[] = {"wifi_ssid: Home\nwifi_password: [hushhush\n",
                                         "wifi_ssid: Home\nwifi_password: 12345678\n",
                                         "wifi_ssid: Home\nwifi_password: \"hushhush\n",
                                         "wifi_ssid: Home\nwifi_password: *hushhush\n",
                                         "wifi_ssid: Home\nwifi_password: !hushhush x\n"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        struct wifi wifi = {0};
        put("secrets.yaml", broken[i]);
        assert_int_equal(wifi_find(NULL, NULL, &wifi, &error), WRONG_INPUT);
        assert_true(begins_with(text_string(&error.message), "secrets.yaml:2:16: "));
        assert_null(strstr(text_string(&error.message), "hush"));
        assert_null(strstr(text_string(&error.message), "1234"));
        assert_null(strstr(text_string(&error.advice), "hush"));
        wifi_free(&wifi);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attributes_that_may_be),
        cmocka_unit_test(attributes_are_a_list),
        cmocka_unit_test(attributes_that_cannot_be),
        cmocka_unit_test(names),
        cmocka_unit_test(wifi_that_may_be),
        cmocka_unit_test(wifi_that_cannot_be),
        cmocka_unit_test_setup(sources_in_their_order, no_wifi),
        cmocka_unit_test_setup(a_password_of_another_network, no_wifi),
        cmocka_unit_test_setup(nothing_to_be_found, no_wifi),
        cmocka_unit_test_setup(errors_keep_the_secret, no_wifi),
    };
    return cmocka_run_group_tests(tests, go_to_workplace, leave_workplace);
}
