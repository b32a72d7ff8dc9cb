/* What is known of the table "_waiting": how many records each type has there. It is read once, when
 * the database is opened, and kept up to date from then on. */
#ifndef HUB_ENGINE_WAITING_H
#define HUB_ENGINE_WAITING_H

#include "store/store.h"

struct waiting {
    char *type;
    uint64_t count, bytes; /* records; bytes of their payloads */
    int64_t since;         /* when the oldest was accepted: milliseconds since 1970 */
};

struct waiting_list {
    struct waiting *at;
    size_t count, room;
};

enum status waiting_load(struct waiting_list *list, struct store *store, struct error *error);
void waiting_free(struct waiting_list *list);

/* NULL: the type has no record there. */
const struct waiting *waiting_of(const struct waiting_list *list, const char *type);

/* What all of them take, about: their payloads, and so many bytes for what else is in a row. */
enum { WAITING_ROW = 256 };
uint64_t waiting_bytes(const struct waiting_list *list);

/* Notes that a record was put, or that so many were dropped, of so many bytes. since: of the oldest that
 * is left. Adding may end the program when memory is exhausted. */
void waiting_add(struct waiting_list *list, const char *type, int64_t time, uint64_t bytes);
void waiting_take(struct waiting_list *list, const char *type, uint64_t count, uint64_t bytes,
                  int64_t since);

#endif
