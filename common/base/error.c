#include "error.h"
#include "hint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum status failv(struct error *error, enum status status, const char *format, va_list arguments)
{
    text_clear(&error->message);
    text_clear(&error->advice);
    text_add_formatv(&error->message, format, arguments);
    return error->status = status;
}

enum status fail(struct error *error, enum status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    failv(error, status, format, arguments);
    va_end(arguments);
    return status;
}

enum status fail_errno(struct error *error, const char *format, ...)
{
    int number = errno;
    va_list arguments;
    va_start(arguments, format);
    failv(error, REFUSED, format, arguments);
    va_end(arguments);
    text_add_format(&error->message, ": %s", strerror(number));
    return REFUSED;
}

enum status fail_memory(struct error *error)
{
    static const char words[] = "out of memory";
    struct text *message = &error->message;
    text_clear(message);
    text_clear(&error->advice);
    if (message->room < sizeof words) {
        char *moved = realloc(message->at, sizeof words);
        if (!moved)
            return error->status = REFUSED;
        message->at = moved;
        message->room = sizeof words;
    }
    text_add_string(message, words);
    return error->status = REFUSED;
}

enum status advise(struct error *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (error->advice.length)
        text_add_char(&error->advice, '\n');
    hint_addv(&error->advice, format, arguments);
    va_end(arguments);
    return error->status;
}

enum status error_in(struct error *error, const char *path)
{
    struct text message = {0};
    text_add_format(&message, "%s: %s", path, text_string(&error->message));
    text_free(&error->message);
    error->message = message;
    return error->status;
}

void error_free(struct error *error)
{
    text_free(&error->message);
    text_free(&error->advice);
    *error = (struct error){0};
}
