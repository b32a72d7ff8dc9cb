#include "partials.h"
#include "common/base/files.h"
#include "common/base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { LARGEST_PARTIAL = 64 << 20 };

struct partial {
    char *name;
    struct mustache *compiled; /* NULL: there is no such file */
};

static enum status load_partial(struct partials *partials, const char *name,
                                struct mustache **compiled, struct error *error)
{
    struct text bytes = {0};
    owned char *path = must_format("%s/%s.mustache", partials->folder, name);
    enum status status = FINE;
    *compiled = NULL;
    if (*name != '/' && !strstr(name, "..") && path_exists(path)) {
        status = read_file(path, LARGEST_PARTIAL, &bytes, error);
        if (!status)
            status = mustache_compile(compiled, path, text_string(&bytes), bytes.length, error);
    }
    text_free(&bytes);
    return status;
}

enum status partials_find(void *context, const char *name, const struct mustache **found,
                          struct error *error)
{
    struct partials *partials = context;
    for (size_t i = 0; i < partials->count; i++) {
        if (strcmp(partials->at[i].name, name) == 0) {
            *found = partials->at[i].compiled;
            return FINE;
        }
    }
    struct mustache *compiled;
    enum status status = load_partial(partials, name, &compiled, error);
    partials->at = must_grow(partials->at, partials->count, &partials->room, sizeof *partials->at);
    partials->at[partials->count++] = (struct partial){must_copy(name), compiled};
    *found = compiled;
    return status;
}

void partials_free(struct partials *partials)
{
    for (size_t i = 0; i < partials->count; i++) {
        free(partials->at[i].name);
        mustache_free(partials->at[i].compiled);
    }
    free(partials->at);
}
