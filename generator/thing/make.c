/* Making things; thing.c lists the steps. */
#include "thing.h"
#include "common/base/memory.h"
#include "enrol.h"
#include "pem.h"

#include <stdlib.h>
#include <string.h>

/* What to do when the thing has a record already. An active thing EXISTED. One that another command
 * left half-done is an error. One that an earlier create left half-made is resumed: what its target
 * may know already is kept; attributes and wifi are those of this command. */
static enum status resume(struct making *thing, struct record *there)
{
    struct record *record = thing->record;
    if (there->state == RECORD_ACTIVE) {
        thing->outcome = EXISTED;
        return thing_exists(there, &thing->error);
    }
    if (there->state != RECORD_MAKING)
        return thing_half_done(there, &thing->error);
    if (strcmp(there->type, record->type) != 0 || there->target != record->target) {
        fail(&thing->error, WRONG_INPUT, "%s is half-made, as %s on the target %s", there->name,
             there->type, system_target_name(there->target));
        return advise(&thing->error, "make delete name=%s, then create it again", there->name);
    }
    record_resume(record, there);
    thing->resumed = true;
    return FINE;
}

/* The key is on the disk before a remote target is asked for a certificate. */
static enum status stage_first_key(struct making *thing, struct batch *batch)
{
    secret_owned struct secret pem = {0};
    owned char *path = record_file(thing->record->name, THING_KEY);
    enum status status = pem_find_key(thing->plan->key_algorithm, path, &thing->key, &thing->error);
    if (!status)
        status = enrol_note_key(thing->record->current.registration, thing->key, &thing->error);
    if (!status)
        status = key_to_pem(thing->key, &pem, &thing->error);
    return status ? status
                  : batch_write(batch, path, pem.at, pem.length, FILE_SECRET, &thing->error);
}

/* The mark and, on a remote target, claim and registration are in the record from the beginning. */
static enum status choose_marks(struct making *thing)
{
    struct record *record = thing->record;
    enum status status = FINE;
    if (!record->current.mark)
        status = enrol_choose_mark(&record->current.mark, &thing->error);
    if (!status && thing->target->remote && !record->claim) {
        const char *system = thing->target->system;
        char created[CLOCK_TEXT];
        record_time(record->created, created);
        record->claim = must_format("%s@%s%s%s", record->current.mark, created, system ? "@" : "",
                                    system ? system : "");
    }
    if (!status && thing->target->remote && !record->current.registration)
        record->current.registration = must_alloc(sizeof *record->current.registration);
    return status ? status
                  : enrol_check_place(thing->target, record->name, record->current.registration,
                                      &thing->error);
}

static enum status begin(struct making *thing, struct batch *batch)
{
    const char *name = thing->record->name;
    owned char *folder = record_folder(name);
    struct record *there = NULL;
    enum status status = make_folders(folder, FOLDER_SECRET, &thing->error);
    if (!status)
        status = lock_folder(folder, false, &thing->lock, &thing->error);
    if (!status) {
        remove_temporaries(folder);
        status = record_read(name, &there, &thing->error);
    }
    if (!status && there)
        status = resume(thing, there);
    if (!status && !there)
        status = enrol_check_target(thing->target, &thing->error);
    if (!status)
        status = choose_marks(thing);
    if (!status && thing->target->remote)
        status = stage_first_key(thing, batch);
    if (!status)
        status = record_stage(thing->record, batch, &thing->error);
    record_free(there);
    return status;
}

/* Fills the enrolment. On the local target it has its certificate already, if an earlier command left
 * one with the serial number that was chosen. */
static enum status prepare(struct making *thing)
{
    const char *name = thing->record->name;
    const struct issuance *issuance = &thing->record->current;
    owned char *key_path = record_file(name, THING_KEY);
    owned char *certificate_path = record_file(name, THING_CERTIFICATE);
    struct enrolment *enrolment = &thing->enrolment;
    enum status status = FINE;
    if (!thing->key)
        status = pem_find_key(thing->plan->key_algorithm, key_path, &thing->key, &thing->error);
    enrol_fill(thing->target, thing->key, thing->plan, thing->record, issuance, enrolment);
    enrolment->resumed = thing->resumed;
    enrolment->owner = thing;
    if (!status && !thing->target->remote && path_exists(certificate_path))
        status = pem_read_certificate(certificate_path, issuance->mark, &enrolment->certificate,
                                      &thing->error);
    return status;
}

static enum status stage_all(struct making *thing, struct batch *batch)
{
    const char *name = thing->record->name;
    owned char *key_path = record_file(name, THING_KEY);
    owned char *certificate_path = record_file(name, THING_CERTIFICATE);
    const X509 *certificate = thing->enrolment.certificate;
    struct error *error = &thing->enrolment.error;
    enum status status = certificate_describe(certificate, &thing->record->certificate, error);
    if (status)
        return status;
    if (!thing->target->remote)
        thing->record->state = RECORD_ACTIVE;
    status = pem_stage(batch, key_path, thing->key, certificate_path, certificate, error);
    if (!status)
        status = package_stage(thing->plan, thing->record, thing->key, certificate, batch,
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

/* When the flush fails, it fails for all things of the batch. */
static void fail_all(struct enrolment *const *ready, size_t count, const struct error *error)
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
        fail_all(ready, count, &error);
    fault_point("create:done");
    batch_drop(&batch);
    error_free(&error);
}

/* The work on the thing has ended, with whatever outcome. The folder of a thing that got no record is
 * empty, and removed; without the lock it belongs to another command. */
static void end(struct making *thing)
{
    owned char *folder = record_folder(thing->record->name);
    if (thing->outcome == FAILED && thing->lock >= 0)
        remove_empty_folder(folder);
    unlock(&thing->lock);
    EVP_PKEY_free(thing->key);
    thing->key = NULL;
    X509_free(thing->enrolment.certificate);
    thing->enrolment.certificate = NULL;
    error_free(&thing->enrolment.error);
    thing->ended = true;
    if (thing->done)
        thing->done(thing->context, thing);
}

static void make_activated(struct enrolment *enrolment)
{
    struct making *thing = enrolment->owner;
    thing->record->state = RECORD_ACTIVE;
    if (!record_write(thing->record, &enrolment->error))
        end(thing);
    fault_point("create:activated");
}

/* For a thing that cannot be made, and of which the target has nothing. */
static void remove_files(struct making *thing)
{
    static const char *const files[] = {THING_KEY, THING_CERTIFICATE, THING_RECORD};
    const char *name = thing->record->name;
    struct error ignored = {0}; /* delete removes what is left */
    package_remove(thing->record->type, name, &ignored);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        owned char *path = record_file(name, files[i]);
        remove_tree(path, &ignored);
    }
    error_free(&ignored);
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
            remove_files(thing);
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

void make_things(struct target *target, struct making *things, size_t count, make_done *done,
                 void *context)
{
    struct batch batch = {0};
    for (size_t i = 0; i < count; i++) {
        things[i].lock = -1;
        things[i].outcome = MADE;
        things[i].target = target;
        things[i].done = done;
        things[i].context = context;
        if (begin(&things[i], &batch) && things[i].outcome == MADE)
            things[i].outcome = FAILED;
    }
    commit_beginnings(&batch, things, count);
    fault_point("create:begun");
    enrol_all(target, things, count);
    for (size_t i = 0; i < count; i++)
        if (!things[i].ended)
            end(&things[i]);
}

void make_free(struct making *making)
{
    record_free(making->record);
    error_free(&making->error);
    *making = (struct making){.lock = -1};
}
