/* Deleting a thing; thing.c lists the steps. */
#include "thing.h"
#include "adopt.h"
#include "enrol.h"
#include "pem.h"
#include "common/base/memory.h"
#include "common/base/names.h"
#include "common/base/paths.h"
#include "common/spec/spec.h"

#include <stdlib.h>
#include <string.h>

/* The serial number of the certificate in a file; "" when no certificate can be read. */
static void read_serial(const char *name, const char *file, struct certificate_facts *facts)
{
    owned char *path = record_file(name, file);
    X509 *certificate = NULL;
    struct error unread = {0};
    *facts = (struct certificate_facts){0};
    if (!certificate_read(path, &certificate, &unread) &&
        certificate_describe(certificate, facts, &unread))
        *facts = (struct certificate_facts){0};
    X509_free(certificate);
    error_free(&unread);
}

/* A certificate as the record names it. Its serial number is not known before it is signed. */
static struct retired_certificate recorded(const struct issuance *issuance, const char *serial)
{
    const struct registration *registration = issuance->registration;
    return (struct retired_certificate){.serial = serial && *serial ? serial : NULL,
                                        .mark = issuance->mark,
                                        .key_digest = registration ? registration->key : NULL,
                                        .registration = registration};
}

/* Every certificate that may have been signed: those on the disk, and those of the record, which may
 * be a step ahead. record: {0} where there is none, or it is damaged. */
static enum status retire_all(struct target *target, const char *name, const struct record *record,
                              bool *revoked, struct error *error)
{
    struct certificate_facts current, next;
    read_serial(name, THING_CERTIFICATE, &current);
    read_serial(name, THING_NEXT_CERTIFICATE, &next);
    const struct retired_certificate own[] = {
        {.serial = *current.serial ? current.serial : NULL},
        {.serial = *next.serial ? next.serial : NULL},
        recorded(&record->current, record->certificate.serial),
        recorded(&record->next, NULL),
        recorded(&record->retired, record->retired_serial),
    };
    const size_t count = sizeof own / sizeof *own;
    struct retired_certificate *all = must_array(count + record->stray_count, sizeof *all);
    memcpy(all, own, sizeof own);
    for (size_t i = 0; i < record->stray_count; i++)
        all[count + i] = (struct retired_certificate){.registration = record->strays[i]};
    const struct retirement retirement = {.thing = name,
                                          .type = record->type,
                                          .claim = record->claim,
                                          .since = record->created,
                                          .whole = true,
                                          .certificates = all,
                                          .count = count + record->stray_count};
    for (size_t i = 0; i < count; i++)
        *revoked |= own[i].serial != NULL;
    *revoked |= record->stray_count > 0;
    enum status status = target->retire(target, &retirement, error);
    free(all);
    return status;
}

/* Without a record the type is not known, and the package may be that of any type. */
static enum status remove_packages(const char *name, const struct record *record,
                                   struct error *error)
{
    if (record)
        return package_remove(record->type, name, error);
    struct names *types = names_of_folders(TYPES_FOLDER, "sensors");
    enum status status = FINE;
    for (size_t i = 0; i < types->count && !status; i++)
        status = package_remove(types->at[i], name, error);
    names_free(types);
    return status;
}

/* Where the record is missing or damaged, the target's registry says which thing it is. */
static enum status find_lost(struct target *target, const char *name, struct record **record,
                             struct error *error)
{
    struct error lost = {0};
    if (!target->look || !adopt_look(target, name, record, &lost))
        return FINE;
    if (lost.status == REFUSED)
        *error = lost;
    else
        error_free(&lost); /* what is there is not ours: only what is here is removed */
    return error->status;
}

/* A thing can also be deleted when it has no record here; *record is NULL where nobody knows it. What
 * is to be deleted of one that is half-made or half-deleted is in its record already: a thing of the
 * same name in the registry may be another's. */
static enum status open_to_delete(struct target *target, const char *name, const char *type,
                                  int *lock, struct record **record, struct error *error)
{
    owned char *folder = record_folder(name);
    bool here = is_folder(folder);
    enum status status = here ? thing_open_folder(name, lock, record, error)
                              : adopt_open(target, name, lock, record, error);
    if (here && status == WRONG_INPUT && *lock >= 0) {
        error_free(error);
        status = FINE;
    }
    if (!status && here && !*record)
        status = find_lost(target, name, record, error);
    if (!status && type && *record && strcmp((*record)->type, type) != 0)
        status = fail(error, WRONG_INPUT, "%s is not of type %s but of type %s", name, type,
                      (*record)->type);
    if (!status && *record) /* first, because this may refuse */
        status = enrol_check_place(target, name, (*record)->current.registration, error);
    bool whole =
        *record && ((*record)->state == RECORD_ACTIVE || (*record)->state == RECORD_ROTATING);
    return !status && whole && !(*record)->elsewhere ? adopt_refresh(target, *record, NULL, error)
                                                     : status;
}

enum status delete_thing(struct target *target, const char *name, const char *type, bool *revoked,
                         struct error *error)
{
    static const char *const files[] = {THING_NEXT_KEY, THING_NEXT_CERTIFICATE, THING_KEY,
                                        THING_CERTIFICATE, THING_RECORD};
    static const struct record none;
    struct record *record = NULL;
    int lock;
    *revoked = false;
    enum status status = open_to_delete(target, name, type, &lock, &record, error);
    if (!status && record && record->state != RECORD_DELETING) {
        record->state = RECORD_DELETING;
        status = record_write(record, error);
    }
    fault_point("delete:begun");
    if (!status)
        status = retire_all(target, name, record ? record : &none, revoked, error);
    fault_point("delete:retired");
    if (!status)
        status = remove_packages(name, record, error);
    fault_point("delete:package");
    for (size_t i = 0; i < sizeof files / sizeof *files && !status; i++) {
        owned char *path = record_file(name, files[i]);
        status = remove_tree(path, error);
    }
    fault_point("delete:record");
    owned char *folder = record_folder(name);
    if (!status)
        status = remove_tree(folder, error);
    if (!status)
        status = sync_folder(THINGS_FOLDER, error);
    if (lock >= 0)
        adopt_close(name);
    record_free(record);
    unlock(&lock);
    return status;
}
