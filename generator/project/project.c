#include "project.h"
#include "common/base/clock.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/spec/schema.h"
#include "generator/documents/model.h"
#include "generator/thing/record.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- loading --- */

/* A value of the command line in the place of the file's, under the same rule. */
static enum status override(struct project *project, const char *key, const char *value)
{
    const cJSON *schema = json_get(json_get(schema_named("system"), "properties"), key);
    struct yaml_node node = {
        .kind = YAML_SCALAR, .text = value, .length = strlen(value), .quoted = true};
    struct source source = {.name = (char *)"the command line"};
    struct problems problems = {.source = &source};
    cJSON *checked = schema_check(schema, schema, &node, &problems);
    enum status status = FINE;
    if (problems.errors) {
        status =
            fail(&project->context->error, WRONG_USAGE, "--%s: %s", key, problems.at[0].message);
        if (problems.at[0].hint)
            advise(&project->context->error, "%s", problems.at[0].hint);
    } else {
        json_put_string(project->system.json, key, value);
    }
    cJSON_Delete(checked);
    problems_free(&problems);
    return status;
}

enum status project_load(struct context *context, struct project *project)
{
    *project = (struct project){.context = context};
    const char *target = option_value(context, "target");
    const char *database = option_value(context, "database");
    enum status status = project_open(context);
    if (!status)
        status = catalog_load(context->templates, &project->catalog, &context->error);
    if (!status)
        say_more(context, "project %s, templates %s", context->root, context->templates);
    if (!status)
        status = spec_read_system(&project->system, &context->error);
    if (!status)
        status = spec_require(&project->system, &context->error);
    if (!status && target)
        status = override(project, "target", target);
    if (!status && database)
        status = override(project, "database", database);
    return status;
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
}

const cJSON *project_system(const struct project *project)
{
    return project->system.json;
}

static void log_call(void *context, const char *line)
{
    say_more(context, "%s", line);
}

struct account_options project_account(const struct project *project)
{
    struct context *context = project->context;
    return (struct account_options){.profile = option_value(context, "profile"),
                                    .log = context->verbose ? log_call : NULL,
                                    .log_context = context};
}

enum status project_target(struct project *project, const char *name, struct target *target)
{
    const cJSON *system = project_system(project);
    const struct account_options account = project_account(project);
    return target_open(name ? name : json_string(system, "target", "local"), system, &account,
                       target, &project->context->error);
}

enum status project_model(struct project *project, const char *type, cJSON **model)
{
    struct spec spec = {0};
    struct error *error = &project->context->error;
    enum status status = spec_read_type(type, &project->catalog, &spec, error);
    *model = NULL;
    if (!status)
        status = spec_require(&spec, error);
    if (!status)
        *model = model_of_type(project_system(project), spec.json, &project->catalog);
    spec_free(&spec);
    return status;
}

enum status subject_model(struct project *project, const char *subject, cJSON **model)
{
    if (strcmp(subject, "system") != 0)
        return project_model(project, subject, model);
    *model = model_of_system(project_system(project));
    return FINE;
}

enum status project_check(struct project *project, const char *const *subjects, size_t count)
{
    struct error *error = &project->context->error;
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
                            const struct template_set **loaded)
{
    owned char *key = must_format("%s %s", scope, set);
    for (size_t i = 0; i < project->set_count; i++) {
        if (strcmp(project->set_names[i], key) == 0) {
            *loaded = project->sets[i];
            return FINE;
        }
    }
    struct template_set *made = NULL;
    enum status status = template_set_load(project->context->templates, set, NULL, scope, &made,
                                           &project->context->error);
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

static enum status unknown_set(struct project *project, const char *set, const struct names *sets)
{
    struct error *error = &project->context->error;
    fail(error, WRONG_USAGE, "there is no template set \"%s\" for this", set);
    owned char *hint = choice_hint(set, sets->at, sets->count);
    return advise(error, "%s", hint);
}

static enum status render_sets(struct project *project, const char *scope, const char *set,
                               const cJSON *model, struct artifacts *out)
{
    struct names *sets = template_sets_with(project->context->templates, scope);
    enum status status = FINE;
    bool found = false;
    for (size_t i = 0; i < sets->count && !status; i++) {
        if (set && strcmp(set, sets->at[i]) != 0)
            continue;
        const struct template_set *loaded = NULL;
        owned char *prefix = must_format("%s/", sets->at[i]);
        found = true;
        status = load_set(project, scope, sets->at[i], &loaded);
        if (!status)
            status = template_set_render(loaded, model, prefix, out, &project->context->error);
    }
    if (!found)
        status = unknown_set(project, set ? set : "", sets);
    names_free(sets);
    artifacts_sort(out);
    return status;
}

enum status project_render(struct project *project, const char *subject, const char *set,
                           struct artifacts *out)
{
    bool system = strcmp(subject, "system") == 0;
    cJSON *model = NULL;
    enum status status = subject_model(project, subject, &model);
    if (!status)
        status = render_sets(project, system ? "system" : "type", set, model, out);
    cJSON_Delete(model);
    return status;
}

/* --- types --- */

char *generated_folder(const char *subject)
{
    if (strcmp(subject, "system") == 0)
        return must_copy("iot_system_infra/generated");
    return must_format(TYPES_FOLDER "/%s/generated", subject);
}

bool type_deployed(const char *type)
{
    owned char *path = must_format(TYPES_FOLDER "/%s/deployed.json", type);
    return path_exists(path);
}

struct names *types_deployed(void)
{
    return folders_with(TYPES_FOLDER, "deployed.json");
}

struct names *types_all(void)
{
    return folders_with(TYPES_FOLDER, "spec.yaml");
}

char *type_mark(const char *type)
{
    return must_format(TYPES_FOLDER "/%s/deployed.json", type);
}

enum status project_mark(struct project *project, const char *type, const char *region)
{
    cJSON *mark = json_object();
    struct text bytes = {0};
    char now[CLOCK_TEXT];
    clock_write(time(NULL), now);
    json_put_string(mark, "target", json_string(project_system(project), "target", ""));
    json_put_string(mark, "database", json_string(project_system(project), "database", ""));
    if (region)
        json_put_string(mark, "region", region);
    json_put_string(mark, "deployed", now);
    json_layout(mark, &bytes);
    owned char *path = type_mark(type);
    owned char *folder = path_folder(path);
    remove_dead_temporaries(folder);
    enum status status =
        write_file(path, text_string(&bytes), bytes.length, FILE_PUBLIC, &project->context->error);
    text_free(&bytes);
    cJSON_Delete(mark);
    return status;
}

enum status project_write(struct project *project, const char *subject, bool dry_run,
                          struct emit_report *report)
{
    struct artifacts artifacts = {0};
    owned char *folder = generated_folder(subject);
    enum status status = project_render(project, subject, NULL, &artifacts);
    if (!status)
        status = emit_write(folder, &artifacts, NULL, dry_run, report, &project->context->error);
    if (!status)
        say_more(project->context, "%s: %zu written, %zu removed, %zu unchanged in %s", subject,
                 report->written, report->removed, report->unchanged, folder);
    artifacts_free(&artifacts);
    return status;
}

enum status project_deploy(struct project *project, const char *subject, struct emit_report *report)
{
    enum status status = project_write(project, subject, false, report);
    if (!status && strcmp(subject, "system") != 0)
        status = project_mark(project, subject, NULL);
    return status;
}
