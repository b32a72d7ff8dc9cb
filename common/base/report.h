/* Messages and progress of a room, for the command that called it.
 *
 * A room does not know whether a person listens, or how: a command prints lines and a bar, a test
 * collects, NULL is silence. Errors are returned and not reported; a result is returned and not
 * reported. */
#ifndef COMMON_BASE_REPORT_H
#define COMMON_BASE_REPORT_H

#include <stdbool.h>
#include <stddef.h>

struct reporter {
    /* One line, without a newline at its end. detail: shown with --verbose only. */
    void (*line)(void *context, bool detail, const char *line);

    /* Work that takes long: done of total. verb says what they are ("resources", "created"). Called
     * whenever there is news; a call with done 0 begins a count. How often a person sees it is the
     * listener's choice. */
    void (*progress)(void *context, const char *verb, size_t done, size_t total);

    /* A line that takes the place of the last one. Called whenever there is news. */
    void (*state)(void *context, const char *line);

    /* The count or the state has ended; it is removed from the terminal. */
    void (*end)(void *context);

    void *context;
};

/* Each of these does nothing when reporter is NULL. */
void report_line(const struct reporter *reporter, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void report_detail(const struct reporter *reporter, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void report_progress(const struct reporter *reporter, const char *verb, size_t done, size_t total);
void report_state(const struct reporter *reporter, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void report_end(const struct reporter *reporter);

#endif
