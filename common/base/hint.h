/* Hints that name a command name the one that the person has.
 *
 * In the sources each command is written as make has it: "make delete name=%s removes it". When the
 * program was called by make (scripts/operate sets SENSORFORGE_CALLED_BY=make), it stays so;
 * otherwise it becomes "sensorforge delete %s removes it". Only formats are changed, which are
 * ours, never the arguments. The order of the arguments stays. */
#ifndef COMMON_BASE_HINT_H
#define COMMON_BASE_HINT_H

#include "text.h"

/* Adds a format with its arguments to a text. */
void hint_add(struct text *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
void hint_addv(struct text *out, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

/* The same as a new string, which the caller frees. */
char *hint_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Adds the format alone, as the program's command lines. For hint_addv() and tests. */
void hint_translate(const char *format, struct text *out);

#endif
