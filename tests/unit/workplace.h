/* What unit tests share: the repository's root, a folder of their own to work in, files there.
 *
 * A test program that works in a folder calls go_to_workplace() in its set-up and
 * leave_workplace() in its tear-down; from_root() names a file of the repository from there. */
#ifndef TESTS_UNIT_WORKPLACE_H
#define TESTS_UNIT_WORKPLACE_H

#include "common/base/error.h"
#include "common/base/files.h"
#include "common/base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define MAYBE_UNUSED __attribute__((unused))

static char *root_folder, *workplace;
static struct error error; /* of the call under test */

/* SENSORFORGE_SOURCE, or the folder in which the program was started. */
MAYBE_UNUSED static char *from_root(const char *path)
{
    if (!root_folder) {
        const char *source = getenv("SENSORFORGE_SOURCE");
        root_folder = source ? must_copy(source) : getcwd(NULL, 0);
    }
    return must_format("%s/%s", root_folder, path);
}

MAYBE_UNUSED static int go_to_workplace(void **state)
{
    (void)state;
    owned char *mark = from_root("schemas/system.schema.json");
    if (!path_exists(mark)) {
        print_error("run from the root of the repository, or set SENSORFORGE_SOURCE\n");
        return -1;
    }
    workplace = must_copy("/tmp/sensorforge-unit-XXXXXX");
    return !mkdtemp(workplace) || chdir(workplace);
}

MAYBE_UNUSED static int leave_workplace(void **state)
{
    (void)state;
    int failed = chdir("/") || remove_tree(workplace, &error);
    free(workplace);
    free(root_folder);
    root_folder = workplace = NULL;
    error_free(&error);
    return failed;
}

/* As set-up of a test: the workplace is empty. */
MAYBE_UNUSED static int clear_workplace(void **state)
{
    (void)state;
    return chdir("/") || remove_tree(workplace, &error) || mkdir(workplace, 0700) ||
           chdir(workplace);
}

MAYBE_UNUSED static void put_bytes(const char *path, const void *bytes, size_t length)
{
    owned char *folder = path_folder(path);
    assert_int_equal(make_folders(folder, FOLDER_PUBLIC, &error), FINE);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

MAYBE_UNUSED static void put(const char *path, const char *content)
{
    put_bytes(path, content, strlen(content));
}

/* The whole file, freed by the caller; the test fails when there is none. */
MAYBE_UNUSED static char *get(const char *path)
{
    struct text content = {0};
    struct error unread = {0};
    if (read_file(path, 1 << 24, &content, &unread))
        fail_msg("%s", text_string(&unread.message));
    return text_take(&content);
}

MAYBE_UNUSED static void assert_file(const char *path, const char *content)
{
    owned char *found = get(path);
    assert_string_equal(found, content);
}

MAYBE_UNUSED static mode_t mode_of(const char *path)
{
    struct stat facts;
    assert_int_equal(lstat(path, &facts), 0);
    return facts.st_mode & 07777;
}

/* The call failed so, and said so. */
MAYBE_UNUSED static void assert_failed(enum status status, enum status wanted, const char *message)
{
    assert_int_equal(status, wanted);
    assert_int_equal(error.status, wanted);
    assert_string_equal(text_string(&error.message), message);
}

MAYBE_UNUSED static void assert_fine(enum status status)
{
    if (status)
        fail_msg("unexpected: %s", text_string(&error.message));
}

#endif
