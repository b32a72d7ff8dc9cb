/* What all steps of a life share (make.c, rotate.c and delete.c have the steps), and how they are
 * laid out on disk.
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
#include "life_parts.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/valid.h"
#include "generator/pki/pki.h"

#include <stdlib.h>
#include <string.h>

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

enum status read_key(const char *path, EVP_PKEY **key, struct error *error)
{
    secret_owned struct secret pem = {0};
    enum status status = read_secret(path, LARGEST_PEM, &pem, error);
    return status ? status : key_from_pem(&pem, key, error);
}

/* The certificate in a PEM file, if it is the one with this serial; else out stays empty. */
enum status read_certificate(const char *path, const char *serial, struct text *der,
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
enum status find_key(const cJSON *platform, const char *path, EVP_PKEY **key, struct error *error)
{
    enum key_algorithm algorithm = KEY_RSA_2048;
    if (path_exists(path))
        return read_key(path, key, error);
    key_algorithm_named(json_string(json_get(platform, "key"), "algorithm", ""), &algorithm);
    return key_make(algorithm, key, error);
}

/* What the target needs to know for a certificate for this key; registration is a member of the
 * record. Its own request is what an enrolment has to lend. */
enum status fill_enrolment(const struct target *target, EVP_PKEY *key,
                           const struct package_plan *plan, const cJSON *record, const char *mark,
                           struct text *request, struct enrolment *enrolment, struct error *error)
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

enum status stage_pair(struct batch *batch, const char *key_path, EVP_PKEY *key,
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

enum status stage_package(const struct package_plan *plan, const cJSON *record, EVP_PKEY *key,
                          const struct text *certificate, struct batch *batch,
                          struct package_size *size, struct error *error)
{
    secret_owned struct secret der = {0};
    enum key_encoding encoding = KEY_PKCS8;
    key_encoding_named(json_string(json_get(plan->platform, "key"), "encoding", ""), &encoding);
    enum status status = key_to_der(key, encoding, &der, error);
    return status ? status : package_stage(plan, record, certificate, &der, batch, size, error);
}

enum status choose_serial(cJSON *record, const char *name, struct error *error)
{
    char serial[2 * SERIAL_BYTES + 1];
    enum status status = serial_make(serial, error);
    if (!status)
        json_put_string(record, name, serial);
    return status;
}

/* Where a target makes a thing is in its registration before anything is made, or was there: a
 * target that is another place now would find nothing, and take that for gone. */
enum status check_place(struct target *target, const char *name, cJSON *registration,
                        struct error *error)
{
    return target->place && registration ? target->place(target, name, registration, error) : FINE;
}

enum status note_key(cJSON *registration, EVP_PKEY *key, struct error *error)
{
    char digest[65];
    enum status status = key_digest(key, digest, error);
    if (!status)
        json_put_string(registration, "key", digest);
    return status;
}
/* --- looking --- */

enum status no_such_thing(const char *name, struct error *error)
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
        status = thing_exists(record, error);
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
enum status thing_exists(const cJSON *record, struct error *error)
{
    const char *name = json_string(record, "name", "");
    fail(error, WRONG_INPUT, "%s exists already (%s, created %.10s by this machine)", name,
         json_string(record, "type", ""), json_string(record, "created", ""));
    advise(error, "a new key and certificate for it: make rotate name=%s", name);
    return advise(error, "another board of the same kind:  make create name=<another name>");
}
/* Locks a thing that must be there. *record is NULL when its folder has none (left by a kill). */
enum status open_thing(const char *name, int *lock, cJSON **record, struct error *error)
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
enum status not_whole(const cJSON *record, struct error *error)
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
