#include "names.h"
#include "files.h"
#include "memory.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

void names_append(struct names *names, const char *name)
{
    names->at = must_grow(names->at, names->count, &names->room, sizeof *names->at);
    names->at[names->count++] = must_copy(name);
}

static int by_name(const void *one, const void *other)
{
    return strcmp(*(char *const *)one, *(char *const *)other);
}

void names_sort(struct names *names)
{
    if (names->count)
        qsort(names->at, names->count, sizeof *names->at, by_name);
}

struct names *names_of_folders(const char *folder, const char *file)
{
    struct names *names = must_alloc(sizeof *names);
    DIR *listing = opendir(folder);
    for (struct dirent *entry; listing && (entry = readdir(listing));) {
        if (entry->d_name[0] == '.')
            continue;
        owned char *path = must_format("%s/%s/%s", folder, entry->d_name, file);
        if (path_exists(path))
            names_append(names, entry->d_name);
    }
    if (listing)
        closedir(listing);
    if (names->count)
        qsort(names->at, names->count, sizeof *names->at, by_name);
    return names;
}

bool names_have(const struct names *names, const char *name)
{
    return names->count && bsearch(&name, names->at, names->count, sizeof *names->at, by_name);
}

void names_free(struct names *names)
{
    if (!names)
        return;
    for (size_t i = 0; i < names->count; i++)
        free((char *)names->at[i]);
    free(names->at);
    free(names);
}
