#include "orphans.h"
#include "common/base/memory.h"
#include "generator/thing/thing.h"
#include "generator/thing/record.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { YOUNG = 3600 /* seconds: younger is struct orphan.young */ };

/* --- the records of this project --- */

static int by_text(const void *one, const void *other)
{
    return strcmp(*(const char *const *)one, *(const char *const *)other);
}

static void add_id(struct thing_records *records, const struct issuance *issuance)
{
    const struct registration *registration = issuance->registration;
    if (registration && registration->certificate_id)
        records->ids[records->id_count++] = registration->certificate_id;
}

static void add_damaged(struct thing_records *records, const char *name, const struct error *why)
{
    if (!records->damaged_count)
        records->fault = must_copy(text_string(&why->message));
    records->damaged[records->damaged_count++] = name;
}

void thing_records_read(struct thing_records *records, enum target_kind target)
{
    records->names = record_names();
    size_t count = records->names->count;
    records->at = must_array(count + 1, sizeof *records->at);
    records->ids = must_array(3 * count + 1, sizeof *records->ids);
    records->damaged = must_array(count + 1, sizeof *records->damaged);
    for (size_t i = 0; i < count; i++) {
        struct error unread = {0};
        struct record *record = NULL;
        if (record_read(records->names->at[i], &record, &unread))
            add_damaged(records, records->names->at[i], &unread);
        error_free(&unread);
        if (!record)
            continue;
        if (record->target != target) {
            record_free(record);
            continue;
        }
        records->at[i] = record;
        add_id(records, &record->current);
        add_id(records, &record->next);
        add_id(records, &record->retired);
    }
    if (records->id_count)
        qsort(records->ids, records->id_count, sizeof *records->ids, by_text);
}

void thing_records_free(struct thing_records *records)
{
    for (size_t i = 0; records->names && i < records->names->count; i++)
        record_free(records->at[i]);
    free(records->at);
    free(records->ids);
    free(records->damaged);
    free(records->fault);
    names_free(records->names);
}

static const struct record *record_of(const struct thing_records *records, const char *name)
{
    const struct names *names = records->names;
    const char *const *found =
        names->count ? bsearch(&name, names->at, names->count, sizeof *names->at, by_text) : NULL;
    return found ? records->at[found - (const char *const *)names->at] : NULL;
}

/* --- finding --- */

static void add(struct orphans *orphans, struct orphan orphan)
{
    orphans->at = must_grow(orphans->at, orphans->count, &orphans->room, sizeof *orphans->at);
    orphans->at[orphans->count++] = orphan;
}

static bool is_active(const struct record *record)
{
    return record && record->state == RECORD_ACTIVE;
}

/* Records of the first versions do not say where; then it counts as the same place. */
static bool is_same(const char *recorded, const char *surveyed)
{
    return !recorded || strcmp(recorded, surveyed) == 0;
}

static bool is_of(const struct orphan_place *place, const struct record *record)
{
    const struct registration *registration = record->current.registration;
    return !registration || (is_same(registration->region, place->region) &&
                             is_same(registration->account, place->account));
}

/* A thing with a record that is not active is no orphan: it is half-made, and the command that left it
 * so finishes it. */
void orphans_find(const struct survey *survey, const struct thing_records *records,
                  const struct orphan_place *place, struct orphans *found)
{
    time_t now = time(NULL);
    for (size_t i = 0; i < survey->certificate_count; i++) {
        const struct surveyed_certificate *certificate = &survey->certificates[i];
        if (!certificate->things)
            add(found, (struct orphan){.kind = ORPHAN_CERTIFICATE,
                                       .name = certificate->id,
                                       .certificate = certificate,
                                       .young = now - certificate->created < YOUNG});
    }
    for (size_t i = 0; i < survey->thing_count; i++) {
        const struct surveyed_thing *thing = &survey->things[i];
        const struct record *record = record_of(records, thing->name);
        if (!thing->principals && (!record || is_active(record)))
            add(found, (struct orphan){.kind = ORPHAN_THING,
                                       .name = thing->name,
                                       .thing = thing,
                                       .young = !record && now - thing->made < YOUNG});
    }
    for (size_t i = 0; i < records->names->count; i++) {
        const char *name = records->names->at[i];
        const struct record *record = records->at[i];
        if (is_active(record) && is_of(place, record) && !survey_find(survey, name))
            add(found, (struct orphan){.kind = ORPHAN_RECORD, .name = name});
    }
}

void orphans_free(struct orphans *orphans)
{
    free(orphans->at);
}

/* --- one of them --- */

const char *orphan_kind_name(enum orphan_kind kind)
{
    static const char *const names[] = {"certificate", "thing", "record"};
    return names[kind];
}

char *orphan_describe(const struct orphan *orphan)
{
    switch (orphan->kind) {
    case ORPHAN_CERTIFICATE:
        return must_format("certificate %.12s... (%s)%s: it is attached to no thing", orphan->name,
                           orphan->certificate->active ? "ACTIVE" : "inactive",
                           orphan->young ? ", less than an hour old" : "");
    case ORPHAN_THING:
        return must_format("thing %s (%s)%s: it has no certificate", orphan->name,
                           orphan->thing->type, orphan->young ? ", less than an hour old" : "");
    default:
        return must_format("record %s: the account has no such thing", orphan->name);
    }
}

enum status orphan_remove(struct target *target, const struct orphan *orphan, struct error *error)
{
    if (orphan->kind == ORPHAN_RECORD)
        return delete_thing(target, orphan->name, NULL, &(bool){false}, error);
    struct registration registration = {0};
    if (orphan->kind == ORPHAN_CERTIFICATE) {
        registration.certificate_id = orphan->certificate->id;
        registration.certificate_arn = orphan->certificate->arn;
    }
    const struct retired_certificate certificate = {.registration = &registration};
    const bool thing = orphan->kind == ORPHAN_THING;
    const struct retirement retirement = {.thing = thing ? orphan->name : NULL,
                                          .claim = thing ? orphan->thing->claim : NULL,
                                          .whole = thing,
                                          .certificates = &certificate,
                                          .count = orphan->kind == ORPHAN_CERTIFICATE};
    return target->retire(target, &retirement, error);
}
