/* Rotating a thing: a new key and certificate in the place of the old ones. thing.c lists the
 * steps. */
#include "thing.h"
#include "adopt.h"
#include "common/base/memory.h"
#include "enrol.h"
#include "pem.h"

#include <stdlib.h>
#include <string.h>

/* The next key is on the disk before a remote target is asked for a certificate. */
static enum status stage_next_key(const struct package_plan *plan, struct record *record,
                                  struct batch *batch, struct error *error)
{
    owned char *path = record_file(record->name, THING_NEXT_KEY);
    secret_owned struct secret pem = {0};
    EVP_PKEY *key = NULL;
    enum status status = pem_find_key(plan->key_algorithm, path, &key, error);
    if (!status)
        status = enrol_note_key(record->next.registration, key, error);
    if (!status)
        status = key_to_pem(key, &pem, error);
    if (!status)
        status = batch_write(batch, path, pem.at, pem.length, FILE_SECRET, error);
    EVP_PKEY_free(key);
    return status;
}

/* Attributes and wifi can be changed when a rotation is resumed, as long as it has not made the new
 * package. */
static enum status change_resumed(struct record *record, const struct changes *changes,
                                  struct error *error)
{
    bool other =
        changes->ssid || changes->password ||
        (changes->attributes && !attributes_equal(changes->attributes, &record->attributes));
    if (record_promoted(record) && other) {
        fail(error, WRONG_INPUT, "%s is half-rotated, and its new package is there already",
             record->name);
        return advise(error, "make rotate name=%s finishes that; then ask for the change",
                      record->name);
    }
    if (other)
        record_change(record, changes);
    return FINE;
}

static enum status prepare_record(struct target *target, const struct package_plan *plan,
                                  struct record *record, struct batch *batch, struct error *error)
{
    enum status status = enrol_choose_mark(&record->next.mark, error);
    record->state = RECORD_ROTATING;
    if (!status && target->remote) {
        registration_free(record->next.registration);
        record->next.registration = must_alloc(sizeof *record->next.registration);
        status = enrol_check_place(target, record->name, record->next.registration, error);
        if (!status)
            status = stage_next_key(plan, record, batch, error);
    }
    return status ? status : record_stage(record, batch, error);
}

static void change_record(struct record *record, const struct changes *changes)
{
    struct changes known = *changes;
    struct attributes merged = {0};
    if (changes->attributes) {
        merged = adopt_attributes(record, changes);
        known.attributes = &merged;
    }
    record_change(record, &known);
    attributes_free(&merged);
}

static enum status begin_rotation(struct target *target, const struct package_plan *plan,
                                  struct record *record, const struct changes *changes,
                                  bool *resumed, struct error *error)
{
    struct batch batch = {0};
    enum status status =
        enrol_check_place(target, record->name, record->current.registration, error);
    *resumed = record->state == RECORD_ROTATING;
    if (status || *resumed)
        return status ? status : change_resumed(record, changes, error);
    if (record->state != RECORD_ACTIVE)
        return thing_half_done(record, error);
    if ((status = enrol_check_target(target, error)))
        return status;
    if (!record->elsewhere && (status = adopt_refresh(target, record, NULL, error)))
        return status;
    change_record(record, changes);
    status = prepare_record(target, plan, record, &batch, error);
    if (!status)
        status = batch_commit(&batch, error);
    batch_drop(&batch);
    return status;
}

struct rotation {
    const struct target *target;
    const struct package_plan *plan;
    struct record *record;
    EVP_PKEY *key; /* the next key; after the take-over it is the current one */
    struct enrolment enrolment;
    struct package_size *size; /* out */
    bool taken_over;           /* the new package, key, certificate and record are in place */
};

/* The next key and certificate are on the disk, beside the old ones, before anything uses them. */
static enum status write_next(const struct rotation *rotation, struct error *error)
{
    const char *name = rotation->record->name;
    owned char *key_path = record_file(name, THING_NEXT_KEY);
    owned char *certificate_path = record_file(name, THING_NEXT_CERTIFICATE);
    struct batch batch = {0};
    enum status status = pem_stage(&batch, key_path, rotation->key, certificate_path,
                                   rotation->enrolment.certificate, error);
    if (!status)
        status = batch_commit(&batch, error);
    batch_drop(&batch);
    return status;
}

/* Replaces the package, then key and certificate, then the record. */
static enum status take_over(struct rotation *rotation, struct error *error)
{
    const char *name = rotation->record->name;
    owned char *key_path = record_file(name, THING_KEY);
    owned char *certificate_path = record_file(name, THING_CERTIFICATE);
    const X509 *certificate = rotation->enrolment.certificate;
    struct certificate_facts facts;
    struct batch batch = {0};
    enum status status = certificate_describe(certificate, &facts, error);
    if (!status)
        status = package_stage(rotation->plan, rotation->record, rotation->key, certificate, &batch,
                               rotation->size, error);
    if (!status)
        status = pem_stage(&batch, key_path, rotation->key, certificate_path, certificate, error);
    if (!status) {
        record_promote(rotation->record, &facts);
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
        enum status status = rotation->taken_over ? FINE : write_next(rotation, error);
        fault_point("rotate:certified");
        if (!status && !rotation->taken_over)
            take_over(rotation, error);
        fault_point("rotate:replaced");
    }
}

/* finish_rotation() writes the record. */
static void rotate_activated(struct enrolment *enrolment)
{
    (void)enrolment;
}

/* Fills the enrolment of the next certificate. On the local target a next certificate that is on the
 * disk is used as it is. */
static enum status prepare_rotation(struct rotation *rotation, struct error *error)
{
    struct record *record = rotation->record;
    struct enrolment *enrolment = &rotation->enrolment;
    const struct issuance *issuance = rotation->taken_over ? &record->current : &record->next;
    owned char *key_path =
        record_file(record->name, rotation->taken_over ? THING_KEY : THING_NEXT_KEY);
    owned char *certificate_path = record_file(record->name, THING_NEXT_CERTIFICATE);
    enum status status =
        pem_find_key(rotation->plan->key_algorithm, key_path, &rotation->key, error);
    enrol_fill(rotation->target, rotation->key, rotation->plan, record, issuance, enrolment);
    enrolment->renewal = true;
    enrolment->owner = rotation;
    if (!status && !rotation->target->remote && path_exists(certificate_path))
        status =
            pem_read_certificate(certificate_path, issuance->mark, &enrolment->certificate, error);
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

static enum status retire_old(struct target *target, const struct record *record,
                              struct error *error)
{
    const struct registration *registration = record->retired.registration;
    const struct retired_certificate old = {.serial = record->retired_serial,
                                            .mark = record->retired.mark,
                                            .key_digest = registration ? registration->key : NULL,
                                            .registration = registration};
    struct retired_certificate *all = must_array(1 + record->stray_count, sizeof *all);
    size_t count = 0;
    if (old.serial)
        all[count++] = old;
    for (size_t i = 0; i < record->stray_count; i++)
        all[count++] = (struct retired_certificate){.registration = record->strays[i]};
    const struct retirement retirement = {.thing = record->name,
                                          .claim = record->claim,
                                          .since = record->created,
                                          .certificates = all,
                                          .count = count};
    enum status status = count ? target->retire(target, &retirement, error) : FINE;
    free(all);
    return status;
}

static enum status finish_rotation(struct target *target, struct record *record,
                                   struct error *error)
{
    owned char *key_path = record_file(record->name, THING_NEXT_KEY);
    owned char *certificate_path = record_file(record->name, THING_NEXT_CERTIFICATE);
    enum status status = retire_old(target, record, error);
    fault_point("rotate:retired");
    if (status)
        return status;
    record_end_rotation(record);
    status = remove_tree(key_path, error);
    if (!status)
        status = remove_tree(certificate_path, error);
    fault_point("rotate:cleaned");
    return status ? status : record_write(record, error);
}

enum status rotate_thing(struct target *target, const struct package_plan *plan, const char *name,
                         const struct changes *changes, struct record **record,
                         struct package_size *size, struct error *error)
{
    struct rotation rotation = {.target = target, .plan = plan, .size = size};
    int lock;
    enum status status = adopt_open(target, name, &lock, record, error);
    if (!status)
        status = begin_rotation(target, plan, *record, changes, &rotation.enrolment.resumed, error);
    fault_point("rotate:begun");
    rotation.record = *record;
    rotation.taken_over = !status && record_promoted(*record);
    if (!status && (target->remote || !rotation.taken_over))
        status = enrol_next(target, &rotation, error);
    if (!status)
        status = finish_rotation(target, *record, error);
    if (lock >= 0)
        adopt_close(name);
    unlock(&lock);
    return status;
}
