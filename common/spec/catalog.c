#include "catalog.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/names.h"
#include "schema.h"
#include "yaml.h"

#include <stdlib.h>
#include <string.h>

/* Reads a data file and checks it. The name in it must be that of its folder. */
static enum status load_one(const char *path, const char *kind, const char *name, cJSON *into,
                            struct error *error)
{
    struct source source = {.name = must_copy(path)};
    struct problems problems = {.source = &source};
    struct yaml yaml = {0};
    enum status status = read_file(path, YAML_LARGEST, &source.bytes, error);
    if (!status) {
        yaml_tree_load(&source, &yaml, &problems);
        cJSON *data = NULL;
        if (yaml.root || !problems.errors)
            data = schema_check(schema_named(kind), schema_named(kind), yaml.root, &problems);
        const char *said = json_string(data, kind, "");
        if (!problems.errors && yaml.root && strcmp(said, name) != 0)
            problem_add(&problems, ERROR, yaml_get(yaml.root, kind)->place,
                        must_format("write \"%s: %s\", or rename the folder", kind, name),
                        "the %s is called \"%s\" and its folder \"%s\"", kind, said, name);
        if (problems.errors) {
            struct text report = {0};
            problems_sort(&problems);
            problems_write(&problems, false, &report);
            status = fail(error, WRONG_INPUT, "%s is wrong:\n%.*s", path, (int)(report.length - 1),
                          text_string(&report));
            text_free(&report);
            cJSON_Delete(data);
        } else {
            json_put(into, name, data);
        }
    }
    yaml_tree_free(&yaml);
    problems_free(&problems);
    source_free(&source);
    return status;
}

enum status catalog_read_platform(struct catalog *catalog, const char *name, struct error *error)
{
    if (catalog_platform(catalog, name) || !names_have(catalog->platform_names, name))
        return FINE;
    owned char *path = must_format("%s/%s/platform.yaml", catalog->folder, name);
    return load_one(path, "platform", name, catalog->platforms, error);
}

/* Gives each parameter whose schema has no title one, for messages. */
static void add_titles(const cJSON *driver)
{
    cJSON *parameter;
    cJSON_ArrayForEach(parameter, json_get(driver, "parameters"))
    {
        owned char *title = must_format("a value of \"%s\"", parameter->string);
        if (!json_string(parameter, "title", NULL))
            json_put_string(parameter, "title", title);
    }
}

/* A package with a driver that has no code cannot run; a sensor without a quantity measures
 * nothing. */
static enum status check_driver(const struct catalog *catalog, const char *name,
                                struct error *error)
{
    const cJSON *driver = catalog_driver(catalog, name);
    owned char *path = must_format("%s/drivers/%s/driver_%s.py", catalog->folder, name, name);
    if (!path_exists(path))
        return fail(error, WRONG_INPUT, "%s is missing: the code of the driver", path);
    if (driver_is(driver, "sensor") && !cJSON_GetArraySize(json_get(driver, "quantities")))
        return fail(error, WRONG_INPUT,
                    "%s/drivers/%s/driver.yaml: a sensor reads at least one of quantities",
                    catalog->folder, name);
    return FINE;
}

enum status catalog_read_driver(struct catalog *catalog, const char *name, struct error *error)
{
    if (catalog_driver(catalog, name) || !names_have(catalog->driver_names, name))
        return FINE;
    owned char *path = must_format("%s/drivers/%s/driver.yaml", catalog->folder, name);
    enum status status = load_one(path, "driver", name, catalog->drivers, error);
    if (status)
        return status;
    add_titles(catalog_driver(catalog, name));
    status = check_driver(catalog, name, error);
    if (status)
        cJSON_DeleteItemFromObjectCaseSensitive(catalog->drivers, name);
    return status;
}

void catalog_open(const char *templates, struct catalog *catalog)
{
    owned char *folder = path_join(templates, "firmware");
    owned char *drivers = path_join(folder, "drivers");
    *catalog = (struct catalog){.folder = must_copy(folder),
                                .platform_names = names_of_folders(folder, "platform.yaml"),
                                .driver_names = names_of_folders(drivers, "driver.yaml"),
                                .platforms = json_object(),
                                .drivers = json_object()};
}

enum status catalog_load(const char *templates, struct catalog *catalog, struct error *error)
{
    enum status status = FINE;
    catalog_open(templates, catalog);
    for (size_t i = 0; i < catalog->platform_names->count && !status; i++)
        status = catalog_read_platform(catalog, catalog->platform_names->at[i], error);
    for (size_t i = 0; i < catalog->driver_names->count && !status; i++)
        status = catalog_read_driver(catalog, catalog->driver_names->at[i], error);
    return status;
}

void catalog_free(struct catalog *catalog)
{
    free(catalog->folder);
    cJSON_Delete(catalog->platforms);
    cJSON_Delete(catalog->drivers);
    names_free(catalog->platform_names);
    names_free(catalog->driver_names);
    *catalog = (struct catalog){0};
}

const cJSON *catalog_platform(const struct catalog *catalog, const char *name)
{
    return json_get(catalog->platforms, name);
}

const cJSON *catalog_driver(const struct catalog *catalog, const char *name)
{
    return json_get(catalog->drivers, name);
}

bool driver_is(const cJSON *driver, const char *kind)
{
    return strcmp(json_string(driver, "kind", ""), kind) == 0;
}
