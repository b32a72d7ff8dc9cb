/* A list of names. */
#ifndef COMMON_BASE_NAMES_H
#define COMMON_BASE_NAMES_H

#include <stdbool.h>
#include <stddef.h>

struct names {
    const char **at; /* count copies, owned by the list */
    size_t count, room;
};

/* Appends a copy. */
void names_append(struct names *names, const char *name);

/* Sorts the names by their bytes. */
void names_sort(struct names *names);

/* The sorted names of the folders in folder that hold a file called file (".": of all folders), but
 * for hidden ones; empty when folder cannot be read. The caller frees it with names_free(). */
struct names *names_of_folders(const char *folder, const char *file);

/* Whether a sorted list has that name. */
bool names_have(const struct names *names, const char *name);

/* Frees the names and the list, which was made by malloc; NULL is fine. */
void names_free(struct names *names);

#endif
