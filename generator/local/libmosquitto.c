#include "libmosquitto.h"

struct libmosquitto mosquitto;

static const char *const names[] = {LIBMOSQUITTO_FUNCTIONS(LIBRARY_NAME)};
static bool initialize(void)
{
    return mosquitto.lib_init() == MOSQ_ERR_SUCCESS;
}

static struct library library = {.file = "libmosquitto.so.1",
                                 .package = "libmosquitto1",
                                 .names = names,
                                 .count = sizeof names / sizeof *names,
                                 .pointers = &mosquitto,
                                 .initialize = initialize};
_Static_assert(sizeof mosquitto == sizeof names, "a pointer for each name");

enum status libmosquitto_load(struct error *error)
{
    return library_load(&library, error);
}
