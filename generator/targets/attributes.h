/* The attributes of a thing, such as zone: "1": what its type says that every thing of it has. */
#ifndef GENERATOR_TARGETS_ATTRIBUTES_H
#define GENERATOR_TARGETS_ATTRIBUTES_H

#include "common/base/error.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

struct attribute {
    char *name, *value;
};

/* In the order in which they were put. {0} is the empty list. Whoever declares one frees it. */
struct attributes {
    struct attribute *at;
    size_t count, room;
};

/* Adds one, or replaces the value of the one with this name. Copies both. */
void attributes_put(struct attributes *attributes, const char *name, const char *value);

/* The value of the attribute with this name; NULL when there is none. */
const char *attributes_get(const struct attributes *attributes, const char *name);

/* A copy with strings of its own; freed with attributes_free(). */
struct attributes attributes_copy(const struct attributes *attributes);

/* Whether both have the same names with the same values, in whichever order. */
bool attributes_equal(const struct attributes *one, const struct attributes *other);

void attributes_free(struct attributes *attributes);

/* {"zone": "1"}; the caller deletes it. */
cJSON *attributes_json(const struct attributes *attributes);

/* The attributes of a new thing: those that are given, and the defaults of the others. type is the
 * model's "type". where (may be "") goes before the message. WRONG_INPUT when one is unknown, is
 * missing and has no default, does not match its pattern, or has a value that AWS IoT does not take;
 * *complete is empty then. */
enum status attributes_complete(const cJSON *type, const struct attributes *given,
                                const char *where, struct attributes *complete,
                                struct error *error);

#endif
