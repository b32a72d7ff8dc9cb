/* Inside the target aws: what its files share. */
#ifndef GENERATOR_TARGETS_AWS_TARGET_H
#define GENERATOR_TARGETS_AWS_TARGET_H

#include "aws/aws.h"
#include "target.h"

/* The attribute of every thing that this program makes: the claim of its record. A thing of the
 * same name with another claim, or none, was made by somebody else. AWS makes this atomic: a second
 * CreateThing with another configuration is refused. No spec can have an attribute of this name. */
#define CLAIM_ATTRIBUTE "sensorforge:claim"

/* The attributes of a thing in the account: its own, and our claim. The caller deletes. */
cJSON *claimed_attributes(const char *claim, const struct attributes *attributes);

struct seen_certificate; /* aws_search.c */

struct aws_target {
    struct aws *aws;
    const char *system; /* target.h */
    char *host;         /* of the endpoint; NULL until it is asked for */
    struct seen_certificate *seen;
    size_t seen_count, seen_room;
    char *account;         /* of the credentials; NULL until it is asked for */
    struct error hopeless; /* the error that every call would meet; FINE until there is one */
};

/* aws.c: the host of the account's endpoint (iot:Data-ATS), which it keeps. */
enum status account_host(struct aws_target *state, const char **host, struct error *error);

/* aws.c: finds the account of the credentials. */
enum status account_find(struct aws_target *state, struct error *error);

/* aws_registry.c; see struct target. */
enum status aws_look(struct target *target, const char *name, const char *const *known,
                     size_t known_count, struct registered_thing *found, struct error *error);
enum status aws_list_things(struct target *target, const char *const *types, size_t count,
                            struct registry *found, struct error *error);

/* aws_enrol.c; see struct target. */
void aws_enrol(struct target *target, struct enrolment **list, size_t count,
               const struct enrol_events *events);

/* aws_retire.c; see struct target. */
enum status aws_retire(struct target *target, const struct retirement *retirement,
                       struct error *error);

/* aws_search.c: inactive certificates whose request bore this mark, or which are for this key (its
 * digest; either may be NULL): those whose making was answered but not recorded. A created
 * certificate takes seconds to be listed, so a caller that has just made it may miss it. since:
 * when the enrolment began, 0 for always. Each id is passed to found, whose error ends the search.
 * Certificates that were looked at once are not asked for again. */
enum status search_certificates(struct aws_target *target, const char *mark, const char *key_digest,
                                time_t since,
                                enum status (*found)(void *context, const char *id, const char *arn,
                                                     struct error *error),
                                void *context, struct error *error);
void search_free(struct aws_target *target);

/* What a thing's claim says of when it was made: seconds since 1970, 0 when it says nothing. */
time_t claim_time(const char *claim);

/* Whether the answer to the making of a certificate may have been lost, so that there may be
 * another one which is not listed yet. */
bool needs_sweep(const struct registration *registration);
void note_sweep(struct registration *registration);
/* Called after a search. Clears the note if it is old enough. */
void end_sweep(struct registration *registration);

/* The claim that a thing bears (an answer of DescribeThing); "" when it has none. */
const char *thing_claim(const cJSON *described);

/* A certificate that is to be removed. */
struct removed_certificate {
    const char *id, *arn;
    const char *thing; /* that it is attached to; NULL: none */
    bool connected;    /* the thing's connection may be by this certificate: it is ended */
};

/* Makes a certificate inactive, ends the connection, detaches and deletes it; one that is gone
 * already is fine. */
enum status remove_certificate(struct aws_target *target,
                               const struct removed_certificate *certificate, struct error *error);

#endif
