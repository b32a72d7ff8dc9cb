/* What an account holds of things that this program makes: everything that bears a claim or a mark
 * (aws_target.h), whoever's project made it. Costs one call for each thing, and two for each
 * certificate whose id is not known to the caller. */
#ifndef GENERATOR_TARGETS_SURVEY_H
#define GENERATOR_TARGETS_SURVEY_H

#include "aws/aws.h"
#include "common/base/report.h"
#include "target.h"

struct surveyed_thing {
    char *name, *type, *claim;
    time_t made;       /* as its claim says; 0: not known */
    size_t principals; /* attached to it */
};

struct surveyed_certificate {
    char *id, *arn;
    char mark[SERIAL_TEXT]; /* of its enrolment */
    bool active;
    time_t created;
    size_t things; /* that have it */
};

struct survey {
    struct surveyed_thing *things; /* sorted by name */
    size_t thing_count, thing_room;
    struct surveyed_certificate *certificates; /* those that the caller does not know */
    size_t certificate_count, certificate_room;
    const struct reporter *reporter; /* may be NULL */
};

/* known: ids of certificates that need no look, sorted. survey is {0} but for its reporter; the caller
 * frees it. */
enum status survey_take(struct aws *aws, const char *const *known, size_t known_count,
                        struct survey *survey, struct error *error);
void survey_free(struct survey *survey);

const struct surveyed_thing *survey_find(const struct survey *survey, const char *name);

#endif
