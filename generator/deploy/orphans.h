/* What was left behind in an account, or on this machine: a certificate that no thing has, a thing
 * without a certificate, a record of a thing that the account does not have. */
#ifndef GENERATOR_DEPLOY_ORPHANS_H
#define GENERATOR_DEPLOY_ORPHANS_H

#include "common/base/files.h"
#include "common/base/names.h"
#include "generator/targets/survey.h"
#include "generator/thing/record.h"

/* The records of this project's things. */
struct thing_records {
    struct names *names; /* of all things, sorted */
    struct record **at;  /* of each name; NULL where it cannot be read, or is of another target */
    const char **ids;    /* of the certificates in them, sorted; they point into the records */
    size_t id_count;
    const char **damaged; /* names of those that cannot be read; they point into names */
    size_t damaged_count;
    char *fault; /* why the first of them cannot be read */
};

void thing_records_read(struct thing_records *records, enum target_kind target);
void thing_records_free(struct thing_records *records);

enum orphan_kind { ORPHAN_CERTIFICATE, ORPHAN_THING, ORPHAN_RECORD };

/* It points into the survey and the records, which must outlive it. */
struct orphan {
    enum orphan_kind kind;
    const char *name;                               /* of the thing, or the certificate's id */
    const struct surveyed_certificate *certificate; /* ORPHAN_CERTIFICATE */
    const struct surveyed_thing *thing;             /* ORPHAN_THING */
    bool young; /* less than an hour old: a command on another machine may be making it just now */
};

struct orphans {
    struct orphan *at;
    size_t count, room;
};

/* Where the survey was made. A thing of another account or region is not missing there. */
struct orphan_place {
    const char *account, *region;
};

void orphans_find(const struct survey *survey, const struct thing_records *records,
                  const struct orphan_place *place, struct orphans *found);
void orphans_free(struct orphans *orphans);

/* "certificate", "thing", "record". */
const char *orphan_kind_name(enum orphan_kind kind);

/* A line for people; freed by the caller. */
char *orphan_describe(const struct orphan *orphan);

/* Removes it from the account, or the record from the disk. Errors are those of target->retire() and
 * delete_thing(). */
enum status orphan_remove(struct target *target, const struct orphan *orphan, struct error *error);

#endif
