/* Making a thing's package anew, with the key and the certificate that it has. */
#include "thing.h"
#include "adopt.h"
#include "common/base/memory.h"
#include "enrol.h"
#include "pem.h"

static enum status restage(const struct package_plan *plan, struct record *record,
                           struct package_size *size, struct error *error)
{
    owned char *key_path = record_file(record->name, THING_KEY);
    owned char *certificate_path = record_file(record->name, THING_CERTIFICATE);
    X509 *certificate = NULL;
    struct batch batch = {0};
    EVP_PKEY *key = NULL;
    enum status status = key_read(key_path, &key, error);
    if (!status)
        status =
            pem_read_certificate(certificate_path, record->certificate.serial, &certificate, error);
    if (!status && !certificate)
        status = fail(error, WRONG_INPUT, "%s is not the certificate that the record names",
                      certificate_path);
    if (!status)
        status = package_stage(plan, record, key, certificate, &batch, size, error);
    if (!status)
        status = record_stage(record, &batch, error);
    if (!status)
        status = batch_commit(&batch, error);
    batch_drop(&batch);
    EVP_PKEY_free(key);
    X509_free(certificate);
    return status;
}

/* Attributes are changed in the target before the record says so: after a kill the same command
 * changes them again. */
static enum status amend(struct target *target, const struct changes *changes,
                         const struct record *record, struct error *error)
{
    if (!target->amend || !changes->attributes ||
        attributes_equal(changes->attributes, &record->attributes))
        return FINE;
    return target->amend(target, record->name, record->claim ? record->claim : "",
                         changes->attributes, error);
}

static enum status refuse_gone(const struct record *record, struct error *error)
{
    fail(error, WRONG_INPUT, "%s is not in the account any more", record->name);
    return advise(error,
                  "make delete name=%s, then create it again; or are these the credentials of "
                  "another account?",
                  record->name);
}

/* Opens the record, and makes it what the target's registry says. */
static enum status open_fresh(struct target *target, const char *name, int *lock,
                              struct record **record, struct error *error)
{
    bool there = true;
    enum status status = adopt_open(target, name, lock, record, error);
    if (!status && (*record)->state != RECORD_ACTIVE)
        status = thing_half_done(*record, error);
    if (!status)
        status = enrol_check_place(target, name, (*record)->current.registration, error);
    if (!status && !(*record)->elsewhere)
        status = adopt_refresh(target, *record, &there, error);
    return status || there ? status : refuse_gone(*record, error);
}

static enum status rebuild(struct target *target, const struct package_plan *plan,
                           const struct changes *changes, struct record *record,
                           struct package_size *size, struct error *error)
{
    struct changes known = *changes;
    struct attributes merged = {0};
    if (changes->attributes) {
        merged = adopt_attributes(record, changes);
        known.attributes = &merged;
    }
    enum status status = amend(target, &known, record, error);
    if (!status) {
        record_change(record, &known);
        status = restage(plan, record, size, error);
    }
    attributes_free(&merged);
    return status;
}

enum status rebuild_thing(struct target *target, const struct package_plan *plan, const char *name,
                          const struct changes *changes, struct record **record,
                          struct package_size *size, struct error *error)
{
    int lock;
    enum status status = open_fresh(target, name, &lock, record, error);
    bool elsewhere = !status && (*record)->elsewhere;
    if (!status && !elsewhere)
        status = rebuild(target, plan, changes, *record, size, error);
    if (lock >= 0)
        adopt_close(name);
    unlock(&lock);
    if (!elsewhere)
        return status;
    record_free(*record);
    return rotate_thing(target, plan, name, changes, record, size, error);
}
