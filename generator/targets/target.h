/* Who makes the artifacts real. `local` is this machine: its own authority signs certificates, and
 * there is no account. `aws` is an account of AWS IoT. Commands and the thing room see only this
 * table of functions.
 *
 * Every function may be called again with the same arguments after a crash, and then finishes or
 * repeats its work. Errors are REFUSED unless stated. */
#ifndef GENERATOR_TARGETS_TARGET_H
#define GENERATOR_TARGETS_TARGET_H

#include "attributes.h"
#include "common/base/error.h"
#include "common/base/names.h"
#include "common/base/text.h"
#include "common/spec/system.h"
#include "generator/pki/pki.h"
#include "registration.h"
#include "registry.h"

#include <stdbool.h>
#include <time.h>

struct account_options; /* account.h: how an account is reached */

/* Asking the target for one certificate of one thing. What is lent must not change until enrol()
 * has returned. */
struct enrolment {
    const char *thing, *type, *policy; /* names */
    const char *mark;  /* random, on disk before: names this enrolment. The certificate's serial
                          number where the target lets us choose it, else in the request's subject */
    const char *claim; /* random, on the disk before: shows that the thing of this name is ours */
    const char *key_digest; /* key_digest() of its key, on disk before */
    time_t since;           /* when the thing's record was first written; 0: not known */
    const struct attributes *attributes;
    struct certificate_subject subject; /* what the certificate says, and its key; lent */
    bool renewal; /* the thing exists and is ours; this is another certificate */
    bool resumed; /* an earlier command may have been killed while it made it */
    struct registration *registration; /* {0} at first, then as it was remembered; NULL where the
                                           target is not remote */

    X509 *certificate; /* set already where an earlier command came that far; freed by the caller */
    struct error error; /* of this one; freed by the caller */
    bool nothing_left;  /* it failed, and the target holds nothing of it */
    void *owner;        /* the caller's */
};

/* What happens on this machine while enrolments go on; an error goes into the enrolment, which then
 * ends. */
struct enrol_events {
    /* registration has changed, and must be on the disk when this returns */
    void (*remember)(struct enrolment *enrolment);
    /* The certificates are there (but inactive, on a remote target), and must be on the disk with
     * all that belongs to them when this returns. */
    void (*install)(struct enrolment *const *ready, size_t count);
    /* Remote targets only: it has been activated. */
    void (*activated)(struct enrolment *enrolment);
};

/* One certificate to revoke. */
struct retired_certificate {
    const char *serial;                      /* its number; NULL where it is not known */
    const char *mark;                        /* of its enrolment; NULL where it is not known */
    const char *key_digest;                  /* of its key; NULL where it is not known */
    const struct registration *registration; /* as it was remembered; NULL where nothing was */
};

struct retirement {
    const char *thing;
    const char *type;  /* NULL where there is no record */
    const char *claim; /* NULL where there is no record */
    time_t since;      /* of the enrolments; 0 where there is no record */
    bool whole;        /* the thing is removed with its certificates */
    const struct retired_certificate *certificates;
    size_t count;
};

struct target {
    enum target_kind kind;
    void *state; /* the target's own; NULL: none is open */

    /* What it makes is kept elsewhere: private keys are on the disk before it is asked, and what it
     * made counts only when it was activated. */
    bool remote;
    size_t group;       /* things that are enrolled together; 0: any number */
    const char *system; /* name of the system, which claims say; borrowed; NULL: they do not */

    /* Writes account and region into an empty registration. WRONG_INPUT, with what to do, when it
     * names others: a search in the wrong place would find nothing, and the thing would count as
     * removed. NULL where there is one place only. */
    enum status (*place)(struct target *target, const char *thing,
                         struct registration *registration, struct error *error);

    /* What the target's own registry says of a thing, with the certificates that are attached to it.
     * found->name is NULL when it has none of this name; the caller frees what it holds. known: ids
     * of certificates of which nothing is asked. NULL where the records of this machine are all that
     * there is. */
    enum status (*look)(struct target *target, const char *name, const char *const *known,
                        size_t known_count, struct registered_thing *found, struct error *error);

    /* The things of these types that this program made, without their certificates. The caller frees
     * them. NULL as look(). */
    enum status (*list)(struct target *target, const char *const *types, size_t count,
                        struct registry *found, struct error *error);

    /* Where boards connect: host belongs to the target. */
    enum status (*endpoint)(struct target *target, const char **host, int *port,
                            struct error *error);

    /* DER of the authority that signed the endpoint's certificate, for boards that check it. */
    enum status (*authority)(struct target *target, struct text *der, struct error *error);

    /* Whether it can enrol anything now, asked before the first thing is changed. NULL where only
     * enrol() can tell. */
    enum status (*can_enrol)(struct target *target, struct error *error);

    /* Gets certificates for keys of this machine, up to their activation. An error of one enrolment
     * does not stop the others. */
    void (*enrol)(struct target *target, struct enrolment **list, size_t count,
                  const struct enrol_events *events);

    /* A thing's attributes have changed. NULL where a target does not keep any. */
    enum status (*amend)(struct target *target, const char *thing, const char *claim,
                         const struct attributes *attributes, struct error *error);

    /* Revokes certificates. One that is revoked already is no error. */
    enum status (*retire)(struct target *target, const struct retirement *retirement,
                          struct error *error);

    /* Called in the parent before it forks workers: renews what a worker cannot ask a person for.
     * May be NULL. */
    enum status (*before_fork)(struct target *target, struct error *error);

    /* Called in a child after fork(), which must not use the parent's connections. May be NULL. */
    void (*after_fork)(struct target *target);

    void (*close)(struct target *target);
};

/* Opens a target of that kind for a system. options: for targets that are an account. */
enum status target_open(enum target_kind kind, const struct system *system,
                        const struct account_options *options, struct target *target,
                        struct error *error);

/* The system that a claim names; "" for one that names none. It points into the claim. Claims are
 * MARK@TIME@SYSTEM; earlier versions wrote MARK@TIME. */
const char *claim_system(const char *claim);

/* Whether the claim names another system than this one (NULL: any): its thing is not of this project,
 * also where both have a type of this name. */
bool claim_is_others(const char *system, const char *claim);

/* Releases what the target holds; {0} is fine. */
void target_close(struct target *target);

/* local.c, aws.c */
enum status local_open(const struct system *system, const struct account_options *options,
                       struct target *target, struct error *error);
enum status aws_target_open(const struct system *system, const struct account_options *options,
                            struct target *target, struct error *error);

/* The authority that signs for the programs of the local system, made when there is none yet; it stays
 * the target's. During a renewal it is the former one, because there are boards that know no other. */
enum status local_serving_authority(struct target *target, const struct authority **authority,
                                    struct error *error);

/* --- renewing the authority of this machine (local_renewal.c) --- */

/* How far it is. */
struct renewal {
    bool under_way; /* there are two authorities */
    time_t
        ends; /* the authority that signs for things: UTC, seconds since 1970; 0: there is none */
    time_t former_ends; /* the one before it; 0: there is none */
    struct names *left; /* things with a certificate of the former one; NULL where there is none */
};

enum status local_renewal(struct target *target, struct renewal *renewal, struct error *error);
void renewal_free(struct renewal *renewal);

/* Begins a renewal, or with `finish` ends one. *done: this call did it; there is nothing to do where a
 * renewal is under way already, or none is. REFUSED as long as things are left. */
enum status local_renew(struct target *target, bool finish, bool *done, struct error *error);

/* A sentence about the end of the authority, where that comes within a year, or with last_months within
 * half a year, or was; otherwise NULL. Freed by the caller. */
char *local_authority_ending(bool last_months);

/* Whether the revocation list of this machine's authority can be read, and has all that its copy has:
 * WRONG_INPUT or REFUSED with what to do. FINE where there is no authority yet. */
enum status local_check_revocations(struct target *target, struct error *error);

/* Makes the list anew, in the place of one that is lost or broken, from its copy and from the records
 * of things. *count: the certificates in it. */
enum status local_restore_revocations(struct target *target, size_t *count, struct error *error);

#endif
