#include "compile.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/subprocess.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef SHARE_FOLDER
#define SHARE_FOLDER "/usr/local/share/sensorforge"
#endif

/* Seconds: the first search may fetch the compiler from the network. */
enum { FIND = 180, COMPILE = 30 };
enum { LARGEST_OUTPUT = 1 << 20, MOST_WORDS = 32 };

/* A source that was compiled. */
struct made {
    char *path;
    struct text source, output;
    struct made *next;
};

struct compiler {
    const cJSON *rule;
    char *templates;
    char *path; /* of the compiler; NULL until it is looked for, and when it cannot be had */
    bool searched;
    struct made *made;
};

struct compiler *compiler_make(const char *templates, const cJSON *rule)
{
    struct compiler *compiler = must_alloc(sizeof *compiler);
    *compiler = (struct compiler){.rule = rule, .templates = must_copy(templates)};
    return compiler;
}

void compiler_free(struct compiler *compiler)
{
    if (!compiler)
        return;
    while (compiler->made) {
        struct made *made = compiler->made;
        compiler->made = made->next;
        free(made->path);
        text_free(&made->source);
        text_free(&made->output);
        free(made);
    }
    free(compiler->templates);
    free(compiler->path);
    free(compiler);
}

/* --- the program --- */

static char *find_script(const struct compiler *compiler)
{
    const char *name = json_string(compiler->rule, "program", "");
    owned char *beside = must_format("%s/../%s", compiler->templates, name);
    owned char *installed = must_format(SHARE_FOLDER "/%s", name);
    char *path = realpath(beside, NULL);
    return path ? path : realpath(installed, NULL);
}

/* What the program said: its first line is the error, the others are advice. */
static enum status refuse(const struct text *said, struct error *error)
{
    owned char *copy = must_copy(text_string(said));
    char *rest = copy, *line = strsep(&rest, "\n");
    fail(error, REFUSED, "%s", begins_with(line, "error: ") ? line + strlen("error: ") : line);
    while (rest && (line = strsep(&rest, "\n")))
        if (*(line += strspn(line, " ")))
            advise(error, "%s", line);
    return REFUSED;
}

/* Sets compiler->path. Without a compiler: an error where one is required, else nothing. */
static enum status search(struct compiler *compiler, struct error *error)
{
    owned char *script = find_script(compiler);
    const char *words[] = {script, "--path", NULL};
    struct text said = {0};
    struct error ignored = {0};
    bool required = json_true(compiler->rule, "required");
    int code = 0;
    enum status status = FINE;
    compiler->searched = true;
    if (!script)
        status = fail(&ignored, REFUSED, "there is no %s beside %s",
                      json_string(compiler->rule, "program", ""), compiler->templates);
    if (!status)
        status = subprocess_capture(words, FIND, &said, &code, NULL, &ignored);
    if (!status && code)
        status = refuse(&said, &ignored);
    if (!status) {
        const char *text = text_string(&said);
        compiler->path = must_copy_bytes(text, strcspn(text, "\n"));
    } else if (required) {
        *error = ignored;
        ignored = (struct error){0};
    }
    error_free(&ignored);
    text_free(&said);
    return required ? status : FINE;
}

/* --- one source --- */

static bool is_source(const struct compiler *compiler, const char *path)
{
    const cJSON *except;
    if (!ends_with(path, json_string(compiler->rule, "from", "")))
        return false;
    cJSON_ArrayForEach(except, json_get(compiler->rule, "except"))
    {
        if (strcmp(except->valuestring, path) == 0)
            return false;
    }
    return true;
}

/* Without its ending. */
static char *stem_of(const struct compiler *compiler, const char *path)
{
    return must_copy_bytes(path, strlen(path) - strlen(json_string(compiler->rule, "from", "")));
}

static const struct made *find_made(const struct compiler *compiler,
                                    const struct artifact *artifact)
{
    const struct made *made = compiler->made;
    while (made && (strcmp(made->path, artifact->path) != 0 ||
                    made->source.length != artifact->bytes.length ||
                    memcmp(text_string(&made->source), text_string(&artifact->bytes),
                           made->source.length) != 0))
        made = made->next;
    return made;
}

static void add_copy(struct text *copy, const struct text *bytes)
{
    text_reserve(copy, bytes->length + 1);
    text_add(copy, text_string(bytes), bytes->length);
}

static enum status run_compiler(const struct compiler *compiler, const struct artifact *artifact,
                                const char *input, const char *output, struct error *error)
{
    const char *words[MOST_WORDS] = {compiler->path};
    owned char *stem = stem_of(compiler, artifact->path);
    struct text said = {0};
    size_t count = 1;
    int code = 0;
    const cJSON *option;
    cJSON_ArrayForEach(option, json_get(compiler->rule, "options"))
    {
        if (count < MOST_WORDS - 6)
            words[count++] = option->valuestring;
    }
    const char *rest[] = {"-s", stem, "-o", output, input};
    memcpy(words + count, rest, sizeof rest);
    enum status status = subprocess_capture(words, COMPILE, &said, &code, NULL, error);
    if (!status && code) {
        const char *text = text_string(&said), *last = strrchr(text, '\n');
        while (last && last > text && !last[1]) /* the last line that is not empty */
            last = memrchr(text, '\n', (size_t)(last - text));
        status = fail(error, WRONG_INPUT, "%s does not compile", artifact->path);
        advise(error, "%.*s", (int)strcspn(last ? last + 1 : text, "\n"), last ? last + 1 : text);
    }
    text_free(&said);
    return status;
}

/* Makes the folder for the compiler's files, unless it is there. */
static enum status make_workplace(char **folder, struct error *error)
{
    const char *temporary = getenv("TMPDIR");
    if (*folder)
        return FINE;
    *folder =
        must_format("%s/sensorforge-compile.XXXXXX", temporary && *temporary ? temporary : "/tmp");
    if (mkdtemp(*folder))
        return FINE;
    fail_errno(error, "cannot make the folder %s", *folder);
    free(*folder);
    *folder = NULL;
    return error->status;
}

static enum status compile_one(struct compiler *compiler, const struct artifact *artifact,
                               const char *folder, const struct made **result, struct error *error)
{
    struct made *made = must_alloc(sizeof *made);
    owned char *input = must_format("%s/source", folder),
               *output = must_format("%s/output", folder);
    *made = (struct made){.path = must_copy(artifact->path), .next = compiler->made};
    compiler->made = made;
    enum status status = write_file(input, text_string(&artifact->bytes), artifact->bytes.length,
                                    FILE_SECRET, error);
    if (!status)
        status = run_compiler(compiler, artifact, input, output, error);
    if (!status)
        status = read_file(output, LARGEST_OUTPUT, &made->output, error);
    if (!status)
        add_copy(&made->source, &artifact->bytes);
    *result = made;
    return status;
}

/* --- all of them --- */

/* *folder: where the compiler's files are; NULL until a source has to be compiled. Most things of a
 * type have the sources of the first, and need none. */
static enum status replace_all(struct compiler *compiler, struct artifacts *artifacts,
                               char **folder, struct error *error)
{
    enum status status = FINE;
    for (size_t i = 0; i < artifacts->count && !status; i++) {
        struct artifact *artifact = &artifacts->at[i];
        if (!is_source(compiler, artifact->path))
            continue;
        const struct made *made = find_made(compiler, artifact);
        if (!made)
            status = make_workplace(folder, error);
        if (!made && !status)
            status = compile_one(compiler, artifact, *folder, &made, error);
        if (status)
            break;
        owned char *stem = stem_of(compiler, artifact->path);
        free(artifact->path);
        artifact->path = must_format("%s%s", stem, json_string(compiler->rule, "to", ""));
        text_free(&artifact->bytes);
        artifact->bytes = (struct text){0};
        add_copy(&artifact->bytes, &made->output);
    }
    return status;
}

enum status compiler_run(struct compiler *compiler, struct artifacts *artifacts, bool *compiled,
                         struct error *error)
{
    char *folder = NULL;
    struct error ignored = {0};
    enum status status = FINE;
    *compiled = false;
    if (!compiler->rule)
        return FINE;
    if (!compiler->searched)
        status = search(compiler, error);
    if (status || !compiler->path)
        return status;
    status = replace_all(compiler, artifacts, &folder, error);
    *compiled = !status;
    if (folder)
        remove_tree(folder, &ignored);
    free(folder);
    error_free(&ignored);
    return status;
}
