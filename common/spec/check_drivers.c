#include "check_drivers.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/names.h"
#include "common/base/paths.h"
#include "pins.h"
#include "schema.h"

#include <stdlib.h>
#include <string.h>

/* While the drivers of one spec are checked. */
struct wiring {
    struct checked *spec;
    struct pins pins;
    struct names sensors; /* what pin_use.sensor points to */
};

static void check_quantity(struct checked *spec, const cJSON *measure, const cJSON *driver,
                           const struct yaml_node *node)
{
    const cJSON *section = json_get(measure, "driver"),
                *quantities = json_get(driver, "quantities");
    const char *quantity = json_string(section, "quantity", NULL);
    const cJSON *found = json_get(quantities, quantity ? quantity : measure->string);
    if (!found && !quantity && cJSON_GetArraySize(quantities) == 1)
        found = quantities->child;
    const char *type = json_string(measure, "type", "");
    if (!found)
        problem_add(spec->problems, ERROR,
                    quantity ? checks_at(node, "driver", "quantity") : checks_at(node, "driver"),
                    checks_hint_of_keys(quantity ? quantity : measure->string, quantities),
                    quantity ? "%s does not read \"%s\"" : "say which quantity of %s is \"%s\"",
                    json_string(driver, "driver", ""), quantity ? quantity : measure->string);
    else if (strcmp(json_string(found, "type", ""), type) != 0)
        problem_add(spec->problems, ERROR, checks_at(node, "type"),
                    must_format("type: %s", json_string(found, "type", "")),
                    "%s reads %s as a %s, not as a %s", json_string(driver, "driver", ""),
                    found->string, json_string(found, "type", ""), type);
}

/* Two parameters of one sensor on one pin. */
static void check_pin_twice(struct checked *spec, const cJSON *parameters,
                            const struct yaml_node *node, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        const char *format = json_string(json_get(parameters, node->keys[i]->text), "format", "");
        if (strcmp(format, "pin") == 0 && node->items[i]->kind == YAML_SCALAR &&
            strcmp(node->items[i]->text, node->items[index]->text) == 0)
            problem_add(spec->problems, ERROR, node->items[index]->place, NULL,
                        "pin %s is \"%s\" already", node->items[i]->text, node->keys[i]->text);
    }
}

/* The driver and all its parameters, as written or by default: measures of which this is equal are of one
 * sensor. */
static const char *sensor_text(struct wiring *wiring, const cJSON *driver,
                               const struct yaml_node *node)
{
    struct text text = {0};
    const cJSON *parameter;
    text_add_string(&text, json_string(driver, "driver", ""));
    cJSON_ArrayForEach(parameter, json_get(driver, "parameters"))
    {
        const struct yaml_node *written = yaml_get(node, parameter->string);
        text_add_char(&text, ' ');
        if (written && written->kind == YAML_SCALAR)
            text_add_string(&text, written->text);
        else if (json_get(parameter, "default"))
            json_compact(json_get(parameter, "default"), &text);
    }
    names_append(&wiring->sensors, text_string(&text));
    text_free(&text);
    return wiring->sensors.at[wiring->sensors.count - 1];
}

/* The resistor that a driver's pin is to have, as written or by default. */
static void check_pull(struct wiring *wiring, const cJSON *driver, const struct yaml_node *node)
{
    const cJSON *parameter, *pull = NULL, *pin = NULL;
    cJSON_ArrayForEach(parameter, json_get(driver, "parameters"))
    {
        const char *format = json_string(parameter, "format", "");
        pull = strcmp(format, "pull") == 0 ? parameter : pull;
        pin = strcmp(format, "pin") == 0 ? parameter : pin;
    }
    const struct yaml_node *number = pin ? yaml_get(node, pin->string) : NULL;
    const struct yaml_node *word = pull ? yaml_get(node, pull->string) : NULL;
    if (!pull || !number || number->kind != YAML_SCALAR || (word && word->kind != YAML_SCALAR))
        return;
    pins_check_pull(&wiring->pins, strtod(number->text, NULL),
                    word ? word->text : json_string(pull, "default", "none"),
                    word ? word->place : number->place);
}

static void check_parameter(struct wiring *wiring, const cJSON *driver, const char *user,
                            const char *sensor, const struct yaml_node *node, size_t index)
{
    struct checked *spec = wiring->spec;
    const struct yaml_node *key = node->keys[index], *value = node->items[index];
    const cJSON *parameters = json_get(driver, "parameters");
    const cJSON *schema = json_get(parameters, key->text);
    if (!schema) {
        problem_add(spec->problems, ERROR, key->place, checks_hint_of_keys(key->text, parameters),
                    "\"%s\" is not a parameter of %s", key->text,
                    json_string(driver, "driver", ""));
        return;
    }
    if (value->kind == YAML_SCALAR && yaml_meaning(value, NULL) == YAML_AMBIGUOUS)
        return; /* reported where the section was read */
    size_t errors = spec->problems->errors;
    cJSON *checked = schema_check(schema, schema, value, spec->problems);
    if (errors == spec->problems->errors && cJSON_IsNumber(checked) &&
        json_string(schema, "format", NULL)) {
        pins_check(&wiring->pins,
                   &(struct pin_use){driver, key->text, user, sensor, value, checked->valuedouble});
        check_pin_twice(spec, parameters, node, index);
    }
    cJSON_Delete(checked);
}

/* The driver's data file holds a schema for each parameter, which is checked like any other. user: the
 * measure's name, or "display". own: the keys of the section that are not parameters. */
static void check_parameters(struct wiring *wiring, const cJSON *driver, const char *user,
                             const struct yaml_node *node, const char *const own[2])
{
    struct checked *spec = wiring->spec;
    const char *name = json_string(driver, "driver", "");
    const char *sensor = sensor_text(wiring, driver, node);
    const cJSON *parameters = json_get(driver, "parameters"), *required;
    for (size_t i = 0; i < node->count; i++)
        if (strcmp(node->keys[i]->text, own[0]) != 0 && strcmp(node->keys[i]->text, own[1]) != 0)
            check_parameter(wiring, driver, user, sensor, node, i);
    check_pull(wiring, driver, node);
    cJSON_ArrayForEach(required, json_get(driver, "required"))
    {
        if (!yaml_get(node, required->valuestring)) {
            const char *about =
                json_string(json_get(parameters, required->valuestring), "description", NULL);
            problem_add(spec->problems, ERROR, node->place,
                        about ? must_format("%s: %s", required->valuestring, about) : NULL,
                        "%s needs the parameter \"%s\"", name, required->valuestring);
        }
    }
}

static char *hint_of_drivers(struct catalog *catalog, const char *name, const char *kind)
{
    const char *names[128];
    size_t count = 0;
    struct error broken = {0}; /* a driver that cannot be read is not proposed */
    for (size_t i = 0; i < catalog->driver_names->count && count < 128; i++) {
        const char *other = catalog->driver_names->at[i];
        if (catalog_read_driver(catalog, other, &broken) == FINE &&
            driver_is(catalog_driver(catalog, other), kind))
            names[count++] = other;
        error_free(&broken);
    }
    return count ? choice_hint(name, names, count) : NULL;
}

/* The driver of that name and kind. NULL when there is none, which is reported. */
static const cJSON *find_driver(struct checked *spec, const char *name, const char *kind,
                                struct place place)
{
    const char *platform = json_string(spec->json, "platform", NULL);
    const cJSON *driver = catalog_driver(spec->catalog, name), *runs_on;
    if (!driver || !driver_is(driver, kind)) {
        char *hint = hint_of_drivers(spec->catalog, name, kind);
        if (driver)
            problem_add(spec->problems, ERROR, place, hint, "%s drives a %s, not a %s", name,
                        json_string(driver, "kind", ""), kind);
        else
            problem_add(spec->problems, ERROR, place, hint, "\"%s\" is not a driver", name);
        return NULL;
    }
    bool runs = !platform || !catalog_platform(spec->catalog, platform);
    const char *platforms[16];
    size_t count = 0;
    cJSON_ArrayForEach(runs_on, json_get(driver, "platforms"))
    {
        runs |= platform && strcmp(runs_on->valuestring, platform) == 0;
        if (count < 16)
            platforms[count++] = runs_on->valuestring;
    }
    if (!runs)
        problem_add(spec->problems, ERROR, place, choice_hint(platform, platforms, count),
                    "%s does not run on %s", name, platform);
    return driver;
}

static void check_driver(struct wiring *wiring, const cJSON *measure, const struct yaml_node *node)
{
    struct checked *spec = wiring->spec;
    static const char *const own[] = {"name", "quantity"};
    const char *name = json_string(json_get(measure, "driver"), "name", NULL);
    const cJSON *driver =
        name ? find_driver(spec, name, "sensor", checks_at(node, "driver", "name")) : NULL;
    if (!driver)
        return;
    if (json_true(driver, "awake") && strcmp(json_string(spec->json, "sleep", ""), "none") != 0)
        problem_add(spec->problems, WARNING, checks_at(node, "driver", "name"),
                    must_copy("sleep: none keeps the board awake"),
                    "%s works only while the board is awake", name);
    check_quantity(spec, measure, driver, node);
    check_parameters(wiring, driver, measure->string, yaml_get(node, "driver"), own);
}

static void check_display(struct wiring *wiring)
{
    struct checked *spec = wiring->spec;
    static const char *const own[] = {"driver", "driver"};
    const char *name = json_string(json_get(spec->json, "display"), "driver", NULL);
    const cJSON *driver =
        name ? find_driver(spec, name, "display", checks_at(spec->root, "display", "driver"))
             : NULL;
    if (driver)
        check_parameters(wiring, driver, "display", yaml_get(spec->root, "display"), own);
}

/* --- a type's own code --- */

static bool has_own_code(const struct checked *spec)
{
    owned char *path = must_format(TYPE_CODE "/sensor.py", spec->name);
    return path_exists(path);
}

/* What has a driver is read by it; the rest is read by code/sensor.py. */
static void check_readers(struct checked *spec)
{
    const struct yaml_node *measures = yaml_get(spec->root, "measures");
    const cJSON *measure;
    bool own_code = has_own_code(spec), unread = false;
    cJSON_ArrayForEach(measure, json_get(spec->json, "measures"))
    {
        if (yaml_get(yaml_get(measures, measure->string), "driver"))
            continue;
        unread = true;
        if (!own_code)
            problem_add(spec->problems, ERROR, yaml_key(measures, measure->string)->place,
                        must_copy("name a driver, or write code/sensor.py with read()"),
                        "nothing reads \"%s\"", measure->string);
    }
    if (own_code && !unread && cJSON_GetArraySize(json_get(spec->json, "measures")))
        problem_add(spec->problems, WARNING, yaml_key(spec->root, "measures")->place,
                    must_copy("remove code/sensor.py, or the driver of what it is to read"),
                    "every measure has a driver, and code/sensor.py is not used");
}

void check_drivers(struct checked *spec)
{
    const char *platform = json_string(spec->json, "platform", "");
    const struct yaml_node *measures = yaml_get(spec->root, "measures");
    const cJSON *measure;
    struct wiring wiring = {
        .spec = spec,
        .pins = {.platform_name = platform,
                 .platform = catalog_platform(spec->catalog, platform),
                 .sleeps_deeply = strcmp(json_string(spec->json, "sleep", ""), "deep") == 0,
                 .problems = spec->problems}};
    cJSON_ArrayForEach(measure, json_get(spec->json, "measures"))
        check_driver(&wiring, measure, yaml_get(measures, measure->string));
    check_display(&wiring);
    check_readers(spec);
    pins_free(&wiring.pins);
    for (size_t i = 0; i < wiring.sensors.count; i++)
        free((char *)wiring.sensors.at[i]);
    free(wiring.sensors.at);
}
