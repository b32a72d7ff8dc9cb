/* What a person wants a thing to be, checked against its type. */
#ifndef GENERATOR_THING_ATTRIBUTES_H
#define GENERATOR_THING_ATTRIBUTES_H

#include "common/base/error.h"

#include <cjson/cJSON.h>

/* The attributes of a new thing, complete: those given ({"zone": "2"}), defaults for the rest. type
 * is the model's. where (may be "") goes before messages. WRONG_INPUT when one is unknown, missing,
 * does not match its pattern, or holds what AWS IoT does not take. *attributes is the caller's. */
enum status wish_attributes(const cJSON *type, const cJSON *given, const char *where,
                            cJSON **attributes, struct error *error);

/* WRONG_INPUT with the rule when name is not a thing's name. */
enum status wish_name(const char *name, const char *where, struct error *error);

#endif
