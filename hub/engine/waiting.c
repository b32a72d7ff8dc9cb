#include "waiting.h"
#include "common/base/memory.h"

#include <stdlib.h>
#include <string.h>

void waiting_free(struct waiting_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->at[i].type);
    free(list->at);
    *list = (struct waiting_list){0};
}

static struct waiting *find(const struct waiting_list *list, const char *type)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->at[i].type, type) == 0)
            return &list->at[i];
    return NULL;
}

static struct waiting *need(struct waiting_list *list, const char *type)
{
    struct waiting *found = find(list, type);
    if (found)
        return found;
    list->at = must_grow(list->at, list->count, &list->room, sizeof *list->at);
    list->at[list->count] = (struct waiting){.type = must_copy(type)};
    return &list->at[list->count++];
}

static void add_sum(void *context, const struct waiting_sum *sum)
{
    struct waiting *made = need(context, sum->type);
    made->count = sum->count;
    made->bytes = sum->bytes;
    made->since = sum->since;
}

enum status waiting_load(struct waiting_list *list, struct store *store, struct error *error)
{
    waiting_free(list);
    return store_sum_waiting(store, add_sum, list, error);
}

const struct waiting *waiting_of(const struct waiting_list *list, const char *type)
{
    const struct waiting *found = find(list, type);
    return found && found->count ? found : NULL;
}

uint64_t waiting_bytes(const struct waiting_list *list)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < list->count; i++)
        sum += list->at[i].bytes + list->at[i].count * WAITING_ROW;
    return sum;
}

void waiting_add(struct waiting_list *list, const char *type, int64_t time, uint64_t bytes)
{
    struct waiting *entry = need(list, type);
    if (!entry->count++ || time < entry->since)
        entry->since = time;
    entry->bytes += bytes;
}

void waiting_take(struct waiting_list *list, const char *type, uint64_t count, uint64_t bytes,
                  int64_t since)
{
    struct waiting *entry = need(list, type);
    entry->count -= count < entry->count ? count : entry->count;
    entry->bytes -= bytes < entry->bytes ? bytes : entry->bytes;
    entry->since = since;
}
