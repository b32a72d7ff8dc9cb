#include "record_state.h"

#include <stddef.h>
#include <string.h>

static const char *const names[] = {[RECORD_MAKING] = "making",
                                    [RECORD_ACTIVE] = "active",
                                    [RECORD_ROTATING] = "rotating",
                                    [RECORD_DELETING] = "deleting"};

const char *record_state_name(enum record_state state)
{
    return names[state];
}

bool record_state_named(const char *name, enum record_state *state)
{
    for (size_t i = 0; name && i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i]) == 0) {
            *state = (enum record_state)i;
            return true;
        }
    }
    return false;
}
