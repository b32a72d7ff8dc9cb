#include "commands.h"
#include "common/base/hint.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/spec/spec.h"
#include "generator/project/project.h"
#include "generator/project/types.h"
#include "generator/cli/table.h"

static void add_type(struct context *context, const struct spec *spec, struct table *table,
                     cJSON *list)
{
    const char *platform = json_string(spec->json, "platform", "");
    const char *description = json_string(spec->json, "description", "");
    owned char *wrong = hint_format("has errors: make check");
    const char *state = spec->problems.errors           ? wrong
                        : types_is_deployed(spec->name) ? "plugged in"
                                                        : "-";
    if (!context->json) {
        const char *cells[] = {spec->name, platform, state, description};
        table_add(table, cells);
        return;
    }
    cJSON *item = json_object();
    json_put_string(item, "type", spec->name);
    json_put_string(item, "platform", platform);
    json_put_string(item, "description", description);
    json_put_bool(item, "plugged_in", types_is_deployed(spec->name));
    json_put_number(item, "errors", (double)spec->problems.errors);
    cJSON_AddItemToArray(list, item);
}

enum status command_types(struct context *context)
{
    static const char *const columns[] = {"TYPE", "PLATFORM", "STATE", "DESCRIPTION"};
    struct table table = {.columns = columns, .column_count = 4};
    cJSON *list = json_array();
    struct project project;
    enum status status = command_find(context, &project);
    if (!status)
        catalog_open(project.templates, &project.catalog);
    struct names *types = types_all();
    for (size_t i = 0; i < types->count && !status; i++) {
        struct spec spec = {0};
        status = spec_read_type(types->at[i], &project.catalog, &spec, &context->error);
        if (!status)
            add_type(context, &spec, &table, list);
        spec_free(&spec);
    }
    if (!status && context->json)
        json_layout(list, &context->out);
    else if (!status)
        table_write(&table, table_screen_width(), &context->out);
    names_free(types);
    table_free(&table);
    project_free(&project);
    cJSON_Delete(list);
    return status;
}
