#include "libpq.h"

struct libpq pq;

static const char *const names[] = {LIBPQ_FUNCTIONS(LIBRARY_NAME)};
static struct library library = {.file = "libpq.so.5",
                                 .package = "libpq5",
                                 .names = names,
                                 .count = sizeof names / sizeof *names,
                                 .pointers = &pq};
_Static_assert(sizeof pq == sizeof names, "a pointer for each name");

enum status libpq_load(struct error *error)
{
    return library_load(&library, error);
}
