/* Any bytes as a spec: of a system when they begin with "# system", else of a type called
 * esp8266temp, with what ships as its catalog. Every problem must have a place in the file, and be
 * told twice alike; a spec without errors must make a model. */
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/paths.h"
#include "common/spec/spec.h"
#include "generator/documents/model.h"
#include "workplace.h"

#include <sys/stat.h>

enum { LARGEST_INPUT = 1 << 16 };

static struct catalog catalog;
static struct system home;

static void set_up(void)
{
    static const char system[] = "version: 1\nname: home\n";
    struct error error = {0};
    owned char *root = getcwd(NULL, 0);
    owned char *templates = must_format("%s/templates", root);
    must_hold(catalog_load(templates, &catalog, &error) == FINE);
    go_to_workplace();
    must_hold(!mkdir("sensortypes", 0700) && !mkdir("sensortypes/esp8266temp", 0700) &&
              !mkdir("iot_system_infra", 0700));
    put_file(SYSTEM_FILE, system, sizeof system - 1);
    must_hold(system_read(&home, &error) == FINE);
}

static void check_places(const struct spec *spec)
{
    size_t lines = 1;
    for (size_t i = 0; i < spec->source.bytes.length; i++)
        lines += spec->source.bytes.at[i] == '\n';
    for (size_t i = 0; i < spec->problems.count; i++) {
        const struct problem *problem = &spec->problems.at[i];
        must_hold(*problem->message && problem->place.line <= lines + 1);
        must_hold(!problem->place.line || (problem->place.column && problem->place.width));
    }
}

static void read_it(bool system, struct spec *spec, struct text *report)
{
    struct error error = {0};
    enum status status = system ? spec_read_system(spec, &error)
                                : spec_read_type("esp8266temp", &catalog, spec, &error);
    must_hold(status == FINE);
    problems_write(&spec->problems, true, report);
    error_free(&error);
}

static void use_it(bool system, struct spec *spec)
{
    struct text bytes = {0};
    struct system settings = {0};
    if (system)
        system_take(spec, &settings);
    cJSON *model = system ? model_of_system(&settings) : model_of_type(&home, spec->json, &catalog);
    system_free(&settings);
    json_layout(model, &bytes);
    text_free(&bytes);
    cJSON_Delete(model);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    static const char mark[] = "# system";
    bool system = size >= sizeof mark - 1 && memcmp(input, mark, sizeof mark - 1) == 0;
    struct spec spec, again;
    struct text report = {0}, same = {0};
    if (!home.json)
        set_up();
    if (size > LARGEST_INPUT)
        return 0;
    put_file(system ? SYSTEM_FILE : "sensortypes/esp8266temp/spec.yaml", input, size);
    read_it(system, &spec, &report);
    read_it(system, &again, &same);
    must_hold(strcmp(text_string(&report), text_string(&same)) == 0);
    check_places(&spec);
    cJSON *list = json_array();
    problems_to_json(&spec.problems, list);
    if (!spec.problems.errors)
        use_it(system, &spec);
    cJSON_Delete(list);
    text_free(&report);
    text_free(&same);
    spec_free(&spec);
    spec_free(&again);
    return 0;
}
