#include "programs.h"
#include "common/base/files.h"
#include "common/base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *own_folder(void)
{
    char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length <= 0)
        return must_copy(".");
    path[length] = '\0';
    return path_folder(path);
}

static char *runnable(const char *folder, const char *name)
{
    char *path = path_join(folder, name);
    if (access(path, X_OK) == 0 && !is_folder(path))
        return path;
    free(path);
    return NULL;
}

/* Debian's mosquitto is in /usr/sbin, which is not on the PATH of every user. */
char *programs_path(const char *name)
{
    const char *path = getenv("PATH");
    owned char *own = own_folder();
    owned char *folders = must_format("%s:%s:/usr/local/sbin:/usr/sbin", own, path ? path : "");
    char *found = NULL, *rest = NULL;
    for (const char *folder = strtok_r(folders, ":", &rest); folder && !found;
         folder = strtok_r(NULL, ":", &rest))
        found = runnable(folder, name);
    return found;
}

/* In the repository: build/lib beside build/bin. Installed: lib/sensorforge beside bin. */
char *programs_plugin(void)
{
    static const char *const places[] = {"../lib/sensorforge_broker.so",
                                         "../lib/sensorforge/sensorforge_broker.so"};
    owned char *own = own_folder();
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        owned char *path = path_join(own, places[i]);
        char *whole = realpath(path, NULL);
        if (whole)
            return whole;
    }
    return NULL;
}
