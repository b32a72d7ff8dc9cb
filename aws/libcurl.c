#include "libcurl.h"

struct libcurl curl;

static const char *const names[] = {LIBCURL_FUNCTIONS(LIBRARY_NAME)};
static bool initialize(void)
{
    return curl.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

static struct library library = {.file = "libcurl.so.4",
                                 .package = "libcurl4",
                                 .names = names,
                                 .count = sizeof names / sizeof *names,
                                 .pointers = &curl,
                                 .initialize = initialize};
_Static_assert(sizeof curl == sizeof names, "a pointer for each name");

enum status libcurl_load(struct error *error)
{
    return library_load(&library, error);
}
