#include "project.h"
#include "common/base/clock.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/spec/schema.h"
#include "generator/documents/model.h"
#include "types.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef SHARE_FOLDER
#define SHARE_FOLDER "/usr/local/share/sensorforge"
#endif

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

/* --- loading --- */

/* A value of the command line in the place of the file's, under the same rule. */
static enum status override(struct project *project, const char *key, const char *value,
                            struct error *error)
{
    if (!value)
        return FINE;
    const cJSON *schema = json_get(json_get(schema_named("system"), "properties"), key);
    struct yaml_node node = {
        .kind = YAML_SCALAR, .text = value, .length = strlen(value), .quoted = true};
    struct source source = {.name = (char *)"the command line"};
    struct problems problems = {.source = &source};
    cJSON *checked = schema_check(schema, schema, &node, &problems);
    enum status status = FINE;
    if (problems.errors) {
        status = fail(error, WRONG_USAGE, "--%s: %s", key, problems.at[0].message);
        if (problems.at[0].hint)
            advise(error, "%s", problems.at[0].hint);
    } else {
        json_put_string(project->system.json, key, value);
    }
    cJSON_Delete(checked);
    problems_free(&problems);
    return status;
}

enum status project_load(struct project *project, const struct project_choices *choices,
                         struct error *error)
{
    enum status status = project_find(project, error);
    if (!status)
        status = catalog_load(project->templates, &project->catalog, error);
    if (!status)
        report_detail(project->reporter, "project %s, templates %s", project->root,
                      project->templates);
    if (!status)
        status = spec_read_system(&project->system, error);
    if (!status)
        status = spec_require(&project->system, error);
    if (!status)
        status = override(project, "target", choices->target, error);
    return status ? status : override(project, "database", choices->database, error);
}

void project_free(struct project *project)
{
    for (size_t i = 0; i < project->set_count; i++) {
        template_set_free(project->sets[i]);
        free(project->set_names[i]);
    }
    free(project->sets);
    free(project->set_names);
    catalog_free(&project->catalog);
    spec_free(&project->system);
    free(project->templates);
    free(project->root);
    free(project->start);
}

const cJSON *project_system(const struct project *project)
{
    return project->system.json;
}

bool project_has_account(const struct project *project)
{
    return strcmp(json_string(project_system(project), "target", "local"), "local") != 0;
}

enum status project_target(struct project *project, const char *name, struct target *target,
                           struct error *error)
{
    const cJSON *system = project_system(project);
    return target_open(name ? name : json_string(system, "target", "local"), system,
                       &project->account, target, error);
}

static enum status model_of(struct project *project, const char *type, cJSON **model,
                            struct error *error)
{
    struct spec spec = {0};
    enum status status = spec_read_type(type, &project->catalog, &spec, error);
    *model = NULL;
    if (!status)
        status = spec_require(&spec, error);
    if (!status)
        *model = model_of_type(project_system(project), spec.json, &project->catalog);
    spec_free(&spec);
    return status;
}

enum status project_model(struct project *project, const char *subject, cJSON **model,
                          struct error *error)
{
    if (strcmp(subject, "system") != 0)
        return model_of(project, subject, model, error);
    *model = model_of_system(project_system(project));
    return FINE;
}

enum status project_check(struct project *project, const char *const *subjects, size_t count,
                          struct error *error)
{
    enum status status = FINE;
    for (size_t i = 0; i < count && !status; i++) {
        struct spec spec = {0};
        if (strcmp(subjects[i], "system") == 0)
            continue;
        status = spec_read_type(subjects[i], &project->catalog, &spec, error);
        if (!status)
            status = spec_require(&spec, error);
        spec_free(&spec);
    }
    return status;
}

/* --- rendering --- */

/* A set is loaded once for a scope: a thousand types are rendered with the same compiled templates.
 */
static enum status load_set(struct project *project, const char *scope, const char *set,
                            const struct template_set **loaded, struct error *error)
{
    owned char *key = must_format("%s %s", scope, set);
    for (size_t i = 0; i < project->set_count; i++) {
        if (strcmp(project->set_names[i], key) == 0) {
            *loaded = project->sets[i];
            return FINE;
        }
    }
    struct template_set *made = NULL;
    enum status status = template_set_load(project->templates, set, NULL, scope, &made, error);
    if (status)
        return status;
    size_t room = project->set_room;
    project->sets =
        must_grow(project->sets, project->set_count, &project->set_room, sizeof *project->sets);
    project->set_names =
        must_grow(project->set_names, project->set_count, &room, sizeof *project->set_names);
    project->sets[project->set_count] = made;
    project->set_names[project->set_count++] = must_copy(key);
    *loaded = made;
    return FINE;
}

static enum status unknown_set(const char *set, const struct names *sets, struct error *error)
{
    fail(error, WRONG_USAGE, "there is no template set \"%s\" for this", set);
    owned char *hint = choice_hint(set, sets->at, sets->count);
    return advise(error, "%s", hint);
}

static enum status render_sets(struct project *project, const char *scope, const char *set,
                               const cJSON *model, struct artifacts *out, struct error *error)
{
    struct names *sets = template_sets_with(project->templates, scope);
    enum status status = FINE;
    bool found = false;
    for (size_t i = 0; i < sets->count && !status; i++) {
        if (set && strcmp(set, sets->at[i]) != 0)
            continue;
        const struct template_set *loaded = NULL;
        owned char *prefix = must_format("%s/", sets->at[i]);
        found = true;
        status = load_set(project, scope, sets->at[i], &loaded, error);
        if (!status)
            status = template_set_render(loaded, model, prefix, out, error);
    }
    if (!found)
        status = unknown_set(set ? set : "", sets, error);
    names_free(sets);
    artifacts_sort(out);
    return status;
}

enum status project_render(struct project *project, const char *subject, const char *set,
                           struct artifacts *out, struct error *error)
{
    bool system = strcmp(subject, "system") == 0;
    cJSON *model = NULL;
    enum status status = project_model(project, subject, &model, error);
    if (!status)
        status = render_sets(project, system ? "system" : "type", set, model, out, error);
    cJSON_Delete(model);
    return status;
}

/* --- writing --- */

char *project_folder(const char *subject)
{
    if (strcmp(subject, "system") == 0)
        return must_copy("iot_system_infra/generated");
    return must_format(TYPES_FOLDER "/%s/generated", subject);
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

enum status project_mark(struct project *project, const char *type, const char *region,
                         struct error *error)
{
    const cJSON *system = project_system(project);
    return types_mark(type, json_string(system, "target", ""), json_string(system, "database", ""),
                      region, error);
}

enum status project_deploy(struct project *project, const char *subject, struct emit_report *report,
                           struct error *error)
{
    enum status status = project_write(project, subject, false, report, error);
    if (!status && strcmp(subject, "system") != 0)
        status = project_mark(project, subject, NULL, error);
    return status;
}
