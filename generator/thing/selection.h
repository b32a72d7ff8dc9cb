/* Which things a command is about. All that is asked for must hold: a thing has one of the names where
 * there are names, is of the type, and has each of the attributes. */
#ifndef GENERATOR_THING_SELECTION_H
#define GENERATOR_THING_SELECTION_H

#include "common/base/error.h"
#include "common/base/names.h"
#include "generator/targets/registry.h"
#include "record.h"

#include <stdbool.h>
#include <stddef.h>

struct selection {
    const char *const *names; /* as they were typed; borrowed */
    size_t name_count;        /* 0: things of any name */
    const char *type;         /* borrowed; NULL: any type */
    struct attributes attributes;
    const struct records *elsewhere; /* of things without a folder here (adopt.h); borrowed; may be
                                        NULL */
    const struct registry *registry; /* as it was listed: attributes that another clone changed
                                        (adopt.h); borrowed; may be NULL */
};

/* Whether the type and the attributes of a thing are those that are asked for. record: NULL where it
 * cannot be read; such a thing has neither. */
bool selection_takes(const struct selection *selection, const struct record *record);

/* The names of the things, each once: in the order in which they were typed, or sorted where none was.
 * The caller frees the list, also on failure. WRONG_INPUT when a thing that is named does not exist,
 * or is another than what is asked for. Where no thing is named the list may be empty. REFUSED when the
 * record of a thing that is named needs a later version of this program. */
enum status selection_find(const struct selection *selection, struct names **found,
                           struct error *error);

/* WRONG_INPUT: no thing is of that type and has those attributes; with the values that there are of the
 * attribute that is to blame. */
enum status selection_empty(const struct selection *selection, struct error *error);

#endif
