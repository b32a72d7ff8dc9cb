/* Deleting a thing; thing.c lists the steps. */
#include "thing.h"
#include "enrol.h"
#include "pair.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/spec/spec.h"
#include "generator/pki/pki.h"

#include <stdlib.h>
#include <string.h>

/* The serial of the certificate in a file, "" when there is none that can be read. */
static void serial_of_file(const char *name, const char *file, struct certificate_facts *facts)
{
    owned char *path = record_file(name, file);
    struct text pem = {0};
    X509 *certificate = NULL;
    struct error unread = {0};
    *facts = (struct certificate_facts){0};
    if (path_exists(path) && !read_file(path, PAIR_LARGEST_PEM, &pem, &unread) &&
        !certificate_from_pem(text_string(&pem), pem.length, &certificate, &unread) &&
        certificate_describe(certificate, facts, &unread))
        *facts = (struct certificate_facts){0};
    text_free(&pem);
    X509_free(certificate);
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
         .key_digest = json_string(json_get(record, "registration"), "key", NULL),
         .registration = json_get(record, "registration")},
        {.mark = json_string(record, "next_serial", NULL),
         .key_digest = json_string(json_get(record, "next_registration"), "key", NULL),
         .registration = json_get(record, "next_registration")},
        {.serial = json_string(record, "retired", NULL),
         .mark = json_string(record, "retired_mark", NULL),
         .key_digest = json_string(json_get(record, "retired_registration"), "key", NULL),
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
    enum status status = thing_open(name, lock, record, error);
    if (status == WRONG_INPUT && *lock >= 0) {
        error_free(error);
        status = FINE;
    }
    if (!status && type && strcmp(json_string(*record, "type", type), type) != 0)
        status = fail(error, WRONG_INPUT, "%s is no %s but a %s", name, type,
                      json_string(*record, "type", ""));
    return status;
}

enum status delete_thing(struct target *target, const char *name, const char *type, bool *revoked,
                         struct error *error)
{
    static const char *const files[] = {"next-key.pem", "next-cert.pem", "key.pem", "cert.pem",
                                        "thing.json"};
    cJSON *record = NULL;
    int lock;
    *revoked = false;
    enum status status = open_to_delete(name, type, &lock, &record, error);
    if (!status) /* before the record says that it is deleted */
        status = enrol_check_place(target, name, json_get(record, "registration"), error);
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
        owned char *path = record_file(name, files[i]);
        status = remove_tree(path, error);
    }
    fault_point("delete:record");
    owned char *folder = record_folder(name);
    if (!status)
        status = remove_tree(folder, error);
    if (!status)
        status = sync_folder(THINGS_FOLDER, error);
    json_wipe(record);
    unlock(&lock);
    return status;
}
