/* Bytes are compared with what is on the disk before they are written. So make and git see only
 * real changes, and a file that a power cut has damaged is different and is written again. The
 * index, .index in the output folder, lists the paths that were written, one on a line. It is
 * written last. */
#include "emit.h"
#include "common/base/files.h"
#include "common/base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define INDEX ".index"

enum { LARGEST_OUTPUT = 16 << 20 };

/* --- the index --- */

/* Whether a path leads to a file below the folder. The index may have been edited. */
static bool stays_below(const char *path)
{
    if (!*path || *path == '/')
        return false;
    for (const char *part = path; part; part = strchr(part, '/') ? strchr(part, '/') + 1 : NULL)
        if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || !part[2]))
            return false;
    return true;
}

/* Visits each path that an earlier run has written, and this one does not. */
typedef enum status left_over(const char *folder, const char *path, void *context,
                              struct error *error);

static enum status each_left_over(const char *folder, const struct artifacts *artifacts,
                                  const char *only, struct text *keep, left_over *visit,
                                  void *context, struct error *error)
{
    struct text index = {0};
    struct error none = {0};
    owned char *path = path_join(folder, INDEX);
    enum status status = FINE;
    if (path_exists(path) && read_file(path, LARGEST_OUTPUT, &index, &none) == FINE) {
        char *rest = NULL;
        for (char *line = strtok_r(index.at, "\n", &rest); line && !status;
             line = strtok_r(NULL, "\n", &rest)) {
            if (!stays_below(line) || artifacts_find(artifacts, line))
                continue;
            if (only && !begins_with(line, only))
                text_add_format(keep, "%s\n", line);
            else
                status = visit(folder, line, context, error);
        }
    }
    error_free(&none);
    text_free(&index);
    return status;
}

static enum status remove_left_over(const char *folder, const char *path, void *context,
                                    struct error *error)
{
    struct emit_report *report = context;
    owned char *whole = path_join(folder, path);
    if (!path_exists(whole))
        return FINE;
    if (unlink(whole) && errno != ENOENT)
        return fail_errno(error, "cannot remove %s", whole);
    report->removed++;
    owned char *above = path_folder(whole);
    while (strlen(above) > strlen(folder)) { /* the folders above it may be empty now */
        remove_empty_folder(above);
        char *higher = path_folder(above);
        free(above);
        above = higher;
    }
    return FINE;
}

static enum status count_left_over(const char *folder, const char *path, void *context,
                                   struct error *error)
{
    struct emit_report *report = context;
    owned char *whole = path_join(folder, path);
    (void)error;
    report->removed += path_exists(whole);
    return FINE;
}

/* --- writing --- */

static bool same_bytes(const char *path, const struct text *bytes)
{
    struct text there = {0};
    struct error none = {0};
    bool same = read_file(path, LARGEST_OUTPUT, &there, &none) == FINE &&
                there.length == bytes->length &&
                memcmp(text_string(&there), text_string(bytes), there.length) == 0;
    error_free(&none);
    text_free(&there);
    return same;
}

static enum status stage_changed(const char *folder, const char *path, const struct text *bytes,
                                 bool dry_run, struct batch *batch, struct emit_report *report,
                                 struct error *error)
{
    owned char *whole = path_join(folder, path);
    if (same_bytes(whole, bytes)) {
        report->unchanged++;
        return FINE;
    }
    report->written++;
    if (dry_run)
        return FINE;
    owned char *above = path_folder(whole);
    enum status status = is_folder(above) ? FINE : make_folders(above, FOLDER_PUBLIC, error);
    if (status)
        return status;
    return batch_write(batch, whole, text_string(bytes), bytes->length, FILE_PUBLIC, error);
}

/* Removes the temporary files that a killed run left in the folders that are written now. Paths are
 * sorted, so each folder is looked at once. A killed run also left files that differ, so this is
 * not called when no file differs. */
static void clear_up(const char *folder, const struct artifacts *artifacts)
{
    owned char *last = must_copy(folder);
    remove_dead_temporaries(folder);
    for (size_t i = 0; i < artifacts->count; i++) {
        owned char *path = path_join(folder, artifacts->at[i].path);
        char *above = path_folder(path);
        if (strcmp(above, last) != 0)
            remove_dead_temporaries(above);
        free(last);
        last = above;
    }
}

/* Sorts the lines, so that the index does not depend on which sets were written last. */
static void sort_lines(struct text *lines)
{
    struct artifacts sorted = {0};
    char *rest = NULL;
    if (!lines->length)
        return;
    for (char *line = strtok_r(lines->at, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        struct text none = {0};
        artifacts_put(&sorted, line, &none);
    }
    artifacts_sort(&sorted);
    text_clear(lines);
    for (size_t i = 0; i < sorted.count; i++)
        text_add_format(lines, "%s\n", sorted.at[i].path);
    artifacts_free(&sorted);
}

enum status emit_write(const char *folder, const struct artifacts *artifacts, const char *only,
                       bool dry_run, struct emit_report *report, struct error *error)
{
    /* Nothing waits for the disk: what is lost in a power cut is made again by the next run. */
    struct batch batch = {.relaxed = true};
    struct text index = {0};
    struct emit_report ignored = {0};
    enum status status = FINE;
    for (size_t i = 0; i < artifacts->count && !status; i++)
        status = stage_changed(folder, artifacts->at[i].path, &artifacts->at[i].bytes, dry_run,
                               &batch, report, error);
    if (!status)
        status = each_left_over(folder, artifacts, only, &index,
                                dry_run ? count_left_over : remove_left_over, report, error);
    for (size_t i = 0; i < artifacts->count; i++)
        text_add_format(&index, "%s\n", artifacts->at[i].path);
    sort_lines(&index);
    if (!status)
        status = stage_changed(folder, INDEX, &index, dry_run, &batch, &ignored, error);
    if (batch.count)
        clear_up(folder, artifacts);
    if (!status)
        status = batch_commit(&batch, error);
    batch_drop(&batch);
    text_free(&index);
    return status;
}

/* --- differences --- */

/* In the child: runs diff(1). The new bytes are its standard input. */
static _Noreturn void become_diff(const char *old_path, const char *label, int new_side, int output)
{
    owned char *old_label = must_format("a/%s", label), *new_label = must_format("b/%s", label);
    const char *arguments[] = {"diff",    "-u", "--label", old_label, "--label",
                               new_label, "--", old_path,  "-",       NULL};
    dup2(new_side, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    execvp("diff", (char *const *)arguments);
    _exit(127);
}

/* Exit code 1 of diff(1) means "they differ". */
static enum status run_diff(const char *old_path, const char *label, const struct text *bytes,
                            struct text *out, struct error *error)
{
    int ends[2] = {-1, -1}, result = 0;
    int new_side = memfd_create("new", MFD_CLOEXEC);
    pid_t child = -1;
    if (new_side >= 0 &&
        write(new_side, text_string(bytes), bytes->length) == (ssize_t)bytes->length &&
        lseek(new_side, 0, SEEK_SET) == 0 && pipe2(ends, O_CLOEXEC) == 0)
        child = fork();
    if (child == 0)
        become_diff(old_path, label, new_side, ends[1]);
    if (ends[1] >= 0)
        close(ends[1]);
    char block[4096];
    for (ssize_t got; child > 0 && (got = read(ends[0], block, sizeof block)) > 0;)
        text_add(out, block, (size_t)got);
    if (ends[0] >= 0)
        close(ends[0]);
    if (new_side >= 0)
        close(new_side);
    if (child < 0 || waitpid(child, &result, 0) < 0 || !WIFEXITED(result) ||
        WEXITSTATUS(result) > 1)
        return fail(error, REFUSED, "cannot run diff: is diffutils installed?");
    return FINE;
}

struct diff_context {
    struct text *out;
};

static enum status diff_left_over(const char *folder, const char *path, void *context,
                                  struct error *error)
{
    struct diff_context *diff = context;
    struct text nothing = {0};
    owned char *whole = path_join(folder, path);
    return path_exists(whole) ? run_diff(whole, whole, &nothing, diff->out, error) : FINE;
}

enum status emit_diff(const char *folder, const struct artifacts *artifacts, const char *only,
                      struct text *out, struct error *error)
{
    struct diff_context diff = {out};
    struct text keep = {0};
    enum status status = FINE;
    for (size_t i = 0; i < artifacts->count && !status; i++) {
        owned char *whole = path_join(folder, artifacts->at[i].path);
        if (!same_bytes(whole, &artifacts->at[i].bytes))
            status = run_diff(path_exists(whole) ? whole : "/dev/null", whole,
                              &artifacts->at[i].bytes, out, error);
    }
    if (!status)
        status = each_left_over(folder, artifacts, only, &keep, diff_left_over, &diff, error);
    text_free(&keep);
    return status;
}
