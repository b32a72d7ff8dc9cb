#include "project.h"
#include "common/base/clock.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/paths.h"
#include "common/base/subject.h"
#include "common/spec/spec.h"
#include "common/spec/system.h"
#include "common/spec/schema.h"
#include "generator/documents/model.h"
#include "types.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef SHARE_FOLDER
#define SHARE_FOLDER "/usr/local/share/sensorforge"
#endif

enum { MOST_CHECKED_BYTES = 16 << 20 };

/* --- finding --- */

static enum status find_root(const char *start, char **root, struct error *error)
{
    char *at = must_copy(start);
    for (;;) {
        owned char *file = path_join(at, SYSTEM_FILE);
        if (path_exists(file))
            break;
        if (strcmp(at, "/") == 0) {
            free(at);
            fail(error, WRONG_INPUT, "%s is not in a Sensorforge project", start);
            return advise(error, "a project has " SYSTEM_FILE "; name its folder with -C DIR");
        }
        char *above = path_folder(at);
        free(at);
        at = above;
    }
    *root = at;
    return FINE;
}

static enum status find_templates(struct project *project, struct error *error)
{
    project->templates =
        must_copy(is_folder("templates") ? "templates" : SHARE_FOLDER "/templates");
    if (is_folder(project->templates))
        return FINE;
    fail(error, REFUSED, "there are no templates, neither in %s/templates nor in %s", project->root,
         project->templates);
    return advise(error, "make install puts them there");
}

enum status project_find(struct project *project, struct error *error)
{
    project->start = getcwd(NULL, 0);
    if (!project->start)
        return fail_errno(error, "cannot tell which folder this is");
    enum status status = find_root(project->start, &project->root, error);
    if (!status && chdir(project->root))
        status = fail_errno(error, "cannot go to the folder %s", project->root);
    return status ? status : find_templates(project, error);
}

char *project_path(const struct project *project, const char *path)
{
    bool stayed = project->root && strcmp(project->root, project->start) == 0;
    if (*path == '/' || !project->root || stayed)
        return must_copy(path); /* as the person wrote it */
    return path_join(project->start, path);
}

char *project_tool(const struct project *project, const char *name)
{
    owned char *beside = must_format("%s/../%s", project->templates, name);
    owned char *installed = must_format(SHARE_FOLDER "/%s", name);
    char *path = realpath(beside, NULL);
    return path ? path : realpath(installed, NULL);
}

/* --- loading --- */

enum status project_load(struct project *project, const struct project_choices *choices,
                         struct error *error)
{
    enum status status = project_find(project, error);
    if (!status)
        catalog_open(project->templates, &project->catalog);
    if (!status)
        report_detail(project->reporter, "project %s, templates %s", project->root,
                      project->templates);
    if (!status)
        status = system_read(&project->system, error);
    if (!status)
        status = system_choose(&project->system, "target", choices->target, error);
    project->database_chosen = choices->database;
    return status ? status : system_choose(&project->system, "database", choices->database, error);
}

static void scope_free(struct scope_sets *sets)
{
    for (size_t i = 0; sets->names && i < sets->names->count; i++)
        template_set_free(sets->loaded[i]);
    free(sets->loaded);
    names_free(sets->names);
}

void project_free(struct project *project)
{
    scope_free(&project->type_sets);
    scope_free(&project->system_sets);
    for (size_t i = 0; i < project->checked.count; i++) {
        free(project->checked.at[i].type);
        free(project->checked.at[i].json);
    }
    free(project->checked.at);
    catalog_free(&project->catalog);
    system_free(&project->system);
    free(project->templates);
    free(project->root);
    free(project->start);
}

bool project_has_account(const struct project *project)
{
    return project->system.target != TARGET_LOCAL;
}

enum status project_target(struct project *project, enum target_kind kind, struct target *target,
                           struct error *error)
{
    return target_open(kind, &project->system, &project->account, target, error);
}

void project_warn_of_authority(const struct project *project)
{
    owned char *ending = local_authority_ending(true);
    if (ending)
        report_line(project->reporter,
                    "warning: %s: make renew (docs/things.md, \"The authority\")", ending);
}

/* --- specs and models --- */

static void keep_checked(struct checked_specs *checked, const struct spec *spec)
{
    struct text json = {0};
    if (checked->bytes >= MOST_CHECKED_BYTES)
        return;
    json_compact(spec->json, &json);
    checked->bytes += json.length;
    checked->at = must_grow(checked->at, checked->count, &checked->room, sizeof *checked->at);
    checked->at[checked->count++] = (struct checked_spec){must_copy(spec->name), text_take(&json)};
}

/* The spec of a type as project_check() has read it; NULL when it has not. Types are asked for in
 * the order in which they were checked, as a rule. */
static cJSON *checked_spec(struct checked_specs *checked, const char *type)
{
    for (size_t i = 0; i < checked->count; i++) {
        size_t index = (checked->next + i) % checked->count;
        if (strcmp(checked->at[index].type, type) == 0) {
            checked->next = index + 1;
            return cJSON_Parse(checked->at[index].json);
        }
    }
    return NULL;
}

/* Of a type whose spec must be right. */
static enum status read_right_spec(struct project *project, const char *type, struct spec *spec,
                                   struct error *error)
{
    enum status status = spec_read_type(type, &project->catalog, spec, error);
    return status ? status : spec_require(spec, error);
}

static enum status model_of(struct project *project, const char *type, cJSON **model,
                            struct error *error)
{
    struct spec spec = {.json = checked_spec(&project->checked, type)};
    enum status status = spec.json ? FINE : read_right_spec(project, type, &spec, error);
    *model = NULL;
    if (!status)
        *model = model_of_type(&project->system, spec.json, &project->catalog);
    spec_free(&spec);
    return status;
}

enum status project_model(struct project *project, const char *subject, cJSON **model,
                          struct error *error)
{
    if (!subject_is_system(subject))
        return model_of(project, subject, model, error);
    *model = model_of_system(&project->system);
    return FINE;
}

enum status project_check(struct project *project, const char *const *subjects, size_t count,
                          struct error *error)
{
    enum status status = FINE;
    for (size_t i = 0; i < count && !status; i++) {
        struct spec spec = {0};
        if (subject_is_system(subjects[i]))
            continue;
        status = read_right_spec(project, subjects[i], &spec, error);
        if (!status)
            keep_checked(&project->checked, &spec);
        spec_free(&spec);
    }
    return status;
}

/* --- rendering --- */

static enum status unknown_set(const char *set, const struct names *sets, struct error *error)
{
    fail(error, WRONG_USAGE, "there is no template set \"%s\" for this", set);
    owned char *hint = choice_hint(set, sets->at, sets->count);
    return advise(error, "%s", hint);
}

/* A set is loaded once: a thousand types are rendered with the same compiled templates. */
static enum status render_set(const struct project *project, const char *scope,
                              struct scope_sets *sets, size_t index, const cJSON *model,
                              struct artifacts *out, struct error *error)
{
    const char *name = sets->names->at[index];
    owned char *prefix = must_format("%s/", name);
    enum status status = FINE;
    if (!sets->loaded[index])
        status =
            template_set_load(project->templates, name, NULL, scope, &sets->loaded[index], error);
    return status ? status : template_set_render(sets->loaded[index], model, prefix, out, error);
}

static enum status render_sets(const struct project *project, const char *scope,
                               struct scope_sets *sets, const char *set, const cJSON *model,
                               struct artifacts *out, struct error *error)
{
    enum status status = FINE;
    bool found = false;
    if (!sets->names) {
        sets->names = template_set_names(project->templates, scope);
        sets->loaded = must_array(sets->names->count, sizeof(struct template_set *));
    }
    for (size_t i = 0; i < sets->names->count && !status; i++) {
        if (set && strcmp(set, sets->names->at[i]) != 0)
            continue;
        found = true;
        status = render_set(project, scope, sets, i, model, out, error);
    }
    if (!found)
        status = unknown_set(set ? set : "", sets->names, error);
    artifacts_sort(out);
    return status;
}

enum status project_render(struct project *project, const char *subject, const char *set,
                           struct artifacts *out, struct error *error)
{
    cJSON *model = NULL;
    enum status status = project_model(project, subject, &model, error);
    if (!status && subject_is_system(subject))
        status = render_sets(project, "system", &project->system_sets, set, model, out, error);
    else if (!status)
        status = render_sets(project, "type", &project->type_sets, set, model, out, error);
    cJSON_Delete(model);
    return status;
}

/* --- writing --- */

char *project_folder(const char *subject)
{
    if (subject_is_system(subject))
        return must_copy(SYSTEM_GENERATED);
    return must_format(TYPE_GENERATED, subject);
}

enum status project_write(struct project *project, const char *subject, bool dry_run,
                          struct emit_report *report, struct error *error)
{
    struct artifacts artifacts = {0};
    owned char *folder = project_folder(subject);
    enum status status = project_render(project, subject, NULL, &artifacts, error);
    if (!status)
        status = emit_write(folder, &artifacts, NULL, dry_run, report, error);
    if (!status)
        report_detail(project->reporter, "%s: %zu written, %zu removed, %zu unchanged in %s",
                      subject, report->written, report->removed, report->unchanged, folder);
    artifacts_free(&artifacts);
    return status;
}

void project_use_marked_database(struct project *project, const char *type)
{
    owned char *database = NULL;
    if (types_is_deployed_on(type, TARGET_AWS, &database) && database)
        system_set_database(&project->system, database);
}

enum status project_mark(struct project *project, const char *type, const char *region,
                         struct error *error)
{
    return types_mark(type, project->system.target, project->system.database, region, error);
}

enum status project_deploy(struct project *project, const char *subject, struct emit_report *report,
                           struct error *error)
{
    enum status status = project_write(project, subject, false, report, error);
    if (!status && !subject_is_system(subject))
        status = project_mark(project, subject, NULL, error);
    return status;
}
