#include "enrol.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "generator/pki/pki.h"

enum status enrol_choose_mark(char **mark, struct error *error)
{
    char serial[SERIAL_TEXT];
    enum status status = serial_make(serial, error);
    if (!status)
        must_replace(mark, serial);
    return status;
}

enum status enrol_check_place(struct target *target, const char *name,
                              struct registration *registration, struct error *error)
{
    return target->place && registration ? target->place(target, name, registration, error) : FINE;
}

enum status enrol_check_target(struct target *target, struct error *error)
{
    return target->can_enrol ? target->can_enrol(target, error) : FINE;
}

enum status enrol_note_key(struct registration *registration, EVP_PKEY *key, struct error *error)
{
    char digest[KEY_DIGEST_TEXT];
    enum status status = key_digest(key, digest, error);
    if (!status)
        must_replace(&registration->key, digest);
    return status;
}

void enrol_fill(const struct target *target, EVP_PKEY *key, const struct package_plan *plan,
                const struct record *record, const struct issuance *issuance,
                struct enrolment *enrolment)
{
    const cJSON *policy = json_get(json_get(plan->model, "type"), "policy");
    struct registration *registration = issuance->registration;
    enrolment->thing = record->name;
    enrolment->type = record->type;
    enrolment->policy = json_string(policy, "name", record->type);
    enrolment->mark = issuance->mark;
    enrolment->claim = record->claim ? record->claim : issuance->mark;
    enrolment->registration = registration;
    enrolment->key_digest = registration ? registration->key : NULL;
    enrolment->since = record->created;
    enrolment->attributes = &record->attributes;
    enrolment->subject =
        (struct certificate_subject){.key = key,
                                     .unit = record->type,
                                     .name = record->name,
                                     .mark = target->remote ? issuance->mark : NULL};
}
