/* How the steps of a life are laid out on disk.
 *
 * Making:    record (making, serial chosen) | key.pem, cert.pem, package, record (active)
 * Rotating:  record (rotating, next_serial) | next-key.pem, next-cert.pem | package, key.pem,
 * cert.pem, record (serial = next_serial, the old one under "retired") | revoke the old |
 * next-*.pem removed, record (active) Deleting:  record (deleting) | revoke | package, keys,
 * record, folder removed
 *
 * A bar is a commit: all before it is on the disk before anything after it begins. Within a commit
 * the renames happen in the order given, so the record, which is last, never speaks of what is not
 * there. */
#include "life.h"
#include "../../common/json.h"
#include "../../common/memory.h"
#include "../../common/spec.h"
#include "../pki/pki.h"
#include "record.h"

#include <stdlib.h>
#include <string.h>

enum { LARGEST_PEM = 1 << 16 };

cJSON *record_new(const char *name, const char *type, const char *target, cJSON *attributes,
                  const char *ssid, const char *password)
{
    cJSON *record = json_object(), *wifi = json_object();
    char now[32];
    format_time(time(NULL), now);
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

/* --- keys and certificates --- */

static enum status read_key(const char *path, EVP_PKEY **key, struct error *error)
{
    secret_owned struct secret pem = {0};
    enum status status = read_secret(path, LARGEST_PEM, &pem, error);
    return status ? status : key_from_pem(&pem, key, error);
}

/* The certificate in a PEM file, if it is the one with this serial; else out stays empty. */
static enum status read_certificate(const char *path, const char *serial, struct text *der,
                                    struct error *error)
{
    struct text pem = {0};
    struct certificate_facts facts;
    enum status status = read_file(path, LARGEST_PEM, &pem, error);
    if (!status)
        status = pem_to_der("CERTIFICATE", text_string(&pem), pem.length, der, error);
    if (!status)
        status = certificate_read(text_string(der), der->length, &facts, error);
    if (!status && strcmp(facts.serial, serial) != 0)
        text_clear(der);
    text_free(&pem);
    return status;
}

/* The key in the file, or a new one of the platform's kind. */
static enum status find_key(const cJSON *platform, const char *path, EVP_PKEY **key,
                            struct error *error)
{
    enum key_algorithm algorithm = KEY_RSA_2048;
    if (path_exists(path))
        return read_key(path, key, error);
    key_algorithm_named(json_string(json_get(platform, "key"), "algorithm", ""), &algorithm);
    return key_make(algorithm, key, error);
}

/* The certificate in the file if it has this serial, or one that the target signs now. */
static enum status find_certificate(struct target *target, EVP_PKEY *key, const cJSON *record,
                                    const char *path, const char *serial, struct text *der,
                                    struct error *error)
{
    struct text request = {0};
    enum status status = FINE;
    if (path_exists(path))
        status = read_certificate(path, serial, der, error);
    if (!status && !der->length) {
        status = request_make(key, json_string(record, "type", ""), json_string(record, "name", ""),
                              &request, error);
        if (!status)
            status = target->certify(target, serial, &request, der, error);
    }
    text_free(&request);
    return status;
}

static enum status stage_pair(struct batch *batch, const char *key_path, EVP_PKEY *key,
                              const char *certificate_path, const struct text *certificate,
                              struct error *error)
{
    secret_owned struct secret key_pem = {0};
    struct text pem = {0};
    enum status status = key_to_pem(key, &key_pem, error);
    if (!status)
        status = batch_write(batch, key_path, key_pem.at, key_pem.length, FILE_SECRET, error);
    if (!status) {
        der_to_pem("CERTIFICATE", text_string(certificate), certificate->length, &pem);
        status =
            batch_write(batch, certificate_path, text_string(&pem), pem.length, FILE_SECRET, error);
    }
    text_free(&pem);
    return status;
}

static enum status stage_package(const struct package_plan *plan, const cJSON *record,
                                 EVP_PKEY *key, const struct text *certificate, struct batch *batch,
                                 struct package_size *size, struct error *error)
{
    secret_owned struct secret der = {0};
    enum key_encoding encoding = KEY_PKCS8;
    key_encoding_named(json_string(json_get(plan->platform, "key"), "encoding", ""), &encoding);
    enum status status = key_to_der(key, encoding, &der, error);
    return status ? status : package_stage(plan, record, certificate, &der, batch, size, error);
}

static enum status choose_serial(cJSON *record, const char *name, struct error *error)
{
    char serial[2 * SERIAL_BYTES + 1];
    enum status status = serial_make(serial, error);
    if (!status)
        json_put_string(record, name, serial);
    return status;
}

/* --- making --- */

static enum status exists(const cJSON *record, struct error *error)
{
    const char *name = json_string(record, "name", "");
    fail(error, WRONG_INPUT, "%s exists already (%s, created %.10s by this machine)", name,
         json_string(record, "type", ""), json_string(record, "created", ""));
    advise(error, "a new key and certificate for it: make rotate name=%s", name);
    return advise(error, "another board of the same kind:  make create name=<another name>");
}

/* What an earlier command left: taken up where it stopped, or in the way. */
static enum status take_up(struct making *thing, const cJSON *there)
{
    const char *name = json_string(there, "name", ""), *state = record_state(there);
    const char *type = json_string(there, "type", "");
    if (strcmp(state, "active") == 0) {
        thing->outcome = EXISTED;
        return exists(there, &thing->error);
    }
    if (strcmp(state, "making") != 0) {
        fail(&thing->error, WRONG_INPUT, "%s is there, and half-%s", name,
             strcmp(state, "rotating") == 0 ? "rotated" : "deleted");
        return advise(&thing->error, "finish that first: make %s name=%s",
                      strcmp(state, "rotating") == 0 ? "rotate" : "delete", name);
    }
    if (strcmp(type, json_string(thing->record, "type", "")) != 0) {
        fail(&thing->error, WRONG_INPUT, "%s is half-made, as %s", name, type);
        return advise(&thing->error, "make delete name=%s, then create it again", name);
    }
    json_put_string(thing->record, "serial", json_string(there, "serial", NULL));
    json_put_string(thing->record, "created", json_string(there, "created", NULL));
    return FINE;
}

static enum status begin(struct making *thing, struct batch *batch)
{
    const char *name = json_string(thing->record, "name", "");
    owned char *folder = thing_folder(name);
    cJSON *there = NULL;
    enum status status = make_folders(folder, FOLDER_SECRET, &thing->error);
    if (!status)
        status = lock_folder(folder, false, &thing->lock, &thing->error);
    if (!status) {
        remove_temporaries(folder);
        status = record_read(name, &there, &thing->error);
    }
    if (!status && there)
        status = take_up(thing, there);
    if (!status && !json_string(thing->record, "serial", NULL))
        status = choose_serial(thing->record, "serial", &thing->error);
    if (!status)
        status = record_stage(thing->record, batch, &thing->error);
    json_wipe(there);
    return status;
}

static enum status certify(struct target *target, struct making *thing)
{
    const char *name = json_string(thing->record, "name", "");
    owned char *key_path = thing_file(name, "key.pem");
    owned char *certificate_path = thing_file(name, "cert.pem");
    struct certificate_facts facts;
    enum status status = find_key(thing->plan->platform, key_path, &thing->key, &thing->error);
    if (!status)
        status = find_certificate(target, thing->key, thing->record, certificate_path,
                                  json_string(thing->record, "serial", ""), &thing->certificate,
                                  &thing->error);
    if (!status)
        status = certificate_read(text_string(&thing->certificate), thing->certificate.length,
                                  &facts, &thing->error);
    if (!status) {
        record_put_certificate(thing->record, &facts);
        json_put_string(thing->record, "state", "active");
    }
    return status;
}

static enum status stage_all(struct making *thing, struct batch *batch)
{
    const char *name = json_string(thing->record, "name", "");
    owned char *key_path = thing_file(name, "key.pem");
    owned char *certificate_path = thing_file(name, "cert.pem");
    enum status status = stage_pair(batch, key_path, thing->key, certificate_path,
                                    &thing->certificate, &thing->error);
    if (!status)
        status = stage_package(thing->plan, thing->record, thing->key, &thing->certificate, batch,
                               &thing->size, &thing->error);
    return status ? status : record_stage(thing->record, batch, &thing->error);
}

/* A flush that fails is everybody's failure. */
static void commit_all(struct batch *batch, struct making *things, size_t count)
{
    struct error error = {0};
    if (batch_commit(batch, &error)) {
        for (size_t i = 0; i < count; i++) {
            if (things[i].outcome != MADE)
                continue;
            things[i].outcome = FAILED;
            fail(&things[i].error, error.status, "%s", text_string(&error.message));
        }
    }
    error_free(&error);
}

static void finish(struct making *thing)
{
    owned char *folder = thing_folder(json_string(thing->record, "name", ""));
    if (thing->outcome == FAILED && thing->lock >= 0) /* without the lock it is another's */
        remove_empty_folder(folder); /* of a thing that never came to have a record */
    unlock(&thing->lock);
    EVP_PKEY_free(thing->key);
    thing->key = NULL;
    text_free(&thing->certificate);
}

void things_make(struct target *target, struct making *things, size_t count)
{
    struct batch batch = {0};
    for (size_t i = 0; i < count; i++) {
        things[i].lock = -1;
        things[i].outcome = MADE;
        if (begin(&things[i], &batch) && things[i].outcome == MADE)
            things[i].outcome = FAILED;
    }
    commit_all(&batch, things, count);
    fault_point("create:begun");
    for (size_t i = 0; i < count; i++)
        if (things[i].outcome == MADE && certify(target, &things[i]))
            things[i].outcome = FAILED;
    fault_point("create:certified");
    for (size_t i = 0; i < count; i++)
        if (things[i].outcome == MADE && stage_all(&things[i], &batch))
            things[i].outcome = FAILED;
    fault_point("create:staged");
    commit_all(&batch, things, count);
    fault_point("create:done");
    for (size_t i = 0; i < count; i++)
        finish(&things[i]);
}

void making_free(struct making *making)
{
    json_wipe(making->record);
    error_free(&making->error);
    *making = (struct making){.lock = -1};
}

/* --- looking --- */

static enum status no_such_thing(const char *name, struct error *error)
{
    struct names *names = thing_names();
    fail(error, WRONG_INPUT, "there is no thing \"%s\"", name);
    const char *nearest = nearest_word(name, names->at, names->count);
    if (nearest && strcmp(nearest, name) != 0)
        advise(error, "did you mean \"%s\"?", nearest);
    else if (nearest)
        advise(error, "a killed command left its folder: make delete name=%s", name);
    else
        advise(error, "make list shows those that there are");
    names_free(names);
    return WRONG_INPUT;
}

enum status thing_absent(const char *name, struct error *error)
{
    cJSON *record = NULL;
    enum status status = record_read(name, &record, error);
    if (!status && record && strcmp(record_state(record), "active") == 0)
        status = exists(record, error);
    json_wipe(record);
    return status;
}

enum status thing_traces(const char *name, struct error *error)
{
    owned char *folder = thing_folder(name);
    return thing_name_valid(name) && is_folder(folder) ? FINE : no_such_thing(name, error);
}

enum status thing_present(const char *name, cJSON **record, struct error *error)
{
    *record = NULL;
    enum status status = thing_traces(name, error);
    if (!status)
        status = record_read(name, record, error);
    return status || *record ? status : no_such_thing(name, error);
}

/* --- rotating --- */

/* Locks a thing that must be there. *record is NULL when its folder has none (left by a kill). */
static enum status open_thing(const char *name, int *lock, cJSON **record, struct error *error)
{
    owned char *folder = thing_folder(name);
    *lock = -1;
    *record = NULL;
    enum status status = thing_traces(name, error);
    if (!status)
        status = lock_folder(folder, false, lock, error);
    if (!status) {
        remove_temporaries(folder);
        status = record_read(name, record, error);
    }
    return status;
}

static enum status not_whole(const cJSON *record, struct error *error)
{
    const char *state = record_state(record), *name = json_string(record, "name", "");
    const char *done = strcmp(state, "making") == 0     ? "made"
                       : strcmp(state, "rotating") == 0 ? "rotated"
                                                        : "deleted";
    fail(error, WRONG_INPUT, "%s is half-%s", name, done);
    return advise(error, "finish that first: make %s name=%s",
                  strcmp(state, "making") == 0     ? "create"
                  : strcmp(state, "rotating") == 0 ? "rotate"
                                                   : "delete",
                  name);
}

static void apply(const struct changes *changes, cJSON *record)
{
    cJSON *wifi = json_get(record, "wifi");
    if (changes->attributes)
        json_put(record, "attributes", cJSON_Duplicate(changes->attributes, true));
    if (changes->ssid)
        json_put_string(wifi, "ssid", changes->ssid);
    if (changes->password)
        json_put_string(wifi, "password", changes->password);
}

static enum status begin_rotation(cJSON *record, const struct changes *changes, struct error *error)
{
    const char *state = record_state(record);
    if (strcmp(state, "rotating") == 0)
        return FINE;
    if (strcmp(state, "active") != 0)
        return not_whole(record, error);
    enum status status = choose_serial(record, "next_serial", error);
    json_put_string(record, "state", "rotating");
    apply(changes, record);
    return status ? status : record_write(record, error);
}

/* The next pair, on disk beside the old one before anything uses it. */
static enum status make_next(struct target *target, const struct package_plan *plan,
                             const cJSON *record, EVP_PKEY **key, struct text *certificate,
                             struct error *error)
{
    const char *name = json_string(record, "name", "");
    owned char *key_path = thing_file(name, "next-key.pem");
    owned char *certificate_path = thing_file(name, "next-cert.pem");
    struct batch batch = {0};
    enum status status = find_key(plan->platform, key_path, key, error);
    if (!status)
        status = find_certificate(target, *key, record, certificate_path,
                                  json_string(record, "next_serial", ""), certificate, error);
    if (!status)
        status = stage_pair(&batch, key_path, *key, certificate_path, certificate, error);
    if (!status)
        status = batch_commit(&batch, error);
    batch_drop(&batch);
    return status;
}

/* Package, pair and record, in this order. */
static enum status take_over(const struct package_plan *plan, cJSON *record, EVP_PKEY *key,
                             const struct text *certificate, struct package_size *size,
                             struct error *error)
{
    const char *name = json_string(record, "name", "");
    owned char *key_path = thing_file(name, "key.pem");
    owned char *certificate_path = thing_file(name, "cert.pem");
    struct certificate_facts facts;
    struct batch batch = {0};
    enum status status =
        certificate_read(text_string(certificate), certificate->length, &facts, error);
    if (!status)
        status = stage_package(plan, record, key, certificate, &batch, size, error);
    if (!status)
        status = stage_pair(&batch, key_path, key, certificate_path, certificate, error);
    if (!status) {
        owned char *retired = must_copy(json_string(record, "serial", ""));
        json_put_string(record, "retired", retired);
        json_put_string(record, "serial", facts.serial);
        record_put_certificate(record, &facts);
        status = record_stage(record, &batch, error);
    }
    if (!status)
        status = batch_commit(&batch, error);
    batch_drop(&batch);
    return status;
}

static enum status finish_rotation(struct target *target, cJSON *record, struct error *error)
{
    const char *name = json_string(record, "name", "");
    const char *retired = json_string(record, "retired", NULL);
    owned char *key_path = thing_file(name, "next-key.pem");
    owned char *certificate_path = thing_file(name, "next-cert.pem");
    enum status status = retired ? target->retire(target, &retired, 1, error) : FINE;
    fault_point("rotate:retired");
    if (status)
        return status;
    cJSON_DeleteItemFromObjectCaseSensitive(record, "retired");
    cJSON_DeleteItemFromObjectCaseSensitive(record, "next_serial");
    json_put_string(record, "state", "active");
    status = remove_tree(key_path, error);
    if (!status)
        status = remove_tree(certificate_path, error);
    fault_point("rotate:cleaned");
    return status ? status : record_write(record, error);
}

enum status thing_rotate(struct target *target, const struct package_plan *plan, const char *name,
                         const struct changes *changes, cJSON **record, struct package_size *size,
                         struct error *error)
{
    struct text certificate = {0};
    EVP_PKEY *key = NULL;
    int lock;
    enum status status = open_thing(name, &lock, record, error);
    if (!status && !*record)
        status = no_such_thing(name, error);
    if (!status)
        status = begin_rotation(*record, changes, error);
    fault_point("rotate:begun");
    bool taken_over =
        strcmp(json_string(*record, "serial", ""), json_string(*record, "next_serial", "")) == 0;
    if (!status && !taken_over)
        status = make_next(target, plan, *record, &key, &certificate, error);
    fault_point("rotate:certified");
    if (!status && !taken_over)
        status = take_over(plan, *record, key, &certificate, size, error);
    fault_point("rotate:replaced");
    if (!status)
        status = finish_rotation(target, *record, error);
    EVP_PKEY_free(key);
    text_free(&certificate);
    unlock(&lock);
    return status;
}

/* --- rebuilding --- */

static enum status restage(const struct package_plan *plan, cJSON *record,
                           struct package_size *size, struct error *error)
{
    const char *name = json_string(record, "name", "");
    owned char *key_path = thing_file(name, "key.pem");
    owned char *certificate_path = thing_file(name, "cert.pem");
    struct text certificate = {0};
    struct batch batch = {0};
    EVP_PKEY *key = NULL;
    enum status status = read_key(key_path, &key, error);
    if (!status)
        status = read_certificate(certificate_path, json_string(record, "serial", ""), &certificate,
                                  error);
    if (!status && !certificate.length)
        status = fail(error, WRONG_INPUT, "%s is not the certificate that the record names",
                      certificate_path);
    if (!status)
        status = stage_package(plan, record, key, &certificate, &batch, size, error);
    if (!status)
        status = record_stage(record, &batch, error);
    if (!status)
        status = batch_commit(&batch, error);
    batch_drop(&batch);
    EVP_PKEY_free(key);
    text_free(&certificate);
    return status;
}

enum status thing_rebuild(const struct package_plan *plan, const char *name,
                          const struct changes *changes, cJSON **record, struct package_size *size,
                          struct error *error)
{
    int lock;
    enum status status = open_thing(name, &lock, record, error);
    if (!status && !*record)
        status = no_such_thing(name, error);
    if (!status && strcmp(record_state(*record), "active") != 0)
        status = not_whole(*record, error);
    if (!status) {
        apply(changes, *record);
        status = restage(plan, *record, size, error);
    }
    unlock(&lock);
    return status;
}

/* --- deleting --- */

/* The serial of the certificate in a file, "" when there is none that can be read. */
static void serial_of_file(const char *name, const char *file, struct certificate_facts *facts)
{
    owned char *path = thing_file(name, file);
    struct text pem = {0}, der = {0};
    struct error unread = {0};
    *facts = (struct certificate_facts){0};
    if (path_exists(path) && !read_file(path, LARGEST_PEM, &pem, &unread) &&
        !pem_to_der("CERTIFICATE", text_string(&pem), pem.length, &der, &unread))
        certificate_read(text_string(&der), der.length, facts, &unread);
    text_free(&pem);
    text_free(&der);
    error_free(&unread);
}

/* Whatever was signed: the certificates on disk, and what the record says of later steps. record is
 * NULL when there is none, or it is damaged. */
static enum status retire_all(struct target *target, const char *name, const cJSON *record,
                              bool *revoked, struct error *error)
{
    struct certificate_facts current, next;
    const char *serials[4];
    size_t count = 0;
    serial_of_file(name, "cert.pem", &current);
    serial_of_file(name, "next-cert.pem", &next);
    const char *recorded = json_string(json_get(record, "certificate"), "serial", NULL);
    const char *retired = json_string(record, "retired", NULL);
    if (*current.serial)
        serials[count++] = current.serial;
    if (*next.serial)
        serials[count++] = next.serial;
    if (recorded)
        serials[count++] = recorded;
    if (retired)
        serials[count++] = retired;
    *revoked = count > 0;
    return count ? target->retire(target, serials, count, error) : FINE;
}

/* Without a record the type is not known: the package may be with any. */
static enum status remove_packages(const char *name, const cJSON *record, struct error *error)
{
    if (record)
        return package_remove(json_string(record, "type", ""), name, error);
    struct names *types = folders_with(TYPES_FOLDER, "sensors");
    enum status status = FINE;
    for (size_t i = 0; i < types->count && !status; i++)
        status = package_remove(types->at[i], name, error);
    names_free(types);
    return status;
}

/* The record, or NULL where it is damaged: a thing must be deletable all the same. */
static enum status open_to_delete(const char *name, const char *type, int *lock, cJSON **record,
                                  struct error *error)
{
    enum status status = open_thing(name, lock, record, error);
    if (status == WRONG_INPUT && *lock >= 0) {
        error_free(error);
        status = FINE;
    }
    if (!status && type && strcmp(json_string(*record, "type", type), type) != 0)
        status = fail(error, WRONG_INPUT, "%s is no %s but a %s", name, type,
                      json_string(*record, "type", ""));
    return status;
}

enum status thing_delete(struct target *target, const char *name, const char *type, bool *revoked,
                         struct error *error)
{
    static const char *const files[] = {"next-key.pem", "next-cert.pem", "key.pem", "cert.pem",
                                        "thing.json"};
    cJSON *record = NULL;
    int lock;
    *revoked = false;
    enum status status = open_to_delete(name, type, &lock, &record, error);
    if (!status && record && strcmp(record_state(record), "deleting") != 0) {
        json_put_string(record, "state", "deleting");
        status = record_write(record, error);
    }
    fault_point("delete:begun");
    if (!status)
        status = retire_all(target, name, record, revoked, error);
    fault_point("delete:retired");
    if (!status)
        status = remove_packages(name, record, error);
    fault_point("delete:package");
    for (size_t i = 0; i < sizeof files / sizeof *files && !status; i++) {
        owned char *path = thing_file(name, files[i]);
        status = remove_tree(path, error);
    }
    fault_point("delete:record");
    owned char *folder = thing_folder(name);
    if (!status)
        status = remove_tree(folder, error);
    if (!status)
        status = sync_folder(THINGS_FOLDER, error);
    json_wipe(record);
    unlock(&lock);
    return status;
}
