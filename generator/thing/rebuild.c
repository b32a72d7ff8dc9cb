/* Making a thing's package anew, with the key and the certificate that it has. */
#include "thing.h"
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

enum status rebuild_thing(struct target *target, const struct package_plan *plan, const char *name,
                          const struct changes *changes, struct record **record,
                          struct package_size *size, struct error *error)
{
    int lock;
    enum status status = thing_open(name, &lock, record, error);
    if (!status && (*record)->state != RECORD_ACTIVE)
        status = thing_half_done(*record, error);
    if (!status)
        status = enrol_check_place(target, name, (*record)->current.registration, error);
    if (!status)
        status = amend(target, changes, *record, error);
    if (!status) {
        record_change(*record, changes);
        status = restage(plan, *record, size, error);
    }
    unlock(&lock);
    return status;
}
