/* Shared libraries that are loaded when they are first used.
 *
 * The dynamic linker loads every library that a program is linked with before main() begins.
 * libcurl and the 30 libraries below it take 4 ms, more than most commands take altogether, and
 * only an exchange with AWS or a web server needs them; libpq takes as long. So the programs are
 * not linked with libcurl (aws/libcurl.h), libpq (store/libpq.h) and, but for sensorhub, which is a
 * client of the broker, libmosquitto (generator/local/libmosquitto.h). Each of these headers lists
 * the functions that are called, and declares a struct of pointers to them, with the types of the
 * library's own header. A room calls libcurl_load() before anything else, and then curl.easy_init()
 * instead of curl_easy_init().
 *
 * The version of a library's interface is part of its file name, so a library with another
 * interface is never taken. A library stays loaded until the program ends. */
#ifndef COMMON_BASE_LIBRARY_H
#define COMMON_BASE_LIBRARY_H

#include "error.h"

#include <stdbool.h>
#include <stddef.h>

struct library {
    const char *file;         /* "libcurl.so.4"; the dynamic linker searches for it */
    const char *package;      /* Debian's package that has the file, for the advice */
    const char *const *names; /* of the functions, with the library's prefix */
    size_t count;             /* of the names, and of the pointers */
    void *pointers;           /* a struct of function pointers, in the order of the names */
    bool (*initialize)(void); /* called once, when the pointers are valid; false when it failed; may
                                 be NULL */
    bool loaded;              /* and initialized */
};

/* Loads the library, sets the pointers, initializes; does nothing when that is done already.
 * REFUSED when the file or one of the functions is missing; the next call tries again. Threads may
 * call it at the same time. */
enum status library_load(struct library *library, struct error *error);

/* For lists of functions: the members of the struct, and the names in the same order. */
/* NOLINTNEXTLINE(bugprone-macro-parentheses): name is declared here, and (*(name)) would not name it */
#define LIBRARY_POINTER(prefix, name) __typeof__(prefix##name) *name;
#define LIBRARY_NAME(prefix, name) #prefix #name,

#endif
