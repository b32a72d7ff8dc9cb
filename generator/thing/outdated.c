#include "outdated.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/paths.h"
#include "generator/documents/rules.h"
#include "package.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST_RULE = 1 << 20 };

/* --- versions --- */

/* A spec that is not right has no version; `check` says what is wrong. */
static void find_version(struct project *project, const char *type, char version[RECORD_VERSION])
{
    struct package_plan plan = {0};
    struct error ignored = {0};
    cJSON *model = NULL;
    enum status status = project_model(project, type, &model, &ignored);
    if (!status)
        status =
            package_plan_make(project->templates, &project->catalog, NULL, model, &plan, &ignored);
    snprintf(version, RECORD_VERSION, "%s", status ? "" : plan.version);
    package_plan_free(&plan);
    error_free(&ignored);
}

static const char *version_of(struct type_versions *versions, const char *type)
{
    for (size_t i = 0; i < versions->count; i++)
        if (strcmp(versions->at[i].type, type) == 0)
            return versions->at[i].version;
    versions->at = must_grow(versions->at, versions->count, &versions->room, sizeof *versions->at);
    struct type_version *made = &versions->at[versions->count++];
    made->type = must_copy(type);
    find_version(versions->project, type, made->version);
    return made->version;
}

void outdated_free_versions(struct type_versions *versions)
{
    for (size_t i = 0; i < versions->count; i++)
        free(versions->at[i].type);
    free(versions->at);
    *versions = (struct type_versions){0};
}

enum outdated outdated_package(struct type_versions *versions, const struct record *record)
{
    const char *version = *record->built.version ? version_of(versions, record->type) : "";
    if (!*version)
        return PACKAGE_UNKNOWN;
    return strcmp(version, record->built.version) == 0 ? PACKAGE_CURRENT : PACKAGE_BEHIND;
}

const char *outdated_name(enum outdated outdated)
{
    static const char *const names[] = {"current", "behind", "unknown"};
    return names[outdated];
}

/* --- measures --- */

static bool has_name(const cJSON *list, const char *name)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        if (cJSON_IsString(item) && strcmp(item->valuestring, name) == 0)
            return true;
    }
    return false;
}

/* What the rule selects that is deployed now; NULL: there is none, or it selects everything. */
static cJSON *deployed_measures(const char *type)
{
    struct error ignored = {0};
    cJSON *document = NULL;
    owned char *path = must_format(TYPE_DOCUMENTS "/rule.json", type);
    if (json_read(path, LARGEST_RULE, &document, &ignored))
        error_free(&ignored);
    cJSON *selected = rules_selected(document);
    cJSON_Delete(document);
    return selected;
}

/* Counts the measures that a thing does not know. known: NULL where nothing is known of it. */
static void count_unknown(cJSON *measures, const cJSON *known)
{
    cJSON *measure;
    cJSON_ArrayForEach(measure, measures)
    {
        if (known && !has_name(known, json_string(measure, "measure", "")))
            json_put_number(measure, "things", json_number(measure, "things", 0) + 1);
    }
}

static cJSON *uncounted(const cJSON *type)
{
    cJSON *list = json_array();
    const cJSON *measure;
    cJSON_ArrayForEach(measure, json_get(type, "measures"))
    {
        cJSON *item = json_object();
        json_put_string(item, "measure", json_string(measure, "name", ""));
        json_put_bool(item, "optional", json_true(measure, "optional"));
        json_put_number(item, "things", 0);
        cJSON_AddItemToArray(list, item);
    }
    return list;
}

static void drop_known(cJSON *measures)
{
    for (cJSON *measure = measures->child, *next; measure; measure = next) {
        next = measure->next;
        if (json_number(measure, "things", 0) == 0)
            cJSON_Delete(cJSON_DetachItemViaPointer(measures, measure));
    }
}

static void add_package(cJSON *packages, const struct record *record)
{
    cJSON *list = json_get(packages, record->type);
    if (!list) {
        list = json_array();
        json_put(packages, record->type, list);
    }
    cJSON_AddItemToArray(list, record->built.measures
                                   ? cJSON_Duplicate(record->built.measures, true)
                                   : cJSON_CreateNull());
}

cJSON *outdated_packages(void)
{
    cJSON *packages = json_object();
    struct names *things = record_names();
    for (size_t i = 0; i < things->count; i++) {
        struct record *record = NULL;
        struct error unread = {0};
        if (record_read(things->at[i], &record, &unread))
            error_free(&unread);
        if (record)
            add_package(packages, record);
        record_free(record);
    }
    names_free(things);
    return packages;
}

cJSON *outdated_measures(const cJSON *packages, const cJSON *model)
{
    const cJSON *type = json_get(model, "type"), *known;
    const char *name = json_string(type, "name", "");
    cJSON *measures = uncounted(type), *deployed = deployed_measures(name);
    cJSON_ArrayForEach(known, json_get(packages, name))
        count_unknown(measures, cJSON_IsNull(known) ? deployed : known);
    drop_known(measures);
    cJSON_Delete(deployed);
    return measures;
}
