/* The functions of libcurl that the rooms call; library.h says why they are pointers. */
#ifndef AWS_LIBCURL_H
#define AWS_LIBCURL_H

#include "common/base/library.h"

#include <curl/curl.h>

#define LIBCURL_FUNCTIONS(DO)                                                                      \
    DO(curl_, easy_cleanup)                                                                        \
    DO(curl_, easy_getinfo)                                                                        \
    DO(curl_, easy_init)                                                                           \
    DO(curl_, easy_perform)                                                                        \
    DO(curl_, easy_reset)                                                                          \
    DO(curl_, easy_setopt)                                                                         \
    DO(curl_, easy_strerror)                                                                       \
    DO(curl_, free)                                                                                \
    DO(curl_, getdate)                                                                             \
    DO(curl_, global_init)                                                                         \
    DO(curl_, multi_add_handle)                                                                    \
    DO(curl_, multi_cleanup)                                                                       \
    DO(curl_, multi_info_read)                                                                     \
    DO(curl_, multi_init)                                                                          \
    DO(curl_, multi_perform)                                                                       \
    DO(curl_, multi_poll)                                                                          \
    DO(curl_, multi_remove_handle)                                                                 \
    DO(curl_, multi_setopt)                                                                        \
    DO(curl_, slist_append)                                                                        \
    DO(curl_, slist_free_all)                                                                      \
    DO(curl_, url)                                                                                 \
    DO(curl_, url_cleanup)                                                                         \
    DO(curl_, url_get)                                                                             \
    DO(curl_, url_set)

struct libcurl {
    LIBCURL_FUNCTIONS(LIBRARY_POINTER)
};

/* Valid after libcurl_load() was FINE. */
extern struct libcurl curl;

/* Loads libcurl and initializes it (curl_global_init); see library_load(). */
enum status libcurl_load(struct error *error);

#endif
