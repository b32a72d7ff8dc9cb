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

/* One thing to make. */
struct making {
    struct record *record; /* in: from record_new(); out: as on disk. Freed by make_free() */
    const struct package_plan *plan; /* of its type */
    enum outcome outcome;
    struct error error; /* when FAILED; when EXISTED, whose it is */
    struct package_size size;
    /* inside make.c */
    struct target *target;
    int lock;
    EVP_PKEY *key;
    struct enrolment enrolment;
    bool resumed, finished;
    void (*through)(void *context, struct making *thing);
    void *context;
};

/* Makes count things together: what is flushed to the disk is flushed once for all of them, and a
 * remote target is asked for many at once. Each gets its own outcome; one that fails does not stop
 * the others. through (may be NULL) is called for each as soon as it is; what is MADE is durable
 * then. */
void make_things(struct target *target, struct making *things, size_t count,
                 void (*through)(void *context, struct making *thing), void *context);
void make_free(struct making *making);

/* A new key and certificate beside the old ones, the package rebuilt, the old certificate revoked
 * last. *record is the thing's, as it is afterwards (wiped by the caller). WRONG_INPUT when there
 * is no such thing, or it is half-made. */
enum status rotate_thing(struct target *target, const struct package_plan *plan, const char *name,
                         const struct changes *changes, struct record **record,
                         struct package_size *size, struct error *error);

/* The package made anew, with the key and certificate that there are. Otherwise as rotate_thing().
 */
enum status rebuild_thing(struct target *target, const struct package_plan *plan, const char *name,
                          const struct changes *changes, struct record **record,
                          struct package_size *size, struct error *error);

/* Revokes, then removes all there is of a thing, the record last; also of one whose record is
 * damaged. type: what it must be, NULL for any. *revoked: whether it had a certificate. WRONG_INPUT
 * when there is nothing, or it is of another type. */
enum status delete_thing(struct target *target, const char *name, const char *type, bool *revoked,
                         struct error *error);

/* WRONG_INPUT, with what to do instead, when an active thing has this name. */
enum status thing_absent(const char *name, struct error *error);

/* The record of a thing that must be there, half-made or not; the caller wipes it. */
enum status thing_present(const char *name, struct record **record, struct error *error);

/* WRONG_INPUT when nothing at all is there of a thing, not even what a killed command left. */
enum status thing_check_folder(const char *name, struct error *error);

/* WRONG_INPUT, with what is allowed, when this cannot be the name of a thing. where (may be "") goes
 * before the message. */
enum status thing_check_name(const char *name, const char *where, struct error *error);

/* --- inside the room: what making, rotating, rebuilding and deleting share --- */

/* Locks a thing that must exist, and reads its record. *record is NULL when the folder has none (left
 * by a command that was killed). */
enum status thing_open(const char *name, int *lock, struct record **record, struct error *error);

/* Fill the error, WRONG_INPUT: the thing exists, with the commands that make sense instead; there is
 * no such thing, with the most similar name; the thing is half-made (half-rotated, half-deleted),
 * with the command that finishes it. */
enum status thing_exists(const struct record *record, struct error *error);
enum status thing_not_found(const char *name, struct error *error);
enum status thing_half_done(const struct record *record, struct error *error);

#endif
