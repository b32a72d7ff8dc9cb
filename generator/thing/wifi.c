#include "wifi.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/spec/schema.h"
#include "common/spec/yaml.h"

#include <stdlib.h>
#include <string.h>

#define SECRETS_FILE "secrets.yaml"

enum { LONGEST_SSID = 32, SHORTEST_PASSWORD = 8, LONGEST_PASSWORD = 63, KEY_DIGITS = 64 };

void wifi_free(struct wifi *wifi)
{
    secret_free(&wifi->ssid);
    secret_free(&wifi->password);
}

static bool has_control(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7F)
            return true;
    return false;
}

enum status wifi_check(const char *ssid, const char *password, const char *where,
                       struct error *error)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): it takes fail() to return FINE */
    size_t length = strlen(ssid), secret_length = strlen(password);
    if (!length || length > LONGEST_SSID)
        return fail(error, WRONG_INPUT, "%sa wifi network's name has 1 to %d bytes; this has %zu",
                    where, LONGEST_SSID, length);
    if (!utf8_valid(ssid, length, NULL))
        return fail(error, WRONG_INPUT, "%sthe wifi network's name is not UTF-8", where);
    bool key =
        secret_length == KEY_DIGITS && strspn(password, "0123456789abcdefABCDEF") == KEY_DIGITS;
    if (secret_length && !key &&
        (secret_length < SHORTEST_PASSWORD || secret_length > LONGEST_PASSWORD)) {
        fail(error, WRONG_INPUT, "%sthe wifi password for \"%s\" has %zu bytes", where, ssid,
             secret_length);
        return advise(error, "%d to %d bytes, 64 hexadecimal digits, or none for an open network",
                      SHORTEST_PASSWORD, LONGEST_PASSWORD);
    }
    if (!utf8_valid(password, secret_length, NULL) || has_control(password))
        return fail(
            error, WRONG_INPUT,
            "%sthe wifi password for \"%s\" holds a control character or bytes that are not UTF-8",
            where, ssid);
    return FINE;
}

/* --- secrets.yaml --- */

static struct secret take(const cJSON *secrets, const char *name)
{
    const char *value = json_string(secrets, name, NULL);
    return value ? secret_copy(value, strlen(value)) : (struct secret){0};
}

/* Other keys may be there, for other programs (api_password, wifi_password2); where ours is
 * missing, one that is nearly it is a slip. */
static void check_keys(const struct yaml_node *root, struct problems *problems)
{
    static const char *const known[] = {"wifi_ssid", "wifi_password"};
    for (size_t i = 0; root && root->kind == YAML_MAP && i < root->count; i++) {
        const char *key = root->keys[i]->text, *nearest = nearest_word(key, known, 2);
        if (nearest && begins_with(key, "wifi") && !yaml_get(root, nearest))
            problem_add(problems, ERROR, root->keys[i]->place, NULL, "%s", nearest);
    }
}

/* Problems are told without the offending line, which may hold the password. */
static enum status check_secrets(const struct source *source, struct wifi *found,
                                 struct error *error)
{
    struct problems problems = {.source = (struct source *)source};
    struct yaml yaml;
    enum status status = FINE;
    yaml_tree_load(source, &yaml, &problems);
    cJSON *secrets = NULL;
    if (yaml.root || !problems.errors)
        secrets =
            schema_check(schema_named("secrets"), schema_named("secrets"), yaml.root, &problems);
    check_keys(yaml.root, &problems);
    if (problems.errors) {
        problems_sort(&problems);
        status = fail(error, WRONG_INPUT, "%s:%zu:%zu: this line is not as it should be",
                      source->name, problems.at[0].place.line, problems.at[0].place.column);
        advise(error, "wifi_ssid: \"...\" and wifi_password: \"...\", each in quotes");
    } else {
        *found = (struct wifi){take(secrets, "wifi_ssid"), take(secrets, "wifi_password")};
    }
    json_wipe(secrets);
    yaml_tree_wipe(&yaml);
    problems_free(&problems);
    return status;
}

static enum status read_secrets(struct wifi *found, struct error *error)
{
    struct source source = {.name = must_copy(SECRETS_FILE)};
    enum status status = FINE;
    if (path_exists(SECRETS_FILE)) {
        status = read_file(SECRETS_FILE, YAML_LARGEST, &source.bytes, error);
        if (!status)
            status = check_secrets(&source, found, error);
    }
    text_wipe(&source.bytes);
    source_free(&source);
    return status;
}

/* --- asking --- */

static enum status nobody_to_ask(const char *what, struct error *error)
{
    fail(error, WRONG_USAGE, "the wifi %s is missing", what);
    return advise(
        error, "wifissid=... wifipassword=..., or secrets.yaml with wifi_ssid and wifi_password");
}

static enum status find_missing(secret_asker *ask, struct wifi *wifi, struct error *error)
{
    if (!wifi->ssid.at && !ask)
        return nobody_to_ask("network's name", error);
    if (!wifi->ssid.at && !ask("wifi network: ", true, &wifi->ssid))
        return fail(error, WRONG_USAGE, "the wifi network was not given");
    if (wifi->password.at)
        return FINE;
    if (!ask)
        return nobody_to_ask("password", error);
    owned char *question =
        must_format("wifi password for \"%s\" (empty: an open network): ", wifi->ssid.at);
    return ask(question, false, &wifi->password)
               ? FINE
               : fail(error, WRONG_USAGE, "the wifi password was not given");
}

static struct secret from_text(const char *text)
{
    return text ? secret_copy(text, strlen(text)) : (struct secret){0};
}

enum status wifi_find(const char *ssid, secret_asker *ask, struct wifi *wifi, struct error *error)
{
    struct wifi secrets = {0};
    *wifi = (struct wifi){from_text(ssid ? ssid : getenv("SENSORFORGE_WIFI_SSID")),
                          from_text(getenv("SENSORFORGE_WIFI_PASSWORD"))};
    enum status status = FINE;
    if (!wifi->ssid.at || !wifi->password.at)
        status = read_secrets(&secrets, error);
    if (!wifi->ssid.at && secrets.ssid.at)
        wifi->ssid = from_text(secrets.ssid.at);
    if (!wifi->password.at && wifi->ssid.at && secrets.ssid.at && secrets.password.at &&
        strcmp(wifi->ssid.at, secrets.ssid.at) == 0)
        wifi->password = from_text(secrets.password.at);
    if (!status)
        status = find_missing(ask, wifi, error);
    if (!status)
        status = wifi_check(wifi->ssid.at, wifi->password.at, "", error);
    wifi_free(&secrets);
    return status;
}
