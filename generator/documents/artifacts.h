/* Files in memory: what is rendered, before it is written. */
#ifndef GENERATOR_DOCUMENTS_ARTIFACTS_H
#define GENERATOR_DOCUMENTS_ARTIFACTS_H

#include "common/base/text.h"

#include <stddef.h>

struct artifact {
    char *path; /* relative to an output folder; never begins with "/", never holds ".." */
    struct text bytes;
};

struct artifacts {
    struct artifact *at;
    size_t count, room;
};

/* Adds a file, or replaces the one with this path. Copies path, takes over the bytes. */
void artifacts_put(struct artifacts *artifacts, const char *path, struct text *bytes);

/* NULL when there is no file with this path. */
struct artifact *artifacts_find(const struct artifacts *artifacts, const char *path);

/* By path. */
void artifacts_sort(struct artifacts *artifacts);

/* Overwrites the bytes first: some hold a password. */
void artifacts_free(struct artifacts *artifacts);

#endif
