#include "record.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/names.h"
#include "common/base/paths.h"
#include "common/spec/system.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VERSION_WRITTEN = 1 };

/* --- paths --- */

char *record_folder(const char *name)
{
    return path_join(THINGS_FOLDER, name);
}

char *record_file(const char *name, const char *file)
{
    return must_format(THINGS_FOLDER "/%s/%s", name, file);
}

struct names *record_names(void)
{
    return names_of_folders(THINGS_FOLDER, ".");
}

/* --- making and freeing --- */

struct record *record_new(const char *name, const char *type, enum target_kind target,
                          struct attributes *attributes, const struct wifi *wifi)
{
    struct record *record = must_alloc(sizeof *record);
    *record = (struct record){.name = must_copy(name),
                              .type = must_copy(type),
                              .target = target,
                              .state = RECORD_MAKING,
                              .created = time(NULL),
                              .attributes = *attributes,
                              .wifi = wifi_copy(wifi)};
    *attributes = (struct attributes){0};
    return record;
}

static void free_issuance(struct issuance *issuance)
{
    free(issuance->mark);
    registration_free(issuance->registration);
    *issuance = (struct issuance){0};
}

static void free_strays(struct record *record)
{
    for (size_t i = 0; i < record->stray_count; i++)
        registration_free(record->strays[i]);
    free(record->strays);
    record->strays = NULL;
    record->stray_count = record->stray_room = 0;
}

void record_free(struct record *record)
{
    if (!record)
        return;
    free(record->name);
    free(record->type);
    attributes_free(&record->attributes);
    wifi_free(&record->wifi);
    secret_free(&record->secret);
    cJSON_Delete(record->built.measures);
    free(record->claim);
    free_issuance(&record->current);
    free_issuance(&record->next);
    free_issuance(&record->retired);
    free_strays(record);
    free(record->retired_serial);
    json_wipe(record->others);
    free(record);
}

/* Two serial numbers, which are random: 256 bits. */
enum status record_give_secret(struct record *record, struct error *error)
{
    char halves[2][SERIAL_TEXT];
    struct text both = {.secret = true};
    if (record->secret.at)
        return FINE;
    enum status status = serial_make(halves[0], error);
    if (!status)
        status = serial_make(halves[1], error);
    if (!status) {
        text_add_format(&both, "%s%s", halves[0], halves[1]);
        record->secret = secret_copy(text_string(&both), both.length);
    }
    explicit_bzero(halves, sizeof halves);
    text_free(&both);
    return status;
}

/* --- several --- */

void records_add(struct records *records, struct record *record)
{
    records->at = must_grow(records->at, records->count, &records->room, sizeof *records->at);
    records->at[records->count++] = record;
}

static int by_name(const void *one, const void *other)
{
    return strcmp((*(struct record *const *)one)->name, (*(struct record *const *)other)->name);
}

void records_sort(struct records *records)
{
    if (records->count)
        qsort(records->at, records->count, sizeof *records->at, by_name);
}

struct record *records_find(const struct records *records, const char *name)
{
    const struct record wanted = {.name = (char *)name}, *key = &wanted;
    struct record **found = records && records->count ? bsearch(&key, records->at, records->count,
                                                                sizeof *records->at, by_name)
                                                      : NULL;
    return found ? *found : NULL;
}

void records_free(struct records *records)
{
    for (size_t i = 0; i < records->count; i++)
        record_free(records->at[i]);
    free(records->at);
    *records = (struct records){0};
}

/* --- reading --- */

/* A record that is being read. Each member that is known is taken out of the JSON, so that what is
 * left in the end are the others. The first problem counts. */
struct reader {
    const char *path;
    struct error *error;
    enum status status;
};

static void refuse(struct reader *reader, const char *member, const char *problem)
{
    if (!reader->status)
        reader->status =
            fail(reader->error, WRONG_INPUT, "%s is not a record of a thing: \"%s\" %s",
                 reader->path, member, problem);
}

/* Refuses what is no fault of the file: WRONG_INPUT would let delete take it for damaged. */
static void refuse_later_version(struct reader *reader)
{
    reader->status = REFUSED;
    advise(reader->error, "use the version of sensorforge that wrote it");
}

/* The member, which the caller deletes; NULL when it is missing or null. */
static cJSON *take(cJSON *object, const char *member)
{
    cJSON *item = cJSON_DetachItemFromObjectCaseSensitive(object, member);
    if (!cJSON_IsNull(item))
        return item;
    cJSON_Delete(item);
    return NULL;
}

/* Reads a string, which may be missing (NULL). */
static void take_string(struct reader *reader, cJSON *object, const char *member, char **string)
{
    cJSON *item = take(object, member);
    if (cJSON_IsString(item))
        *string = must_copy(item->valuestring);
    else if (item)
        refuse(reader, member, "is not a string");
    json_wipe(item);
}

/* Reads a string that must be there. */
static void need_string(struct reader *reader, cJSON *object, const char *member, char **string)
{
    take_string(reader, object, member, string);
    if (!*string)
        refuse(reader, member, "is missing");
}

/* Reads a string into an array of room bytes. */
static void take_short(struct reader *reader, cJSON *object, const char *member, char *into,
                       size_t room)
{
    owned char *string = NULL;
    take_string(reader, object, member, &string);
    if (!string)
        return;
    size_t length = strlen(string);
    if (length < room)
        memcpy(into, string, length + 1);
    else
        refuse(reader, member, "is too long");
}

static void take_time(struct reader *reader, cJSON *object, const char *member, time_t *when)
{
    owned char *string = NULL;
    int64_t milliseconds = 0;
    take_string(reader, object, member, &string);
    if (string && !clock_read(string, &milliseconds))
        refuse(reader, member, "is not a time such as 2026-11-21T10:12:00Z");
    *when = (time_t)(milliseconds / 1000);
}

/* An object whose members are to be read; NULL when it is missing. */
static cJSON *find_object(struct reader *reader, cJSON *object, const char *member)
{
    cJSON *item = json_get(object, member);
    if (item && !cJSON_IsObject(item) && !cJSON_IsNull(item))
        refuse(reader, member, "is not an object");
    return cJSON_IsObject(item) ? item : NULL;
}

/* Called after the known members were taken. An object with members left stays among the others. */
static void drop_if_empty(cJSON *record, const char *member)
{
    const cJSON *object = json_get(record, member);
    if (object && !object->child)
        cJSON_DeleteItemFromObjectCaseSensitive(record, member);
}

static void read_registration_of(struct reader *reader, cJSON *object, struct registration *read)
{
    take_string(reader, object, "account", &read->account);
    take_string(reader, object, "region", &read->region);
    take_string(reader, object, "key", &read->key);
    take_string(reader, object, "certificate_id", &read->certificate_id);
    take_string(reader, object, "certificate_arn", &read->certificate_arn);
    take_time(reader, object, "sweep", &read->sweep);
}

static void read_registration(struct reader *reader, cJSON *record, const char *member,
                              struct registration **registration)
{
    cJSON *object = find_object(reader, record, member);
    if (!object)
        return;
    *registration = must_alloc(sizeof **registration);
    read_registration_of(reader, object, *registration);
    drop_if_empty(record, member);
}

static void read_strays(struct reader *reader, cJSON *json, struct record *record)
{
    cJSON *list = take(json, "strays"), *stray;
    if (list && !cJSON_IsArray(list))
        refuse(reader, "strays", "is not an array");
    cJSON_ArrayForEach(stray, list)
    {
        struct registration *read = must_alloc(sizeof *read);
        if (!cJSON_IsObject(stray))
            refuse(reader, "strays", "holds something else than objects");
        read_registration_of(reader, stray, read);
        record_add_stray(record, read);
    }
    cJSON_Delete(list);
}

static void read_certificate(struct reader *reader, cJSON *record, struct certificate_facts *facts)
{
    cJSON *object = find_object(reader, record, "certificate");
    take_short(reader, object, "serial", facts->serial, sizeof facts->serial);
    take_short(reader, object, "fingerprint", facts->fingerprint, sizeof facts->fingerprint);
    take_time(reader, object, "not_before", &facts->not_before);
    take_time(reader, object, "not_after", &facts->not_after);
    drop_if_empty(record, "certificate");
}

static void read_attributes(struct reader *reader, cJSON *record, struct attributes *attributes)
{
    cJSON *object = take(record, "attributes");
    const cJSON *attribute;
    if (object && !cJSON_IsObject(object))
        refuse(reader, "attributes", "is not an object");
    cJSON_ArrayForEach(attribute, object)
    {
        if (cJSON_IsString(attribute) && attribute->string)
            attributes_put(attributes, attribute->string, attribute->valuestring);
        else
            refuse(reader, attribute->string ? attribute->string : "attributes", "is not a string");
    }
    cJSON_Delete(object);
}

static void read_wifi(struct reader *reader, cJSON *record, struct wifi *wifi)
{
    cJSON *object = find_object(reader, record, "wifi");
    owned char *base64 = NULL;
    take_string(reader, object, "ssid", &wifi->ssid);
    take_string(reader, object, "ssid_base64", &base64);
    if (base64) {
        free(wifi->ssid);
        wifi->ssid = wifi_decode(base64);
        if (!wifi->ssid)
            refuse(reader, "ssid_base64", "is not base64 of a name");
    }
    cJSON *password = take(object, "password");
    if (cJSON_IsString(password))
        wifi->password = secret_copy(password->valuestring, strlen(password->valuestring));
    else if (password)
        refuse(reader, "password", "is not a string");
    json_wipe(password);
    drop_if_empty(record, "wifi");
}

static void read_secret_of(struct reader *reader, cJSON *json, struct record *record)
{
    cJSON *secret = take(json, "secret");
    if (cJSON_IsString(secret))
        record->secret = secret_copy(secret->valuestring, strlen(secret->valuestring));
    else if (secret)
        refuse(reader, "secret", "is not a string");
    json_wipe(secret);
}

static void read_built(struct reader *reader, cJSON *record, struct built *built)
{
    cJSON *object = find_object(reader, record, "built");
    const cJSON *measure;
    take_short(reader, object, "version", built->version, sizeof built->version);
    built->measures = take(object, "measures");
    if (built->measures && !cJSON_IsArray(built->measures))
        refuse(reader, "measures", "is not a list");
    cJSON_ArrayForEach(measure, built->measures)
    {
        if (!cJSON_IsString(measure))
            refuse(reader, "measures", "has something that is not a string");
    }
    drop_if_empty(record, "built");
}

static void read_state(struct reader *reader, cJSON *json, enum record_state *state)
{
    owned char *name = NULL;
    need_string(reader, json, "state", &name);
    if (!record_state_named(name, state))
        refuse(reader, "state", "is not making, active, rotating or deleting");
}

/* Records of the first versions name no target: there was only one. */
static void read_target(struct reader *reader, cJSON *json, enum target_kind *target)
{
    owned char *name = NULL;
    *target = TARGET_LOCAL;
    take_string(reader, json, "target", &name);
    if (reader->status || !name || system_target_named(name, target))
        return;
    fail(reader->error, REFUSED, "%s names the target \"%s\", which this version does not have",
         reader->path, name);
    refuse_later_version(reader);
}

static void read_version(struct reader *reader, cJSON *json)
{
    cJSON *version = take(json, "version");
    if (version && !cJSON_IsNumber(version)) {
        refuse(reader, "version", "is not a number");
    } else if (version && version->valuedouble > VERSION_WRITTEN) {
        fail(reader->error, REFUSED,
             "%s has the format %g; this version of sensorforge reads up to %d", reader->path,
             version->valuedouble, VERSION_WRITTEN);
        refuse_later_version(reader);
    }
    cJSON_Delete(version);
}

/* Reads all members that this version knows, and takes them out of the JSON. */
static void read_members(struct reader *reader, cJSON *json, struct record *record)
{
    read_version(reader, json);
    need_string(reader, json, "name", &record->name);
    need_string(reader, json, "type", &record->type);
    read_target(reader, json, &record->target);
    read_state(reader, json, &record->state);
    take_time(reader, json, "created", &record->created);
    read_attributes(reader, json, &record->attributes);
    read_wifi(reader, json, &record->wifi);
    read_secret_of(reader, json, record);
    read_built(reader, json, &record->built);
    take_string(reader, json, "claim", &record->claim);
    take_string(reader, json, "serial", &record->current.mark);
    read_registration(reader, json, "registration", &record->current.registration);
    take_string(reader, json, "next_serial", &record->next.mark);
    read_registration(reader, json, "next_registration", &record->next.registration);
    take_string(reader, json, "retired_mark", &record->retired.mark);
    read_registration(reader, json, "retired_registration", &record->retired.registration);
    take_string(reader, json, "retired", &record->retired_serial);
    read_strays(reader, json, record);
    read_certificate(reader, json, &record->certificate);
}

/* The name in the record differs from the folder's name when the folder was copied. Writing would
 * then change the thing that it was copied from, and deleting would revoke the certificate of that
 * thing. */
static void check_name(struct reader *reader, const char *name, const struct record *record)
{
    if (reader->status || strcmp(name, record->name) == 0)
        return;
    reader->status = fail(reader->error, REFUSED, "%s is the record of %s, not of %s", reader->path,
                          record->name, name);
    advise(reader->error,
           "a copy of a thing's folder is no thing; remove it: rm -r " THINGS_FOLDER "/%s", name);
}

static enum status read_record(const char *path, const char *name, struct record **record,
                               struct error *error)
{
    struct reader reader = {.path = path, .error = error};
    cJSON *json = NULL;
    reader.status = json_read(path, LARGEST_RECORD, &json, error);
    if (!reader.status && !cJSON_IsObject(json))
        reader.status =
            fail(error, WRONG_INPUT, "%s is not a record of a thing: it is not an object", path);
    if (reader.status) {
        json_wipe(json);
        return reader.status;
    }
    struct record *read = must_alloc(sizeof *read);
    read->others = json;
    read_members(&reader, json, read);
    check_name(&reader, name, read);
    if (reader.status)
        record_free(read);
    else
        *record = read;
    return reader.status;
}

enum status record_read(const char *name, struct record **record, struct error *error)
{
    owned char *path = record_file(name, THING_RECORD);
    *record = NULL;
    if (!path_exists(path))
        return FINE;
    enum status status = read_record(path, name, record, error);
    if (status == WRONG_INPUT)
        advise(error, "restore it from a backup, or make delete name=%s", name);
    return status;
}

/* --- writing --- */

static void put_known(cJSON *object, const char *member, const char *string)
{
    if (string)
        json_put_string(object, member, string);
}

static void put_time(cJSON *object, const char *member, time_t when)
{
    char text[CLOCK_TEXT];
    record_time(when, text);
    if (when)
        json_put_string(object, member, text);
}

static cJSON *registration_json(const struct registration *registration)
{
    cJSON *object = json_object();
    put_known(object, "account", registration->account);
    put_known(object, "region", registration->region);
    put_known(object, "key", registration->key);
    put_known(object, "certificate_id", registration->certificate_id);
    put_known(object, "certificate_arn", registration->certificate_arn);
    put_time(object, "sweep", registration->sweep);
    return object;
}

static void put_registration(cJSON *json, const char *member,
                             const struct registration *registration)
{
    if (registration)
        json_put(json, member, registration_json(registration));
}

static void put_strays(cJSON *json, const struct record *record)
{
    cJSON *list = json_array();
    for (size_t i = 0; i < record->stray_count; i++)
        cJSON_AddItemToArray(list, registration_json(record->strays[i]));
    if (list->child)
        json_put(json, "strays", list);
    else
        cJSON_Delete(list);
}

static void put_certificate(cJSON *json, const struct certificate_facts *facts)
{
    if (!*facts->serial)
        return;
    cJSON *object = json_object();
    json_put_string(object, "serial", facts->serial);
    json_put_string(object, "fingerprint", facts->fingerprint);
    put_time(object, "not_before", facts->not_before);
    put_time(object, "not_after", facts->not_after);
    json_put(json, "certificate", object);
}

static void put_built(cJSON *json, const struct built *built)
{
    if (!*built->version)
        return;
    cJSON *object = json_object();
    json_put_string(object, "version", built->version);
    if (built->measures)
        json_put(object, "measures", cJSON_Duplicate(built->measures, true));
    json_put(json, "built", object);
}

/* Adds what was read and is not known. */
static void put_others(cJSON *json, const cJSON *others)
{
    const cJSON *other;
    cJSON_ArrayForEach(other, others)
    {
        cJSON *there = json_get(json, other->string);
        if (!there)
            json_put(json, other->string, cJSON_Duplicate(other, true));
        else if (cJSON_IsObject(there) && cJSON_IsObject(other))
            put_others(there, other);
    }
}

/* It borrows the password. */
static cJSON *wifi_member(const struct record *record)
{
    cJSON *wifi = wifi_json(&record->wifi);
    if (cJSON_IsNull(json_get(wifi, "ssid_base64")))
        cJSON_DeleteItemFromObjectCaseSensitive(wifi, "ssid_base64");
    return wifi;
}

/* As in the file. It borrows the password, which must outlive it. */
static cJSON *make_json(const struct record *record)
{
    cJSON *json = json_object();
    json_put_number(json, "version", VERSION_WRITTEN);
    json_put_string(json, "name", record->name);
    json_put_string(json, "type", record->type);
    json_put_string(json, "target", system_target_name(record->target));
    json_put_string(json, "state", record_state_name(record->state));
    put_time(json, "created", record->created);
    json_put(json, "attributes", attributes_json(&record->attributes));
    json_put(json, "wifi", wifi_member(record));
    if (record->secret.at)
        json_put_secret(json, "secret", &record->secret);
    put_built(json, &record->built);
    put_known(json, "claim", record->claim);
    put_known(json, "serial", record->current.mark);
    put_registration(json, "registration", record->current.registration);
    put_known(json, "next_serial", record->next.mark);
    put_registration(json, "next_registration", record->next.registration);
    put_known(json, "retired_mark", record->retired.mark);
    put_registration(json, "retired_registration", record->retired.registration);
    put_known(json, "retired", record->retired_serial);
    put_strays(json, record);
    put_certificate(json, &record->certificate);
    put_others(json, record->others);
    return json;
}

enum status record_stage(const struct record *record, struct batch *batch, struct error *error)
{
    struct text bytes = {.secret = true};
    owned char *path = record_file(record->name, THING_RECORD);
    cJSON *json = make_json(record);
    json_layout(json, &bytes);
    enum status status =
        batch_write(batch, path, text_string(&bytes), bytes.length, FILE_SECRET, error);
    json_wipe(json);
    text_free(&bytes);
    return status;
}

enum status record_write(const struct record *record, struct error *error)
{
    struct batch batch = {0};
    enum status status = record_stage(record, &batch, error);
    if (!status)
        status = batch_commit(&batch, error);
    batch_drop(&batch);
    return status;
}

cJSON *record_json(const struct record *record)
{
    cJSON *json = make_json(record), *wifi = wifi_member(record);
    json_wipe(cJSON_DetachItemFromObjectCaseSensitive(wifi, "password"));
    json_wipe(cJSON_DetachItemFromObjectCaseSensitive(json, "wifi"));
    json_wipe(cJSON_DetachItemFromObjectCaseSensitive(json, "secret"));
    json_put(json, "wifi", wifi);
    return json;
}

/* --- what it says, and its changes --- */

void record_note_built(struct record *record, const char *version, const cJSON *measures)
{
    const cJSON *measure;
    snprintf(record->built.version, sizeof record->built.version, "%s", version);
    cJSON_Delete(record->built.measures);
    record->built.measures = json_array();
    cJSON_ArrayForEach(measure, measures) cJSON_AddItemToArray(
        record->built.measures, cJSON_CreateString(json_string(measure, "name", "")));
}

void record_time(time_t when, char text[CLOCK_TEXT])
{
    *text = '\0';
    if (when)
        clock_write(when, text);
}

enum certificate_validity record_validity(const struct record *record, time_t now)
{
    enum { SOON = 30 * 24 * 60 * 60 };
    const struct certificate_facts *facts = &record->certificate;
    if (facts->not_before > now)
        return CERTIFICATE_NOT_YET_VALID;
    if (facts->not_after && facts->not_after <= now)
        return CERTIFICATE_ENDED;
    return facts->not_after && facts->not_after - now < SOON ? CERTIFICATE_ENDS_SOON
                                                             : CERTIFICATE_VALID;
}

bool record_has_certificate(const struct record *record)
{
    return *record->certificate.serial;
}

void record_resume(struct record *record, struct record *half_made)
{
    free_issuance(&record->current);
    record->current = half_made->current;
    half_made->current = (struct issuance){0};
    must_replace(&record->claim, half_made->claim);
    json_wipe(record->others);
    record->others = half_made->others;
    half_made->others = NULL;
    if (half_made->created)
        record->created = half_made->created;
}

void record_change(struct record *record, const struct changes *changes)
{
    if (changes->attributes) {
        attributes_free(&record->attributes);
        record->attributes = attributes_copy(changes->attributes);
    }
    if (changes->ssid)
        must_replace(&record->wifi.ssid, changes->ssid);
    if (changes->password) {
        secret_free(&record->wifi.password);
        record->wifi.password = secret_copy(changes->password->at, changes->password->length);
    }
}

/* Moves the unknown members of a registration together with it. */
static void move_other(cJSON *others, const char *from, const char *to)
{
    cJSON *moved = cJSON_DetachItemFromObjectCaseSensitive(others, from);
    cJSON_DeleteItemFromObjectCaseSensitive(others, to);
    if (moved)
        json_put(others, to, moved);
}

void record_promote(struct record *record, const struct certificate_facts *next)
{
    free_issuance(&record->retired);
    record->retired = record->current;
    record->current = (struct issuance){must_copy(record->next.mark), record->next.registration};
    record->next.registration = NULL;
    must_replace(&record->retired_serial, record->certificate.serial);
    record->certificate = *next;
    move_other(record->others, "registration", "retired_registration");
    move_other(record->others, "next_registration", "registration");
}

bool record_promoted(const struct record *record)
{
    return record->next.mark && record->current.mark &&
           strcmp(record->next.mark, record->current.mark) == 0;
}

void record_add_stray(struct record *record, struct registration *stray)
{
    record->strays =
        must_grow(record->strays, record->stray_count, &record->stray_room, sizeof *record->strays);
    record->strays[record->stray_count++] = stray;
}

void record_end_rotation(struct record *record)
{
    free_issuance(&record->retired);
    free_strays(record);
    free_issuance(&record->next);
    must_replace(&record->retired_serial, NULL);
    cJSON_DeleteItemFromObjectCaseSensitive(record->others, "retired_registration");
    cJSON_DeleteItemFromObjectCaseSensitive(record->others, "next_registration");
    record->state = RECORD_ACTIVE;
}
