/* How the steps of a life are laid out on disk.
 *
 * Making:    record (making, serial chosen) | key.pem, cert.pem, package, record (active)
 * Rotating:  record (rotating, next_serial) | next-key.pem, next-cert.pem | package, key.pem,
 *            cert.pem, record (serial = next_serial, the old one under "retired") | revoke the old
 * | next-*.pem removed, record (active) Deleting:  record (deleting) | revoke | package, keys,
 * record, folder removed
 *
 * A bar is a commit: all before it is on the disk before anything after it begins. Within a commit
 * the renames happen in the order given, so the record, which is last, never speaks of what is not
 * there.
 *
 * On a remote target the key is part of the first commit, because a certificate for a key that was
 * lost is worth nothing; what the target remembers is a commit of its own; and the record becomes
 * active in one more, when the target has made the certificate count. */
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

/* What the target needs to know for a certificate for this key; registration is a member of the
 * record. Its own request is what an enrolment has to lend. */
static enum status fill_enrolment(const struct target *target, EVP_PKEY *key,
                                  const struct package_plan *plan, const cJSON *record,
                                  const char *mark, struct text *request,
                                  struct enrolment *enrolment, struct error *error)
{
    const char *type = json_string(record, "type", ""), *name = json_string(record, "name", "");
    const cJSON *policy = json_get(json_get(plan->model, "type"), "policy");
    enrolment->thing = name;
    enrolment->type = type;
    enrolment->policy = json_string(policy, "name", type);
    enrolment->mark = mark;
    enrolment->claim = json_string(record, "claim", mark);
    enrolment->key = json_string(enrolment->registration, "key", NULL);
    enrolment->since = json_string(record, "created", "");
    enrolment->attributes = json_get(record, "attributes");
    enrolment->request = request;
    return request_make(key, type, name, target->remote ? mark : NULL, request, error);
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

/* Where a target makes a thing is in its registration before anything is made, or was there: a
 * target that is another place now would find nothing, and take that for gone. */
static enum status check_place(struct target *target, const char *name, cJSON *registration,
                               struct error *error)
{
    return target->place && registration ? target->place(target, name, registration, error) : FINE;
}

static enum status note_key(cJSON *registration, EVP_PKEY *key, struct error *error)
{
    char digest[65];
    enum status status = key_digest(key, digest, error);
    if (!status)
        json_put_string(registration, "key", digest);
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
static enum status take_up(struct making *thing, cJSON *there)
{
    const char *name = json_string(there, "name", ""), *state = record_state(there);
    const char *type = json_string(there, "type", ""), *target = json_string(there, "target", "");
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
    if (strcmp(type, json_string(thing->record, "type", "")) != 0 ||
        strcmp(target, thing->target->name) != 0) {
        fail(&thing->error, WRONG_INPUT, "%s is half-made, as %s on the target %s", name, type,
             target);
        return advise(&thing->error, "make delete name=%s, then create it again", name);
    }
    static const char *const kept[] = {"serial", "created", "claim", "registration"};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        if (json_get(there, kept[i]))
            json_put(thing->record, kept[i],
                     cJSON_DetachItemFromObjectCaseSensitive(there, kept[i]));
    thing->resumed = true;
    return FINE;
}

/* The key, on the disk before a remote target hears of it. */
static enum status stage_first_key(struct making *thing, struct batch *batch)
{
    secret_owned struct secret pem = {0};
    owned char *path = thing_file(json_string(thing->record, "name", ""), "key.pem");
    enum status status = find_key(thing->plan->platform, path, &thing->key, &thing->error);
    if (!status)
        status = note_key(json_get(thing->record, "registration"), thing->key, &thing->error);
    if (!status)
        status = key_to_pem(thing->key, &pem, &thing->error);
    return status ? status
                  : batch_write(batch, path, pem.at, pem.length, FILE_SECRET, &thing->error);
}

/* What the record of a thing in making holds from the beginning. */
static enum status choose_marks(struct making *thing)
{
    enum status status = FINE;
    if (!json_string(thing->record, "serial", NULL))
        status = choose_serial(thing->record, "serial", &thing->error);
    if (!status && thing->target->remote && !json_get(thing->record, "claim")) {
        owned char *claim = must_format("%s@%s", json_string(thing->record, "serial", ""),
                                        json_string(thing->record, "created", ""));
        json_put_string(thing->record, "claim", claim);
        json_put(thing->record, "registration", json_object());
    }
    if (!status)
        status = check_place(thing->target, json_string(thing->record, "name", ""),
                             json_get(thing->record, "registration"), &thing->error);
    return status;
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
    if (!status)
        status = choose_marks(thing);
    if (!status && thing->target->remote)
        status = stage_first_key(thing, batch);
    if (!status)
        status = record_stage(thing->record, batch, &thing->error);
    json_wipe(there);
    return status;
}

/* Key and request; on a target that chooses no serial of its own, the certificate that an earlier
 * command left. */
static enum status prepare(struct making *thing)
{
    const char *name = json_string(thing->record, "name", "");
    const char *serial = json_string(thing->record, "serial", "");
    owned char *key_path = thing_file(name, "key.pem");
    owned char *certificate_path = thing_file(name, "cert.pem");
    struct enrolment *enrolment = &thing->enrolment;
    enum status status = FINE;
    if (!thing->key)
        status = find_key(thing->plan->platform, key_path, &thing->key, &thing->error);
    enrolment->registration = json_get(thing->record, "registration");
    if (!status)
        status = fill_enrolment(thing->target, thing->key, thing->plan, thing->record, serial,
                                &thing->request, enrolment, &thing->error);
    enrolment->resumed = thing->resumed;
    enrolment->owner = thing;
    if (!status && !thing->target->remote && path_exists(certificate_path))
        status = read_certificate(certificate_path, serial, &enrolment->certificate, &thing->error);
    return status;
}

static enum status stage_all(struct making *thing, struct batch *batch)
{
    const char *name = json_string(thing->record, "name", "");
    owned char *key_path = thing_file(name, "key.pem");
    owned char *certificate_path = thing_file(name, "cert.pem");
    const struct text *certificate = &thing->enrolment.certificate;
    struct error *error = &thing->enrolment.error;
    struct certificate_facts facts;
    enum status status =
        certificate_read(text_string(certificate), certificate->length, &facts, error);
    if (status)
        return status;
    record_put_certificate(thing->record, &facts);
    if (!thing->target->remote)
        json_put_string(thing->record, "state", "active");
    status = stage_pair(batch, key_path, thing->key, certificate_path, certificate, error);
    if (!status)
        status = stage_package(thing->plan, thing->record, thing->key, certificate, batch,
                               &thing->size, error);
    return status ? status : record_stage(thing->record, batch, error);
}

/* --- enrolling what is made --- */

static void make_remember(struct enrolment *enrolment)
{
    const struct making *thing = enrolment->owner;
    record_write(thing->record, &enrolment->error);
    fault_point("create:remembered");
}

/* A flush that fails is everybody's failure. */
static void share_failure(struct enrolment *const *ready, size_t count, const struct error *error)
{
    for (size_t i = 0; i < count; i++)
        if (!ready[i]->error.status)
            fail(&ready[i]->error, error->status, "%s", text_string(&error->message));
}

static void make_install(struct enrolment *const *ready, size_t count)
{
    struct batch batch = {0};
    struct error error = {0};
    fault_point("create:certified");
    for (size_t i = 0; i < count; i++)
        stage_all(ready[i]->owner, &batch);
    fault_point("create:staged");
    if (batch_commit(&batch, &error))
        share_failure(ready, count, &error);
    fault_point("create:done");
    batch_drop(&batch);
    error_free(&error);
}

/* It is through, for better or worse. */
static void finish(struct making *thing)
{
    owned char *folder = thing_folder(json_string(thing->record, "name", ""));
    if (thing->outcome == FAILED && thing->lock >= 0) /* without the lock it is another's */
        remove_empty_folder(folder); /* of a thing that never came to have a record */
    unlock(&thing->lock);
    EVP_PKEY_free(thing->key);
    thing->key = NULL;
    text_free(&thing->request);
    text_free(&thing->enrolment.certificate);
    error_free(&thing->enrolment.error);
    thing->finished = true;
    if (thing->through)
        thing->through(thing->context, thing);
}

static void make_activated(struct enrolment *enrolment)
{
    struct making *thing = enrolment->owner;
    json_put_string(thing->record, "state", "active");
    if (!record_write(thing->record, &enrolment->error))
        finish(thing);
    fault_point("create:activated");
}

/* It cannot be finished, and nothing of it is anywhere but here. */
static void forget(struct making *thing)
{
    static const char *const files[] = {"key.pem", "cert.pem", "thing.json"};
    const char *name = json_string(thing->record, "name", "");
    struct error left = {0};
    package_remove(json_string(thing->record, "type", ""), name, &left);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        owned char *path = thing_file(name, files[i]);
        remove_tree(path, &left);
    }
    error_free(&left);
}

static void enrol_all(struct target *target, struct making *things, size_t count)
{
    static const struct enrol_events events = {make_remember, make_install, make_activated};
    struct enrolment **list = must_array(count, sizeof(struct enrolment *));
    size_t listed = 0;
    for (size_t i = 0; i < count; i++) {
        if (things[i].outcome != MADE)
            continue;
        if (prepare(&things[i]))
            things[i].outcome = FAILED;
        else
            list[listed++] = &things[i].enrolment;
    }
    target->enrol(target, list, listed, &events);
    for (size_t i = 0; i < listed; i++) {
        struct making *thing = list[i]->owner;
        if (!list[i]->error.status)
            continue;
        thing->outcome = FAILED;
        thing->error = list[i]->error;
        list[i]->error = (struct error){0};
        if (list[i]->nothing_left)
            forget(thing);
    }
    free(list);
}

static void commit_beginnings(struct batch *batch, struct making *things, size_t count)
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
    batch_drop(batch);
    error_free(&error);
}

void things_make(struct target *target, struct making *things, size_t count,
                 void (*through)(void *context, struct making *thing), void *context)
{
    struct batch batch = {0};
    for (size_t i = 0; i < count; i++) {
        things[i].lock = -1;
        things[i].outcome = MADE;
        things[i].target = target;
        things[i].through = through;
        things[i].context = context;
        if (begin(&things[i], &batch) && things[i].outcome == MADE)
            things[i].outcome = FAILED;
    }
    commit_beginnings(&batch, things, count);
    fault_point("create:begun");
    enrol_all(target, things, count);
    for (size_t i = 0; i < count; i++)
        if (!things[i].finished)
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

/* The next key, on the disk before a remote target hears of it. */
static enum status stage_next_key(const struct package_plan *plan, cJSON *record,
                                  struct batch *batch, struct error *error)
{
    owned char *path = thing_file(json_string(record, "name", ""), "next-key.pem");
    secret_owned struct secret pem = {0};
    EVP_PKEY *key = NULL;
    enum status status = find_key(plan->platform, path, &key, error);
    if (!status)
        status = note_key(json_get(record, "next_registration"), key, error);
    if (!status)
        status = key_to_pem(key, &pem, error);
    if (!status)
        status = batch_write(batch, path, pem.at, pem.length, FILE_SECRET, error);
    EVP_PKEY_free(key);
    return status;
}

/* What is asked for now counts as long as the package is not made. */
static enum status change_resumed(cJSON *record, const struct changes *changes, struct error *error)
{
    const char *name = json_string(record, "name", "");
    bool made =
        strcmp(json_string(record, "serial", ""), json_string(record, "next_serial", "")) == 0;
    bool other = changes->ssid || changes->password ||
                 (changes->attributes &&
                  !cJSON_Compare(changes->attributes, json_get(record, "attributes"), true));
    if (made && other) {
        fail(error, WRONG_INPUT, "%s is half-rotated, and its new package is there already", name);
        return advise(error, "make rotate name=%s finishes that; then ask for the change", name);
    }
    if (other)
        apply(changes, record);
    return FINE;
}

static enum status begin_rotation(struct target *target, const struct package_plan *plan,
                                  cJSON *record, const struct changes *changes, bool *resumed,
                                  struct error *error)
{
    const char *state = record_state(record);
    struct batch batch = {0};
    enum status status = check_place(target, json_string(record, "name", ""),
                                     json_get(record, "registration"), error);
    *resumed = strcmp(state, "rotating") == 0;
    if (status || *resumed)
        return status ? status : change_resumed(record, changes, error);
    if (strcmp(state, "active") != 0)
        return not_whole(record, error);
    status = choose_serial(record, "next_serial", error);
    json_put_string(record, "state", "rotating");
    apply(changes, record);
    if (target->remote) {
        json_put(record, "next_registration", json_object());
        if (!status)
            status = check_place(target, json_string(record, "name", ""),
                                 json_get(record, "next_registration"), error);
        if (!status)
            status = stage_next_key(plan, record, &batch, error);
    }
    if (!status)
        status = record_stage(record, &batch, error);
    if (!status)
        status = batch_commit(&batch, error);
    batch_drop(&batch);
    return status;
}

/* A rotation on its way through the target. */
struct rotation {
    const struct target *target;
    const struct package_plan *plan;
    cJSON *record;
    EVP_PKEY *key;
    struct text request;
    struct enrolment enrolment;
    struct package_size *size;
    bool taken_over; /* package, key, certificate and record are the new ones already */
};

/* The next pair, on disk beside the old one before anything uses it. */
static enum status keep_next(const struct rotation *rotation, struct error *error)
{
    const char *name = json_string(rotation->record, "name", "");
    owned char *key_path = thing_file(name, "next-key.pem");
    owned char *certificate_path = thing_file(name, "next-cert.pem");
    struct batch batch = {0};
    enum status status = stage_pair(&batch, key_path, rotation->key, certificate_path,
                                    &rotation->enrolment.certificate, error);
    if (!status)
        status = batch_commit(&batch, error);
    batch_drop(&batch);
    return status;
}

/* The record speaks of the next certificate from now on, and of the old one as retired. */
static void promote(cJSON *record, const struct certificate_facts *facts)
{
    static const char *const pairs[][2] = {{"registration", "retired_registration"},
                                           {"next_registration", "registration"}};
    owned char *retired = must_copy(json_string(json_get(record, "certificate"), "serial", ""));
    json_put_string(record, "retired", retired);
    owned char *mark = must_copy(json_string(record, "serial", ""));
    json_put_string(record, "retired_mark", mark);
    json_put_string(record, "serial", json_string(record, "next_serial", ""));
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (json_get(record, pairs[i][0]))
            json_put(record, pairs[i][1],
                     cJSON_DetachItemFromObjectCaseSensitive(record, pairs[i][0]));
    record_put_certificate(record, facts);
}

/* Package, pair and record, in this order. */
static enum status take_over(struct rotation *rotation, struct error *error)
{
    const char *name = json_string(rotation->record, "name", "");
    owned char *key_path = thing_file(name, "key.pem");
    owned char *certificate_path = thing_file(name, "cert.pem");
    const struct text *certificate = &rotation->enrolment.certificate;
    struct certificate_facts facts;
    struct batch batch = {0};
    enum status status =
        certificate_read(text_string(certificate), certificate->length, &facts, error);
    if (!status)
        status = stage_package(rotation->plan, rotation->record, rotation->key, certificate, &batch,
                               rotation->size, error);
    if (!status)
        status = stage_pair(&batch, key_path, rotation->key, certificate_path, certificate, error);
    if (!status) {
        promote(rotation->record, &facts);
        status = record_stage(rotation->record, &batch, error);
    }
    if (!status)
        status = batch_commit(&batch, error);
    batch_drop(&batch);
    return status;
}

static void rotate_remember(struct enrolment *enrolment)
{
    const struct rotation *rotation = enrolment->owner;
    record_write(rotation->record, &enrolment->error);
    fault_point("rotate:remembered");
}

static void rotate_install(struct enrolment *const *ready, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct rotation *rotation = ready[i]->owner;
        struct error *error = &ready[i]->error;
        enum status status = rotation->taken_over ? FINE : keep_next(rotation, error);
        fault_point("rotate:certified");
        if (!status && !rotation->taken_over)
            take_over(rotation, error);
        fault_point("rotate:replaced");
    }
}

/* What there is to record, finish_rotation() records. */
static void rotate_activated(struct enrolment *enrolment)
{
    (void)enrolment;
}

/* The enrolment of the next certificate; a local one that is on disk is taken as it is. */
static enum status prepare_rotation(struct rotation *rotation, struct error *error)
{
    cJSON *record = rotation->record;
    struct enrolment *enrolment = &rotation->enrolment;
    const char *name = json_string(record, "name", "");
    const char *mark = json_string(record, "next_serial", "");
    owned char *key_path = thing_file(name, rotation->taken_over ? "key.pem" : "next-key.pem");
    owned char *certificate_path = thing_file(name, "next-cert.pem");
    enrolment->registration =
        json_get(record, rotation->taken_over ? "registration" : "next_registration");
    enum status status = find_key(rotation->plan->platform, key_path, &rotation->key, error);
    if (!status)
        status = fill_enrolment(rotation->target, rotation->key, rotation->plan, record, mark,
                                &rotation->request, enrolment, error);
    enrolment->renewal = true;
    enrolment->owner = rotation;
    if (!status && !rotation->target->remote && path_exists(certificate_path))
        status = read_certificate(certificate_path, mark, &enrolment->certificate, error);
    return status;
}

static enum status enrol_next(struct target *target, struct rotation *rotation, struct error *error)
{
    static const struct enrol_events events = {rotate_remember, rotate_install, rotate_activated};
    struct enrolment *enrolment = &rotation->enrolment;
    enum status status = prepare_rotation(rotation, error);
    if (!status) {
        target->enrol(target, &enrolment, 1, &events);
        status = enrolment->error.status;
        *error = enrolment->error;
    }
    EVP_PKEY_free(rotation->key);
    text_free(&rotation->request);
    text_free(&enrolment->certificate);
    return status;
}

static enum status finish_rotation(struct target *target, cJSON *record, struct error *error)
{
    static const char *const done[] = {"retired", "retired_mark", "retired_registration",
                                       "next_serial"};
    const char *name = json_string(record, "name", "");
    owned char *key_path = thing_file(name, "next-key.pem");
    owned char *certificate_path = thing_file(name, "next-cert.pem");
    const cJSON *registration = json_get(record, "retired_registration");
    const struct retired_certificate old = {.serial = json_string(record, "retired", NULL),
                                            .mark = json_string(record, "retired_mark", NULL),
                                            .key = json_string(registration, "key", NULL),
                                            .registration = registration};
    const struct retirement retirement = {.thing = name,
                                          .claim = json_string(record, "claim", NULL),
                                          .since = json_string(record, "created", NULL),
                                          .certificates = &old,
                                          .count = 1};
    enum status status = old.serial ? target->retire(target, &retirement, error) : FINE;
    fault_point("rotate:retired");
    if (status)
        return status;
    for (size_t i = 0; i < sizeof done / sizeof *done; i++)
        cJSON_DeleteItemFromObjectCaseSensitive(record, done[i]);
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
    struct rotation rotation = {.target = target, .plan = plan, .size = size};
    int lock;
    enum status status = open_thing(name, &lock, record, error);
    if (!status && !*record)
        status = no_such_thing(name, error);
    if (!status)
        status = begin_rotation(target, plan, *record, changes, &rotation.enrolment.resumed, error);
    fault_point("rotate:begun");
    rotation.record = *record;
    rotation.taken_over =
        strcmp(json_string(*record, "serial", ""), json_string(*record, "next_serial", "")) == 0;
    if (!status && (target->remote || !rotation.taken_over))
        status = enrol_next(target, &rotation, error);
    if (!status)
        status = finish_rotation(target, *record, error);
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
        status = read_certificate(certificate_path,
                                  json_string(json_get(record, "certificate"), "serial", ""),
                                  &certificate, error);
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

/* What a target keeps of a thing changes before the record says so: then the same command does it
 * again after a kill. */
static enum status amend(struct target *target, const struct changes *changes, const cJSON *record,
                         struct error *error)
{
    if (!target->amend || !changes->attributes ||
        cJSON_Compare(changes->attributes, json_get(record, "attributes"), true))
        return FINE;
    return target->amend(target, json_string(record, "name", ""), json_string(record, "claim", ""),
                         changes->attributes, error);
}

enum status thing_rebuild(struct target *target, const struct package_plan *plan, const char *name,
                          const struct changes *changes, cJSON **record, struct package_size *size,
                          struct error *error)
{
    int lock;
    enum status status = open_thing(name, &lock, record, error);
    if (!status && !*record)
        status = no_such_thing(name, error);
    if (!status && strcmp(record_state(*record), "active") != 0)
        status = not_whole(*record, error);
    if (!status)
        status = check_place(target, name, json_get(*record, "registration"), error);
    if (!status)
        status = amend(target, changes, *record, error);
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
    serial_of_file(name, "cert.pem", &current);
    serial_of_file(name, "next-cert.pem", &next);
    const char *recorded = json_string(json_get(record, "certificate"), "serial", NULL);
    const struct retired_certificate all[] = {
        {.serial = *current.serial ? current.serial : NULL},
        {.serial = *next.serial ? next.serial : NULL},
        {.serial = recorded,
         .mark = json_string(record, "serial", NULL),
         .key = json_string(json_get(record, "registration"), "key", NULL),
         .registration = json_get(record, "registration")},
        {.mark = json_string(record, "next_serial", NULL),
         .key = json_string(json_get(record, "next_registration"), "key", NULL),
         .registration = json_get(record, "next_registration")},
        {.serial = json_string(record, "retired", NULL),
         .mark = json_string(record, "retired_mark", NULL),
         .key = json_string(json_get(record, "retired_registration"), "key", NULL),
         .registration = json_get(record, "retired_registration")},
    };
    const struct retirement retirement = {.thing = name,
                                          .claim = json_string(record, "claim", NULL),
                                          .since = json_string(record, "created", NULL),
                                          .whole = true,
                                          .certificates = all,
                                          .count = sizeof all / sizeof *all};
    for (size_t i = 0; i < retirement.count; i++)
        *revoked |= all[i].serial != NULL;
    return target->retire(target, &retirement, error);
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
    if (!status) /* before the record says that it is deleted */
        status = check_place(target, name, json_get(record, "registration"), error);
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
