#include "report.h"
#include "hint.h"
#include "text.h"

#include <stdarg.h>

__attribute__((format(printf, 3, 0))) static void
send_line(const struct reporter *reporter, bool detail, const char *format, va_list arguments)
{
    struct text line = {0};
    hint_addv(&line, format, arguments);
    reporter->line(reporter->context, detail, text_string(&line));
    text_free(&line);
}

void report_line(const struct reporter *reporter, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (reporter)
        send_line(reporter, false, format, arguments);
    va_end(arguments);
}

void report_detail(const struct reporter *reporter, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (reporter)
        send_line(reporter, true, format, arguments);
    va_end(arguments);
}

void report_progress(const struct reporter *reporter, const char *verb, size_t done, size_t total)
{
    if (reporter)
        reporter->progress(reporter->context, verb, done, total);
}

void report_state(const struct reporter *reporter, const char *format, ...)
{
    va_list arguments;
    struct text line = {0};
    if (!reporter)
        return;
    va_start(arguments, format);
    text_add_formatv(&line, format, arguments);
    va_end(arguments);
    reporter->state(reporter->context, text_string(&line));
    text_free(&line);
}

void report_end(const struct reporter *reporter)
{
    if (reporter)
        reporter->end(reporter->context);
}
