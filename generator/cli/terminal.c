/* What a person sees of a command, and is asked, at a terminal. */
#include "cli.h"
#include "common/base/hint.h"

#include <openssl/ui.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- lines --- */

/* A bar that stands there gives way to the line; its next step shows it again. */
__attribute__((format(printf, 2, 0))) static void say_line(const struct context *context,
                                                           const char *format, va_list arguments)
{
    if (context->counting)
        progress_hide(&context->progress);
    struct text line = {0};
    hint_addv(&line, format, arguments);
    fprintf(stderr, "%s\n", text_string(&line));
    text_free(&line);
}

void cli_say(const struct context *context, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (!context->quiet)
        say_line(context, format, arguments);
    va_end(arguments);
}

void cli_say_more(const struct context *context, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (context->verbose)
        say_line(context, format, arguments);
    va_end(arguments);
}

void cli_show_error(const struct context *context)
{
    const char *on = context->colour ? "\033[1;31m" : "", *off = context->colour ? "\033[0m" : "";
    const struct error *error = &context->error;
    fprintf(stderr, "%serror%s: %s\n", on, off, text_string(&error->message));
    const char *advice = text_string(&error->advice);
    while (*advice) {
        size_t length = strcspn(advice, "\n");
        fprintf(stderr, "       %.*s\n", (int)length, advice);
        advice += length + (advice[length] == '\n');
    }
}

bool cli_can_colour(void)
{
    const char *no_colour = getenv("NO_COLOR"), *terminal = getenv("TERM");
    return isatty(STDERR_FILENO) && !(no_colour && *no_colour) &&
           !(terminal && strcmp(terminal, "dumb") == 0);
}

/* --- what rooms report --- */

static void on_line(void *context, bool detail, const char *line)
{
    if (detail)
        cli_say_more(context, "%s", line);
    else
        cli_say(context, "%s", line);
}

static void begin(struct context *context, const char *verb, size_t total)
{
    if (context->counting)
        progress_end(&context->progress);
    progress_begin(&context->progress, context->quiet, verb, total);
    context->counting = true;
}

static void on_progress(void *data, const char *verb, size_t done, size_t total)
{
    struct context *context = data;
    if (!context->counting || !done || total != context->progress.total)
        begin(context, verb, total);
    progress_step(&context->progress, done);
}

static void on_state(void *data, const char *line)
{
    struct context *context = data;
    if (!context->counting)
        begin(context, "", 0);
    progress_state(&context->progress, line);
}

static void on_end(void *data)
{
    struct context *context = data;
    if (context->counting)
        progress_end(&context->progress);
    context->counting = false;
}

struct reporter cli_reporter(struct context *context)
{
    return (struct reporter){.line = on_line,
                             .progress = on_progress,
                             .state = on_state,
                             .end = on_end,
                             .context = context};
}

/* --- questions --- */

/* OpenSSL's prompt restores the terminal on signals. */
static bool ask(const char *question, bool echo, struct secret *answer)
{
    char line[256] = "";
    UI *ui = UI_new();
    int flags = echo ? UI_INPUT_FLAG_ECHO : 0;
    bool answered = ui && UI_add_input_string(ui, question, flags, line, 0, sizeof line - 1) >= 0 &&
                    UI_process(ui) >= 0;
    if (answered)
        *answer = secret_copy(line, strlen(line));
    UI_free(ui);
    explicit_bzero(line, sizeof line);
    return answered;
}

secret_asker *cli_asker(void)
{
    return isatty(STDIN_FILENO) ? ask : NULL;
}
