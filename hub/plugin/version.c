#include "version.h"

#include <sys/stat.h>

struct version version_of(const char *path)
{
    struct stat facts;
    if (stat(path, &facts))
        return (struct version){0};
    return (struct version){true, facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtim};
}

bool version_same(const struct version *one, const struct version *other)
{
    return one->there == other->there && one->device == other->device &&
           one->inode == other->inode && one->size == other->size &&
           one->changed.tv_sec == other->changed.tv_sec &&
           one->changed.tv_nsec == other->changed.tv_nsec;
}
