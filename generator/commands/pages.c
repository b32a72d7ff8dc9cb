/* help, man, completion and version */
#include "commands.h"
#include "generator/cli/pages.h"

#include <string.h>

enum status command_help(struct context *context)
{
    const struct command *about = NULL;
    for (size_t i = 0; context->operand_count && i < command_count; i++)
        if (strcmp(commands[i].name, context->operands[0]) == 0)
            about = &commands[i];
    if (context->operand_count && !about) {
        fail(&context->error, WRONG_USAGE, "there is no command \"%s\"", context->operands[0]);
        return advise(&context->error, "sensorforge --help lists them");
    }
    pages_help(about, &context->out);
    return FINE;
}

enum status command_man(struct context *context)
{
    pages_man(&context->out);
    return FINE;
}

enum status command_completion(struct context *context)
{
    const char *shell = context->operands[0];
    if (pages_completion(shell, &context->out))
        return FINE;
    fail(&context->error, WRONG_USAGE, "there is no completion for \"%s\"", shell);
    return advise(&context->error, "(bash, zsh)");
}

enum status command_version(struct context *context)
{
    if (context->json)
        text_add_string(&context->out, "{\"version\": \"" VERSION "\"}\n");
    else
        text_add_string(&context->out, "sensorforge " VERSION "\n");
    return FINE;
}
