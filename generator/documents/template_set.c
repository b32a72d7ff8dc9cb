#include "template_set.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/names.h"
#include "mustache.h"

#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#define TEMPLATE_ENDING ".mustache"

enum { LARGEST_TEMPLATE = 1 << 20, DEEPEST_FOLDER = 16 };

struct template_file {
    char *path;                /* of the output, or the partial's name */
    char *source;              /* of the template, for messages */
    struct mustache *compiled; /* NULL: bytes are copied as they are */
    struct text bytes;
    enum escape escape;
};

struct files {
    struct template_file *at;
    size_t count, room;
};

struct template_set {
    struct files outputs, partials;
};

/* --- loading --- */

static void file_free(struct template_file *file)
{
    free(file->path);
    free(file->source);
    mustache_free(file->compiled);
    text_free(&file->bytes);
}

static void put_file(struct files *files, struct template_file file)
{
    for (size_t i = 0; i < files->count; i++) {
        if (strcmp(files->at[i].path, file.path) == 0) {
            file_free(&files->at[i]);
            files->at[i] = file;
            return;
        }
    }
    files->at = must_grow(files->at, files->count, &files->room, sizeof *files->at);
    files->at[files->count++] = file;
}

/* Loads one file: a template is compiled, any other file is bytes. */
typedef enum status file_loader(struct files *files, const char *source, const char *path,
                                struct error *error);

static enum status load_plain(struct files *files, const char *source, const char *path,
                              struct error *error)
{
    struct template_file file = {.source = must_copy(source), .path = must_copy(path)};
    enum status status = read_file(source, LARGEST_TEMPLATE, &file.bytes, error);
    if (status)
        file_free(&file);
    else
        put_file(files, file);
    return status;
}

static enum status load_template(struct files *files, const char *source, const char *path,
                                 struct error *error)
{
    struct template_file file = {.source = must_copy(source), .path = must_copy(path)};
    enum status status = read_file(source, LARGEST_TEMPLATE, &file.bytes, error);
    if (!status && ends_with(path, TEMPLATE_ENDING)) {
        file.path[strlen(path) - strlen(TEMPLATE_ENDING)] = '\0';
        status = mustache_compile(&file.compiled, source, text_string(&file.bytes),
                                  file.bytes.length, error);
    }
    file.escape = escape_for_path(file.path);
    if (status)
        file_free(&file);
    else
        put_file(files, file);
    return status;
}

/* Whether a file was left behind by an editor, git or Python, and belongs to no output. */
static bool is_left_over(const char *name)
{
    return *name == '.' || ends_with(name, "~") || ends_with(name, ".pyc") ||
           strcmp(name, "__pycache__") == 0;
}

/* Loads every file below a folder. below: the path from there to the folder that is walked. */
static enum status load_folder(struct files *files, const char *folder, const char *below,
                               int depth, file_loader *load, struct error *error)
{
    owned char *here = *below ? path_join(folder, below) : must_copy(folder);
    DIR *listing = opendir(here);
    enum status status = FINE;
    for (struct dirent *entry; listing && !status && (entry = readdir(listing));) {
        if (is_left_over(entry->d_name))
            continue;
        owned char *source = path_join(here, entry->d_name);
        owned char *path = *below ? path_join(below, entry->d_name) : must_copy(entry->d_name);
        if (!is_folder(source))
            status = load(files, source, path, error);
        else if (depth < DEEPEST_FOLDER)
            status = load_folder(files, folder, path, depth + 1, load, error);
        else
            status = fail(error, WRONG_INPUT, "%s: folders are nested too deeply", source);
    }
    if (listing)
        closedir(listing);
    return status;
}

static int by_path(const void *one, const void *other)
{
    return strcmp(((const struct template_file *)one)->path,
                  ((const struct template_file *)other)->path);
}

static enum status load_part(struct template_set *set, const char *templates, const char *name,
                             const char *scope, struct error *error)
{
    owned char *outputs = must_format("%s/%s/%s", templates, name, scope);
    owned char *partials = must_format("%s/%s/partials", templates, name);
    enum status status = load_folder(&set->outputs, outputs, "", 0, load_template, error);
    return status ? status : load_folder(&set->partials, partials, "", 0, load_template, error);
}

enum status template_set_load(const char *templates, const char *set, const char *base,
                              const char *scope, struct template_set **loaded, struct error *error)
{
    struct template_set *made = must_alloc(sizeof *made);
    enum status status = base ? load_part(made, templates, base, scope, error) : FINE;
    if (!status)
        status = load_part(made, templates, set, scope, error);
    if (!status && !made->outputs.count)
        status =
            fail(error, WRONG_INPUT, "there are no templates in %s/%s/%s", templates, set, scope);
    if (status) {
        template_set_free(made);
        made = NULL;
    } else {
        qsort(made->outputs.at, made->outputs.count, sizeof *made->outputs.at, by_path);
    }
    *loaded = made;
    return status;
}

static void files_free(struct files *files)
{
    for (size_t i = 0; i < files->count; i++)
        file_free(&files->at[i]);
    free(files->at);
}

void template_set_free(struct template_set *set)
{
    if (!set)
        return;
    files_free(&set->outputs);
    files_free(&set->partials);
    free(set);
}

struct names *template_set_names(const char *templates, const char *scope)
{
    return names_of_folders(templates, scope);
}

/* --- rendering --- */

static enum status find_partial(void *context, const char *name, const struct mustache **found,
                                struct error *error)
{
    const struct template_set *set = context;
    (void)error;
    *found = NULL;
    for (size_t i = 0; i < set->partials.count; i++)
        if (strcmp(set->partials.at[i].path, name) == 0)
            *found = set->partials.at[i].compiled;
    return FINE;
}

static bool all_blank(const struct text *text)
{
    for (size_t i = 0; i < text->length; i++)
        if (!isspace((unsigned char)text->at[i]))
            return false;
    return true;
}

/* Checks what was rendered, and lays it out anew. */
static enum status canonical_json(const char *source, struct text *bytes, struct error *error)
{
    struct text made = {.secret = bytes->secret};
    struct error broken = {0};
    enum status status =
        json_normalize("its output", text_string(bytes), bytes->length, &made, &broken);
    if (status)
        status = fail(error, WRONG_INPUT, "the template %s rendered broken JSON: %s", source,
                      text_string(&broken.message));
    text_free(bytes);
    *bytes = made;
    error_free(&broken);
    return status;
}

static enum status render_file(const struct template_set *set, const struct template_file *file,
                               const cJSON *model, struct text *bytes, struct error *error)
{
    if (!file->compiled) {
        text_add(bytes, text_string(&file->bytes), file->bytes.length);
        return FINE;
    }
    text_reserve(bytes, 2 * file->bytes.length + 4096); /* as a rule it need not grow */
    struct mustache_options options = {
        .escape = file->escape, .strict = true, .partial = find_partial, .context = (void *)set};
    enum status status = mustache_render(file->compiled, model, &options, bytes, error);
    if (!status && ends_with(file->path, ".json") && !all_blank(bytes))
        status = canonical_json(file->source, bytes, error);
    return status;
}

enum status template_set_render(const struct template_set *set, const cJSON *model,
                                const char *prefix, struct artifacts *out, struct error *error)
{
    for (size_t i = 0; i < set->outputs.count; i++) {
        const struct template_file *file = &set->outputs.at[i];
        struct text bytes = {.secret = true}; /* a board's configuration holds its wifi password */
        enum status status = render_file(set, file, model, &bytes, error);
        if (status) {
            text_free(&bytes);
            return status;
        }
        if (file->compiled && all_blank(&bytes)) {
            text_free(&bytes);
            continue;
        }
        owned char *path = must_format("%s%s", prefix, file->path);
        artifacts_put(out, path, &bytes);
    }
    return FINE;
}

/* --- plain folders --- */

enum status template_set_add_folder(struct artifacts *artifacts, const char *folder,
                                    const char *skip, struct error *error)
{
    struct files files = {0};
    enum status status = load_folder(&files, folder, "", 0, load_plain, error);
    for (size_t i = 0; i < files.count && !status; i++)
        if (!ends_with(files.at[i].path, skip))
            artifacts_put(artifacts, files.at[i].path, &files.at[i].bytes);
    files_free(&files);
    return status;
}
