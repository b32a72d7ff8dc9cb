#include "population.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/paths.h"
#include "generator/local/plug.h"
#include "generator/project/types.h"
#include "generator/targets/target.h"
#include "generator/thing/bulk.h"
#include "generator/thing/thing.h"
#include "generator/thing/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NETWORK "simulated"

enum { MOST_TRIED = 1000 /* values of the group attribute, until one commands no real thing */ };

struct population {
    struct project *project;
    struct world *world;
    struct making *missing; /* things of the world that are to be created */
    size_t missing_count, missing_room;
    size_t made, failed;
    char *failure; /* of the first that failed: its name and the message */
};

/* --- types --- */

/* The attribute that a control groups things by; "" when it has no groups, or each thing is one. */
static const char *grouped_by(const cJSON *control)
{
    const char *by = json_string(json_get(control, "measure"), "by", "");
    return strcmp(by, "thing") == 0 ? "" : by;
}

/* The first control of a type that commands things of another type. *commanded is the model of that
 * type, for the caller; NULL, as the result, when there is none. */
static const cJSON *usable_control(struct project *project, const cJSON *model, cJSON **commanded)
{
    const cJSON *control;
    cJSON_ArrayForEach(control, json_get(json_get(model, "type"), "control"))
    {
        const char *topic = json_string(json_get(control, "publish"), "topic", "");
        owned char *type = must_copy_bytes(topic, strcspn(topic, "/"));
        owned char *spec = must_format(TYPE_SPEC, type);
        struct error unread = {0};
        if (path_exists(spec) && project_model(project, type, commanded, &unread) == FINE) {
            if (json_true(json_get(*commanded, "type"), "commands"))
                return control;
            cJSON_Delete(*commanded);
        }
        error_free(&unread);
    }
    *commanded = NULL;
    return NULL;
}

/* The model of the type that is given, or else of the first that controls another. */
static enum status choose_type(struct project *project, const char *type, cJSON **model,
                               struct error *error)
{
    struct names *types = type ? NULL : types_all();
    enum status status = type ? project_model(project, type, model, error) : FINE;
    for (size_t i = 0; types && i < types->count && !status && !*model; i++) {
        cJSON *commanded = NULL;
        status = project_model(project, types->at[i], model, error);
        if (status || usable_control(project, *model, &commanded)) {
            cJSON_Delete(commanded);
            continue;
        }
        cJSON_Delete(*model);
        *model = NULL;
    }
    names_free(types);
    if (status || *model)
        return status;
    fail(error, WRONG_USAGE, "which type shall be simulated? None controls another");
    return advise(error, "type=... (make types lists them)");
}

/* --- things --- */

static bool is_simulated(const struct record *record)
{
    return record->wifi.ssid && strcmp(record->wifi.ssid, NETWORK) == 0;
}

/* Whether there is a thing of this name that is not simulated. */
static bool is_real(const char *name)
{
    struct record *record = NULL;
    struct error none = {0};
    bool real = record_read(name, &record, &none) == FINE && record && !is_simulated(record);
    record_free(record);
    error_free(&none);
    return real;
}

static enum status check_existing(const struct record *record, const struct kind *kind,
                                  struct error *error)
{
    if (strcmp(record->type, kind->name) != 0)
        return fail(error, WRONG_INPUT, "%s exists already, as %s", record->name, record->type);
    if (!is_simulated(record)) {
        fail(error, WRONG_INPUT, "%s is a real thing: a simulated one would take its place",
             record->name);
        return advise(error, "make delete name=%s, if there is no board that uses it",
                      record->name);
    }
    return FINE;
}

static void add_missing(struct population *population, struct kind *kind, const char *name,
                        struct attributes attributes)
{
    const struct wifi wifi = {.ssid = (char *)NETWORK, .password = {(char *)"", 0}};
    population->missing = must_grow(population->missing, population->missing_count,
                                    &population->missing_room, sizeof *population->missing);
    population->missing[population->missing_count++] = (struct making){
        .record = record_new(name, kind->name, TARGET_LOCAL, &attributes, &wifi), .lock = -1};
}

/* Adds a thing to the world: an existing one with the attributes that it has, or one that is to be
 * created. given: attributes for that one; where its type does not have them, it gets the defaults. */
static enum status add(struct population *population, struct kind *kind, const char *name,
                       const struct attributes *given, struct error *error)
{
    static const struct attributes none;
    struct error refused = {0};
    const cJSON *type = json_get(kind->model, "type");
    struct attributes attributes = {0};
    struct record *record = NULL;
    enum status status = thing_check_name(name, "", error);
    if (!status)
        status = record_read(name, &record, error);
    if (!status && record)
        status = check_existing(record, kind, error);
    if (!status && record)
        attributes = attributes_copy(&record->attributes);
    else if (!status && attributes_complete(type, given, "", &attributes, &refused))
        status = attributes_complete(type, &none, "", &attributes, error);
    if (!status && (!record || record->state == RECORD_MAKING))
        add_missing(population, kind, name, attributes_copy(&attributes));
    if (!status)
        world_add(population->world, kind, name, &attributes);
    error_free(&refused);
    attributes_free(&attributes);
    record_free(record);
    return status;
}

/* --- groups --- */

static struct attributes group_attributes(const char *by, const char *value)
{
    struct attributes attributes = {0};
    if (*by)
        attributes_put(&attributes, by, value);
    return attributes;
}

/* The values of the attribute that makes the groups: 1, 2, ... without those that command a real
 * thing. */
static void choose_groups(const cJSON *control, char *values[GROUPS])
{
    const char *by = grouped_by(control);
    const char *topic = json_string(json_get(control, "publish"), "topic", "");
    size_t chosen = 0;
    for (int number = 1; chosen < GROUPS && number <= MOST_TRIED; number++) {
        owned char *value = must_format("%d", number);
        struct attributes attributes = group_attributes(by, value);
        owned char *name = world_commanded(topic, "", &attributes);
        if (!name || !*by || !is_real(name))
            values[chosen++] = must_copy(value);
        attributes_free(&attributes);
    }
}

/* Whether a commanded thing was added already; they are behind those that measure. */
static bool is_added(const struct world *world, size_t measuring, const char *name)
{
    for (size_t i = measuring; i < world->count; i++)
        if (strcmp(world->actors[i].name, name) == 0)
            return true;
    return false;
}

/* Adds each thing that the control commands, once. */
static enum status add_commanded(struct population *population, const cJSON *control,
                                 struct kind *kind, size_t measuring, struct error *error)
{
    const struct world *world = population->world;
    const char *topic = json_string(json_get(control, "publish"), "topic", "");
    const char *by = grouped_by(control);
    enum status status = FINE;
    for (size_t i = 0; i < measuring && !status; i++) {
        const char *value = attributes_get(&world->actors[i].attributes, by);
        owned char *name =
            world_commanded(topic, world->actors[i].name, &world->actors[i].attributes);
        if (!name || is_added(world, measuring, name))
            continue;
        struct attributes given = group_attributes(by, value ? value : "");
        status = add(population, kind, name, &given, error);
        attributes_free(&given);
    }
    return status;
}

static enum status choose_all(struct population *population, const char *type, size_t things,
                              struct error *error)
{
    struct project *project = population->project;
    cJSON *model = NULL, *commanded = NULL;
    char *groups[GROUPS] = {NULL};
    enum status status = choose_type(project, type, &model, error);
    if (status)
        return status;
    struct kind *kind = world_kind(population->world, model);
    const cJSON *control = usable_control(project, kind->model, &commanded);
    const char *by = grouped_by(control);
    choose_groups(control, groups);
    for (size_t i = 0; i < things && !status; i++) {
        const char *group = groups[i * GROUPS / things];
        owned char *name = must_format("sim-%s-%zu", kind->name, i + 1);
        struct attributes given = group_attributes(by, group ? group : "");
        status = add(population, kind, name, &given, error);
        attributes_free(&given);
    }
    if (!status && control)
        status = add_commanded(population, control, world_kind(population->world, commanded),
                               things, error);
    else
        cJSON_Delete(commanded);
    for (size_t i = 0; i < GROUPS; i++)
        free(groups[i]);
    world_link(population->world);
    return status;
}

/* --- creating --- */

static void observe(void *context, const struct bulk_result *result)
{
    struct population *population = context;
    population->made += result->outcome == MADE;
    if (result->outcome == FAILED && !population->failed++)
        population->failure =
            must_format("%s: %s", population->missing[result->index].record->name, result->message);
    report_progress(population->project->reporter, "created", population->made + population->failed,
                    population->missing_count);
}

static enum status plan_kind(struct population *population, struct target *target,
                             struct kind *kind, struct package_plan *plan, struct error *error)
{
    struct project *project = population->project;
    enum status status = plug_in(project, kind->name, error);
    if (!status)
        status = package_plan_make(project->templates, &project->catalog, target,
                                   cJSON_Duplicate(kind->model, true), plan, error);
    for (size_t i = 0; i < population->missing_count; i++)
        if (strcmp(population->missing[i].record->type, kind->name) == 0)
            population->missing[i].plan = plan;
    return status;
}

static enum status make_missing(struct population *population, struct target *target,
                                struct error *error)
{
    const struct reporter *reporter = population->project->reporter;
    struct world *world = population->world;
    struct package_plan *plans = must_array(world->kind_count, sizeof *plans);
    int lock = -1;
    enum status status = make_folders(THINGS_FOLDER, FOLDER_PUBLIC, error);
    if (!status && (status = lock_folder(THINGS_FOLDER, false, &lock, error)))
        advise(error, "is a create --from running? Wait for it, or stop it");
    for (size_t i = 0; i < world->kind_count && !status; i++)
        status = plan_kind(population, target, world->kinds[i], &plans[i], error);
    report_progress(reporter, "created", 0, population->missing_count);
    if (!status && population->missing_count)
        status = bulk_make(target, population->missing, population->missing_count, observe,
                           population, error);
    report_end(reporter);
    unlock(&lock);
    for (size_t i = 0; i < world->kind_count; i++)
        package_plan_free(&plans[i]);
    free(plans);
    if (!status && population->failed)
        status = fail(error, REFUSED, "%zu things could not be made; %s", population->failed,
                      population->failure);
    return status;
}

enum status population_choose(struct project *project, const char *type, size_t things,
                              struct world *world, size_t *created, struct error *error)
{
    struct population population = {.project = project, .world = world};
    struct target target = {0};
    enum status status = choose_all(&population, type, things, error);
    if (!status)
        status = local_open(&project->system, NULL, &target, error);
    if (!status && population.missing_count)
        project_warn_of_authority(project);
    if (!status && population.missing_count)
        status = make_missing(&population, &target, error);
    for (size_t i = 0; i < population.missing_count; i++)
        make_free(&population.missing[i]);
    free(population.missing);
    free(population.failure);
    target_close(&target);
    *created = population.made;
    return status;
}
