/* What the commands on things share: how a thing is shown. */
#ifndef GENERATOR_COMMANDS_THINGS_H
#define GENERATOR_COMMANDS_THINGS_H

#include "generator/cli/cli.h"
#include "generator/project/project.h"
#include "generator/targets/target.h"
#include "generator/thing/thing.h"
#include "generator/thing/package.h"
#include "generator/thing/wifi.h"

/* The three lines after a thing was made: what it is, where its package is, what comes next. */
void write_thing(const struct record *record, const struct package_plan *plan,
                 const struct package_size *size, struct text *out);

/* The record without secrets, with "package": {"folder", "files", "bytes"}. */
void write_thing_json(const struct record *record, const struct package_size *size,
                      struct text *out);

/* What --dry-run answers of one: "kitchen would get a new key"; with --json, to a program,
 * {"name", "outcome": "planned", "what": "would get a new key"}. */
void tell_planned(struct context *context, const char *name, const char *would);

/* The attributes of --attribute zone=1 ...; the caller frees them, also on failure. */
enum status given_attributes(struct context *context, struct attributes *attributes);

/* A thing that is there, with its type as it is now, and what the command line changes of it. */
struct subject {
    struct package_plan plan;
    struct attributes attributes; /* complete */
    struct wifi wifi;             /* {0}: as before */
    struct changes changes;       /* borrows both */
};

/* Prepares one for rotate or package: --attribute, --wifi-ssid, --wifi-password. Attributes that
 * the type no longer has are dropped, new ones get their default. */
enum status subject_open(struct context *context, struct project *project, struct target *target,
                         const char *name, struct subject *subject);
void subject_close(struct subject *subject);

/* What rotate and package do to each thing that is named; the record comes back. */
typedef enum status subject_action(struct target *target, struct subject *subject, const char *name,
                                   struct record **record, struct package_size *size,
                                   struct error *error);

/* The whole of such a command: all things are looked at before the first is changed, and each is
 * shown afterwards. would: what --dry-run says ("would get a new key"). */
enum status each_subject(struct context *context, subject_action *action, const char *would);

/* The target that a thing was made on, in the place of the one that is open where that is another
 * ({0} at first). WRONG_USAGE when --target says otherwise. */
enum status target_of_thing(struct context *context, struct project *project, const char *name,
                            struct target *target);

/* Whether an operand is there a second time: then it has been dealt with. */
bool named_before(const struct context *context, size_t index);

/* create --from FILE (create_all.c) */
enum status create_from_table(struct context *context, const char *file);

#endif
