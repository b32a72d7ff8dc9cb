/* What a person wants a thing to be, checked against its type. */
#ifndef GENERATOR_THING_ATTRIBUTES_H
#define GENERATOR_THING_ATTRIBUTES_H

#include "common/base/error.h"

#include <cjson/cJSON.h>

/* The attributes of a new thing, complete: those given ({"zone": "2"}), defaults for the rest. type
 * is the model's. where (may be "") goes before messages. WRONG_INPUT when one is unknown, missing,
 * does not match its pattern, or holds what AWS IoT does not take. *attributes is the caller's. */
enum status attributes_complete(const cJSON *type, const cJSON *given, const char *where,
                                cJSON **attributes, struct error *error);

#endif
