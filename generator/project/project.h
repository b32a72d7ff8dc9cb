/* What most commands begin with: the project's system, and what ships. */
#ifndef GENERATOR_PROJECT_PROJECT_H
#define GENERATOR_PROJECT_PROJECT_H

#include "common/spec/catalog.h"
#include "common/spec/spec.h"
#include "generator/cli/cli.h"
#include "generator/documents/emit.h"
#include "generator/targets/account.h"
#include "generator/targets/target.h"

struct project {
    struct context *context;
    struct catalog catalog;
    struct spec system;
    struct template_set **sets; /* loaded ones, kept for the next type */
    char **set_names;
    size_t set_count, set_room;
};

/* Opens the project of the working folder and reads its system, with --target and --database put
 * over it where they were given. The error is in the context. */
enum status project_load(struct context *context, struct project *project);
void project_free(struct project *project);

/* The JSON of the system, as project_load() left it. */
const cJSON *project_system(const struct project *project);

/* Opens the target called name (NULL: the system's, which --target may have put another in place
 * of), with --profile and --verbose where it is an account. */
enum status project_target(struct project *project, const char *name, struct target *target);

/* How the command line says that an account is reached: --profile, --verbose. */
struct account_options project_account(const struct project *project);

/* The model of a type whose spec must be right; the caller deletes. */
enum status project_model(struct project *project, const char *type, cJSON **model);

/* The same of a type or of "system". */
enum status subject_model(struct project *project, const char *subject, cJSON **model);

/* FINE when each of the subjects (types, "system") has a spec, and it is right: asked before the
 * first of several is written. */
enum status project_check(struct project *project, const char *const *subjects, size_t count);

/* Renders the documents of a subject, a type or "system". set: only that one; NULL: all that there
 * are for it. Paths begin with the set's name. */
enum status project_render(struct project *project, const char *subject, const char *set,
                           struct artifacts *out);

/* sensortypes/<type>/generated, or iot_system_infra/generated for "system"; freed by the caller. */
char *generated_folder(const char *subject);

/* A type is plugged in once it has been deployed; sensortypes/<type>/deployed.json says where. */
bool type_deployed(const char *type);
struct names *types_deployed(void);
struct names *types_all(void);

/* sensortypes/<type>/deployed.json: {"target", "database", "region" (of an account), "deployed"};
 * freed by the caller. */
char *type_mark(const char *type);

/* Marks a type as plugged in. region: the account's, or NULL. */
enum status project_mark(struct project *project, const char *type, const char *region);

/* Writes a subject's documents into its own folder; with dry_run only counts. */
enum status project_write(struct project *project, const char *subject, bool dry_run,
                          struct emit_report *report);

/* Both: all that the target local needs. */
enum status project_deploy(struct project *project, const char *subject,
                           struct emit_report *report);

#endif
