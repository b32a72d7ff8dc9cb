/* Things on disk: record, package, and their life on the local target, in a project of their own.
 */
#include "heap.h"

#include "common/base/json.h"
#include "common/base/paths.h"
#include "common/spec/spec.h"
#include "generator/documents/model.h"
#include "generator/thing/bulk.h"
#include "generator/thing/thing.h"
#include "generator/thing/record.h"

#include <dirent.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <signal.h>
#include <sys/wait.h>

static const char spec_text[] =
    "version: 1\ntype: greenhouse\nplatform: esp32\nattributes:\n  zone: {default: \"1\"}\n"
    "measures:\n  temperature: {driver: {name: ds18x20, pin: 4}}\ncommands: true\n";

static struct catalog catalog;
static struct system home;
static struct target target;
static struct package_plan plan;

/* The authority is made once: an RSA key takes its time. */
static int set_up(void **state)
{
    struct spec spec;
    if (go_to_workplace(state))
        return -1;
    owned char *templates = from_root("templates");
    put(SYSTEM_FILE, "version: 1\nname: home\nlocal: {host: iot.local}\n");
    put("sensortypes/greenhouse/spec.yaml", spec_text);
    put("sensortypes/greenhouse/code/extra.py", "EXTRA = 1\n");
    put("sensortypes/greenhouse/code/README.md", "for people\n");
    if (symlink(templates, "templates") || mkdir("certificates", 0755) ||
        catalog_load("templates", &catalog, &error) || system_read(&home, &error) ||
        target_open(TARGET_LOCAL, &home, NULL, &target, &error) ||
        spec_read_type("greenhouse", &catalog, &spec, &error) || spec_require(&spec, &error))
        return -1;
    cJSON *model = model_of_type(&home, spec.json, &catalog);
    spec_free(&spec);
    bool failed = package_plan_make("templates", &catalog, &target, model, &plan, &error) != FINE;
    plan.as_source = true; /* what is made of it is tested by tests/cli and tests/firmware */
    return failed;
}

static int tear_down(void **state)
{
    package_plan_free(&plan);
    target_close(&target);
    system_free(&home);
    catalog_free(&catalog);
    return leave_workplace(state);
}

static int no_things(void **state)
{
    (void)state;
    error_free(&error); /* of the test before */
    return remove_tree("certificates", &error) ||
           remove_tree("sensortypes/greenhouse/sensors", &error) || mkdir("certificates", 0755);
}

static struct making wanted(const char *name)
{
    struct attributes attributes = {0};
    attributes_put(&attributes, "zone", "2");
    const struct wifi wifi = {(char *)"N'et", {(char *)"pass\"word\\$", 11}};
    return (struct making){
        .record = record_new(name, "greenhouse", TARGET_LOCAL, &attributes, &wifi), .plan = &plan};
}

static enum outcome make(const char *name)
{
    struct making making = wanted(name);
    make_things(&target, &making, 1, NULL, NULL);
    enum outcome outcome = making.outcome;
    error_free(&error);
    error = making.error;
    making.error = (struct error){0};
    make_free(&making);
    return outcome;
}

static struct record *record_of(const char *name)
{
    struct record *record = NULL;
    assert_fine(record_read(name, &record, &error));
    assert_non_null(record);
    return record;
}

static char *serial_of(const char *name)
{
    struct record *record = record_of(name);
    char *serial = must_copy(record->current.mark);
    record_free(record);
    return serial;
}

static size_t entries_in(const char *folder)
{
    size_t count = 0;
    DIR *listing = opendir(folder);
    for (struct dirent *entry; listing && (entry = readdir(listing));)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    if (listing)
        closedir(listing);
    return count;
}

/* How many serials the authority has revoked; OpenSSL reads the list. */
static bool is_revoked(const char *serial)
{
    struct text pem = {0};
    assert_fine(read_file("iot_system_infra/authority/crl.pem", 1 << 20, &pem, &error));
    BIO *bio = BIO_new_mem_buf(pem.at, (int)pem.length);
    X509_CRL *list = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL);
    BIGNUM *number = NULL;
    assert_non_null(list);
    assert_true(BN_hex2bn(&number, serial) > 0);
    ASN1_INTEGER *integer = BN_to_ASN1_INTEGER(number, NULL);
    X509_REVOKED *revoked = NULL;
    bool found = X509_CRL_get0_by_serial(list, &revoked, integer) == 1;
    ASN1_INTEGER_free(integer);
    BN_free(number);
    X509_CRL_free(list);
    BIO_free(bio);
    text_free(&pem);
    return found;
}

static const char package[] = "sensortypes/greenhouse/sensors/kitchen";

static struct text bytes_of(const char *path)
{
    struct text bytes = {0};
    assert_fine(read_file(path, 1 << 20, &bytes, &error));
    return bytes;
}

static struct text packaged(const char *file)
{
    owned char *path = path_join(package, file);
    return bytes_of(path);
}

static bool same_bytes(const struct text *one, const struct text *other)
{
    return one->length == other->length && memcmp(one->at, other->at, one->length) == 0;
}

static void assert_whole(const char *name)
{
    struct record *record = record_of(name);
    owned char *folder = record_folder(name), *made = package_folder("greenhouse", name);
    owned char *manifest = path_join(made, "manifest.json");
    assert_int_equal(record->state, RECORD_ACTIVE);
    assert_string_equal(record->current.mark, record->certificate.serial);
    assert_int_equal(entries_in(folder), 3); /* record, key, certificate: no left-overs */
    assert_true(path_exists(manifest));
    assert_false(is_revoked(record->current.mark));
    record_free(record);
}

static void a_thing_is_made(void **state)
{
    (void)state;
    assert_int_equal(make("kitchen"), MADE);
    assert_whole("kitchen");
    struct record *record = record_of("kitchen");
    assert_string_equal(record->type, "greenhouse");
    assert_int_equal(record->target, TARGET_LOCAL);
    assert_string_equal(attributes_get(&record->attributes, "zone"), "2");
    assert_string_equal(record->wifi.password.at, "pass\"word\\$");
    assert_int_equal(mode_of("certificates/kitchen"), 0700);
    assert_int_equal(mode_of("certificates/kitchen/thing.json"), 0600);
    assert_int_equal(mode_of("certificates/kitchen/key.pem"), 0600);
    assert_int_equal(mode_of("iot_system_infra/authority"), 0700);
    assert_int_equal(mode_of("iot_system_infra/authority/ca.key"), 0600);
    record_free(record);
}

static void what_a_record_shows(void **state)
{
    (void)state;
    assert_int_equal(make("kitchen"), MADE);
    struct record *record = record_of("kitchen");
    cJSON *shown = record_json(record);
    struct text text = {0};
    json_compact(shown, &text);
    assert_null(strstr(text.at, "word"));
    assert_non_null(strstr(text.at, "\"wifi\":{\"ssid\":\"N'et\"}"));
    assert_non_null(json_get(shown, "certificate"));
    text_free(&text);
    cJSON_Delete(shown);
    record_free(record);
}

/* Every file of the package, and none that the manifest does not know; sums are right. */
static void the_package(void **state)
{
    (void)state;
    cJSON *manifest = NULL;
    const cJSON *file;
    assert_int_equal(make("kitchen"), MADE);
    owned char *manifest_path = path_join(package, "manifest.json");
    assert_fine(json_read(manifest_path, 1 << 20, &manifest, &error));
    assert_string_equal(json_string(manifest, "thing", ""), "kitchen");
    assert_string_equal(json_string(manifest, "platform", ""), "esp32");
    size_t count = 0;
    const char *before = "";
    cJSON_ArrayForEach(file, json_get(manifest, "files"))
    {
        const char *path = json_string(file, "file", "");
        owned char *whole = path_join(package, path);
        struct text bytes = {0};
        unsigned char digest[32];
        char sum[65];
        if (strcmp(before, path) >= 0)
            fail_msg("%s does not come before %s", before, path);
        assert_fine(read_file(whole, 1 << 20, &bytes, &error));
        SHA256((const unsigned char *)bytes.at, bytes.length, digest);
        for (size_t i = 0; i < 32; i++)
            snprintf(sum + 2 * i, 3, "%02x", digest[i]);
        assert_string_equal(json_string(file, "sha256", ""), sum);
        assert_int_equal(json_number(file, "size", -1), bytes.length);
        assert_int_equal(mode_of(whole), 0600);
        assert_null(strstr(path, ".pem"));
        assert_false(ends_with(path, ".md") || ends_with(path, ".yaml"));
        text_free(&bytes);
        before = path;
        count++;
    }
    assert_int_equal(entries_in(package), count + 1);
    assert_int_equal(mode_of(package), 0700);
    cJSON_Delete(manifest);
    struct text extra = packaged("extra.py"), driver = packaged("driver_ds18x20.py");
    struct text ca = packaged("ca.der"), authority = bytes_of("iot_system_infra/authority/ca.der");
    assert_string_equal(extra.at, "EXTRA = 1\n");
    assert_true(driver.length > 0 && ca.length > 0);
    assert_true(same_bytes(&ca, &authority));
    text_free(&extra);
    text_free(&driver);
    text_free(&ca);
    text_free(&authority);
}

/* What a killed command left of a package does not get into the next one. */
static void a_package_without_left_overs(void **state)
{
    (void)state;
    put("sensortypes/greenhouse/sensors/.kitchen/stale.py", "x");
    put("sensortypes/greenhouse/sensors/kitchen/stale.py", "x");
    assert_int_equal(make("kitchen"), MADE);
    assert_false(path_exists("sensortypes/greenhouse/sensors/kitchen/stale.py"));
    assert_int_equal(entries_in("sensortypes/greenhouse/sensors"), 1);
}

static void the_configuration_of_a_board(void **state)
{
    (void)state;
    cJSON *config = NULL;
    assert_int_equal(make("kitchen"), MADE);
    owned char *path = path_join(package, "config.json");
    assert_fine(json_read(path, 1 << 20, &config, &error));
    struct text text = {0};
    json_compact(config, &text);
    assert_non_null(strstr(text.at, "\"iot.local\""));
    assert_non_null(strstr(text.at, "\"N'et\""));
    assert_non_null(strstr(text.at, "\"pass\\\"word\\\\$\""));
    assert_non_null(strstr(text.at, "greenhouse/kitchen"));
    text_free(&text);
    cJSON_Delete(config);
}

static void a_thing_that_exists(void **state)
{
    (void)state;
    assert_int_equal(make("kitchen"), MADE);
    owned char *before = serial_of("kitchen");
    assert_int_equal(make("kitchen"), EXISTED);
    assert_true(
        begins_with(text_string(&error.message), "kitchen exists already (greenhouse, created 20"));
    owned char *after = serial_of("kitchen");
    assert_string_equal(before, after);
    assert_int_equal(thing_absent("kitchen", &error), WRONG_INPUT);
    assert_int_equal(thing_absent("attic", &error), FINE);
}

static void several_at_once(void **state)
{
    (void)state;
    struct making things[4];
    assert_int_equal(make("b"), MADE);
    put("certificates/d/thing.json", "{\"broken\": ");
    things[0] = wanted("a");
    things[1] = wanted("b");
    things[2] = wanted("c");
    things[3] = wanted("d");
    make_things(&target, things, 4, NULL, NULL);
    assert_int_equal(things[0].outcome, MADE);
    assert_int_equal(things[1].outcome, EXISTED);
    assert_int_equal(things[2].outcome, MADE);
    assert_int_equal(things[3].outcome, FAILED); /* and the others are made all the same */
    assert_string_equal(text_string(&things[3].error.message),
                        "certificates/d/thing.json:1:11: this is not JSON");
    assert_true(things[0].size.files > 5 && things[0].size.bytes > 1000);
    for (size_t i = 0; i < 4; i++)
        make_free(&things[i]);
    assert_whole("a");
    assert_whole("c");
    owned char *a = serial_of("a"), *c = serial_of("c");
    assert_string_not_equal(a, c);
    struct names *names = record_names();
    assert_int_equal(names->count, 4);
    assert_string_equal(names->at[0], "a");
    names_free(names);
}

struct seen {
    size_t count[3]; /* by outcome */
    bool told[64];
};

static void see(void *context, const struct bulk_result *result)
{
    struct seen *seen = context;
    assert_true(result->index < 64 && !seen->told[result->index]);
    seen->told[result->index] = true;
    seen->count[result->outcome]++;
    assert_int_equal(result->outcome == FAILED, *result->message != '\0');
}

/* By several processes, each thing told once. */
static void in_bulk(void **state)
{
    (void)state;
    enum { COUNT = 40 };
    struct making things[COUNT];
    struct seen seen = {0};
    assert_int_equal(make("t7"), MADE);
    put("certificates/t9/thing.json", "[]");
    for (int i = 0; i < COUNT; i++) {
        owned char *name = must_format("t%d", i);
        things[i] = wanted(name);
    }
    assert_fine(bulk_make(&target, things, COUNT, see, &seen, &error));
    assert_int_equal(seen.count[MADE], COUNT - 2);
    assert_int_equal(seen.count[EXISTED], 1);
    assert_int_equal(seen.count[FAILED], 1);
    for (int i = 0; i < COUNT; i++) {
        owned char *name = must_format("t%d", i);
        if (i != 9)
            assert_whole(name);
        make_free(&things[i]);
    }
    assert_fine(bulk_make(&target, things, 0, see, &seen, &error));
}

/* --- killed at every step, then the same again --- */

typedef void act(void);

static void do_make(void)
{
    make("kitchen");
}

static void do_rotate(void)
{
    struct record *record = NULL;
    struct package_size size;
    rotate_thing(&target, &plan, "kitchen", &(struct changes){0}, &record, &size, &error);
    record_free(record);
}

static void do_delete(void)
{
    delete_thing(&target, "kitchen", NULL, &(bool){false}, &error);
}

static bool killed_at(const char *fault, act *action)
{
    pid_t child = fork();
    if (!child) {
        setenv("SENSORFORGE_FAULT", fault, 1);
        action();
        _exit(0);
    }
    int result;
    assert_int_equal(waitpid(child, &result, 0), child);
    return WIFSIGNALED(result) && WTERMSIG(result) == SIGKILL;
}

static void making_is_resumed(void **state)
{
    (void)state;
    static const char *const faults[] = {"rename:1",      "create:begun", "create:certified",
                                         "create:staged", "rename:2",     "rename:3",
                                         "rename:4",      "rename:5",     "create:done"};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        assert_int_equal(no_things(NULL), 0);
        if (!killed_at(faults[i], do_make))
            fail_msg("%s was not reached", faults[i]);
        struct record *half = NULL;
        assert_fine(record_read("kitchen", &half, &error));
        owned char *begun = must_copy(half ? half->current.mark : "");
        bool done = half && half->state == RECORD_ACTIVE;
        record_free(half);
        assert_int_equal(make("kitchen"), done ? EXISTED : MADE);
        assert_whole("kitchen");
        owned char *serial = serial_of("kitchen");
        if (*begun) /* never more than one certificate */
            assert_string_equal(serial, begun);
        assert_int_equal(entries_in("sensortypes/greenhouse/sensors"), 1);
    }
}

static void rotating(void **state)
{
    (void)state;
    assert_int_equal(make("kitchen"), MADE);
    owned char *before = serial_of("kitchen"), *key = get("certificates/kitchen/key.pem");
    struct text old_key = packaged("key.der");
    do_rotate();
    assert_whole("kitchen");
    owned char *after = serial_of("kitchen"), *new_key = get("certificates/kitchen/key.pem");
    struct text package_key = packaged("key.der");
    assert_string_not_equal(before, after);
    assert_string_not_equal(key, new_key);
    assert_true(is_revoked(before));
    assert_false(same_bytes(&old_key, &package_key)); /* the package has the new one */
    text_free(&old_key);
    text_free(&package_key);
    struct record *record = record_of("kitchen");
    assert_null(record->retired_serial);
    assert_true(!record->next.mark && !record->retired.mark);
    record_free(record);
}

static void rotating_is_resumed(void **state)
{
    (void)state;
    static const char *const faults[] = {
        "rename:1", "rotate:begun",   "rename:2",       "rename:3", "rotate:certified",
        "rename:4", "rename:5",       "rename:6",       "rename:7", "rotate:replaced",
        "rename:8", "rotate:retired", "rotate:cleaned", "rename:9"};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        assert_int_equal(no_things(NULL), 0);
        assert_int_equal(make("kitchen"), MADE);
        owned char *before = serial_of("kitchen");
        if (!killed_at(faults[i], do_rotate))
            fail_msg("%s was not reached", faults[i]);
        struct record *half = record_of("kitchen");
        bool active = half->state == RECORD_ACTIVE;
        owned char *chosen = must_copy(half->next.mark ? half->next.mark : "");
        record_free(half);
        do_rotate();
        assert_whole("kitchen");
        assert_true(is_revoked(before));
        owned char *after = serial_of("kitchen");
        if (!active) /* the rotation that was begun, not one more */
            assert_string_equal(after, chosen);
    }
}

/* What changes is in the record and in the package; what does not stays. */
static void changes_are_made(void **state)
{
    (void)state;
    struct record *record = NULL;
    cJSON *config = NULL;
    struct attributes attributes = {0};
    struct package_size size;
    const struct secret password = {(char *)"another one", 11};
    attributes_put(&attributes, "zone", "9");
    struct changes changes = {.attributes = &attributes, .password = &password};
    assert_int_equal(make("kitchen"), MADE);
    owned char *serial = serial_of("kitchen");
    struct text key = packaged("key.der");
    assert_fine(rebuild_thing(&target, &plan, "kitchen", &changes, &record, &size, &error));
    record_free(record);
    assert_whole("kitchen");
    record = record_of("kitchen");
    assert_string_equal(attributes_get(&record->attributes, "zone"), "9");
    assert_string_equal(record->wifi.password.at, "another one");
    assert_string_equal(record->wifi.ssid, "N'et");
    assert_string_equal(record->current.mark, serial); /* no new certificate */
    struct text same_key = packaged("key.der");
    assert_true(same_bytes(&key, &same_key));
    owned char *path = path_join(package, "config.json");
    assert_fine(json_read(path, 1 << 20, &config, &error));
    struct text text = {0};
    json_compact(config, &text);
    assert_non_null(strstr(text.at, "\"another one\""));
    text_free(&text);
    text_free(&key);
    text_free(&same_key);
    cJSON_Delete(config);
    attributes_free(&attributes);
    record_free(record);
    struct changes none = {0};
    assert_failed(rebuild_thing(&target, &plan, "nobody", &none, &record, &size, &error),
                  WRONG_INPUT, "there is no thing \"nobody\"");
}

static void deleting(void **state)
{
    (void)state;
    assert_int_equal(make("kitchen"), MADE);
    assert_int_equal(make("attic"), MADE);
    owned char *serial = serial_of("kitchen");
    assert_fine(delete_thing(&target, "kitchen", NULL, &(bool){false}, &error));
    assert_false(path_exists("certificates/kitchen") || path_exists(package));
    assert_true(is_revoked(serial));
    assert_whole("attic");
    assert_failed(delete_thing(&target, "kitchen", NULL, &(bool){false}, &error), WRONG_INPUT,
                  "there is no thing \"kitchen\"");
    assert_failed(delete_thing(&target, "attik", NULL, &(bool){false}, &error), WRONG_INPUT,
                  "there is no thing \"attik\"");
    assert_string_equal(text_string(&error.advice), "did you mean \"attic\"?");
    assert_failed(delete_thing(&target, "..", NULL, &(bool){false}, &error), WRONG_INPUT,
                  "there is no thing \"..\"");
}

static size_t things_left(void)
{
    struct names *names = record_names();
    const size_t count = names->count;
    names_free(names);
    return count;
}

static void deleting_is_resumed(void **state)
{
    (void)state;
    static const char *const faults[] = {"rename:1",     "delete:begun",   "rename:2",
                                         "rename:3",     "delete:retired", "delete:package",
                                         "delete:record"};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        assert_int_equal(no_things(NULL), 0);
        assert_int_equal(make("kitchen"), MADE);
        owned char *serial = serial_of("kitchen");
        if (!killed_at(faults[i], do_delete))
            fail_msg("%s was not reached", faults[i]);
        assert_fine(delete_thing(&target, "kitchen", NULL, &(bool){false}, &error));
        assert_true(is_revoked(serial));
        assert_int_equal(things_left(), 0);
        assert_int_equal(entries_in("sensortypes/greenhouse/sensors"), 0);
    }
}

static void half_made_things_are_deleted(void **state)
{
    (void)state;
    static const char *const faults[] = {"rename:1",      "create:begun", "create:certified",
                                         "create:staged", "rename:3",     "rename:4",
                                         "rename:5"};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        assert_int_equal(no_things(NULL), 0);
        assert_true(killed_at(faults[i], do_make));
        assert_fine(delete_thing(&target, "kitchen", NULL, &(bool){false}, &error));
        assert_int_equal(things_left(), 0);
        assert_int_equal(entries_in("sensortypes/greenhouse/sensors"), 0);
    }
}

/* One life at a time. */
static void states_that_exclude_each_other(void **state)
{
    (void)state;
    struct record *record = NULL;
    struct package_size size;
    assert_true(killed_at("create:begun", do_make));
    assert_failed(
        rotate_thing(&target, &plan, "kitchen", &(struct changes){0}, &record, &size, &error),
        WRONG_INPUT, "kitchen is half-made");
    record_free(record);
    assert_int_equal(make("kitchen"), MADE);
    assert_true(killed_at("rotate:begun", do_rotate));
    assert_int_equal(make("kitchen"), FAILED);
    assert_string_equal(text_string(&error.message), "kitchen is half-rotated");
    assert_true(killed_at("delete:begun", do_delete));
    assert_int_equal(make("kitchen"), FAILED);
    assert_string_equal(text_string(&error.message), "kitchen is half-deleted");
    assert_failed(
        rotate_thing(&target, &plan, "kitchen", &(struct changes){0}, &record, &size, &error),
        WRONG_INPUT, "kitchen is half-deleted");
    record_free(record);
}

static void a_locked_thing(void **state)
{
    (void)state;
    int lock;
    assert_int_equal(make("kitchen"), MADE);
    assert_fine(lock_folder("certificates/kitchen", false, &lock, &error));
    assert_int_equal(make("kitchen"), FAILED);
    assert_string_equal(text_string(&error.message),
                        "certificates/kitchen is locked by another command");
    assert_int_equal(error.status, REFUSED);
    assert_int_equal(delete_thing(&target, "kitchen", NULL, &(bool){false}, &error), REFUSED);
    unlock(&lock);
    assert_whole("kitchen");
}

/* Through records, templates and packages: when the work is done, no copy of it is left in memory. */
static void the_password_is_overwritten(void **state)
{
    (void)state;
    char password[33];
    make_password(password);
    struct attributes attributes = {0};
    struct wifi wifi = {must_copy("Home"), secret_copy(password, 32)};
    struct record *record = NULL;
    struct package_size size;
    attributes_put(&attributes, "zone", "2");
    struct making making = {
        .record = record_new("kitchen", "greenhouse", TARGET_LOCAL, &attributes, &wifi),
        .plan = &plan};
    make_things(&target, &making, 1, NULL, NULL);
    assert_int_equal(making.outcome, MADE);
    make_free(&making);
    wifi_free(&wifi);
    assert_fine(
        rotate_thing(&target, &plan, "kitchen", &(struct changes){0}, &record, &size, &error));
    record_free(record);
    assert_fine(
        rebuild_thing(&target, &plan, "kitchen", &(struct changes){0}, &record, &size, &error));
    assert_memory_equal(record->wifi.password.at, password, 33);
    assert_true(memory_holds(password, 32));
    record_free(record);
    assert_false(memory_holds(password, 32));
    do_delete();
}

static void targets(void **state)
{
    (void)state;
    const char *host = NULL;
    int port = 0;
    assert_fine(target.endpoint(&target, &host, &port, &error));
    assert_string_equal(host, "iot.local");
    assert_int_equal(port, 8883);
}

#define TEST(function) cmocka_unit_test_setup(function, no_things)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_thing_is_made),
        TEST(what_a_record_shows),
        TEST(the_package),
        TEST(a_package_without_left_overs),
        TEST(the_configuration_of_a_board),
        TEST(a_thing_that_exists),
        TEST(several_at_once),
        TEST(in_bulk),
        TEST(making_is_resumed),
        TEST(rotating),
        TEST(rotating_is_resumed),
        TEST(changes_are_made),
        TEST(deleting),
        TEST(deleting_is_resumed),
        TEST(half_made_things_are_deleted),
        TEST(states_that_exclude_each_other),
        TEST(a_locked_thing),
        TEST(the_password_is_overwritten),
        TEST(targets),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
