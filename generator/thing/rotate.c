/* Rotating and rebuilding a thing; thing.c lists the steps. */
#include "thing.h"
#include "enrol.h"
#include "pair.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/spec/spec.h"
#include "generator/pki/pki.h"

#include <stdlib.h>
#include <string.h>

/* The next key, on the disk before a remote target hears of it. */
static enum status stage_next_key(const struct package_plan *plan, cJSON *record,
                                  struct batch *batch, struct error *error)
{
    owned char *path = record_file(json_string(record, "name", ""), "next-key.pem");
    secret_owned struct secret pem = {0};
    EVP_PKEY *key = NULL;
    enum status status = pair_find_key(plan->platform, path, &key, error);
    if (!status)
        status = enrol_note_key(json_get(record, "next_registration"), key, error);
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
        record_change(record, changes);
    return FINE;
}

static enum status begin_rotation(struct target *target, const struct package_plan *plan,
                                  cJSON *record, const struct changes *changes, bool *resumed,
                                  struct error *error)
{
    const char *state = record_state(record);
    struct batch batch = {0};
    enum status status = enrol_check_place(target, json_string(record, "name", ""),
                                           json_get(record, "registration"), error);
    *resumed = strcmp(state, "rotating") == 0;
    if (status || *resumed)
        return status ? status : change_resumed(record, changes, error);
    if (strcmp(state, "active") != 0)
        return thing_half_done(record, error);
    status = enrol_choose_serial(record, "next_serial", error);
    json_put_string(record, "state", "rotating");
    record_change(record, changes);
    if (target->remote) {
        json_put(record, "next_registration", json_object());
        if (!status)
            status = enrol_check_place(target, json_string(record, "name", ""),
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
    struct enrolment enrolment;
    struct package_size *size;
    bool taken_over; /* package, key, certificate and record are the new ones already */
};

/* The next pair, on disk beside the old one before anything uses it. */
static enum status keep_next(const struct rotation *rotation, struct error *error)
{
    const char *name = json_string(rotation->record, "name", "");
    owned char *key_path = record_file(name, "next-key.pem");
    owned char *certificate_path = record_file(name, "next-cert.pem");
    struct batch batch = {0};
    enum status status = pair_stage(&batch, key_path, rotation->key, certificate_path,
                                    rotation->enrolment.certificate, error);
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
    owned char *key_path = record_file(name, "key.pem");
    owned char *certificate_path = record_file(name, "cert.pem");
    const X509 *certificate = rotation->enrolment.certificate;
    struct certificate_facts facts;
    struct batch batch = {0};
    enum status status = certificate_describe(certificate, &facts, error);
    if (!status)
        status = package_stage(rotation->plan, rotation->record, rotation->key, certificate, &batch,
                               rotation->size, error);
    if (!status)
        status = pair_stage(&batch, key_path, rotation->key, certificate_path, certificate, error);
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
    owned char *key_path = record_file(name, rotation->taken_over ? "key.pem" : "next-key.pem");
    owned char *certificate_path = record_file(name, "next-cert.pem");
    enrolment->registration =
        json_get(record, rotation->taken_over ? "registration" : "next_registration");
    enum status status = pair_find_key(rotation->plan->platform, key_path, &rotation->key, error);
    enrol_fill(rotation->target, rotation->key, rotation->plan, record, mark, enrolment);
    enrolment->renewal = true;
    enrolment->owner = rotation;
    if (!status && !rotation->target->remote && path_exists(certificate_path))
        status = pair_read_certificate(certificate_path, mark, &enrolment->certificate, error);
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
    X509_free(enrolment->certificate);
    return status;
}

static enum status finish_rotation(struct target *target, cJSON *record, struct error *error)
{
    static const char *const done[] = {"retired", "retired_mark", "retired_registration",
                                       "next_serial"};
    const char *name = json_string(record, "name", "");
    owned char *key_path = record_file(name, "next-key.pem");
    owned char *certificate_path = record_file(name, "next-cert.pem");
    const cJSON *registration = json_get(record, "retired_registration");
    const struct retired_certificate old = {.serial = json_string(record, "retired", NULL),
                                            .mark = json_string(record, "retired_mark", NULL),
                                            .key_digest = json_string(registration, "key", NULL),
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

enum status rotate_thing(struct target *target, const struct package_plan *plan, const char *name,
                         const struct changes *changes, cJSON **record, struct package_size *size,
                         struct error *error)
{
    struct rotation rotation = {.target = target, .plan = plan, .size = size};
    int lock;
    enum status status = thing_open(name, &lock, record, error);
    if (!status && !*record)
        status = thing_not_found(name, error);
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
