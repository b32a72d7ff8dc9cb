#include "registry.h"
#include "common/base/memory.h"

#include <stdlib.h>
#include <string.h>

void registered_thing_free(struct registered_thing *thing)
{
    for (size_t i = 0; i < thing->certificate_count; i++) {
        free(thing->certificates[i].id);
        free(thing->certificates[i].arn);
    }
    free(thing->certificates);
    attributes_free(&thing->attributes);
    free(thing->name);
    free(thing->type);
    free(thing->claim);
    *thing = (struct registered_thing){0};
}

void registry_free(struct registry *registry)
{
    for (size_t i = 0; i < registry->count; i++)
        registered_thing_free(&registry->at[i]);
    free(registry->at);
    free(registry->account);
    free(registry->region);
    *registry = (struct registry){0};
}

static int by_name(const void *one, const void *other)
{
    return strcmp(((const struct registered_thing *)one)->name,
                  ((const struct registered_thing *)other)->name);
}

const struct registered_thing *registry_find(const struct registry *registry, const char *name)
{
    const struct registered_thing key = {.name = (char *)name};
    return registry->count
               ? bsearch(&key, registry->at, registry->count, sizeof *registry->at, by_name)
               : NULL;
}

void registry_add(struct registry *registry, struct registered_thing *thing)
{
    registry->at = must_grow(registry->at, registry->count, &registry->room, sizeof *registry->at);
    registry->at[registry->count++] = *thing;
    *thing = (struct registered_thing){0};
}

void registry_sort(struct registry *registry)
{
    if (registry->count)
        qsort(registry->at, registry->count, sizeof *registry->at, by_name);
}
