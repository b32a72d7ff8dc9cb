/* Making a thing's package anew, with the key and the certificate that it has. */
#include "thing.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "enrol.h"
#include "pair.h"

#include <string.h>

static enum status restage(const struct package_plan *plan, cJSON *record,
                           struct package_size *size, struct error *error)
{
    const char *name = json_string(record, "name", "");
    owned char *key_path = record_file(name, "key.pem");
    owned char *certificate_path = record_file(name, "cert.pem");
    X509 *certificate = NULL;
    struct batch batch = {0};
    EVP_PKEY *key = NULL;
    enum status status = pair_read_key(key_path, &key, error);
    if (!status)
        status = pair_read_certificate(certificate_path,
                                       json_string(json_get(record, "certificate"), "serial", ""),
                                       &certificate, error);
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

enum status rebuild_thing(struct target *target, const struct package_plan *plan, const char *name,
                          const struct changes *changes, cJSON **record, struct package_size *size,
                          struct error *error)
{
    int lock;
    enum status status = thing_open(name, &lock, record, error);
    if (!status && !*record)
        status = thing_not_found(name, error);
    if (!status && strcmp(record_state(*record), "active") != 0)
        status = thing_half_done(*record, error);
    if (!status)
        status = enrol_check_place(target, name, json_get(*record, "registration"), error);
    if (!status)
        status = amend(target, changes, *record, error);
    if (!status) {
        record_change(*record, changes);
        status = restage(plan, *record, size, error);
    }
    unlock(&lock);
    return status;
}
