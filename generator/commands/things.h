/* What the commands on things share. */
#ifndef GENERATOR_COMMANDS_THINGS_H
#define GENERATOR_COMMANDS_THINGS_H

#include "generator/cli/cli.h"
#include "generator/project/project.h"
#include "generator/targets/target.h"
#include "generator/thing/thing.h"
#include "generator/thing/package.h"
#include "generator/thing/selection.h"
#include "generator/thing/wifi.h"

/* One line about a thing that was made or changed. */
void write_thing_line(const struct record *record, const struct package_plan *plan,
                      const struct package_size *size, struct text *out);

/* record_json() with "package": {"folder", "files", "bytes"}; the caller deletes it. */
cJSON *thing_json(const struct record *record, const struct package_size *size);

/* The lines about a thing that was made or changed: what it is, where its package is, and which
 * commands come next. */
void write_thing(const struct record *record, const struct package_plan *plan,
                 const struct package_size *size, struct text *out);

/* What --dry-run says of a thing: "kitchen would get a new key"; with --json it adds
 * {"name": "kitchen", "outcome": "planned", "what": "would get a new key"} to the answers. */
void tell_planned(struct context *context, const char *name, const char *would, cJSON *answers);

/* The attributes of the option ("attribute": --attribute zone=1 ...); the caller frees them, also on
 * failure. */
enum status given_attributes(struct context *context, const char *option,
                             struct attributes *attributes);

/* Warns, before packages are made, of a local.host by which boards of the platform do not reach this
 * machine. Whether it warned. */
bool warn_of_host(struct context *context, const struct project *project, const char *platform);

/* --- which things a command is about --- */

/* What the command line asks for: NAME..., --type, --attribute. The caller frees the attributes, also on
 * failure. */
enum status given_selection(struct context *context, struct selection *selection);

/* The things of the command line, found before the first of them is changed. */
struct chosen {
    struct names *names;
    struct records elsewhere; /* of them, those whose keys are not on this machine (adopt.h) */
    /* Each was named; otherwise they were found by type, by attributes, or with --all. */
    bool by_name;
    /* One thing, which was named: the answer has room for more than a line, and is an object with
     * --json, where that of several is a list. */
    bool alone;
};

/* WRONG_USAGE when nothing says which; WRONG_INPUT when there is no such thing. target: {0}, or open.
 * Where the project's target has a registry, it is opened, and things that are only there are chosen
 * too; NULL: only what has a record here. The caller frees *chosen with chosen_free(), and closes the
 * target, also on failure. */
enum status choose_things(struct context *context, struct project *project, struct target *target,
                          struct chosen *chosen);
void chosen_free(struct chosen *chosen);

/* The things of the selection that the registry of the project's target knows, and that have no record
 * here: those that are named, or all. registry: what was listed; {0} where names are looked up one by one, or
 * are all here, unless the list is wanted whole. The caller frees both, and closes the target, also on failure. Does nothing for a target without a
 * registry. */
enum status find_elsewhere(struct context *context, struct project *project, struct target *target,
                           const struct selection *selection, bool whole, struct records *elsewhere,
                           struct registry *registry);

/* Asks whether to go on where the things were not named; --yes has said so already. would: what happens
 * to each ("would be deleted"). */
enum status consent_to_all(struct context *context, const struct chosen *chosen, const char *would);

/* What a command does to one thing. answers: where it puts its answer with --json. */
typedef enum status thing_work(struct context *context, void *state, const char *name,
                               cJSON *answers);

/* Does the work on each thing, with the progress that verb names ("deleted"; NULL: without), and
 * writes the answers with --json. Of several things, one that fails is shown and does not stop the others; the status is
 * that of the first failure. */
enum status each_chosen(struct context *context, const struct chosen *chosen, const char *verb,
                        thing_work *work, void *state);

/* An existing thing, with its type as it is now, and what the command line changes of it. */
struct subject {
    struct package_plan *plan;    /* of its type; borrowed */
    struct attributes attributes; /* complete */
    struct attributes set;        /* of them, those of --set */
    struct wifi wifi;             /* {0}: it does not change */
    struct changes changes;       /* borrows from both */
    bool elsewhere;               /* its key is not on this machine, as far as is known */
    bool current; /* its package is of the type as it is, and nothing changes of it */
};

/* What rotate or package does to each thing. *record: as it is afterwards; the caller frees it. */
typedef enum status subject_action(struct target *target, struct subject *subject, const char *name,
                                   struct record **record, struct package_size *size,
                                   struct error *error);

struct subject_command {
    subject_action *action;
    const char *would; /* what --dry-run says: "would get a new key" */
    const char *verb;  /* of the progress: "rotated" */
    bool ask;          /* somebody has to agree where the things were not named */
    bool skip_current; /* --dry-run leaves out those whose package would not change */
};

/* Runs the action on each thing of the command line, and shows each. */
enum status each_subject(struct context *context, const struct subject_command *command);

/* Opens the target that a thing was made on. *target is {0}, or open: then it is kept if it is that
 * one, and closed otherwise. WRONG_USAGE when --target names another. */
enum status target_of_thing(struct context *context, struct project *project, const char *name,
                            struct target *target);

/* create --from FILE (create_all.c) */
enum status create_from_table(struct context *context, const char *file);

#endif
