/* The partials of a folder, <name>.mustache, for mustache_render(). Each is compiled when it is
 * first named. */
#ifndef GENERATOR_DOCUMENTS_PARTIALS_H
#define GENERATOR_DOCUMENTS_PARTIALS_H

#include "mustache.h"

struct partials {
    const char *folder; /* set by the caller */
    struct partial *at;
    size_t count, room;
};

/* A mustache_finder; context: a struct partials. A name that leads out of the folder is not
 * found. */
enum status partials_find(void *context, const char *name, const struct mustache **found,
                          struct error *error);

/* After the rendering: the templates that were found are freed. */
void partials_free(struct partials *partials);

#endif
