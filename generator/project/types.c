#include "types.h"
#include "common/base/clock.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/names.h"
#include "common/base/paths.h"
#include "common/spec/spec.h"

#include <string.h>
#include <time.h>

enum { LARGEST_MARK = 1 << 16 };

static char *mark_path(const char *type)
{
    return must_format(TYPE_MARK, type);
}

struct names *types_all(void)
{
    return names_of_folders(TYPES_FOLDER, SPEC_FILE);
}

struct names *types_deployed(void)
{
    return names_of_folders(TYPES_FOLDER, MARK_FILE);
}

bool types_is_deployed(const char *type)
{
    owned char *path = mark_path(type);
    return path_exists(path);
}

bool types_is_deployed_on(const char *type, enum target_kind target, char **database)
{
    struct error unread = {0};
    cJSON *mark = NULL;
    owned char *path = mark_path(type);
    bool found = path_exists(path) && !json_read(path, LARGEST_MARK, &mark, &unread) &&
                 strcmp(json_string(mark, "target", ""), system_target_name(target)) == 0;
    const char *named = found ? json_string(mark, "database", NULL) : NULL;
    if (database)
        *database = named ? must_copy(named) : NULL;
    error_free(&unread);
    cJSON_Delete(mark);
    return found;
}

enum status types_mark(const char *type, enum target_kind target, const char *database,
                       const char *region, struct error *error)
{
    cJSON *mark = json_object();
    struct text bytes = {0};
    char now[CLOCK_TEXT];
    clock_write(time(NULL), now);
    json_put_string(mark, "target", system_target_name(target));
    json_put_string(mark, "database", database);
    if (region)
        json_put_string(mark, "region", region);
    json_put_string(mark, "deployed", now);
    json_layout(mark, &bytes);
    owned char *path = mark_path(type);
    owned char *folder = path_folder(path);
    remove_dead_temporaries(folder);
    enum status status = write_file(path, text_string(&bytes), bytes.length, FILE_PUBLIC, error);
    text_free(&bytes);
    cJSON_Delete(mark);
    return status;
}

enum status types_unmark(const char *type, struct error *error)
{
    owned char *path = mark_path(type);
    return remove_tree(path, error);
}
