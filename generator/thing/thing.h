/* Making, rotating, rebuilding and deleting things. Every operation can be resumed.
 *
 * Every step is recorded before the next one starts, and may be repeated. After a kill at any point
 * the same command finishes the work. A half-made thing keeps its serial number, and its key and
 * certificate once they are on disk, so that it never has more than one certificate. delete removes
 * whatever exists of a thing. Each thing is locked by itself; a thing that another command has locked
 * is REFUSED at once. */
#ifndef GENERATOR_THING_THING_H
#define GENERATOR_THING_THING_H

#include "common/base/error.h"
#include "generator/targets/target.h"
#include "package.h"
#include "record.h"

#include <openssl/evp.h>

enum outcome { MADE, EXISTED, FAILED };

struct making;

/* Called when the work on one thing has ended. */
typedef void make_done(void *context, struct making *thing);

/* One thing to make. The caller sets record and plan, the rest is {0}; make_free() frees it. */
struct making {
    struct record *record;           /* in: from record_new(); out: as on the disk */
    const struct package_plan *plan; /* of its type; borrowed */
    enum outcome outcome;            /* out */
    struct error error;              /* out: why it FAILED; when it EXISTED, what to do instead */
    struct package_size size;        /* out */

    /* for make.c */
    struct target *target;
    int lock; /* -1: none */
    EVP_PKEY *key;
    struct enrolment enrolment;
    bool resumed; /* an earlier command began it */
    bool ended;
    make_done *done; /* may be NULL */
    void *context;
};

/* Makes count things together: the disk is flushed once for all of them, and a remote target works on
 * many at a time. Each has its own outcome; one that fails does not stop the others. done (may be
 * NULL) is called for each thing as soon as its work has ended; what is MADE is on the disk then. */
void make_things(struct target *target, struct making *things, size_t count, make_done *done,
                 void *context);
void make_free(struct making *making);

/* Makes a new key and certificate beside the old ones, rebuilds the package, and revokes the old
 * certificate last. *record is the thing's record afterwards; the caller frees it, also on failure.
 * WRONG_INPUT when there is no such thing, or it is half-made. */
enum status rotate_thing(struct target *target, const struct package_plan *plan, const char *name,
                         const struct changes *changes, struct record **record,
                         struct package_size *size, struct error *error);

/* Makes the package again, with the key and certificate that the thing has. Where its key is not on
 * this machine (record->elsewhere), it gets new ones, as rotate_thing() makes them. Otherwise as
 * rotate_thing(). */
enum status rebuild_thing(struct target *target, const struct package_plan *plan, const char *name,
                          const struct changes *changes, struct record **record,
                          struct package_size *size, struct error *error);

/* Revokes the certificates of a thing, then removes everything that exists of it, the record last; also
 * of a thing whose record is damaged. type: the type that it must be of; NULL: any. *revoked: whether
 * it had a certificate. WRONG_INPUT when there is no such thing, or it is of another type. */
enum status delete_thing(struct target *target, const char *name, const char *type, bool *revoked,
                         struct error *error);

/* WRONG_INPUT, with what to do instead, when an active thing has this name. */
enum status thing_absent(const char *name, struct error *error);

/* Reads the record of a thing that must exist, half-made or not. The caller frees it. */
enum status thing_present(const char *name, struct record **record, struct error *error);

/* WRONG_INPUT when a thing has not even a folder, which is the least that a killed command leaves. */
enum status thing_check_folder(const char *name, struct error *error);

/* WRONG_INPUT, with what is allowed, when this cannot be the name of a thing. where (may be "") goes
 * before the message. */
enum status thing_check_name(const char *name, const char *where, struct error *error);

/* --- inside the room: what making, rotating, rebuilding and deleting share --- */

/* Locks a thing that must exist, and reads its record, which must exist, too. The caller unlocks and
 * frees, also on failure. */
enum status thing_open(const char *name, int *lock, struct record **record, struct error *error);

/* As thing_open(), but *record is NULL when the folder has no record (left by a command that was
 * killed). */
enum status thing_open_folder(const char *name, int *lock, struct record **record,
                              struct error *error);

/* Fill the error, WRONG_INPUT: the thing exists, with the commands that make sense instead; the thing
 * is half-made (half-rotated, half-deleted), with the command that finishes it. */
enum status thing_exists(const struct record *record, struct error *error);
enum status thing_half_done(const struct record *record, struct error *error);

#endif
