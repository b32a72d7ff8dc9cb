/* The record of a thing: its file is read and written without loss, old ones and damaged ones too. */
#include "heap.h"

#include "common/base/json.h"
#include "generator/thing/record.h"

static const char file[] = "certificates/kitchen/thing.json";

/* Everything that a record can hold: of a thing on a remote target, in the middle of a rotation, with
 * members that this version does not know at each place where there can be some. */
static const char full[] = "{\n"
                           "  \"version\": 1,\n"
                           "  \"name\": \"kitchen\",\n"
                           "  \"type\": \"greenhouse\",\n"
                           "  \"target\": \"aws\",\n"
                           "  \"state\": \"rotating\",\n"
                           "  \"created\": \"2026-11-21T10:12:00Z\",\n"
                           "  \"attributes\": {\n"
                           "    \"zone\": \"1\",\n"
                           "    \"room\": \"bath\"\n"
                           "  },\n"
                           "  \"wifi\": {\n"
                           "    \"ssid\": \"N'et\",\n"
                           "    \"password\": \"pass\\\"word\\\\$\",\n"
                           "    \"hidden\": true\n"
                           "  },\n"
                           "  \"claim\": \"4F@2026-11-21T10:12:00Z\",\n"
                           "  \"serial\": \"4F\",\n"
                           "  \"registration\": {\n"
                           "    \"account\": \"123456789012\",\n"
                           "    \"region\": \"eu-west-1\",\n"
                           "    \"key\": \"ab\",\n"
                           "    \"certificate_id\": \"c1\",\n"
                           "    \"certificate_arn\": \"arn:1\",\n"
                           "    \"sweep\": \"2026-11-21T10:13:00Z\",\n"
                           "    \"tier\": 2\n"
                           "  },\n"
                           "  \"next_serial\": \"A0\",\n"
                           "  \"next_registration\": {\n"
                           "    \"account\": \"123456789012\",\n"
                           "    \"region\": \"eu-west-1\"\n"
                           "  },\n"
                           "  \"retired_mark\": \"3E\",\n"
                           "  \"retired_registration\": {\n"
                           "    \"certificate_id\": \"c0\"\n"
                           "  },\n"
                           "  \"retired\": \"77\",\n"
                           "  \"strays\": [\n"
                           "    {\n"
                           "      \"certificate_id\": \"c8\"\n"
                           "    },\n"
                           "    {\n"
                           "      \"certificate_id\": \"c9\",\n"
                           "      \"certificate_arn\": \"arn:9\"\n"
                           "    }\n"
                           "  ],\n"
                           "  \"certificate\": {\n"
                           "    \"serial\": \"88\",\n"
                           "    \"fingerprint\": \"cd\",\n"
                           "    \"not_before\": \"2026-11-21T09:12:00Z\",\n"
                           "    \"not_after\": \"2036-11-21T09:12:00Z\",\n"
                           "    \"issuer\": \"home\"\n"
                           "  },\n"
                           "  \"future\": {\n"
                           "    \"deep\": [\n"
                           "      1,\n"
                           "      {}\n"
                           "    ]\n"
                           "  },\n"
                           "  \"empty\": {}\n"
                           "}\n";

static struct record *read_kitchen(const char *text)
{
    struct record *record = NULL;
    put(file, text);
    assert_fine(record_read("kitchen", &record, &error));
    assert_non_null(record);
    return record;
}

static void everything_is_read(void **state)
{
    (void)state;
    struct record *record = read_kitchen(full);
    assert_string_equal(record->name, "kitchen");
    assert_string_equal(record->type, "greenhouse");
    assert_int_equal(record->target, TARGET_AWS);
    assert_int_equal(record->state, RECORD_ROTATING);
    assert_int_equal(record->created, 1795255920);
    assert_int_equal(record->attributes.count, 2);
    assert_string_equal(attributes_get(&record->attributes, "room"), "bath");
    assert_string_equal(record->wifi.ssid, "N'et");
    assert_string_equal(record->wifi.password.at, "pass\"word\\$");
    assert_int_equal(record->wifi.password.length, 11);
    assert_string_equal(record->claim, "4F@2026-11-21T10:12:00Z");
    assert_string_equal(record->current.mark, "4F");
    assert_string_equal(record->current.registration->account, "123456789012");
    assert_string_equal(record->current.registration->region, "eu-west-1");
    assert_string_equal(record->current.registration->key, "ab");
    assert_string_equal(record->current.registration->certificate_id, "c1");
    assert_string_equal(record->current.registration->certificate_arn, "arn:1");
    assert_int_equal(record->current.registration->sweep, 1795255980);
    assert_string_equal(record->next.mark, "A0");
    assert_null(record->next.registration->certificate_id);
    assert_int_equal(record->next.registration->sweep, 0);
    assert_string_equal(record->retired.mark, "3E");
    assert_string_equal(record->retired.registration->certificate_id, "c0");
    assert_string_equal(record->retired_serial, "77");
    assert_int_equal(record->stray_count, 2);
    assert_string_equal(record->strays[1]->certificate_id, "c9");
    assert_string_equal(record->strays[1]->certificate_arn, "arn:9");
    assert_string_equal(record->certificate.serial, "88");
    assert_string_equal(record->certificate.fingerprint, "cd");
    assert_int_equal(record->certificate.not_before, 1795252320);
    assert_int_equal(record->certificate.not_after, 2110871520);
    assert_true(record_has_certificate(record));
    record_free(record);
}

/* What is written has all that was read, also what this version does not know. Members that are known
 * come first. */
static void everything_is_written(void **state)
{
    (void)state;
    struct record *record = read_kitchen(full);
    cJSON *before = NULL, *after = NULL;
    assert_fine(record_write(record, &error));
    assert_fine(json_parse("before", full, strlen(full), &before, &error));
    assert_fine(json_read(file, 1 << 20, &after, &error));
    assert_true(cJSON_Compare(before, after, true));
    assert_file(file, full);
    assert_int_equal(mode_of(file), 0600);
    cJSON_Delete(before);
    cJSON_Delete(after);
    record_free(record);
}

static void what_others_see(void **state)
{
    (void)state;
    struct record *record = read_kitchen(full);
    cJSON *shown = record_json(record);
    struct text text = {0};
    json_compact(shown, &text);
    assert_null(strstr(text.at, "word"));
    assert_non_null(strstr(text.at, "\"wifi\":{\"ssid\":\"N'et\"}"));
    assert_non_null(strstr(text.at, "\"state\":\"rotating\""));
    assert_non_null(strstr(text.at, "\"future\":{"));
    text_free(&text);
    cJSON_Delete(shown);
    record_free(record);
}

/* --- old records --- */

/* As the first versions wrote it: the target was not named, a thing had nothing but its serial, and
 * what was not known was null. */
static void an_old_record(void **state)
{
    (void)state;
    struct record *record =
        read_kitchen("{\"name\":\"kitchen\",\"type\":\"greenhouse\",\"state\":\"active\","
                     "\"wifi\":{\"ssid\":\"Home\",\"password\":\"\"},\"serial\":\"4F\","
                     "\"retired\":null}");
    assert_int_equal(record->target, TARGET_LOCAL);
    assert_int_equal(record->state, RECORD_ACTIVE);
    assert_int_equal(record->created, 0);
    assert_int_equal(record->attributes.count, 0);
    assert_string_equal(record->wifi.password.at, "");
    assert_true(!record->claim && !record->current.registration && !record->retired_serial);
    assert_false(record_has_certificate(record));
    assert_false(record_promoted(record));
    record_free(record);
    record = read_kitchen("{\"name\":\"kitchen\",\"type\":\"t\",\"state\":\"making\"}");
    assert_true(!record->current.mark && !record->wifi.ssid && !record->wifi.password.at);
    assert_fine(record_write(record, &error));
    record_free(record);
    assert_fine(record_read("kitchen", &record, &error));
    assert_null(record->wifi.ssid);
    record_free(record);
}

static void every_state_is_known_by_its_name(void **state)
{
    (void)state;
    static const char *const names[] = {"making", "active", "rotating", "deleting"};
    for (int i = RECORD_MAKING; i <= RECORD_DELETING; i++) {
        owned char *text =
            must_format("{\"name\":\"kitchen\",\"type\":\"t\",\"state\":\"%s\"}", names[i]);
        struct record *record = read_kitchen(text);
        assert_int_equal(record->state, i);
        assert_string_equal(record_state_name(record->state), names[i]);
        record_free(record);
    }
}

/* --- damaged ones, and later ones --- */

static void assert_unreadable(const char *text, enum status status, const char *message)
{
    struct record *record = (struct record *)"x";
    error_free(&error);
    put(file, text);
    assert_failed(record_read("kitchen", &record, &error), status, message);
    assert_null(record);
    assert_file(file, text); /* it is left as it is */
    error_free(&error);
}

#define RECORD(members) "{\"name\":\"kitchen\",\"type\":\"t\",\"state\":\"active\"," members "}"
#define NOT_A_RECORD "certificates/kitchen/thing.json is not a record of a thing: "

static void damaged_records(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "certificates/kitchen/thing.json:1:1: this is not JSON"},
        {"{\"name\": \"kitchen\"", "certificates/kitchen/thing.json:1:18: this is not JSON"},
        {"[]", NOT_A_RECORD "it is not an object"},
        {"{}", NOT_A_RECORD "\"name\" is missing"},
        {"{\"name\":\"kitchen\",\"state\":\"active\"}", NOT_A_RECORD "\"type\" is missing"},
        {"{\"name\":\"kitchen\",\"type\":\"t\"}", NOT_A_RECORD "\"state\" is missing"},
        {"{\"name\":\"kitchen\",\"type\":\"t\",\"state\":\"half\"}",
         NOT_A_RECORD "\"state\" is not making, active, rotating or deleting"},
        {"{\"name\":\"kitchen\",\"type\":7,\"state\":\"active\"}",
         NOT_A_RECORD "\"type\" is not a string"},
        {RECORD("\"version\":\"1\""), NOT_A_RECORD "\"version\" is not a number"},
        {RECORD("\"created\":\"yesterday\""),
         NOT_A_RECORD "\"created\" is not a time such as 2026-11-21T10:12:00Z"},
        {RECORD("\"attributes\":[]"), NOT_A_RECORD "\"attributes\" is not an object"},
        {RECORD("\"attributes\":{\"zone\":1}"), NOT_A_RECORD "\"zone\" is not a string"},
        {RECORD("\"wifi\":\"Home\""), NOT_A_RECORD "\"wifi\" is not an object"},
        {RECORD("\"wifi\":{\"ssid\":\"Home\",\"password\":1}"),
         NOT_A_RECORD "\"password\" is not a string"},
        {RECORD("\"registration\":{\"certificate_id\":{}}"),
         NOT_A_RECORD "\"certificate_id\" is not a string"},
        {RECORD("\"registration\":{\"sweep\":\"\"}"),
         NOT_A_RECORD "\"sweep\" is not a time such as 2026-11-21T10:12:00Z"},
        {RECORD("\"certificate\":{\"serial\":\"00112233445566778899001122334455667788990011\"}"),
         NOT_A_RECORD "\"serial\" is too long"},
        {RECORD("\"strays\":{}"), NOT_A_RECORD "\"strays\" is not an array"},
        {RECORD("\"strays\":[1]"), NOT_A_RECORD "\"strays\" holds something else than objects"},
        {RECORD("\"claim\":true,\"serial\":1"), NOT_A_RECORD "\"claim\" is not a string"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_unreadable(cases[i].text, WRONG_INPUT, cases[i].message);
}

/* delete removes a thing whose record is damaged. What needs another version is not damaged. */
static void records_of_later_versions(void **state)
{
    (void)state;
    assert_unreadable("{\"version\":2,\"title\":\"kitchen\"}", REFUSED,
                      "certificates/kitchen/thing.json has the format 2; this version of "
                      "sensorforge reads up to 1");
    assert_unreadable(RECORD("\"target\":\"moon\""), REFUSED,
                      "certificates/kitchen/thing.json names the target \"moon\", which this "
                      "version does not have");
}

static void the_copy_of_a_folder(void **state)
{
    (void)state;
    assert_unreadable("{\"name\":\"attic\",\"type\":\"t\",\"state\":\"active\"}", REFUSED,
                      "certificates/kitchen/thing.json is the record of attic, not of kitchen");
}

static void advice_for_a_damaged_record(void **state)
{
    (void)state;
    struct record *record = NULL;
    put(file, "{}");
    assert_int_equal(record_read("kitchen", &record, &error), WRONG_INPUT);
    assert_string_equal(text_string(&error.advice),
                        "restore it from a backup, or sensorforge delete kitchen");
    error_free(&error);
    assert_fine(record_read("nobody", &record, &error));
    assert_null(record);
}

/* --- changes --- */

static void a_rotation(void **state)
{
    (void)state;
    struct record *record = read_kitchen(full);
    const struct certificate_facts next = {.serial = "99", .not_after = 1};
    assert_false(record_promoted(record));
    record_promote(record, &next);
    assert_true(record_promoted(record));
    assert_string_equal(record->current.mark, "A0");
    assert_null(record->current.registration->certificate_id);
    assert_null(record->next.registration);
    assert_string_equal(record->retired.mark, "4F");
    assert_string_equal(record->retired.registration->certificate_id, "c1");
    assert_string_equal(record->retired_serial, "88"); /* of the certificate, not its mark */
    assert_string_equal(record->certificate.serial, "99");
    assert_fine(record_write(record, &error)); /* killed here, the same is read again */
    record_free(record);
    assert_fine(record_read("kitchen", &record, &error));
    assert_true(record_promoted(record));
    cJSON *json = record_json(record);
    assert_true(json_number(json_get(json, "retired_registration"), "tier", 0) == 2);
    assert_null(json_get(json_get(json, "registration"), "tier"));
    cJSON_Delete(json);
    record_end_rotation(record);
    assert_int_equal(record->state, RECORD_ACTIVE);
    assert_false(record_promoted(record));
    json = record_json(record);
    static const char *const gone[] = {"next_serial",  "next_registration",    "retired",
                                       "retired_mark", "retired_registration", "strays"};
    for (size_t i = 0; i < sizeof gone / sizeof *gone; i++)
        assert_null(json_get(json, gone[i]));
    assert_non_null(json_get(json, "registration"));
    cJSON_Delete(json);
    record_free(record);
}

static void changes(void **state)
{
    (void)state;
    struct record *record = read_kitchen(full);
    struct attributes attributes = {0};
    const struct secret open = {(char *)"", 0};
    attributes_put(&attributes, "zone", "9");
    record_change(record, &(struct changes){0});
    assert_string_equal(record->wifi.ssid, "N'et");
    record_change(record, &(struct changes){.attributes = &attributes, .password = &open});
    assert_int_equal(record->attributes.count, 1);
    assert_string_equal(attributes_get(&record->attributes, "zone"), "9");
    assert_string_equal(record->wifi.ssid, "N'et");
    assert_string_equal(record->wifi.password.at, "");
    record_change(record, &(struct changes){.ssid = "Other"});
    assert_string_equal(record->wifi.ssid, "Other");
    attributes_free(&attributes);
    record_free(record);
}

/* What an earlier command began is kept; attributes and wifi are those of the command that goes on. */
static void a_half_made_thing_goes_on(void **state)
{
    (void)state;
    struct record *half = read_kitchen(full);
    struct attributes attributes = {0};
    const struct wifi wifi = {(char *)"Home", {(char *)"12345678", 8}};
    struct record *record = record_new("kitchen", "greenhouse", TARGET_AWS, &attributes, &wifi);
    assert_true(record->created > 1700000000 && record->state == RECORD_MAKING);
    record_resume(record, half);
    assert_string_equal(record->current.mark, "4F");
    assert_string_equal(record->current.registration->certificate_id, "c1");
    assert_string_equal(record->claim, "4F@2026-11-21T10:12:00Z");
    assert_int_equal(record->created, 1795255920);
    assert_string_equal(record->wifi.ssid, "Home");
    assert_int_equal(record->attributes.count, 0);
    assert_int_equal(record->state, RECORD_MAKING);
    record_free(half);
    record_free(record);
    record_free(NULL);
}

/* --- the password --- */

static void the_password_is_overwritten(void **state)
{
    (void)state;
    char password[33];
    make_password(password);
    struct attributes attributes = {0};
    struct wifi wifi = {must_copy("Home"), secret_copy(password, 32)};
    for (int i = 0; i < 40; i++) { /* so that the text of the record grows often */
        owned char *name = must_format("a%d", i), *value = must_format("%0800d", i);
        attributes_put(&attributes, name, value);
    }
    struct record *record = record_new("kitchen", "t", TARGET_LOCAL, &attributes, &wifi), *again;
    assert_fine(make_folders("certificates/kitchen", FOLDER_SECRET, &error));
    assert_fine(record_write(record, &error));
    assert_fine(record_read("kitchen", &again, &error));
    assert_memory_equal(again->wifi.password.at, password, 33);
    cJSON *shown = record_json(again);
    record_change(again, &(struct changes){.password = &wifi.password});
    assert_fine(record_write(again, &error));
    assert_true(memory_holds(password, 32));
    wifi_free(&wifi);
    record_free(record);
    record_free(again);
    assert_false(memory_holds(password, 32));
    cJSON_Delete(shown);
}

static void times(void **state)
{
    (void)state;
    char text[CLOCK_TEXT];
    record_time(0, text);
    assert_string_equal(text, "");
    record_time(1795255920, text);
    assert_string_equal(text, "2026-11-21T10:12:00Z");
}

#define TEST(function) cmocka_unit_test_setup(function, clear_workplace)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(everything_is_read),
        TEST(everything_is_written),
        TEST(what_others_see),
        TEST(an_old_record),
        TEST(every_state_is_known_by_its_name),
        TEST(damaged_records),
        TEST(records_of_later_versions),
        TEST(the_copy_of_a_folder),
        TEST(advice_for_a_damaged_record),
        TEST(a_rotation),
        TEST(changes),
        TEST(a_half_made_thing_goes_on),
        TEST(the_password_is_overwritten),
        TEST(times),
    };
    return cmocka_run_group_tests(tests, go_to_workplace, leave_workplace);
}
