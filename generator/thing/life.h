/* The life of things: made, rotated, deleted; each resumable.
 *
 * Every step is recorded before the next one starts, and may be done again. After a kill at any
 * point the same command finishes the work: a half-made thing keeps its serial, and its key and
 * certificate once they are on disk, so there is never more than one certificate; delete removes
 * whatever there is. Things are locked one by one, and a locked thing is REFUSED at once. */
#ifndef GENERATOR_THING_LIFE_H
#define GENERATOR_THING_LIFE_H

#include "common/base/error.h"
#include "generator/targets/target.h"
#include "package.h"

#include <cjson/cJSON.h>
#include <openssl/evp.h>

enum outcome { MADE, EXISTED, FAILED };

/* One thing to make. */
struct making {
    cJSON *record; /* in: from record_new(); out: as on disk. Wiped by making_free() */
    const struct package_plan *plan; /* of its type */
    enum outcome outcome;
    struct error error; /* when FAILED; when EXISTED, whose it is */
    struct package_size size;
    /* inside life.c */
    struct target *target;
    int lock;
    EVP_PKEY *key;
    struct text request; /* DER */
    struct enrolment enrolment;
    bool resumed, finished;
    void (*through)(void *context, struct making *thing);
    void *context;
};

/* What a thing shall be: takes over attributes ({"zone": "1"}, complete); copies the rest. */
cJSON *record_new(const char *name, const char *type, const char *target, cJSON *attributes,
                  const char *ssid, const char *password);

/* Makes count things together: what is flushed to the disk is flushed once for all of them, and a
 * remote target is asked for many at once. Each gets its own outcome; one that fails does not stop
 * the others. through (may be NULL) is called for each as soon as it is; what is MADE is durable
 * then. */
void things_make(struct target *target, struct making *things, size_t count,
                 void (*through)(void *context, struct making *thing), void *context);
void making_free(struct making *making);

/* What a thing shall have from now on, where it is not NULL. */
struct changes {
    const cJSON *attributes; /* complete: {"zone": "1"} */
    const char *ssid, *password;
};

/* A new key and certificate beside the old ones, the package rebuilt, the old certificate revoked
 * last. *record is the thing's, as it is afterwards (wiped by the caller). WRONG_INPUT when there
 * is no such thing, or it is half-made. */
enum status thing_rotate(struct target *target, const struct package_plan *plan, const char *name,
                         const struct changes *changes, cJSON **record, struct package_size *size,
                         struct error *error);

/* The package made anew, with the key and certificate that there are. Otherwise as thing_rotate().
 */
enum status thing_rebuild(struct target *target, const struct package_plan *plan, const char *name,
                          const struct changes *changes, cJSON **record, struct package_size *size,
                          struct error *error);

/* Revokes, then removes all there is of a thing, the record last; also of one whose record is
 * damaged. type: what it must be, NULL for any. *revoked: whether it had a certificate. WRONG_INPUT
 * when there is nothing, or it is of another type. */
enum status thing_delete(struct target *target, const char *name, const char *type, bool *revoked,
                         struct error *error);

/* WRONG_INPUT, with what to do instead, when an active thing has this name. */
enum status thing_absent(const char *name, struct error *error);

/* The record of a thing that must be there, half-made or not; the caller wipes it. */
enum status thing_present(const char *name, cJSON **record, struct error *error);

/* WRONG_INPUT when nothing at all is there of a thing, not even what a killed command left. */
enum status thing_traces(const char *name, struct error *error);

#endif
