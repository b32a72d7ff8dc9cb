#include "error.h"

#include <errno.h>
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

enum status advise(struct error *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (error->advice.length)
        text_add_char(&error->advice, '\n');
    text_add_formatv(&error->advice, format, arguments);
    va_end(arguments);
    return error->status;
}

void error_free(struct error *error)
{
    text_free(&error->message);
    text_free(&error->advice);
    *error = (struct error){0};
}
