/* What the commands on things share. */
#ifndef GENERATOR_COMMANDS_THINGS_H
#define GENERATOR_COMMANDS_THINGS_H

#include "generator/cli/cli.h"
#include "generator/project/project.h"
#include "generator/targets/target.h"
#include "generator/thing/thing.h"
#include "generator/thing/package.h"
#include "generator/thing/wifi.h"

/* The lines about a thing that was made or changed: what it is, where its package is, and which
 * commands come next. */
void write_thing(const struct record *record, const struct package_plan *plan,
                 const struct package_size *size, struct text *out);

/* record_json() with "package": {"folder", "files", "bytes"}. */
void write_thing_json(const struct record *record, const struct package_size *size,
                      struct text *out);

/* What --dry-run says of a thing: "kitchen would get a new key"; with --json
 * {"name": "kitchen", "outcome": "planned", "what": "would get a new key"}. */
void tell_planned(struct context *context, const char *name, const char *would);

/* The attributes of --attribute zone=1 ...; the caller frees them, also on failure. */
enum status given_attributes(struct context *context, struct attributes *attributes);

/* An existing thing, with its type as it is now, and what the command line changes of it. */
struct subject {
    struct package_plan plan;
    struct attributes attributes; /* complete */
    struct wifi wifi;             /* {0}: it does not change */
    struct changes changes;       /* borrows from both */
};

/* What rotate or package does to each thing. *record: as it is afterwards; the caller frees it. */
typedef enum status subject_action(struct target *target, struct subject *subject, const char *name,
                                   struct record **record, struct package_size *size,
                                   struct error *error);

/* Runs the action on each thing of the command line, and shows each. All records are read before the
 * first thing is changed. would: what --dry-run says ("would get a new key"). */
enum status each_subject(struct context *context, subject_action *action, const char *would);

/* Opens the target that a thing was made on. *target is {0}, or open: then it is kept if it is that
 * one, and closed otherwise. WRONG_USAGE when --target names another. */
enum status target_of_thing(struct context *context, struct project *project, const char *name,
                            struct target *target);

/* Whether the operand stands on the command line before, too; then its work is done. */
bool named_before(const struct context *context, size_t index);

/* create --from FILE (create_all.c) */
enum status create_from_table(struct context *context, const char *file);

#endif
