#include "library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

static enum status find_functions(struct library *library, void *handle, struct error *error)
{
    char *pointer = library->pointers;
    for (size_t i = 0; i < library->count; i++, pointer += sizeof(void *)) {
        void *address = dlsym(handle, library->names[i]);
        if (!address) {
            fail(error, REFUSED, "%s has no function %s: it is older than it has to be",
                 library->file, library->names[i]);
            return advise(error, "install a newer version (Debian's package %s)", library->package);
        }
        memcpy(pointer, &address, sizeof address); /* C has no conversion to a function pointer */
    }
    if (library->initialize && !library->initialize())
        return fail(error, REFUSED, "%s cannot be initialized", library->file);
    library->loaded = true;
    return FINE;
}

static enum status load(struct library *library, struct error *error)
{
    void *handle = dlopen(library->file, RTLD_LAZY | RTLD_LOCAL);
    if (!handle) {
        fail(error, REFUSED, "cannot load a library: %s", dlerror());
        return advise(error, "make deps installs it (Debian's package %s)", library->package);
    }
    enum status status = find_functions(library, handle, error);
    if (status)
        dlclose(handle);
    return status;
}

enum status library_load(struct library *library, struct error *error)
{
    static pthread_mutex_t loading = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&loading);
    enum status status = library->loaded ? FINE : load(library, error);
    pthread_mutex_unlock(&loading);
    return status;
}
