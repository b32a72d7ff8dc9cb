/* What making and rotating share when they ask a target for a certificate: the random names and the
 * registration that are in the record before the target is asked, and the enrolment itself. */
#ifndef GENERATOR_THING_ENROL_H
#define GENERATOR_THING_ENROL_H

#include "generator/targets/target.h"
#include "package.h"

#include <cjson/cJSON.h>
#include <openssl/evp.h>

/* Puts a new random serial number into the record, as the member called name. */
enum status enrol_choose_serial(cJSON *record, const char *name, struct error *error);

/* Writes account and region into a new registration, or checks that they are those of the target.
 * With the credentials of another account every search would find nothing, and a thing that still
 * exists would be taken for removed. WRONG_INPUT then. registration may be NULL. */
enum status enrol_check_place(struct target *target, const char *name, cJSON *registration,
                              struct error *error);

/* Puts the digest of the public key into the registration. The target uses it to find a certificate
 * that was made but not recorded. */
enum status enrol_note_key(cJSON *registration, EVP_PKEY *key, struct error *error);

/* Fills the enrolment for a certificate for this key; it lends from key, plan, record and mark.
 * enrolment->registration, a member of the record, is set before. mark: see struct enrolment. */
void enrol_fill(const struct target *target, EVP_PKEY *key, const struct package_plan *plan,
                const cJSON *record, const char *mark, struct enrolment *enrolment);

#endif
