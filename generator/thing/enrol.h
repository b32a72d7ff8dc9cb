/* What making and rotating share when they ask a target for a certificate: what the record holds
 * before the target is asked, and the enrolment itself. */
#ifndef GENERATOR_THING_ENROL_H
#define GENERATOR_THING_ENROL_H

#include "generator/targets/target.h"
#include "package.h"
#include "record.h"

#include <openssl/evp.h>

/* Puts a new random mark, which may be a serial number, in the place of the string. */
enum status enrol_choose_mark(char **mark, struct error *error);

/* Writes account and region into a new registration, or checks that they are those of the target.
 * With the credentials of another account every search would find nothing, and a thing that still
 * exists would be taken for removed. WRONG_INPUT then. registration may be NULL. */
enum status enrol_check_place(struct target *target, const char *name,
                              struct registration *registration, struct error *error);

/* Asks the target whether it can enrol anything now, before anything is changed. */
enum status enrol_check_target(struct target *target, struct error *error);

/* Puts the digest of the public key into the registration. The target uses it to find a certificate
 * that was made but not recorded. */
enum status enrol_note_key(struct registration *registration, EVP_PKEY *key, struct error *error);

/* Fills the enrolment for a certificate for this key. It borrows everything from the arguments. */
void enrol_fill(const struct target *target, EVP_PKEY *key, const struct package_plan *plan,
                const struct record *record, const struct issuance *issuance,
                struct enrolment *enrolment);

#endif
