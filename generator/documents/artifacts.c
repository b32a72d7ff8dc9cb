#include "artifacts.h"
#include "common/base/memory.h"

#include <stdlib.h>
#include <string.h>

struct artifact *artifacts_find(const struct artifacts *artifacts, const char *path)
{
    for (size_t i = 0; i < artifacts->count; i++)
        if (strcmp(artifacts->at[i].path, path) == 0)
            return &artifacts->at[i];
    return NULL;
}

void artifacts_put(struct artifacts *artifacts, const char *path, struct text *bytes)
{
    struct artifact *artifact = artifacts_find(artifacts, path);
    if (artifact) {
        text_wipe(&artifact->bytes);
        artifact->bytes = *bytes;
    } else {
        artifacts->at =
            must_grow(artifacts->at, artifacts->count, &artifacts->room, sizeof *artifacts->at);
        artifacts->at[artifacts->count++] = (struct artifact){must_copy(path), *bytes};
    }
    *bytes = (struct text){0};
}

static int by_path(const void *one, const void *other)
{
    return strcmp(((const struct artifact *)one)->path, ((const struct artifact *)other)->path);
}

void artifacts_sort(struct artifacts *artifacts)
{
    if (artifacts->count)
        qsort(artifacts->at, artifacts->count, sizeof *artifacts->at, by_path);
}

void artifacts_free(struct artifacts *artifacts)
{
    for (size_t i = 0; i < artifacts->count; i++) {
        free(artifacts->at[i].path);
        text_wipe(&artifacts->at[i].bytes);
    }
    free(artifacts->at);
    *artifacts = (struct artifacts){0};
}
