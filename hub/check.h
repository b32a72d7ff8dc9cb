/* `sensorhub check`: whether the rules of types can run on this machine, with this database. */
#ifndef HUB_CHECK_H
#define HUB_CHECK_H

#include "common/base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* Says each action that cannot run, and each measure whose column has another type; WRONG_INPUT
 * when there is one. A database that is not there yet, or cannot be reached, has no columns. json:
 * a list of {"type", "rule", "action", "place", "message"} on the standard output. */
enum status check_types(char *const *types, size_t count, bool json, struct error *error);

#endif
