/* What an account's registry of things says of those that this program made: the truth about which
 * things there are, whichever clone of the project made them. The records of a machine are its memory
 * of their keys and packages. */
#ifndef GENERATOR_TARGETS_REGISTRY_H
#define GENERATOR_TARGETS_REGISTRY_H

#include "attributes.h"
#include "generator/pki/pki.h"

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

struct registered_certificate {
    char *id, *arn;
    bool known;             /* to the caller: nothing of it was asked, the rest is empty */
    char mark[SERIAL_TEXT]; /* of its enrolment; "": not made by this program */
    char key_digest[KEY_DIGEST_TEXT]; /* key_digest() of its key; "" when it cannot be read */
    struct certificate_facts facts;   /* serial is "" when it cannot be read */
    bool active;
};

struct registered_thing {
    char *name, *type;
    char *claim;                                 /* target.h; "": not made by this program */
    time_t made;                                 /* as the claim says; 0: not known */
    struct attributes attributes;                /* without those that this program adds */
    struct registered_certificate *certificates; /* attached to it; only of look() */
    size_t certificate_count, certificate_room;
};

struct registry {
    char *account, *region; /* where it is */
    struct registered_thing *at;
    size_t count, room; /* sorted by name */
};

void registered_thing_free(struct registered_thing *thing); /* what it holds; {0} is fine */
void registry_free(struct registry *registry);

/* NULL when there is none of that name. */
const struct registered_thing *registry_find(const struct registry *registry, const char *name);

/* Adds a thing, whose parts it takes over; registry_sort() must follow the last one. */
void registry_add(struct registry *registry, struct registered_thing *thing);
void registry_sort(struct registry *registry);

#endif
