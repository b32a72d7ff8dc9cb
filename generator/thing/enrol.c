#include "enrol.h"
#include "common/base/json.h"
#include "generator/pki/pki.h"

void enrol_fill(const struct target *target, EVP_PKEY *key, const struct package_plan *plan,
                const cJSON *record, const char *mark, struct enrolment *enrolment)
{
    const char *type = json_string(record, "type", ""), *name = json_string(record, "name", "");
    const cJSON *policy = json_get(json_get(plan->model, "type"), "policy");
    enrolment->thing = name;
    enrolment->type = type;
    enrolment->policy = json_string(policy, "name", type);
    enrolment->mark = mark;
    enrolment->claim = json_string(record, "claim", mark);
    enrolment->key_digest = json_string(enrolment->registration, "key", NULL);
    enrolment->since = json_string(record, "created", "");
    enrolment->attributes = json_get(record, "attributes");
    enrolment->subject = (struct certificate_subject){
        .key = key, .unit = type, .name = name, .mark = target->remote ? mark : NULL};
}

enum status enrol_choose_serial(cJSON *record, const char *name, struct error *error)
{
    char serial[SERIAL_TEXT];
    enum status status = serial_make(serial, error);
    if (!status)
        json_put_string(record, name, serial);
    return status;
}

enum status enrol_check_place(struct target *target, const char *name, cJSON *registration,
                              struct error *error)
{
    return target->place && registration ? target->place(target, name, registration, error) : FINE;
}

enum status enrol_note_key(cJSON *registration, EVP_PKEY *key, struct error *error)
{
    char digest[KEY_DIGEST_TEXT];
    enum status status = key_digest(key, digest, error);
    if (!status)
        json_put_string(registration, "key", digest);
    return status;
}
