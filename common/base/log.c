#include "log.h"
#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LONGEST_LINE = 2048 };

static const double repeat_seconds = 60;

/* struct log_limit */
static const double lines_at_once = 10, seconds_of_a_line = 10;

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

/* --- lines that repeat --- */

static bool take_line(struct log_limit *limit)
{
    double now = clock_monotonic_coarse();
    limit->spent -= (now - limit->since) / seconds_of_a_line;
    limit->since = now;
    if (limit->spent < 0)
        limit->spent = 0;
    if (limit->spent > lines_at_once - 1)
        return false;
    limit->spent++;
    return true;
}

bool log_allows(struct log_limit *limit)
{
    bool allowed = take_line(limit);
    limit->left_out += !allowed;
    return allowed;
}

void log_tell_left_out(struct log_limit *limit, const char *kind)
{
    if (!limit->left_out || !take_line(limit))
        return;
    log_line("%lu lines about %s are left out", limit->left_out, kind);
    limit->left_out = 0;
}

/* --- full logs --- */

enum { LONGEST_PATH = 4096 };

static void shift(const char *path)
{
    char from[LONGEST_PATH], to[LONGEST_PATH];
    for (int i = LOG_KEPT; i > 0; i--) {
        snprintf(to, sizeof to, "%s.%d", path, i);
        snprintf(from, sizeof from, i > 1 ? "%s.%d" : "%s", path, i - 1);
        rename(from, to);
    }
}

void log_set_aside(const char *path)
{
    struct stat facts;
    if (stat(path, &facts) == 0 && facts.st_size > LOG_FULL)
        shift(path);
}

static bool is_standard_error(const char *path)
{
    struct stat named, open;
    return stat(path, &named) == 0 && fstat(STDERR_FILENO, &open) == 0 && S_ISREG(open.st_mode) &&
           named.st_dev == open.st_dev && named.st_ino == open.st_ino;
}

/* The new file is made first: where that fails, the program goes on with the old one. */
static void turn(const char *path, bool full)
{
    char made[LONGEST_PATH];
    snprintf(made, sizeof made, "%s.new", path);
    int file_made = open(made, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file_made < 0)
        return;
    if (full)
        shift(path);
    if (rename(made, path) == 0) {
        dup2(file_made, STDOUT_FILENO);
        dup2(file_made, STDERR_FILENO);
    }
    close(file_made);
}

void log_turn(const char *path)
{
    static enum { UNKNOWN, OURS, ANOTHERS } standard_error;
    struct stat facts;
    if (standard_error == UNKNOWN)
        standard_error = is_standard_error(path) ? OURS : ANOTHERS;
    if (standard_error != OURS || fstat(STDERR_FILENO, &facts))
        return;
    if (facts.st_nlink == 0 || facts.st_size > LOG_FULL)
        turn(path, facts.st_nlink > 0);
}
