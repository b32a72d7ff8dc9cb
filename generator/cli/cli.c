#include "cli.h"
#include "pages.h"
#include "common/base/json.h"
#include "common/base/memory.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* --- parsing --- */

static const struct command_option *find_in(const struct command_option *options, const char *name,
                                            size_t length, char letter)
{
    for (const struct command_option *option = options; option->name; option++)
        if (letter ? option->letter == letter
                   : strlen(option->name) == length && strncmp(option->name, name, length) == 0)
            return option;
    return NULL;
}

static const struct command_option *find_option(const struct context *context, const char *name,
                                                size_t length, char letter)
{
    const struct command_option *found = find_in(global_options, name, length, letter);
    if (!found && context->command)
        found = find_in(context->command->options, name, length, letter);
    return found;
}

static enum status unknown_option(struct context *context, const char *word)
{
    const char *words[64];
    size_t count = 0, length = strcspn(word, "=");
    owned char *name = must_copy_bytes(word, length);
    for (const struct command_option *option = global_options; option->name; option++)
        words[count++] = option->name;
    if (context->command)
        for (const struct command_option *option = context->command->options; option->name;
             option++)
            words[count++] = option->name;
    const char *nearest = nearest_word(name + strspn(name, "-"), words, count);
    fail(&context->error, WRONG_USAGE, "there is no option %s", name);
    if (nearest)
        advise(&context->error, "did you mean --%s?", nearest);
    return advise(&context->error, "sensorforge %s%s--help lists them",
                  context->command ? context->command->name : "", context->command ? " " : "");
}

/* Whether both say a value of the same thing: the same option, or the same NAME of NAME=VALUE. */
static bool same_subject(const struct given_option *earlier, const struct command_option *option,
                         const char *value)
{
    if (earlier->option != option || !strchr(option->argument, '='))
        return earlier->option == option;
    size_t length = strcspn(value, "=");
    return strcspn(earlier->value, "=") == length && strncmp(earlier->value, value, length) == 0;
}

/* An option with two values would mean the last one, and the first would be dropped. */
static enum status check_once(struct context *context, const struct command_option *option,
                              const char *value)
{
    for (size_t i = 0; i < context->given_count && value; i++)
        if (same_subject(&context->given[i], option, value) &&
            strcmp(context->given[i].value, value) != 0)
            return fail(&context->error, WRONG_USAGE, "--%s is given twice: \"%s\" and \"%s\"",
                        option->name, context->given[i].value, value);
    return FINE;
}

static void take_option(struct context *context, const struct command_option *option,
                        const char *value)
{
    context->given = must_grow(context->given, context->given_count, &context->given_room,
                               sizeof *context->given);
    context->given[context->given_count++] = (struct given_option){option, value};
}

/* One word that begins with a dash; *next is the word after it, taken when the option needs it. */
static enum status parse_option(struct context *context, char *word, char **next, bool *took_next)
{
    bool is_long = word[1] == '-';
    char *equals = is_long ? strchr(word, '=') : NULL;
    size_t length = is_long ? (equals ? (size_t)(equals - word) : strlen(word)) - 2 : 0;
    const struct command_option *option =
        find_option(context, is_long ? word + 2 : NULL, length, is_long ? 0 : word[1]);
    *took_next = false;
    if (!option)
        return unknown_option(context, word);
    const char *value = equals ? equals + 1 : !is_long && word[2] ? word + 2 : NULL;
    if (!option->argument && value && !is_long) {
        word[1] = word[2]; /* -vq is -v -q */
        memmove(word + 2, word + 3, strlen(word + 3) + 1);
        take_option(context, option, NULL);
        return parse_option(context, word, next, took_next);
    }
    if (!option->argument && value)
        return fail(&context->error, WRONG_USAGE, "--%s takes no value", option->name);
    if (option->argument && !value) {
        if (!*next) {
            fail(&context->error, WRONG_USAGE, "--%s needs a value", option->name);
            return advise(&context->error, "--%s %s: %s", option->name, option->argument,
                          option->help);
        }
        value = *next;
        *took_next = true;
    }
    enum status status = check_once(context, option, value);
    take_option(context, option, value);
    return status;
}

static enum status find_command(struct context *context, const char *word)
{
    const char *names[64];
    for (size_t i = 0; i < command_count; i++) {
        names[i] = commands[i].name;
        if (strcmp(commands[i].name, word) == 0) {
            context->command = &commands[i];
            return FINE;
        }
    }
    const char *nearest = nearest_word(word, names, command_count);
    fail(&context->error, WRONG_USAGE, "there is no command \"%s\"", word);
    if (nearest)
        advise(&context->error, "did you mean \"%s\"?", nearest);
    return advise(&context->error, "sensorforge --help lists them");
}

/* Whether the answer is for a program. It is known before the words are understood, so that an
 * error in them is JSON too. */
static bool asks_for_json(int count, char **words)
{
    for (int i = 1; i < count && strcmp(words[i], "--") != 0; i++)
        if (strcmp(words[i], "--json") == 0)
            return true;
    return false;
}

static enum status parse(struct context *context, int count, char **words)
{
    bool options_ended = false;
    for (int i = 1; i < count; i++) {
        bool took_next = false;
        enum status status = FINE;
        if (!options_ended && strcmp(words[i], "--") == 0)
            options_ended = true;
        else if (!options_ended && words[i][0] == '-' && words[i][1])
            status = parse_option(context, words[i], &words[i + 1], &took_next);
        else if (!context->command)
            status = find_command(context, words[i]);
        else
            context->operands[context->operand_count++] = words[i];
        if (status)
            return status;
        i += took_next;
    }
    return FINE;
}

static enum status check_operands(struct context *context)
{
    const struct command *command = context->command;
    size_t count = context->operand_count;
    if (count < (size_t)command->least)
        fail(&context->error, WRONG_USAGE, "%s needs %s", command->name, command->operands);
    else if (command->most >= 0 && count > (size_t)command->most)
        fail(&context->error, WRONG_USAGE, "\"%s\" is one word too many for %s",
             context->operands[command->most], command->name);
    else
        return FINE;
    return advise(&context->error, "usage: sensorforge %s %s", command->name,
                  command->operands ? command->operands : "");
}

const char *cli_value(const struct context *context, const char *name)
{
    const char *value = NULL;
    for (size_t i = 0; i < context->given_count; i++)
        if (strcmp(context->given[i].option->name, name) == 0)
            value = context->given[i].value;
    return value;
}

bool cli_given(const struct context *context, const char *name)
{
    for (size_t i = 0; i < context->given_count; i++)
        if (strcmp(context->given[i].option->name, name) == 0)
            return true;
    return false;
}

/* --- writing --- */

static bool write_bytes(const char *at, size_t left)
{
    while (left) {
        ssize_t put = write(STDOUT_FILENO, at, left);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return false;
        at += put;
        left -= (size_t)put;
    }
    return true;
}

static enum status write_out(struct context *context)
{
    errno = context->print_failed;
    if (!errno && write_bytes(text_string(&context->out), context->out.length))
        return FINE;
    return fail_errno(&context->error, "cannot write to standard output");
}

bool cli_print(struct context *context, const char *line)
{
    owned char *whole = must_format("%s\n", line);
    if (!context->print_failed && !write_bytes(whole, strlen(whole)))
        context->print_failed = errno;
    return !context->print_failed;
}

/* --- running --- */

static enum status dispatch(struct context *context)
{
    context->verbose = cli_given(context, "verbose");
    context->quiet = cli_given(context, "quiet");
    const char *folder = cli_value(context, "directory");
    if (cli_given(context, "help")) {
        pages_help(context->command, &context->out);
        return FINE;
    }
    if (cli_given(context, "version")) {
        text_add_string(&context->out, "sensorforge " VERSION "\n");
        return FINE;
    }
    if (!context->command) {
        fail(&context->error, WRONG_USAGE, "a command is missing");
        return advise(&context->error, "sensorforge --help lists them");
    }
    enum status status = check_operands(context);
    if (status)
        return status;
    if (folder && chdir(folder))
        return fail(&context->error, WRONG_INPUT, "cannot go to the folder %s: %s", folder,
                    strerror(errno));
    return context->command->run(context);
}

int cli_run(int count, char **words)
{
    struct context context = {.colour = cli_can_colour(), .json = asks_for_json(count, words)};
    context.reporter = cli_reporter(&context);
    context.operands = must_array((size_t)count + 1, sizeof *context.operands);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}); /* a core would hold the authority's key */
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is an error of write(), which is checked */
    enum status status = parse(&context, count, words);
    if (!status)
        status = dispatch(&context);
    if (status && context.json && !context.out.length) {
        cJSON *answer = json_error(&context.error);
        json_layout(answer, &context.out);
        cJSON_Delete(answer);
    }
    /* What a failing command has to say for programs (--json) is still written. */
    struct error first = context.error;
    context.error = (struct error){0};
    enum status written = write_out(&context);
    if (status) {
        error_free(&context.error);
        context.error = first;
    } else {
        error_free(&first);
        status = written;
    }
    if (status && context.error.message.length)
        cli_show_error(&context);
    text_free(&context.out);
    error_free(&context.error);
    free(context.operands);
    free(context.given);
    return (int)status;
}
