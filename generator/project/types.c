#include "types.h"
#include "common/base/clock.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/names.h"
#include "common/base/paths.h"
#include "common/spec/spec.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { LARGEST_MARK = 1 << 16, LARGEST_SOURCE = 1 << 20, LONGEST_CHECKSUM = 17 };

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

/* FNV-1a. What cannot be read counts as empty. */
static uint64_t add_file(uint64_t checksum, const char *path)
{
    struct text bytes = {0};
    struct error unread = {0};
    if (read_file(path, LARGEST_SOURCE, &bytes, &unread))
        error_free(&unread);
    for (size_t i = 0; i < bytes.length; i++)
        checksum = (checksum ^ (unsigned char)bytes.at[i]) * 1099511628211u;
    text_free(&bytes);
    return checksum;
}

static void source_checksum(const char *type, char checksum[LONGEST_CHECKSUM])
{
    owned char *spec = must_format(TYPE_SPEC, type);
    uint64_t sum = add_file(add_file(14695981039346656037u, spec), SYSTEM_FILE);
    snprintf(checksum, LONGEST_CHECKSUM, "%016" PRIx64, sum);
}

/* Whether a file was last changed before a moment, in seconds since 1970. The second of the moment
 * itself counts as before. */
static bool changed_before(const char *path, int64_t moment)
{
    struct stat facts;
    return stat(path, &facts) == 0 && facts.st_mtime <= moment;
}

/* A mark of an earlier version has no checksum; the times of the files tell. */
static bool is_older_than_mark(const char *type, const cJSON *mark)
{
    owned char *spec = must_format(TYPE_SPEC, type);
    int64_t deployed;
    return clock_read(json_string(mark, "deployed", ""), &deployed) &&
           changed_before(spec, deployed / 1000) && changed_before(SYSTEM_FILE, deployed / 1000);
}

bool types_source_is_marked(const char *type)
{
    struct error unread = {0};
    cJSON *mark = NULL;
    char checksum[LONGEST_CHECKSUM];
    owned char *path = mark_path(type);
    if (json_read(path, LARGEST_MARK, &mark, &unread))
        error_free(&unread);
    const char *marked = json_string(mark, "source", NULL);
    source_checksum(type, checksum);
    bool same = marked ? strcmp(marked, checksum) == 0 : is_older_than_mark(type, mark);
    cJSON_Delete(mark);
    return same;
}

enum status types_mark(const char *type, enum target_kind target, const char *database,
                       const char *region, struct error *error)
{
    cJSON *mark = json_object();
    struct text bytes = {0};
    char now[CLOCK_TEXT], checksum[LONGEST_CHECKSUM];
    clock_write(time(NULL), now);
    json_put_string(mark, "target", system_target_name(target));
    json_put_string(mark, "database", database);
    if (region)
        json_put_string(mark, "region", region);
    source_checksum(type, checksum);
    json_put_string(mark, "source", checksum);
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
