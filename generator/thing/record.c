#include "record.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/spec/spec.h"

#include <stdlib.h>
#include <string.h>

enum { LARGEST_RECORD = 1 << 20 };

char *record_folder(const char *name)
{
    return path_join(THINGS_FOLDER, name);
}

char *record_file(const char *name, const char *file)
{
    return must_format(THINGS_FOLDER "/%s/%s", name, file);
}

cJSON *record_new(const char *name, const char *type, const char *target, cJSON *attributes,
                  const char *ssid, const char *password)
{
    cJSON *record = json_object(), *wifi = json_object();
    char now[CLOCK_TEXT];
    clock_write(time(NULL), now);
    json_put_number(record, "version", 1);
    json_put_string(record, "name", name);
    json_put_string(record, "type", type);
    json_put_string(record, "target", target);
    json_put_string(record, "state", "making");
    json_put_string(record, "created", now);
    json_put(record, "attributes", attributes);
    json_put_string(wifi, "ssid", ssid);
    json_put_string(wifi, "password", password);
    json_put(record, "wifi", wifi);
    return record;
}

enum status record_read(const char *name, cJSON **record, struct error *error)
{
    owned char *path = record_file(name, "thing.json");
    *record = NULL;
    if (!path_exists(path))
        return FINE;
    enum status status = json_read(path, LARGEST_RECORD, record, error);
    if (!status && (!json_string(*record, "name", NULL) || !json_string(*record, "type", NULL) ||
                    !json_string(*record, "state", NULL))) {
        json_wipe(*record);
        *record = NULL;
        status = fail(error, WRONG_INPUT, "%s is not a record of a thing", path);
    }
    return status;
}

enum status record_stage(const cJSON *record, struct batch *batch, struct error *error)
{
    struct text bytes = {.secret = true};
    owned char *path = record_file(json_string(record, "name", ""), "thing.json");
    json_layout(record, &bytes);
    enum status status =
        batch_write(batch, path, text_string(&bytes), bytes.length, FILE_SECRET, error);
    text_free(&bytes);
    return status;
}

enum status record_write(const cJSON *record, struct error *error)
{
    struct batch batch = {0};
    enum status status = record_stage(record, &batch, error);
    if (!status)
        status = batch_commit(&batch, error);
    batch_drop(&batch);
    return status;
}

const char *record_state(const cJSON *record)
{
    return json_string(record, "state", "");
}

void record_put_certificate(cJSON *record, const struct certificate_facts *facts)
{
    cJSON *certificate = json_object();
    char when[CLOCK_TEXT];
    json_put_string(certificate, "serial", facts->serial);
    json_put_string(certificate, "fingerprint", facts->fingerprint);
    clock_write(facts->not_before, when);
    json_put_string(certificate, "not_before", when);
    clock_write(facts->not_after, when);
    json_put_string(certificate, "not_after", when);
    json_put(record, "certificate", certificate);
}

cJSON *record_public(const cJSON *record)
{
    cJSON *copy = json_object();
    for (const cJSON *member = record->child; member; member = member->next) {
        if (strcmp(member->string, "wifi") == 0) {
            cJSON *wifi = json_object();
            json_put_string(wifi, "ssid", json_string(member, "ssid", NULL));
            json_put(copy, "wifi", wifi);
        } else {
            json_put(copy, member->string, cJSON_Duplicate(member, true));
        }
    }
    return copy;
}

struct names *record_names(void)
{
    return folders_with(THINGS_FOLDER, ".");
}

void record_change(cJSON *record, const struct changes *changes)
{
    cJSON *wifi = json_get(record, "wifi");
    if (changes->attributes)
        json_put(record, "attributes", cJSON_Duplicate(changes->attributes, true));
    if (changes->ssid)
        json_put_string(wifi, "ssid", changes->ssid);
    if (changes->password)
        json_put_string(wifi, "password", changes->password);
}
