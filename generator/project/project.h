/* A project: the folder that a command works in, what ships with the program, and the system that
 * the project describes. Renders and writes the documents of its types. */
#ifndef GENERATOR_PROJECT_PROJECT_H
#define GENERATOR_PROJECT_PROJECT_H

#include "common/base/names.h"
#include "common/base/report.h"
#include "common/spec/catalog.h"
#include "common/spec/system.h"
#include "generator/documents/emit.h"
#include "generator/documents/template_set.h"
#include "generator/targets/account.h"
#include "generator/targets/target.h"

/* What the command line puts in the place of system.yaml's values; NULL: nothing. */
struct project_choices {
    const char *target, *database;
};

struct checked_specs {
    struct checked_spec {
        char *type, *json; /* compact: a tree takes five times as much memory */
    } * at;
    size_t count, room;
    size_t next;  /* where project_model() begins to look */
    size_t bytes; /* of all JSON */
};

struct project {
    char *start; /* absolute: where the command began; paths of the command line count from there */
    char *root;  /* absolute: the working folder, once the project is found */
    char *templates; /* folder */
    struct catalog catalog;
    struct system system;
    bool database_chosen;            /* system.database is that of the command line */
    const struct reporter *reporter; /* set by the caller; may be NULL */
    struct account_options account;  /* how an account is reached; set by the caller */

    struct scope_sets {
        struct names *names;          /* of the sets that have this scope; NULL until asked for */
        struct template_set **loaded; /* for each name; NULL until it is rendered, then kept */
    } type_sets, system_sets;
    struct checked_specs checked; /* what project_check() has read, for project_model() */
};

/* Finds the nearest folder upwards with iot_system_infra/system.yaml and makes it the working
 * folder, so that all paths are relative to it; finds the templates. WRONG_INPUT when there is no
 * project. The caller frees the project, also after a failure. */
enum status project_find(struct project *project, struct error *error);

/* Finds the project, and reads its catalog and its system, with the choices put over it. */
enum status project_load(struct project *project, const struct project_choices *choices,
                         struct error *error);
void project_free(struct project *project);

/* A path of the command line, seen from the root; freed by the caller. */
char *project_path(const struct project *project, const char *path);

/* The absolute path of a file that ships with the program, such as "scripts/micropython": beside
 * the templates, or where the program was installed. NULL when there is none; freed by the
 * caller. */
char *project_tool(const struct project *project, const char *name);

/* Whether the system's target is an account. */
bool project_has_account(const struct project *project);

/* Opens a target for the project's system. */
enum status project_target(struct project *project, enum target_kind kind, struct target *target,
                           struct error *error);

/* Reports that the local authority ends within half a year, or has ended: for commands that let it sign. */
void project_warn_of_authority(const struct project *project);

/* The model of a subject: a type, whose spec must be right, or "system". The caller deletes. */
enum status project_model(struct project *project, const char *subject, cJSON **model,
                          struct error *error);

/* FINE when each of the subjects has a spec that is right: asked before the first of several is
 * written. The specs are kept, up to 16 MB of them: what was checked is what project_model() makes
 * models of. */
enum status project_check(struct project *project, const char *const *subjects, size_t count,
                          struct error *error);

/* The system's database becomes the one that the type was plugged into on AWS, which system.yaml
 * may not name any more. Does nothing when the type is not plugged in there. */
void project_use_marked_database(struct project *project, const char *type);

/* Renders the documents of a subject. set: only that one; NULL: all that there are for it. Paths
 * begin with the set's name. */
enum status project_render(struct project *project, const char *subject, const char *set,
                           struct artifacts *out, struct error *error);

/* sensortypes/<type>/generated, or iot_system_infra/generated for "system"; freed by the caller. */
char *project_folder(const char *subject);

/* Writes a subject's documents into its folder; with dry_run only counts. */
enum status project_write(struct project *project, const char *subject, bool dry_run,
                          struct emit_report *report, struct error *error);

/* Marks a type as plugged in on the system's target. region: the account's; NULL: there is none. */
enum status project_mark(struct project *project, const char *type, const char *region,
                         struct error *error);

/* Writes the documents of a subject, and marks a type: all that the target local needs. */
enum status project_deploy(struct project *project, const char *subject, struct emit_report *report,
                           struct error *error);

#endif
