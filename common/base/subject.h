/* A subject of a command: a sensor type by its name, or the central system. */
#ifndef COMMON_BASE_SUBJECT_H
#define COMMON_BASE_SUBJECT_H

#include <stdbool.h>
#include <string.h>

/* What the central system is called as a subject. No type can have this name (valid.h). */
#define SUBJECT_SYSTEM "system"

static inline bool subject_is_system(const char *subject)
{
    return strcmp(subject, SUBJECT_SYSTEM) == 0;
}

#endif
