#include "log.h"
#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LONGEST_LINE = 2048 };

static const double repeat_seconds = 60;

static int file = STDERR_FILENO;

enum status log_open(const char *path, struct error *error)
{
    if (!path)
        return FINE;
    int opened = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (opened < 0)
        return fail_errno(error, "cannot open %s", path);
    if (file == STDERR_FILENO) {
        file = opened;
        return FINE;
    }
    /* dup3() replaces the descriptor at once, also while another thread writes. */
    enum status status =
        dup3(opened, file, O_CLOEXEC) < 0 ? fail_errno(error, "cannot open %s again", path) : FINE;
    close(opened);
    return status;
}

void log_line(const char *format, ...)
{
    char line[LONGEST_LINE];
    va_list arguments;
    clock_write(time(NULL), line);
    size_t length = strlen(line);
    line[length++] = ' ';
    va_start(arguments, format);
    int made = vsnprintf(line + length, sizeof line - length - 1, format, arguments);
    va_end(arguments);
    length += made < 0 ? 0 : (size_t)made;
    if (length > sizeof line - 2)
        length = sizeof line - 2;
    line[length++] = '\n';
    if (write(file, line, length) < 0)
        return; /* there is no other place to report this */
}

void log_error(const char *before, const struct error *error)
{
    log_line("%s%s", before, text_string(&error->message));
    if (error->advice.length)
        log_line("  %s", text_string(&error->advice));
}

void log_error_each_minute(const char *before, const struct error *error, double *last)
{
    double now = clock_monotonic();
    if (*last > 0 && now - *last < repeat_seconds)
        return;
    *last = now;
    log_error(before, error);
}
