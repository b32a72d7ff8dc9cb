/* This machine as a target. Its authority lives in iot_system_infra/authority/ (0700):
 *
 *   ca.key   its private key (0600)      ca.pem, ca.der   its certificate
 *   crl.pem  what it has revoked
 *   former/  during a renewal (local_renewal.c): key and certificate of the one before it. Its
 *            certificate is then behind the other one in ca.pem and ca.der, which are what the broker
 *            and the boards trust.
 *
 * It is made when something is first signed by it, in a folder beside that is renamed when it is
 * whole, under the lock of the folder above, so that two commands that come first at once end up
 * with the same one. */
#include "local_target.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/names.h"
#include "common/base/paths.h"
#include "common/base/record_state.h"
#include "generator/pki/pki.h"

#include <stdlib.h>
#include <string.h>

/* Sensors stay in the field for long, and cannot renew by themselves; the authority outlives them.
 */
enum {
    THING_YEARS = 10,
    LARGEST_LIST = 64 << 20, /* bytes: a million serials */
};

/* --- the authority on disk --- */

static enum status add_certificate(const struct authority *authority, struct text *pem,
                                   struct text *der, struct error *error)
{
    enum status status = certificate_to_pem(authority->certificate, pem, error);
    return status ? status : certificate_to_der(authority->certificate, der, error);
}

static enum status stage_former(const struct authority *former, struct batch *batch,
                                struct error *error)
{
    secret_owned struct secret key = {0};
    struct text pem = {0};
    enum status status = make_folders(AUTHORITY_IN_MAKING "/former", FOLDER_SECRET, error);
    if (!status)
        status = key_to_pem(former->key, &key, error);
    if (!status)
        status = certificate_to_pem(former->certificate, &pem, error);
    if (!status)
        status = batch_write_new(batch, AUTHORITY_IN_MAKING "/former/ca.key", key.at, key.length,
                                 FILE_SECRET, error);
    if (!status)
        status = batch_write_new(batch, AUTHORITY_IN_MAKING "/former/ca.pem", pem.at, pem.length,
                                 FILE_PUBLIC, error);
    text_free(&pem);
    return status;
}

static enum status stage_authority(const struct authority *authority,
                                   const struct authority *former, const struct text *list,
                                   struct batch *batch, struct error *error)
{
    secret_owned struct secret key = {0};
    struct text pem = {0}, der = {0};
    enum status status = key_to_pem(authority->key, &key, error);
    if (!status)
        status = add_certificate(authority, &pem, &der, error);
    if (!status && former->key)
        status = add_certificate(former, &pem, &der, error);
    const struct {
        const char *path, *bytes;
        size_t length;
        mode_t mode;
    } files[] = {
        {AUTHORITY_IN_MAKING "/ca.key", key.at, key.length, FILE_SECRET},
        {AUTHORITY_IN_MAKING "/ca.pem", pem.at, pem.length, FILE_PUBLIC},
        {AUTHORITY_IN_MAKING "/ca.der", der.at, der.length, FILE_PUBLIC},
        {AUTHORITY_IN_MAKING "/crl.pem", list->at, list->length, FILE_PUBLIC},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files && !status; i++)
        status = batch_write_new(batch, files[i].path, files[i].bytes, files[i].length,
                                 files[i].mode, error);
    if (!status && former->key)
        status = stage_former(former, batch, error);
    text_free(&pem);
    text_free(&der);
    return status;
}

enum status local_install_authority(const struct authority *authority,
                                    const struct authority *former, const struct text *list,
                                    struct error *error)
{
    struct batch batch = {0};
    enum status status = remove_tree(AUTHORITY_IN_MAKING, error);
    if (!status)
        status = make_folders(AUTHORITY_IN_MAKING, FOLDER_SECRET, error);
    if (!status)
        status = stage_authority(authority, former, list, &batch, error);
    fault_point("authority");
    if (!status) {
        batch_replace_folder(&batch, AUTHORITY_IN_MAKING, AUTHORITY_FOLDER);
        status = batch_commit(&batch, error);
    }
    batch_drop(&batch);
    return status;
}

char *local_authority_name(const struct local *local)
{
    return must_format("Sensorforge authority of %s", local->system);
}

static enum status make_authority(const struct local *local, struct error *error)
{
    struct authority made = {0};
    struct text list = {0};
    owned char *name = local_authority_name(local);
    enum status status = authority_make(name, AUTHORITY_YEARS, &made, error);
    if (!status)
        status = revocation_begin(&made, NULL, 0, &list, error);
    if (!status)
        status = local_install_authority(&made, &(struct authority){0}, &list, error);
    text_free(&list);
    authority_free(&made);
    return status;
}

/* An authority that was lost is not replaced in silence: all certificates would stop working.
 * Certificates are looked at first, because another command may be making the authority and its
 * first certificate just now. */
static enum status check_not_lost(struct error *error)
{
    struct names *certified = names_of_folders(THINGS_FOLDER, THING_CERTIFICATE);
    bool lost = certified->count > 0 && !path_exists(AUTHORITY_FOLDER);
    names_free(certified);
    if (!lost)
        return FINE;
    fail(error, REFUSED, AUTHORITY_FOLDER " is gone, and things have certificates that it signed");
    return advise(error, "restore it from a backup");
}

static enum status read_pair(const char *key, const char *certificate, struct authority *authority,
                             struct error *error)
{
    enum status status = key_read(key, &authority->key, error);
    if (!status)
        status = certificate_read(certificate, &authority->certificate, error);
    return status ? status : authority_check(authority, error);
}

enum status local_load_authority(struct local *local, struct error *error)
{
    struct authority loaded = {0}, former = {0};
    enum status status = read_pair(AUTHORITY_KEY, AUTHORITY_CERTIFICATE, &loaded, error);
    if (!status && path_exists(FORMER_FOLDER))
        status = read_pair(FORMER_KEY, FORMER_CERTIFICATE, &former, error);
    if (status) {
        authority_free(&loaded);
        authority_free(&former);
        if (error->advice.length) /* it may not be read */
            return status;
        return advise(error, "restore " AUTHORITY_FOLDER
                             " from a backup; without it no thing can be made or revoked");
    }
    authority_free(&local->authority);
    authority_free(&local->former);
    local->authority = loaded;
    local->former = former;
    return FINE;
}

static enum status need_authority(struct local *local, struct error *error)
{
    if (local->authority.key)
        return FINE;
    if (!path_exists(AUTHORITY_FOLDER)) {
        int lock;
        enum status status = lock_folder(INFRASTRUCTURE_FOLDER, true, &lock, error);
        if (!status && !path_exists(AUTHORITY_FOLDER))
            status = make_authority(local, error);
        unlock(&lock);
        if (status)
            return status;
    }
    return local_load_authority(local, error);
}

/* --- the target --- */

static enum status local_endpoint(struct target *target, const char **host, int *port,
                                  struct error *error)
{
    const struct local *local = target->state;
    (void)error;
    *host = local->host;
    *port = local->port;
    return FINE;
}

static enum status local_authority(struct target *target, struct text *der, struct error *error)
{
    struct local *local = target->state;
    enum status status = need_authority(local, error);
    if (!status)
        status = certificate_to_der(local->authority.certificate, der, error);
    if (!status && local->former.key)
        status = certificate_to_der(local->former.certificate, der, error);
    return status;
}

/* An authority that is made when it is first needed is valid from then on. */
static enum status local_can_enrol(struct target *target, struct error *error)
{
    const struct local *local = target->state;
    return local->authority.key ? authority_check_valid(&local->authority, error) : FINE;
}

static enum status sign(struct local *local, struct enrolment *enrolment)
{
    if (enrolment->certificate)
        return FINE;
    enum status status = need_authority(local, &enrolment->error);
    if (status)
        return status;
    return authority_sign(&local->authority, &enrolment->subject, enrolment->mark, THING_YEARS,
                          &enrolment->certificate, &enrolment->error);
}

/* A certificate counts as soon as it is signed, so there is nothing to remember or to activate. */
static void local_enrol(struct target *target, struct enrolment **list, size_t count,
                        const struct enrol_events *events)
{
    struct enrolment **ready = must_array(count, sizeof(struct enrolment *));
    size_t ready_count = 0;
    for (size_t i = 0; i < count; i++)
        if (!sign(target->state, list[i]))
            ready[ready_count++] = list[i];
    events->install(ready, ready_count);
    free(ready);
}

/* --- the revocation list on disk --- */

/* A copy of the list is kept beside the records of things (REVOCATION_COPY), because it is the folder
 * of the authority that is restored from a backup, or lost. */

struct serials {
    char **at;
    size_t count, room;
};

static void serials_add(void *context, const char *serial)
{
    struct serials *serials = context;
    serials->at = must_grow(serials->at, serials->count, &serials->room, sizeof *serials->at);
    serials->at[serials->count++] = must_copy(serial);
}

static void serials_free(struct serials *serials)
{
    for (size_t i = 0; i < serials->count; i++)
        free(serials->at[i]);
    free(serials->at);
}

/* What the copy says, unless it is the list itself. One that is not there, or cannot be read, says
 * nothing. After a kill in a renewal, it is signed by the former authority. */
static void add_copied(const struct local *local, const struct text *list, struct serials *serials)
{
    struct text copy = {0};
    struct error none = {0};
    if (!read_file(REVOCATION_COPY, LARGEST_LIST, &copy, &none) &&
        strcmp(text_string(&copy), text_string(list)) != 0 &&
        revocation_each(&local->authority, text_string(&copy), copy.length, serials_add, serials,
                        &none) &&
        local->former.key) {
        error_free(&none);
        revocation_each(&local->former, text_string(&copy), copy.length, serials_add, serials,
                        &none);
    }
    text_free(&copy);
    error_free(&none);
}

static bool is_being_deleted(const cJSON *record)
{
    enum target_kind target = TARGET_AWS;
    enum record_state state = RECORD_MAKING;
    return system_target_named(json_string(record, "target", "local"), &target) &&
           target == TARGET_LOCAL &&
           record_state_named(json_string(record, "state", NULL), &state) &&
           state == RECORD_DELETING;
}

/* Certificates that records of things name as revoked, or about to be. */
static void add_recorded(struct serials *serials)
{
    struct names *names = names_of_folders(THINGS_FOLDER, THING_RECORD);
    for (size_t i = 0; i < names->count; i++) {
        owned char *path = must_format(THINGS_FOLDER "/%s/" THING_RECORD, names->at[i]);
        struct error none = {0};
        cJSON *record = NULL;
        if (!json_read(path, LARGEST_RECORD, &record, &none) && is_being_deleted(record)) {
            const char *serial = json_string(json_get(record, "certificate"), "serial", "");
            if (*serial)
                serials_add(serials, serial);
        }
        json_wipe(record);
        error_free(&none);
    }
    names_free(names);
}

static enum status list_lost(struct error *error)
{
    fail(error, REFUSED,
         REVOCATION_LIST " is missing: which certificates were revoked is not known");
    return advise(error, "restore it from a backup, or make it anew from what is known here: "
                         "make doctor clean=yes");
}

/* Makes the list with these serials and those of its copy added. The copy has more serials when an
 * older list was restored from a backup. list stays empty when nothing is new. */
static enum status extend_list(const struct local *local, const char *const *serials, size_t count,
                               struct text *list, struct error *error)
{
    struct text old = {0};
    struct serials all = {0};
    size_t added = 0;
    for (size_t i = 0; i < count; i++)
        serials_add(&all, serials[i]);
    enum status status = read_file(REVOCATION_LIST, LARGEST_LIST, &old, error);
    add_copied(local, &old, &all);
    if (!status &&
        (status = revocation_extend(&local->authority, text_string(&old), old.length,
                                    (const char *const *)all.at, all.count, list, &added, error)))
        error_in(error, REVOCATION_LIST);
    if (status)
        advise(error, "restore " REVOCATION_LIST " from a backup, or make it anew from what is "
                      "known here: make doctor clean=yes");
    if (!status && !added && path_exists(REVOCATION_COPY))
        text_clear(list);
    serials_free(&all);
    text_free(&old);
    return status;
}

enum status local_copy_list(const struct text *list, struct error *error)
{
    struct text copy = {0};
    struct error none = {0};
    bool same = !read_file(REVOCATION_COPY, LARGEST_LIST, &copy, &none) &&
                strcmp(text_string(&copy), text_string(list)) == 0;
    text_free(&copy);
    error_free(&none);
    enum status status = same ? FINE : make_folders(THINGS_FOLDER, FOLDER_PUBLIC, error);
    return status || same
               ? status
               : write_file(REVOCATION_COPY, text_string(list), list->length, FILE_PUBLIC, error);
}

/* The list is written first. When the copy is older than the list, the next command writes it
 * again. */
static enum status write_list(const struct text *list, struct error *error)
{
    enum status status =
        write_file(REVOCATION_LIST, text_string(list), list->length, FILE_PUBLIC, error);
    return status ? status : local_copy_list(list, error);
}

enum status local_read_list(struct text *list, struct error *error)
{
    return path_exists(REVOCATION_LIST) ? read_file(REVOCATION_LIST, LARGEST_LIST, list, error)
                                        : list_lost(error);
}

enum status local_resign_list(const struct authority *old, const struct authority *authority,
                              const struct text *old_list, struct text *list, struct error *error)
{
    struct serials all = {0};
    enum status status =
        revocation_each(old, text_string(old_list), old_list->length, serials_add, &all, error);
    if (status) {
        error_in(error, REVOCATION_LIST);
        advise(error, "make it anew from what is known here: make doctor clean=yes");
    } else {
        status = revocation_begin(authority, (const char *const *)all.at, all.count, list, error);
    }
    serials_free(&all);
    return status;
}

/* Reads, extends and replaces the list under the lock of its folder. */
static enum status revoke(struct local *local, const char *const *serials, size_t count,
                          struct error *error)
{
    struct text list = {0};
    int lock = -1;
    enum status status = lock_folder(AUTHORITY_FOLDER, true, &lock, error);
    if (status)
        return status;
    remove_temporaries(AUTHORITY_FOLDER);
    remove_dead_temporaries(THINGS_FOLDER); /* of the copy of the list */
    status = path_exists(REVOCATION_LIST) ? extend_list(local, serials, count, &list, error)
                                          : list_lost(error);
    if (!status && list.length)
        status = write_list(&list, error);
    unlock(&lock);
    text_free(&list);
    return status;
}

static void ignore_serial(void *context, const char *serial)
{
    (void)context, (void)serial;
}

/* An older list that was restored from a backup lets in what was revoked since, where the records were
 * restored, too. */
static enum status check_older(const struct local *local, struct error *error)
{
    struct text whole = {0};
    if (!path_exists(REVOCATION_COPY))
        return FINE;
    enum status status = extend_list(local, NULL, 0, &whole, error);
    bool older = !status && whole.length;
    text_free(&whole);
    if (!older)
        return status;
    fail(error, REFUSED,
         REVOCATION_LIST " is older than its copy " REVOCATION_COPY
                         ": certificates that were revoked since are not in it");
    return advise(error, "make it whole: make doctor clean=yes");
}

enum status local_check_revocations(struct target *target, struct error *error)
{
    struct local *local = target->state;
    struct text list = {0};
    if (!path_exists(AUTHORITY_FOLDER))
        return FINE;
    if (!path_exists(REVOCATION_LIST))
        return list_lost(error);
    enum status status = need_authority(local, error);
    if (!status)
        status = read_file(REVOCATION_LIST, LARGEST_LIST, &list, error);
    if (!status && (status = revocation_each(&local->authority, text_string(&list), list.length,
                                             ignore_serial, NULL, error)))
        error_in(error, REVOCATION_LIST);
    if (status)
        advise(error, "restore " REVOCATION_LIST " from a backup, or make it anew from what is "
                      "known here: make doctor clean=yes");
    if (!status)
        status = check_older(local, error);
    text_free(&list);
    return status;
}

static void count_serial(void *context, const char *serial)
{
    (void)serial;
    ++*(size_t *)context;
}

/* Puts what the copy has besides into a list that can be read. *whole: there was such a list. */
static enum status make_list_whole(const struct local *local, size_t *count, bool *whole,
                                   struct error *error)
{
    struct text list = {0};
    struct error none = {0};
    *whole = path_exists(REVOCATION_LIST) && !extend_list(local, NULL, 0, &list, &none);
    enum status status = *whole && list.length ? write_list(&list, error) : FINE;
    if (!status && list.length)
        status = revocation_each(&local->authority, text_string(&list), list.length, count_serial,
                                 count, error);
    error_free(&none);
    text_free(&list);
    return status;
}

enum status local_restore_revocations(struct target *target, size_t *count, struct error *error)
{
    bool whole = false;
    struct local *local = target->state;
    struct serials all = {0};
    struct text list = {0};
    int lock = -1;
    *count = 0;
    enum status status = need_authority(local, error);
    if (!status)
        status = lock_folder(AUTHORITY_FOLDER, true, &lock, error);
    if (!status)
        status = make_list_whole(local, count, &whole, error);
    if (!status && !whole) {
        add_copied(local, &list, &all);
        add_recorded(&all);
        status = revocation_begin(&local->authority, (const char *const *)all.at, all.count, &list,
                                  error);
        if (!status)
            status = write_list(&list, error);
        *count = all.count;
    }
    unlock(&lock);
    serials_free(&all);
    text_free(&list);
    return status;
}

/* --- retiring --- */

/* For the broker's plugin, which drops the thing's session, what waits in it, and its retained
 * messages (hub/plugin/departed.h). Where there never was a broker there is none of them. */
static enum status note_departure(const struct retirement *retirement, struct error *error)
{
    if (!retirement->whole || !retirement->thing || !is_folder(BROKER_FOLDER))
        return FINE;
    owned char *path = path_join(DEPARTED_FOLDER, retirement->thing);
    const char *type = retirement->type ? retirement->type : "";
    enum status status = make_folders(DEPARTED_FOLDER, FOLDER_SECRET, error);
    return status ? status : write_file(path, type, strlen(type), FILE_PUBLIC, error);
}

static enum status local_retire(struct target *target, const struct retirement *retirement,
                                struct error *error)
{
    const char **serials = must_array(retirement->count, sizeof *serials);
    size_t count = 0;
    for (size_t i = 0; i < retirement->count; i++)
        if (retirement->certificates[i].serial)
            serials[count++] = retirement->certificates[i].serial;
    enum status status = count ? need_authority(target->state, error) : FINE;
    if (!status && count)
        status = revoke(target->state, serials, count, error);
    if (!status)
        status = note_departure(retirement, error);
    free(serials);
    return status;
}

/* A former one that has ended signs nothing any more. */
enum status local_serving_authority(struct target *target, const struct authority **authority,
                                    struct error *error)
{
    struct local *local = target->state;
    struct error none = {0};
    enum status status = need_authority(local, error);
    bool former = !status && local->former.key && !authority_check_valid(&local->former, &none);
    *authority = former ? &local->former : &local->authority;
    error_free(&none);
    return status;
}

static void local_close(struct target *target)
{
    struct local *local = target->state;
    authority_free(&local->authority);
    authority_free(&local->former);
    free(local->system);
    free(local->host);
    free(local);
}

enum status local_open(const struct system *system, const struct account_options *options,
                       struct target *target, struct error *error)
{
    (void)options;
    struct local *local = must_alloc(sizeof *local);
    local->system = must_copy(system->name);
    local->host = must_copy(system->local.host);
    local->port = system->local.mqtt_port;
    *target = (struct target){.kind = TARGET_LOCAL,
                              .state = local,
                              .endpoint = local_endpoint,
                              .authority = local_authority,
                              .can_enrol = local_can_enrol,
                              .before_fork = local_can_enrol,
                              .enrol = local_enrol,
                              .retire = local_retire,
                              .close = local_close};
    /* One that is broken or lost is known before anything is changed. */
    enum status status =
        path_exists(AUTHORITY_FOLDER) ? need_authority(local, error) : check_not_lost(error);
    if (status)
        target_close(target);
    return status;
}
