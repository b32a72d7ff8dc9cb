/* Files, written whole or not at all.
 *
 * A file is written under a temporary name in its own folder, flushed to the disk, and renamed over
 * the old one: whoever reads it sees the old bytes or the new, never half of either, whatever is
 * killed when. Temporary names begin with ".sf-" and may be removed by anyone who holds the
 * folder's lock. Paths are relative to the working directory unless they begin with "/". */
#ifndef COMMON_BASE_FILES_H
#define COMMON_BASE_FILES_H

#include "error.h"
#include "secret.h"
#include "text.h"

#include <stdbool.h>
#include <sys/types.h>

enum { FILE_PUBLIC = 0644, FILE_SECRET = 0600, FOLDER_PUBLIC = 0755, FOLDER_SECRET = 0700 };

/* "folder/name", freed by the caller. */
char *path_join(const char *folder, const char *name);

/* What stands before the last "/" ("." when there is none), freed by the caller. */
char *path_folder(const char *path);

/* Whether there is a file or folder of any kind. A dangling link does not count; a path that this
 * user may not look at does. */
bool path_exists(const char *path);
bool is_folder(const char *path);

/* Reads a whole regular file of at most limit bytes to the end of out. A file that does not exist,
 * is no regular file or is larger: WRONG_INPUT; one that cannot be read: REFUSED. */
enum status read_file(const char *path, size_t limit, struct text *out, struct error *error);

/* As read_file(), into a secret. */
enum status read_secret(const char *path, size_t limit, struct secret *out, struct error *error);

/* Makes the folder and those above it that are missing; an existing one is left as it is. */
enum status make_folders(const char *path, mode_t mode, struct error *error);

/* Writes a file whole or not at all: temporary file, fsync, rename, fsync of the folder. */
enum status write_file(const char *path, const void *bytes, size_t length, mode_t mode,
                       struct error *error);

/* Removes a file, or a folder and all below it (links are removed, never followed). That it is not
 * there is success. */
enum status remove_tree(const char *path, struct error *error);

/* Removes from a folder the temporary files that killed commands left. The caller holds its lock.
 */
void remove_temporaries(const char *folder);

/* The same without a lock: only the temporary files of processes that have ended. */
void remove_dead_temporaries(const char *folder);

/* Removes a folder if it is empty. It is no error if it is not. */
void remove_empty_folder(const char *path);

/* Flushes a folder's entries (names made, renamed, removed in it) to the disk. */
enum status sync_folder(const char *path, struct error *error);

/* Many files at once, for the price of few flushes.
 *
 * Steps are staged, and happen at batch_commit(): first all bytes are flushed to the disk, then the
 * renames are done in the order in which they were staged, then the folders are flushed. So the
 * last step staged is the one that says that all is there. Where there are many files, one flush of
 * the whole file system (syncfs) takes the place of one for each. A batch that is dropped before
 * its commit removes its temporary files; what was written into a new folder stays for whoever made
 * the folder. */
struct batch {
    struct staged *steps;
    size_t count, room;
    size_t unflushed;            /* files written */
    struct file_system *systems; /* that they are on, each held open since before its first write */
    size_t system_count, system_room;
    bool relaxed; /* no flushing at all: for what can be made again from what is on disk */
};

/* Writes a file under a temporary name, to be renamed to path. */
enum status batch_write(struct batch *batch, const char *path, const void *bytes, size_t length,
                        mode_t mode, struct error *error);

/* Writes a file that nobody looks at yet, under its own name in a folder that is being made. */
enum status batch_write_new(struct batch *batch, const char *path, const void *bytes, size_t length,
                            mode_t mode, struct error *error);

/* Puts the folder `from` in the place of `to`; what was there (a folder or nothing) is removed. */
void batch_replace_folder(struct batch *batch, const char *from, const char *to);

/* batch_commit() makes the steps happen. After a failure some of the renames may have happened.
 * batch_drop() removes the temporary files of a batch that is not to be committed. Both leave an
 * empty batch, which may be used again. */
enum status batch_commit(struct batch *batch, struct error *error);
void batch_drop(struct batch *batch);

/* Locks a folder for this process (flock on the folder itself: no lock file is left behind, and the
 * kernel frees it when the process dies). *lock is a descriptor that the caller closes with
 * unlock(). Locked by another process: REFUSED at once when wait is false. A folder that was
 * removed and made again while we waited is locked in its new form. */
enum status lock_folder(const char *path, bool wait, int *lock, struct error *error);
void unlock(int *lock); /* closes; -1 is fine */

/* A place where tests kill the program: when SENSORFORGE_FAULT is this name (or "name:N", at the
 * N-th time), the process gets SIGKILL here, as if the power had gone. */
void fault_point(const char *name);

#endif
