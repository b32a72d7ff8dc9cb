/* Inside of the thing room: what making, rotating, rebuilding and deleting share. Errors are those
 * of life.h; what is staged happens at the commit of its batch. */
#ifndef GENERATOR_THING_LIFE_PARTS_H
#define GENERATOR_THING_LIFE_PARTS_H

#include "life.h"
#include "record.h"

enum { LARGEST_PEM = 1 << 16 };

/* --- keys and certificates --- */

enum status read_key(const char *path, EVP_PKEY **key, struct error *error);

/* The certificate in a PEM file, if it is the one with this serial; else out stays empty. */
enum status read_certificate(const char *path, const char *serial, struct text *der,
                             struct error *error);

/* The key in the file, or a new one of the platform's kind. */
enum status find_key(const cJSON *platform, const char *path, EVP_PKEY **key, struct error *error);

/* What the target needs to know for a certificate for this key; registration is a member of the
 * record. Its own request is what an enrolment has to lend. */
enum status fill_enrolment(const struct target *target, EVP_PKEY *key,
                           const struct package_plan *plan, const cJSON *record, const char *mark,
                           struct text *request, struct enrolment *enrolment, struct error *error);

/* Key and certificate, as PEM files. */
enum status stage_pair(struct batch *batch, const char *key_path, EVP_PKEY *key,
                       const char *certificate_path, const struct text *certificate,
                       struct error *error);

/* The package, with the key in the encoding that the platform wants. */
enum status stage_package(const struct package_plan *plan, const cJSON *record, EVP_PKEY *key,
                          const struct text *certificate, struct batch *batch,
                          struct package_size *size, struct error *error);

/* A new random serial, as the member called name. */
enum status choose_serial(cJSON *record, const char *name, struct error *error);

/* Where a target makes a thing is in its registration before anything is made, or was there: a
 * target that is another place now would find nothing, and take that for gone. */
enum status check_place(struct target *target, const char *name, cJSON *registration,
                        struct error *error);

/* The key's digest, by which a target finds a certificate whose making was not recorded. */
enum status note_key(cJSON *registration, EVP_PKEY *key, struct error *error);

/* --- looking --- */

/* WRONG_INPUT, saying that it exists and what to do instead. */
enum status thing_exists(const cJSON *record, struct error *error);

/* WRONG_INPUT, naming the nearest one. */
enum status no_such_thing(const char *name, struct error *error);

/* Locks a thing that must be there. *record is NULL when its folder has none (left by a kill). */
enum status open_thing(const char *name, int *lock, cJSON **record, struct error *error);

/* WRONG_INPUT, saying which command finishes what was begun. */
enum status not_whole(const cJSON *record, struct error *error);

#endif
