#include "scaffold.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/paths.h"
#include "generator/documents/model.h"

#include <string.h>

/* {"type": {"name": "greenhouse"},
 *  "platform": {"name": "esp32", "description": "...", "sleep": "none"},
 *  "drivers": [{"name": "sht3x", "description": "..."}]}    sensors that run on the platform */
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

/* Until all files are written, the folder has a name that no type can have. */
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

enum status scaffold_write(const struct project *project, const char *type, const char *platform,
                           struct error *error)
{
    struct template_set *set = NULL;
    struct artifacts artifacts = {0};
    enum status status =
        template_set_load(project->templates, "scaffold", NULL, "new", &set, error);
    if (status)
        return status;
    cJSON *model = model_of_new(&project->catalog, type, platform);
    status = template_set_render(set, model, "", &artifacts, error);
    if (!status)
        status = write_folder(&artifacts, type, error);
    cJSON_Delete(model);
    artifacts_free(&artifacts);
    template_set_free(set);
    return status;
}
