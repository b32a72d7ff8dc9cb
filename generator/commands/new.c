#include "commands.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/paths.h"
#include "common/base/valid.h"
#include "common/spec/problems.h"
#include "generator/documents/model.h"
#include "generator/project/project.h"

#include <stdlib.h>
#include <string.h>

static enum status check_name(struct context *context, const char *type)
{
    owned char *folder = path_join(TYPES_FOLDER, type);
    if (!type_name_valid(type)) {
        fail(&context->error, WRONG_INPUT, "\"%s\" cannot be the name of a type", type);
        return advise(&context->error,
                      "a lower-case letter, then lower-case letters, digits and _; 2 to 48 in "
                      "all; not \"system\"");
    }
    if (path_exists(folder)) {
        fail(&context->error, WRONG_INPUT, "%s exists already", folder);
        return advise(&context->error, "edit %s/spec.yaml, or take another name", folder);
    }
    return FINE;
}

/* The platform asked for, or the only one that there is. */
static enum status choose_platform(struct context *context, const struct catalog *catalog,
                                   const char **platform)
{
    const struct names *names = catalog->platform_names;
    *platform = cli_value(context, "platform");
    if (!*platform && names->count == 1)
        *platform = names->at[0];
    if (*platform && catalog_platform(catalog, *platform))
        return FINE;
    if (*platform)
        fail(&context->error, WRONG_INPUT, "there is no platform \"%s\"", *platform);
    else
        fail(&context->error, WRONG_USAGE, "new needs --platform");
    owned char *hint = choice_hint(*platform ? *platform : "", names->at, names->count);
    return advise(&context->error, "%s", hint);
}

/* {"type": {"name": ...}, "platform": {"name", "description", "sleep"}, "drivers": [{"name",
 * "description"}]}: the drivers that run on the platform. */
static cJSON *model_of_new(const struct catalog *catalog, const char *type, const char *platform)
{
    const cJSON *data = catalog_platform(catalog, platform), *driver, *runs_on;
    cJSON *model = json_object(), *named = json_object(), *board = json_object();
    cJSON *drivers = json_array();
    json_put_string(named, "name", type);
    json_put_string(board, "name", platform);
    json_put_string(board, "description", json_string(data, "description", ""));
    json_put_string(board, "sleep", json_get(data, "sleep")->child->valuestring);
    cJSON_ArrayForEach(driver, catalog->drivers)
    {
        cJSON_ArrayForEach(runs_on, json_get(driver, "platforms"))
        {
            if (strcmp(runs_on->valuestring, platform) != 0 || !driver_is(driver, "sensor"))
                continue;
            cJSON *item = json_object();
            json_put_string(item, "name", driver->string);
            json_put_string(item, "description", json_string(driver, "description", ""));
            cJSON_AddItemToArray(drivers, item);
        }
    }
    json_put(model, "type", named);
    json_put(model, "platform", board);
    json_put(model, "drivers", drivers);
    model_mark_last(model);
    return model;
}

/* Under a name that no type can have, and renamed when it is whole. */
static enum status write_folder(const struct artifacts *artifacts, const char *type,
                                struct error *error)
{
    owned char *folder = path_join(TYPES_FOLDER, type);
    owned char *making = must_format(TYPES_FOLDER "/.%s", type);
    struct batch batch = {0};
    enum status status = remove_tree(making, error);
    for (size_t i = 0; i < artifacts->count && !status; i++) {
        owned char *path = path_join(making, artifacts->at[i].path), *above = path_folder(path);
        status = make_folders(above, FOLDER_PUBLIC, error);
        if (!status)
            status = batch_write_new(&batch, path, text_string(&artifacts->at[i].bytes),
                                     artifacts->at[i].bytes.length, FILE_PUBLIC, error);
    }
    batch_replace_folder(&batch, making, folder);
    if (!status)
        status = batch_commit(&batch, error);
    batch_drop(&batch);
    return status;
}

enum status command_new(struct context *context)
{
    const char *type = context->operands[0], *platform = NULL;
    struct template_set *set = NULL;
    struct artifacts artifacts = {0};
    struct project project;
    enum status status = command_find(context, &project);
    if (!status)
        status = check_name(context, type);
    if (!status)
        status = catalog_load(project.templates, &project.catalog, &context->error);
    if (!status)
        status = choose_platform(context, &project.catalog, &platform);
    if (!status)
        status =
            template_set_load(project.templates, "scaffold", NULL, "new", &set, &context->error);
    if (!status) {
        cJSON *model = model_of_new(&project.catalog, type, platform);
        status = template_set_render(set, model, "", &artifacts, &context->error);
        cJSON_Delete(model);
    }
    if (!status)
        status = write_folder(&artifacts, type, &context->error);
    if (!status && context->json) {
        cJSON *answer = json_object();
        owned char *folder = path_join(TYPES_FOLDER, type);
        json_put_string(answer, "type", type);
        json_put_string(answer, "platform", platform);
        json_put_string(answer, "folder", folder);
        json_layout(answer, &context->out);
        cJSON_Delete(answer);
    } else if (!status) {
        cli_say(context, "%s  a type for %s, in " TYPES_FOLDER "/%s/", type, platform, type);
        cli_say(context, "next  edit " TYPE_SPEC ", then: sensorforge check %s", type, type);
    }
    artifacts_free(&artifacts);
    template_set_free(set);
    project_free(&project);
    return status;
}
