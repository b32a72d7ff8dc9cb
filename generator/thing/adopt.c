#include "adopt.h"
#include "common/base/memory.h"
#include "common/base/paths.h"
#include "common/base/valid.h"
#include "enrol.h"
#include "thing.h"

#include <stdlib.h>
#include <string.h>

struct record *adopt_record(const struct registered_thing *thing, enum target_kind target)
{
    struct attributes attributes = attributes_copy(&thing->attributes);
    struct record *record =
        record_new(thing->name, thing->type, target, &attributes, &(struct wifi){0});
    record->state = RECORD_ACTIVE;
    record->created = thing->made;
    record->claim = must_copy(thing->claim);
    record->elsewhere = true;
    return record;
}

/* --- certificates --- */

static struct registration *registration_of(const struct registered_certificate *certificate,
                                            const struct registration *place)
{
    struct registration *made = must_alloc(sizeof *made);
    made->account = place->account ? must_copy(place->account) : NULL;
    made->region = place->region ? must_copy(place->region) : NULL;
    made->key = *certificate->key_digest ? must_copy(certificate->key_digest) : NULL;
    made->certificate_id = must_copy(certificate->id);
    made->certificate_arn = must_copy(certificate->arn);
    return made;
}

/* Of the certificates that this program made: an active one, or else any. */
static const struct registered_certificate *best_of(const struct registered_thing *thing)
{
    const struct registered_certificate *best = NULL;
    for (size_t i = 0; i < thing->certificate_count; i++) {
        const struct registered_certificate *one = &thing->certificates[i];
        if (*one->mark && (!best || (one->active && !best->active)))
            best = one;
    }
    return best;
}

/* A certificate that a person attached by hand is not ours to delete. */
static void take_certificates(struct record *record, const struct registered_thing *thing,
                              struct registration *place)
{
    const struct registered_certificate *current = best_of(thing);
    for (size_t i = 0; i < thing->certificate_count; i++) {
        const struct registered_certificate *one = &thing->certificates[i];
        if (*one->mark && one != current)
            record_add_stray(record, registration_of(one, place));
    }
    if (!current) {
        record->current.registration = place;
        return;
    }
    record->current = (struct issuance){must_copy(current->mark), registration_of(current, place)};
    record->certificate = current->facts;
    registration_free(place);
}

/* --- finding --- */

static enum status check_ours(const char *system, const struct registered_thing *thing,
                              struct error *error)
{
    owned char *spec = must_format(TYPE_SPEC, thing->type);
    if (claim_is_others(system, thing->claim)) {
        fail(error, WRONG_INPUT, "%s is in the account, and is of the system \"%s\"", thing->name,
             claim_system(thing->claim));
        return advise(error, "run this in a project of that system (name: in " SYSTEM_FILE ")");
    }
    if (!*thing->claim) {
        fail(error, WRONG_INPUT, "%s is in the account, and was not made by sensorforge",
             thing->name);
        return advise(error, "look at it where it was made, or in the AWS console");
    }
    if (path_exists(spec))
        return FINE;
    fail(error, WRONG_INPUT,
         "%s is in the account, and is of type %s, which this project does not have", thing->name,
         *thing->type ? thing->type : "(none)");
    return advise(error, "run this in the project that made it");
}

enum status adopt_look(struct target *target, const char *name, struct record **record,
                       struct error *error)
{
    struct registered_thing thing = {0};
    struct registration *place = must_alloc(sizeof *place);
    *record = NULL;
    enum status status = enrol_check_place(target, name, place, error);
    if (!status)
        status = target->look(target, name, NULL, 0, &thing, error);
    if (!status && thing.name)
        status = check_ours(target->system, &thing, error);
    if (!status && thing.name) {
        *record = adopt_record(&thing, target->kind);
        take_certificates(*record, &thing, place);
        place = NULL;
    }
    registration_free(place);
    registered_thing_free(&thing);
    return status;
}

static bool has_folder(const char *name)
{
    owned char *folder = record_folder(name);
    return is_folder(folder);
}

enum status adopt_find(struct target *target, const char *name, struct record **record,
                       struct error *error)
{
    *record = NULL;
    if (!target->look || has_folder(name) || !valid_thing_name(name))
        return thing_present(name, record, error);
    enum status status = adopt_look(target, name, record, error);
    return status || *record ? status : thing_check_folder(name, error);
}

enum status adopt_open(struct target *target, const char *name, int *lock, struct record **record,
                       struct error *error)
{
    owned char *folder = record_folder(name);
    *lock = -1;
    *record = NULL;
    if (!target->look || has_folder(name) || !valid_thing_name(name))
        return thing_open(name, lock, record, error);
    enum status status = adopt_find(target, name, record, error);
    if (!status)
        status = make_folders(folder, FOLDER_SECRET, error);
    if (!status)
        status = lock_folder(folder, false, lock, error);
    return status;
}

void adopt_close(const char *name)
{
    owned char *folder = record_folder(name);
    remove_empty_folder(folder);
}

/* --- refreshing --- */

static bool is_attached(const struct registered_thing *thing, const struct issuance *issuance)
{
    const char *id = issuance->registration ? issuance->registration->certificate_id : NULL;
    for (size_t i = 0; id && i < thing->certificate_count; i++)
        if (strcmp(thing->certificates[i].id, id) == 0)
            return true;
    return false;
}

static void take_strays(struct record *record, const struct registered_thing *thing)
{
    static const struct registration nowhere;
    const struct registration *place = record->current.registration;
    for (size_t i = 0; i < thing->certificate_count; i++)
        if (*thing->certificates[i].mark)
            record_add_stray(record,
                             registration_of(&thing->certificates[i], place ? place : &nowhere));
}

static bool is_same_thing(const struct record *record, const struct registered_thing *thing)
{
    return strcmp(record->claim ? record->claim : "", thing->claim) == 0;
}

static void take_attributes(struct record *record, const struct registered_thing *thing)
{
    for (size_t i = 0; i < record->attributes.count; i++) {
        const char *value = attributes_get(&thing->attributes, record->attributes.at[i].name);
        if (value)
            attributes_put(&record->attributes, record->attributes.at[i].name, value);
    }
}

static void take_identity(struct record *record, const struct registered_thing *thing)
{
    if (!is_same_thing(record, thing)) {
        must_replace(&record->claim, thing->claim);
        record->created = thing->made;
    }
    take_attributes(record, thing);
}

static enum status take_all(const struct target *target, struct record *record,
                            const struct registered_thing *thing, struct error *error)
{
    enum status status =
        check_ours(is_same_thing(record, thing) ? NULL : target->system, thing, error);
    if (!status && strcmp(thing->type, record->type) != 0) {
        fail(error, WRONG_INPUT, "%s is of type %s in the account, and of type %s here",
             record->name, thing->type, record->type);
        status = advise(error,
                        "it was made again elsewhere; rm -r " THINGS_FOLDER "/%s forgets what is "
                        "here",
                        record->name);
    }
    if (status)
        return status;
    take_identity(record, thing);
    take_strays(record, thing);
    record->elsewhere = !is_attached(thing, &record->current);
    return FINE;
}

enum status adopt_refresh(struct target *target, struct record *record, bool *there,
                          struct error *error)
{
    struct registered_thing thing = {0};
    const struct issuance *all[] = {&record->current, &record->next, &record->retired};
    const char *known[3] = {0};
    if (there)
        *there = true;
    if (!target->look)
        return FINE;
    for (size_t i = 0; i < 3; i++)
        known[i] = all[i]->registration ? all[i]->registration->certificate_id : NULL;
    enum status status = target->look(target, record->name, known, 3, &thing, error);
    if (there)
        *there = thing.name;
    if (!status && thing.name)
        status = take_all(target, record, &thing, error);
    registered_thing_free(&thing);
    return status;
}

bool adopt_is_listed(const struct record *record, const struct registry *registry)
{
    const struct registration *place = record->current.registration;
    return place && registry->account && place->account && place->region &&
           strcmp(place->account, registry->account) == 0 &&
           strcmp(place->region, registry->region) == 0;
}

void adopt_take_attributes(struct record *record, const struct registered_thing *thing)
{
    if (is_same_thing(record, thing))
        take_attributes(record, thing);
}

void adopt_take_listed(struct record *record, const struct registry *registry)
{
    const struct registered_thing *thing =
        adopt_is_listed(record, registry) ? registry_find(registry, record->name) : NULL;
    if (thing)
        adopt_take_attributes(record, thing);
}

struct attributes adopt_attributes(const struct record *record, const struct changes *changes)
{
    struct attributes merged = attributes_copy(changes->attributes);
    for (size_t i = 0; changes->set && i < merged.count; i++) {
        const char *name = merged.at[i].name, *value = attributes_get(&record->attributes, name);
        if (value && !attributes_get(changes->set, name))
            attributes_put(&merged, name, value);
    }
    return merged;
}
