#include "owner.h"
#include "memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The name of a user, or his number where he has none. Freed by the caller. */
static char *user_name(uid_t user)
{
    const struct passwd *entry = getpwuid(user);
    return entry ? must_copy(entry->pw_name) : must_format("%u", (unsigned)user);
}

/* The folder that a file is in; freed by the caller. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return must_copy(".");
    return slash == path ? must_copy("/") : must_copy_bytes(path, (size_t)(slash - path));
}

static bool is_foreign(const char *path, struct stat *facts)
{
    return stat(path, facts) == 0 && facts->st_uid != geteuid();
}

static enum status advise_chown(struct error *error, const char *path, uid_t owner,
                                const char *whole)
{
    owned char *theirs = user_name(owner), *ours = user_name(geteuid());
    advise(error, "%s belongs to %s, and this is %s: did %s run a command in this project?", path,
           theirs, ours, theirs);
    return advise(error, "end what %s has running here, then: sudo chown -R %s %s", theirs, ours,
                  whole);
}

/* The path itself, or the nearest folder above it that can be looked at, where it is another's. */
void owner_advise(struct error *error, const char *path)
{
    owned char *at = must_copy(path);
    struct stat facts;
    while (stat(at, &facts) && strchr(at, '/') && strcmp(at, "/") != 0) {
        char *above = folder_of(at);
        free(at);
        at = above;
    }
    if (!is_foreign(at, &facts) || faccessat(AT_FDCWD, at, R_OK | W_OK, AT_EACCESS) == 0) {
        char *above = folder_of(at);
        free(at);
        at = above;
    }
    if (is_foreign(at, &facts))
        advise_chown(error, at, facts.st_uid, at);
}

enum status fail_path(struct error *error, const char *what, const char *path)
{
    const int number = errno;
    fail_errno(error, "%s %s", what, path);
    if (number == EACCES || number == EPERM)
        owner_advise(error, path);
    return REFUSED;
}

/* --- a folder --- */

enum { DEEPEST = 8 };

struct search {
    char *found; /* the first file that is another's; NULL: none */
    uid_t owner;
    size_t count;
};

static bool may_use(const char *path, bool folder)
{
    return faccessat(AT_FDCWD, path, R_OK | W_OK | (folder ? X_OK : 0), AT_EACCESS) == 0;
}

static void look(struct search *search, const char *path, int depth)
{
    struct stat facts;
    if (stat(path, &facts))
        return;
    const bool folder = S_ISDIR(facts.st_mode);
    if (facts.st_uid != geteuid() && !may_use(path, folder) && !search->count++) {
        search->found = must_copy(path);
        search->owner = facts.st_uid;
    }
    DIR *listing = folder && depth < DEEPEST ? opendir(path) : NULL;
    const struct dirent *entry;
    while (listing && (entry = readdir(listing))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            entry->d_type == DT_LNK)
            continue;
        owned char *below = must_format("%s/%s", path, entry->d_name);
        look(search, below, depth + 1);
    }
    if (listing)
        closedir(listing);
}

enum status owner_check(const char *folder, struct error *error)
{
    struct search search = {0};
    look(&search, folder, 0);
    if (!search.count)
        return FINE;
    if (search.count > 1)
        fail(error, REFUSED, "%s and %zu other files cannot be used", search.found,
             search.count - 1);
    else
        fail(error, REFUSED, "%s cannot be used", search.found);
    advise_chown(error, search.found, search.owner, folder);
    free(search.found);
    return REFUSED;
}

char *owner_of_project(void)
{
    struct stat facts;
    return is_foreign(".", &facts) ? user_name(facts.st_uid) : NULL;
}
