/* By which a file that was replaced or changed is recognized, without reading it. */
#ifndef HUB_PLUGIN_VERSION_H
#define HUB_PLUGIN_VERSION_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

struct version {
    bool there;
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed;
};

/* {0} where there is no such file. One system call. */
struct version version_of(const char *path);
bool version_same(const struct version *one, const struct version *other);

#endif
