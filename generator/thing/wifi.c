#include "wifi.h"
#include "common/base/base64.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/paths.h"
#include "common/spec/schema.h"
#include "common/spec/yaml.h"

#include <stdlib.h>
#include <string.h>

enum { LONGEST_SSID = 32, SHORTEST_PASSWORD = 8, LONGEST_PASSWORD = 63, KEY_DIGITS = 64 };

struct wifi wifi_copy(const struct wifi *wifi)
{
    if (!wifi->ssid)
        return (struct wifi){0};
    return (struct wifi){must_copy(wifi->ssid),
                         secret_copy(wifi->password.at, wifi->password.length)};
}

void wifi_free(struct wifi *wifi)
{
    free(wifi->ssid);
    secret_free(&wifi->password);
    *wifi = (struct wifi){0};
}

/* --- names that JSON and terminals cannot hold --- */

static char *encode(const char *ssid)
{
    char *base64 = must_alloc(base64_encoded_length(strlen(ssid)) + 1);
    base64_encode(ssid, strlen(ssid), base64);
    return base64;
}

char *wifi_decode(const char *base64)
{
    size_t length = strlen(base64), count = 0;
    char *ssid = must_alloc(base64_decoded_length(length) + 1);
    bool decoded =
        base64_decode(base64, length, ssid, &count) && count && !memchr(ssid, '\0', count);
    if (decoded) {
        ssid[count] = '\0';
        return ssid;
    }
    free(ssid);
    return NULL;
}

char *wifi_title(const char *ssid)
{
    struct text title = {0};
    while (*ssid) {
        size_t bad = 0, length = strlen(ssid);
        unsigned char byte = (unsigned char)*ssid;
        size_t size = byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
        bool shown = byte >= 0x20 && byte != 0x7F && size <= length && utf8_valid(ssid, size, &bad);
        if (shown)
            text_add(&title, ssid, size);
        else
            text_add_format(&title, "\\x%02X", byte);
        ssid += shown ? size : 1;
    }
    char *copy = must_copy(text_string(&title));
    text_free(&title);
    return copy;
}

cJSON *wifi_json(const struct wifi *wifi)
{
    cJSON *object = json_object();
    bool text = !wifi->ssid || utf8_valid(wifi->ssid, strlen(wifi->ssid), NULL);
    owned char *title = text ? NULL : wifi_title(wifi->ssid);
    owned char *base64 = text ? NULL : encode(wifi->ssid);
    json_put_string(object, "ssid", text ? wifi->ssid : title);
    json_put_string(object, "ssid_base64", base64);
    json_put_secret(object, "password", &wifi->password);
    return object;
}

/* --- what is allowed --- */

static bool has_control(const struct secret *secret)
{
    for (size_t i = 0; i < secret->length; i++)
        if ((unsigned char)secret->at[i] < 0x20 || secret->at[i] == 0x7F)
            return true;
    return false;
}

static enum status check_ssid(const char *ssid, const char *where, struct error *error)
{
    size_t length = strlen(ssid);
    if (!length || length > LONGEST_SSID)
        return fail(error, WRONG_INPUT, "%sa wifi network's name has 1 to %d bytes; this has %zu",
                    where, LONGEST_SSID, length);
    return FINE;
}

/* 64 hexadecimal digits are the pairwise master key itself. */
static bool is_key(const struct secret *password)
{
    return password->length == KEY_DIGITS &&
           strspn(password->at, "0123456789abcdefABCDEF") == KEY_DIGITS;
}

enum status wifi_check(const struct wifi *wifi, const char *where, struct error *error)
{
    const struct secret *password = &wifi->password;
    enum status status = check_ssid(wifi->ssid, where, error);
    if (status || !password->length || is_key(password))
        return status;
    owned char *title = wifi_title(wifi->ssid);
    if (password->length < SHORTEST_PASSWORD || password->length > LONGEST_PASSWORD) {
        fail(error, WRONG_INPUT, "%sthe wifi password for \"%s\" has %zu bytes", where, title,
             password->length);
        return advise(error, "%d to %d bytes, 64 hexadecimal digits, or none for an open network",
                      SHORTEST_PASSWORD, LONGEST_PASSWORD);
    }
    if (!utf8_valid(password->at, password->length, NULL) || has_control(password))
        return fail(
            error, WRONG_INPUT,
            "%sthe wifi password for \"%s\" holds a control character or bytes that are not UTF-8",
            where, title);
    return FINE;
}

/* --- secrets.yaml --- */

static struct secret secret_from(const char *text)
{
    return text ? secret_copy(text, strlen(text)) : (struct secret){0};
}

static struct wifi wifi_from(const char *ssid, const char *password)
{
    return (struct wifi){ssid ? must_copy(ssid) : NULL, secret_from(password)};
}

/* The file may have keys of other programs (api_password, wifi_password2). When one of our keys is
 * missing, a key with nearly the same name counts as a typing error. */
static void check_keys(const struct yaml_node *root, struct problems *problems)
{
    static const char *const known[] = {"wifi_ssid", "wifi_password"};
    for (size_t i = 0; root && root->kind == YAML_MAP && i < root->count; i++) {
        const char *key = root->keys[i]->text, *nearest = nearest_word(key, known, 2);
        if (nearest && begins_with(key, "wifi") && !yaml_get(root, nearest))
            problem_add(problems, ERROR, root->keys[i]->place, NULL, "%s", nearest);
    }
}

/* Whether a value without quotes has a comment behind it. It is more likely a password with a "#" in it:
 * YAML ends the value there. */
static bool is_cut(const struct source *source, const struct yaml_node *value)
{
    const char *line = text_string(&source->bytes);
    if (!value || value->kind != YAML_SCALAR || value->quoted)
        return false;
    for (size_t i = 1; i < value->place.line && line; i++)
        if ((line = strchr(line, '\n')))
            line++;
    return line && memchr(line, '#', strcspn(line, "\n"));
}

static void check_comments(const struct source *source, const struct yaml_node *root,
                           struct problems *problems)
{
    static const char *const keys[] = {"wifi_ssid", "wifi_password"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (is_cut(source, yaml_get(root, keys[i])))
            problem_add(problems, ERROR, yaml_get(root, keys[i])->place, NULL, "%s", keys[i]);
}

/* Problems are reported without the line, because it may hold the password. */
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
    check_comments(source, yaml.root, &problems);
    if (problems.errors) {
        problems_sort(&problems);
        status = fail(error, WRONG_INPUT, "%s:%zu:%zu: this line is not as it should be",
                      source->name, problems.at[0].place.line, problems.at[0].place.column);
        advise(error, "wifi_ssid: \"...\" and wifi_password: \"...\", each in quotes");
    } else {
        *found = wifi_from(json_string(secrets, "wifi_ssid", NULL),
                           json_string(secrets, "wifi_password", NULL));
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
    advise(error,
           "wifissid=... wifipassword=..., or " SECRETS_FILE " with wifi_ssid and wifi_password");
    return WRONG_USAGE;
}

static enum status no_answer(const char *what, struct error *error)
{
    fail(error, WRONG_USAGE, "the wifi %s was not given", what);
    return WRONG_USAGE;
}

static enum status ask_ssid(secret_asker *ask, struct wifi *wifi, struct error *error)
{
    secret_owned struct secret answer = {0};
    if (!ask)
        return nobody_to_ask("network's name", error);
    if (!ask("wifi network: ", true, &answer))
        return no_answer("network", error);
    wifi->ssid = must_copy(answer.at);
    return FINE;
}

static enum status ask_password(secret_asker *ask, struct wifi *wifi, struct error *error)
{
    owned char *title = wifi_title(wifi->ssid);
    owned char *question =
        must_format("wifi password for \"%s\" (empty: an open network): ", title);
    if (!ask)
        return nobody_to_ask("password", error);
    return ask(question, false, &wifi->password) ? FINE : no_answer("password", error);
}

/* Takes what is missing from secrets.yaml. Its password belongs to its own network. */
static enum status fill_from_file(struct wifi *wifi, struct error *error)
{
    struct wifi file = {0};
    enum status status = read_secrets(&file, error);
    if (!wifi->ssid && file.ssid)
        wifi->ssid = must_copy(file.ssid);
    if (!wifi->password.at && file.password.at && wifi->ssid && file.ssid &&
        strcmp(wifi->ssid, file.ssid) == 0)
        wifi->password = secret_copy(file.password.at, file.password.length);
    wifi_free(&file);
    return status;
}

enum status wifi_find(const char *ssid, secret_asker *ask, struct wifi *wifi, struct error *error)
{
    *wifi = wifi_from(ssid ? ssid : getenv("SENSORFORGE_WIFI_SSID"),
                      getenv("SENSORFORGE_WIFI_PASSWORD"));
    enum status status = FINE;
    if (!wifi->ssid || !wifi->password.at)
        status = fill_from_file(wifi, error);
    if (!status && !wifi->ssid)
        status = ask_ssid(ask, wifi, error);
    if (!status && !wifi->password.at)
        status = ask_password(ask, wifi, error);
    return status ? status : wifi_check(wifi, "", error);
}
