#include "files.h"
#include "memory.h"
#include "owner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Beyond this many files in a batch, one syncfs() is cheaper than an fsync() for each. Not far
 * below: a syncfs() also waits for what other programs have written. */
enum { FEW_FILES = 32 };

#define TEMPORARY_PREFIX ".sf-"

struct staged {
    char *path;      /* where it belongs */
    char *temporary; /* where it is until then; NULL: it is there already */
    bool folder;     /* temporary is a folder, which may take the place of another */
    int descriptor;  /* open until flushed; -1 when the batch is long or relaxed, or for a folder */
};

struct file_system {
    dev_t device;
    int descriptor; /* of a folder on it */
};

/* --- paths --- */

char *path_join(const char *folder, const char *name)
{
    if (!*folder || strcmp(folder, ".") == 0)
        return must_copy(name);
    return must_format("%s%s%s", folder, ends_with(folder, "/") ? "" : "/", name);
}

char *path_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return must_copy(".");
    return slash == path ? must_copy("/") : must_copy_bytes(path, (size_t)(slash - path));
}

bool path_exists(const char *path)
{
    /* Without permission to look, the path counts as existing: opening it then reports the real
     * reason. */
    return access(path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

bool is_folder(const char *path)
{
    struct stat facts;
    return stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
}

/* --- reading --- */

static enum status open_regular(const char *path, size_t limit, int *descriptor, size_t *size,
                                struct error *error)
{
    struct stat facts;
    /* NONBLOCK: a pipe by that name must not make us wait for its writer. */
    *descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (*descriptor < 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            return fail(error, WRONG_INPUT, "%s: no such file", path);
        return fail_path(error, "cannot read", path);
    }
    enum status status = FINE;
    if (fstat(*descriptor, &facts))
        status = fail_path(error, "cannot read", path);
    else if (!S_ISREG(facts.st_mode))
        status = fail(error, WRONG_INPUT, "%s is not a regular file", path);
    else if ((unsigned long long)facts.st_size > limit)
        status = fail(error, WRONG_INPUT, "%s has %lld bytes; at most %zu are read", path,
                      (long long)facts.st_size, limit);
    if (status) {
        close(*descriptor);
        *descriptor = -1;
        return status;
    }
    *size = (size_t)facts.st_size;
    return FINE;
}

/* Reads at most room bytes; the file may have shrunk or grown since it was measured. */
static enum status read_bytes(int descriptor, const char *path, char *bytes, size_t room,
                              size_t *length, struct error *error)
{
    *length = 0;
    while (*length < room) {
        ssize_t got = read(descriptor, bytes + *length, room - *length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail_path(error, "cannot read", path);
        if (got == 0)
            break;
        *length += (size_t)got;
    }
    return FINE;
}

enum status read_file(const char *path, size_t limit, struct text *out, struct error *error)
{
    int descriptor;
    size_t size = 0, length;
    enum status status = open_regular(path, limit, &descriptor, &size, error);
    if (status)
        return status;
    text_reserve(out, out->length + size + 1);
    status = read_bytes(descriptor, path, out->at + out->length, size, &length, error);
    out->length += length;
    out->at[out->length] = '\0';
    close(descriptor);
    return status;
}

enum status read_secret(const char *path, size_t limit, struct secret *out, struct error *error)
{
    struct text bytes = {0};
    enum status status = read_file(path, limit, &bytes, error);
    if (!status)
        *out = secret_copy(text_string(&bytes), bytes.length);
    text_wipe(&bytes);
    return status;
}

/* --- folders --- */

enum status make_folders(const char *path, mode_t mode, struct error *error)
{
    /* Mostly only the last folder is missing. */
    if (mkdir(path, mode) == 0 || (errno == EEXIST && is_folder(path)))
        return FINE;
    owned char *prefix = must_copy(path);
    for (char *c = prefix + 1;; c++) {
        if (*c && *c != '/')
            continue;
        char end = *c;
        *c = '\0';
        if (mkdir(prefix, mode) && errno != EEXIST)
            return fail_path(error, "cannot make the folder", prefix);
        if (!end)
            break;
        *c = end;
    }
    if (!is_folder(path))
        return fail(error, REFUSED, "%s is in the way: it is not a folder", path);
    return FINE;
}

enum status sync_folder(const char *path, struct error *error)
{
    int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0)
        return fail_path(error, "cannot open the folder", path);
    enum status status = FINE;
    /* Some file systems have nothing to flush for a folder, and say EINVAL. */
    if (fsync(descriptor) && errno != EINVAL)
        status = fail_path(error, "cannot flush the folder", path);
    close(descriptor);
    return status;
}

static enum status remove_at(int folder, const char *name, const char *path, struct error *error)
{
    if (unlinkat(folder, name, 0) == 0 || errno == ENOENT)
        return FINE;
    if (errno != EISDIR && errno != EPERM)
        return fail_path(error, "cannot remove", path);
    int inner = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *listing = inner < 0 ? NULL : fdopendir(inner);
    if (!listing) {
        enum status status = fail_path(error, "cannot remove", path);
        if (inner >= 0)
            close(inner);
        return status;
    }
    enum status status = FINE;
    for (struct dirent *entry; !status && (entry = readdir(listing));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        owned char *below = path_join(path, entry->d_name);
        status = remove_at(dirfd(listing), entry->d_name, below, error);
    }
    closedir(listing);
    if (!status && unlinkat(folder, name, AT_REMOVEDIR) && errno != ENOENT)
        status = fail_path(error, "cannot remove", path);
    return status;
}

enum status remove_tree(const char *path, struct error *error)
{
    return remove_at(AT_FDCWD, path, path, error);
}

/* The process that made a temporary file is in its name. */
static bool maker_is_dead(const char *name)
{
    long maker = atol(name + strlen(TEMPORARY_PREFIX));
    return maker > 0 && kill((pid_t)maker, 0) && errno == ESRCH;
}

static void remove_left(const char *folder, bool dead_only)
{
    DIR *listing = opendir(folder);
    for (struct dirent *entry; listing && (entry = readdir(listing));)
        if (begins_with(entry->d_name, TEMPORARY_PREFIX) &&
            (!dead_only || maker_is_dead(entry->d_name)))
            unlinkat(dirfd(listing), entry->d_name, 0);
    if (listing)
        closedir(listing);
}

void remove_temporaries(const char *folder)
{
    remove_left(folder, false);
}

void remove_dead_temporaries(const char *folder)
{
    remove_left(folder, true);
}

void remove_empty_folder(const char *path)
{
    rmdir(path);
}

/* --- writing --- */

/* A name that no other process has: its number, and a count within it. */
static char *temporary_name(const char *path)
{
    static unsigned long count;
    owned char *folder = path_folder(path);
    owned char *name = must_format(TEMPORARY_PREFIX "%ld-%lu", (long)getpid(), count++);
    return path_join(folder, name);
}

static enum status write_bytes(int descriptor, const char *path, const char *bytes, size_t length,
                               struct error *error)
{
    while (length) {
        ssize_t put = write(descriptor, bytes, length);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return fail_path(error, "cannot write", path);
        bytes += put;
        length -= (size_t)put;
    }
    return FINE;
}

static void staged_free(struct staged *step)
{
    if (step->descriptor >= 0)
        close(step->descriptor);
    free(step->path);
    free(step->temporary);
}

static void stage(struct batch *batch, struct staged step)
{
    batch->steps = must_grow(batch->steps, batch->count, &batch->room, sizeof *batch->steps);
    batch->steps[batch->count++] = step;
}

/* EXCL: a left-over of a dead process with our number is removed, never written through. */
static int create_file(const char *path, mode_t mode)
{
    enum { FLAGS = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC };
    int descriptor = open(path, FLAGS, mode);
    if (descriptor < 0 && errno == EEXIST && unlink(path) == 0)
        descriptor = open(path, FLAGS, mode);
    return descriptor;
}

/* syncfs() reports only errors that are newer than its descriptor, so that is opened with the first
 * file that is written. Almost always there is one file system; a folder may be a link to another.
 */
static enum status hold_file_system(struct batch *batch, const struct staged *step,
                                    struct error *error)
{
    struct stat facts;
    if (fstat(step->descriptor, &facts))
        return fail_path(error, "cannot write", step->path);
    for (size_t i = 0; i < batch->system_count; i++)
        if (batch->systems[i].device == facts.st_dev)
            return FINE;
    owned char *folder = path_folder(step->path);
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0)
        return fail_path(error, "cannot open the folder", folder);
    batch->systems =
        must_grow(batch->systems, batch->system_count, &batch->system_room, sizeof *batch->systems);
    batch->systems[batch->system_count++] = (struct file_system){facts.st_dev, descriptor};
    return FINE;
}

static enum status stage_file(struct batch *batch, struct staged step, const void *bytes,
                              size_t length, mode_t mode, struct error *error)
{
    const char *written = step.temporary ? step.temporary : step.path;
    enum status status = FINE;
    step.descriptor = create_file(written, mode);
    if (step.descriptor < 0) {
        status = fail_path(error, "cannot write", step.path);
    } else {
        if (!batch->relaxed)
            status = hold_file_system(batch, &step, error);
        if (!status)
            status = write_bytes(step.descriptor, step.path, bytes, length, error);
        if (!status && (batch->relaxed || batch->unflushed >= FEW_FILES)) {
            if (close(step.descriptor))
                status = fail_path(error, "cannot write", step.path);
            step.descriptor = -1;
        }
        if (status)
            unlink(written);
    }
    if (status) {
        staged_free(&step);
        return status;
    }
    batch->unflushed++;
    stage(batch, step);
    return FINE;
}

enum status batch_write(struct batch *batch, const char *path, const void *bytes, size_t length,
                        mode_t mode, struct error *error)
{
    struct staged step = {.path = must_copy(path), .temporary = temporary_name(path)};
    return stage_file(batch, step, bytes, length, mode, error);
}

enum status batch_write_new(struct batch *batch, const char *path, const void *bytes, size_t length,
                            mode_t mode, struct error *error)
{
    return stage_file(batch, (struct staged){.path = must_copy(path)}, bytes, length, mode, error);
}

void batch_replace_folder(struct batch *batch, const char *from, const char *to)
{
    stage(batch, (struct staged){must_copy(to), must_copy(from), true, -1});
}

static enum status flush_file_systems(const struct batch *batch, struct error *error)
{
    for (size_t i = 0; i < batch->system_count; i++)
        if (syncfs(batch->systems[i].descriptor))
            return fail_errno(error, "cannot flush what was written to the disk");
    return FINE;
}

/* Flushes the folder of each step, and the one above it, which may have got the folder; each once
 * where the steps of a folder stand together as they do as a rule. fresh: only files under their
 * own names, whose folder is about to be renamed. */
static enum status flush_each_folder(const struct batch *batch, bool fresh, struct error *error)
{
    owned char *last = NULL;
    for (size_t i = 0; i < batch->count; i++) {
        const struct staged *step = &batch->steps[i];
        if (fresh && (step->temporary || step->folder))
            continue;
        char *folder = path_folder(step->path);
        owned char *above = path_folder(folder);
        enum status status = FINE;
        if ((!last || strcmp(last, folder) != 0) && is_folder(folder)) {
            status = sync_folder(folder, error);
            if (!status && !fresh)
                status = sync_folder(above, error);
        }
        free(last);
        last = folder;
        if (status)
            return status;
    }
    return FINE;
}

static enum status flush_files(struct batch *batch, struct error *error)
{
    enum status status = FINE;
    bool many = batch->unflushed > FEW_FILES;
    for (size_t i = 0; i < batch->count && !status; i++) {
        struct staged *step = &batch->steps[i];
        if (step->descriptor < 0)
            continue;
        if (!many && fsync(step->descriptor))
            status = fail_path(error, "cannot write", step->path);
        if (close(step->descriptor) && !status)
            status = fail_path(error, "cannot write", step->path);
        step->descriptor = -1;
    }
    if (status)
        return status;
    return many ? flush_file_systems(batch, error) : flush_each_folder(batch, true, error);
}

static enum status flush_folders(const struct batch *batch, struct error *error)
{
    if (batch->unflushed > FEW_FILES)
        return flush_file_systems(batch, error);
    return flush_each_folder(batch, false, error);
}

/* A folder can take another's place only by changing places with it; the old one is removed then.
 */
static enum status replace_folder(const struct staged *step, struct error *error)
{
    if (rename(step->temporary, step->path) == 0)
        return FINE;
    if (errno != ENOTEMPTY && errno != EEXIST)
        return fail_path(error, "cannot write", step->path);
    if (renameat2(AT_FDCWD, step->temporary, AT_FDCWD, step->path, RENAME_EXCHANGE))
        return fail_path(error, "cannot replace", step->path);
    fault_point("replaced");
    return remove_tree(step->temporary, error);
}

static enum status take_step(struct staged *step, struct error *error)
{
    enum status status = FINE;
    fault_point("rename");
    if (step->folder)
        status = replace_folder(step, error);
    else if (rename(step->temporary, step->path))
        status = fail_path(error, "cannot write", step->path);
    if (!status) {
        free(step->temporary);
        step->temporary = NULL;
    }
    return status;
}

enum status batch_commit(struct batch *batch, struct error *error)
{
    enum status status = FINE;
    if (!batch->relaxed)
        status = flush_files(batch, error);
    for (size_t i = 0; i < batch->count && !status; i++)
        if (batch->steps[i].temporary)
            status = take_step(&batch->steps[i], error);
    if (!status && !batch->relaxed)
        status = flush_folders(batch, error);
    batch_drop(batch);
    return status;
}

void batch_drop(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct staged *step = &batch->steps[i];
        if (step->temporary && !step->folder)
            unlink(step->temporary);
        staged_free(step);
    }
    for (size_t i = 0; i < batch->system_count; i++)
        close(batch->systems[i].descriptor);
    free(batch->systems);
    free(batch->steps);
    *batch = (struct batch){.relaxed = batch->relaxed};
}

enum status write_file(const char *path, const void *bytes, size_t length, mode_t mode,
                       struct error *error)
{
    struct batch batch = {0};
    enum status status = batch_write(&batch, path, bytes, length, mode, error);
    if (!status)
        status = batch_commit(&batch, error);
    batch_drop(&batch);
    return status;
}

/* --- locks --- */

static bool same_folder(int descriptor, const char *path)
{
    struct stat held, named;
    return fstat(descriptor, &held) == 0 && stat(path, &named) == 0 &&
           held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}

enum status lock_folder(const char *path, bool wait, int *lock, struct error *error)
{
    *lock = -1;
    for (;;) {
        int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (descriptor < 0)
            return fail_path(error, "cannot open the folder", path);
        int refused;
        do
            refused = flock(descriptor, LOCK_EX | (wait ? 0 : LOCK_NB));
        while (refused && errno == EINTR);
        if (!refused && same_folder(descriptor, path)) {
            *lock = descriptor;
            return FINE;
        }
        enum status status = FINE;
        if (refused && errno == EWOULDBLOCK)
            status = fail(error, REFUSED, "%s is locked by another command", path);
        else if (refused)
            status = fail_path(error, "cannot lock", path);
        close(descriptor);
        if (status)
            return status;
    }
}

void unlock(int *lock)
{
    if (*lock >= 0)
        close(*lock);
    *lock = -1;
}

/* --- faults --- */

void fault_point(const char *name)
{
    static long passed;
    const char *wanted = getenv("SENSORFORGE_FAULT");
    size_t length = strlen(name);
    if (!wanted || strncmp(wanted, name, length) != 0)
        return;
    if (wanted[length] == ':' ? ++passed == atol(wanted + length + 1) : !wanted[length])
        kill(getpid(), SIGKILL);
}
