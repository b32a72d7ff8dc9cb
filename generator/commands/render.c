#include "commands.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "generator/documents/mustache.h"
#include "generator/cli/input.h"

#include <stdlib.h>
#include <string.h>

enum { LARGEST_INPUT = 64 << 20 };

/* Partials of a folder, compiled when they are first named. */
struct partials {
    const char *folder;
    struct partial {
        char *name;
        struct mustache *compiled;
    } * at;
    size_t count, room;
};

static enum status load_partial(struct partials *partials, const char *name,
                                struct mustache **compiled, struct error *error)
{
    struct text bytes = {0};
    owned char *path = must_format("%s/%s.mustache", partials->folder, name);
    enum status status = FINE;
    *compiled = NULL;
    if (*name != '/' && !strstr(name, "..") && path_exists(path)) {
        status = read_file(path, LARGEST_INPUT, &bytes, error);
        if (!status)
            status = mustache_compile(compiled, path, text_string(&bytes), bytes.length, error);
    }
    text_free(&bytes);
    return status;
}

static enum status find_partial(void *context, const char *name, const struct mustache **found,
                                struct error *error)
{
    struct partials *partials = context;
    for (size_t i = 0; i < partials->count; i++) {
        if (strcmp(partials->at[i].name, name) == 0) {
            *found = partials->at[i].compiled;
            return FINE;
        }
    }
    struct mustache *compiled;
    enum status status = load_partial(partials, name, &compiled, error);
    partials->at = must_grow(partials->at, partials->count, &partials->room, sizeof *partials->at);
    partials->at[partials->count++] = (struct partial){must_copy(name), compiled};
    *found = compiled;
    return status;
}

static void partials_free(struct partials *partials)
{
    for (size_t i = 0; i < partials->count; i++) {
        free(partials->at[i].name);
        mustache_free(partials->at[i].compiled);
    }
    free(partials->at);
}

static enum status choose_escape(struct context *context, const char *template_path,
                                 enum escape *escape)
{
    const char *name = cli_value(context, "escape");
    owned char *output = must_copy(template_path);
    if (ends_with(output, ".mustache"))
        output[strlen(output) - strlen(".mustache")] = '\0';
    *escape = escape_for_path(output);
    if (!name || escape_named(name, escape))
        return FINE;
    fail(&context->error, WRONG_USAGE, "there is no escaping called \"%s\"", name);
    return advise(&context->error, "(html, json, python, yaml, terraform, none)");
}

enum status command_render(struct context *context)
{
    const char *template_path = context->operands[0], *data_path = context->operands[1];
    struct text template_text = {0}, data_text = {0};
    struct mustache *compiled = NULL;
    struct partials partials = {.folder = cli_value(context, "partials")};
    struct mustache_options options = {.strict = cli_given(context, "strict")};
    cJSON *data = NULL;
    enum status status = choose_escape(context, template_path, &options.escape);
    if (partials.folder) {
        options.partial = find_partial;
        options.context = &partials;
    }
    if (!status && strcmp(template_path, "-") == 0 && strcmp(data_path, "-") == 0)
        status = fail(&context->error, WRONG_USAGE,
                      "only one of template and data can be standard input");
    if (!status)
        status = read_input(template_path, LARGEST_INPUT, &template_text, &context->error);
    if (!status)
        status = read_input(data_path, LARGEST_INPUT, &data_text, &context->error);
    if (!status)
        status = mustache_compile(&compiled, template_path, text_string(&template_text),
                                  template_text.length, &context->error);
    if (!status)
        status = json_parse(data_path, text_string(&data_text), data_text.length, &data,
                            &context->error);
    if (!status)
        status = mustache_render(compiled, data, &options, &context->out, &context->error);
    if (status)
        text_clear(&context->out); /* half an output is none */
    cJSON_Delete(data);
    mustache_free(compiled);
    partials_free(&partials);
    text_free(&template_text);
    text_free(&data_text);
    return status;
}
