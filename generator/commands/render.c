#include "commands.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "generator/documents/partials.h"
#include "generator/cli/input.h"

#include <stdlib.h>
#include <string.h>

enum { LARGEST_INPUT = 64 << 20 };

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
        options.partial = partials_find;
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
        text_clear(&context->out); /* nothing is written after an error */
    cJSON_Delete(data);
    mustache_free(compiled);
    partials_free(&partials);
    text_free(&template_text);
    text_free(&data_text);
    return status;
}
