/* Files written whole or not at all, batches, folders replaced and removed, locks. */
#include "workplace.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static size_t entries_in(const char *folder)
{
    size_t count = 0;
    DIR *listing = opendir(folder);
    assert_non_null(listing);
    for (struct dirent *entry; (entry = readdir(listing));)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(listing);
    return count;
}

static void paths(void **state)
{
    (void)state;
    static const char *const joined[][3] = {{"a", "b", "a/b"}, {"a/", "b", "a/b"},
                                            {"/", "b", "/b"},  {".", "b", "b"},
                                            {"", "b", "b"},    {"/a/b", "c/d", "/a/b/c/d"}};
    static const char *const folders[][2] = {{"a/b", "a"}, {"b", "."},     {"/b", "/"},
                                             {"/", "/"},   {"/a/b", "/a"}, {"a/", "a"}};
    for (size_t i = 0; i < sizeof joined / sizeof *joined; i++) {
        owned char *path = path_join(joined[i][0], joined[i][1]);
        assert_string_equal(path, joined[i][2]);
    }
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        owned char *path = path_folder(folders[i][0]);
        assert_string_equal(path, folders[i][1]);
    }
}

static void kinds_of_paths(void **state)
{
    (void)state;
    put("folder/file", "x");
    assert_int_equal(symlink("nowhere", "dangling"), 0);
    assert_int_equal(symlink("folder", "link"), 0);
    assert_true(path_exists("folder") && path_exists("folder/file") && path_exists("link/file"));
    assert_false(path_exists("dangling") || path_exists("other") || path_exists("folder/file/x"));
    assert_true(is_folder("folder") && is_folder("link"));
    assert_false(is_folder("folder/file") || is_folder("dangling") || is_folder("other"));
}

static void reading(void **state)
{
    (void)state;
    struct text text = {0};
    put_bytes("bytes", "a\0b\n", 4);
    text_add_string(&text, "before:");
    assert_fine(read_file("bytes", 4, &text, &error));
    assert_int_equal(text.length, 11);
    assert_memory_equal(text.at, "before:a\0b\n", 12);
    assert_failed(read_file("bytes", 3, &text, &error), WRONG_INPUT,
                  "bytes has 4 bytes; at most 3 are read");
    assert_failed(read_file("none", 9, &text, &error), WRONG_INPUT, "none: no such file");
    assert_failed(read_file("bytes/x", 9, &text, &error), WRONG_INPUT, "bytes/x: no such file");
    assert_failed(read_file(".", 9, &text, &error), WRONG_INPUT, ". is not a regular file");
    text_free(&text);
}

/* A pipe or device by the name of a spec must not make us wait, or read for ever. */
static void reading_what_is_no_file(void **state)
{
    (void)state;
    struct text text = {0};
    assert_int_equal(mkfifo("pipe", 0600), 0);
    alarm(10);
    assert_failed(read_file("pipe", 9, &text, &error), WRONG_INPUT, "pipe is not a regular file");
    assert_failed(read_file("/dev/zero", 9, &text, &error), WRONG_INPUT,
                  "/dev/zero is not a regular file");
    alarm(0);
    text_free(&text);
}

static void a_secret_is_read(void **state)
{
    (void)state;
    secret_owned struct secret secret = {0};
    put("key", "hush");
    assert_fine(read_secret("key", 10, &secret, &error));
    assert_string_equal(secret.at, "hush");
    assert_int_equal(secret.length, 4);
    struct secret none = {0};
    assert_int_equal(read_secret("none", 10, &none, &error), WRONG_INPUT);
    assert_null(none.at);
}

static void making_folders(void **state)
{
    (void)state;
    assert_fine(make_folders("a/b/c", FOLDER_SECRET, &error));
    assert_int_equal(mode_of("a"), 0700);
    assert_int_equal(mode_of("a/b/c"), 0700);
    assert_int_equal(chmod("a/b", 0750), 0);
    assert_fine(make_folders("a/b/c/d", FOLDER_SECRET, &error));
    assert_int_equal(mode_of("a/b"), 0750); /* as it was */
    put("file", "");
    assert_int_equal(make_folders("file", FOLDER_PUBLIC, &error), REFUSED);
    assert_string_equal(text_string(&error.message), "file is in the way: it is not a folder");
    assert_int_equal(make_folders("file/below", FOLDER_PUBLIC, &error), REFUSED);
    assert_string_equal(text_string(&error.message),
                        "cannot make the folder file/below: Not a directory");
}

static void writing(void **state)
{
    (void)state;
    assert_fine(write_file("file", "one", 3, FILE_SECRET, &error));
    assert_file("file", "one");
    assert_int_equal(mode_of("file"), 0600);
    assert_fine(write_file("file", "", 0, FILE_PUBLIC, &error));
    assert_file("file", "");
    assert_int_equal(mode_of("file"), 0644); /* a new file in its place, not the old one filled */
    assert_int_equal(entries_in("."), 1);
    assert_failed(write_file("none/file", "x", 1, FILE_PUBLIC, &error), REFUSED,
                  "cannot write none/file: No such file or directory");
}

/* The link is replaced; what it points at stays as it is. */
static void writing_over_a_link(void **state)
{
    (void)state;
    put("target", "safe");
    assert_int_equal(symlink("target", "link"), 0);
    assert_fine(write_file("link", "new", 3, FILE_PUBLIC, &error));
    assert_file("link", "new");
    assert_file("target", "safe");
}

/* A disk that is full under the file: the old bytes stay, and no temporary file does. */
static void a_full_disk(void **state)
{
    (void)state;
    struct rlimit before, small = {4096, 4096};
    static char large[8192];
    put("file", "old");
    memset(large, 'x', sizeof large);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    enum status status = write_file("file", large, sizeof large, FILE_PUBLIC, &error);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_failed(status, REFUSED, "cannot write file: File too large");
    assert_file("file", "old");
    assert_int_equal(entries_in("."), 1);
}

static void a_batch_waits_for_its_commit(void **state)
{
    (void)state;
    struct batch batch = {0};
    put("b", "old");
    assert_fine(batch_write(&batch, "a", "1", 1, FILE_PUBLIC, &error));
    assert_fine(batch_write(&batch, "b", "2", 1, FILE_SECRET, &error));
    assert_false(path_exists("a"));
    assert_file("b", "old");
    assert_fine(batch_commit(&batch, &error));
    assert_file("a", "1");
    assert_file("b", "2");
    assert_int_equal(entries_in("."), 2);
    assert_int_equal(batch.count, 0);
}

static void a_dropped_batch_leaves_nothing(void **state)
{
    (void)state;
    struct batch batch = {0};
    assert_fine(batch_write(&batch, "a", "1", 1, FILE_PUBLIC, &error));
    assert_fine(batch_write(&batch, "b", "2", 1, FILE_PUBLIC, &error));
    assert_int_equal(entries_in("."), 2);
    batch_drop(&batch);
    assert_int_equal(entries_in("."), 0);
    batch_drop(&batch); /* may be repeated */
}

/* Killed before the n-th rename, exactly the first n-1 steps are done, in the order of staging. */
static void steps_happen_in_order(void **state)
{
    (void)state;
    static const char *const names[] = {"z", "a", "m"};
    for (int kill_at = 1; kill_at <= 3; kill_at++) {
        assert_int_equal(clear_workplace(NULL), 0);
        pid_t child = fork();
        if (!child) {
            struct batch batch = {0};
            owned char *fault = must_format("rename:%d", kill_at);
            setenv("SENSORFORGE_FAULT", fault, 1);
            for (int i = 0; i < 3; i++)
                batch_write(&batch, names[i], "x", 1, FILE_PUBLIC, &error);
            batch_commit(&batch, &error);
            _exit(0);
        }
        int result;
        assert_int_equal(waitpid(child, &result, 0), child);
        assert_true(WIFSIGNALED(result) && WTERMSIG(result) == SIGKILL);
        for (int i = 0; i < 3; i++)
            assert_int_equal(path_exists(names[i]), i < kill_at - 1);
        remove_temporaries(".");
        assert_int_equal(entries_in("."), (size_t)kill_at - 1);
    }
}

/* More files than are flushed one by one. */
static void a_long_batch(void **state)
{
    (void)state;
    struct batch batch = {0};
    for (int i = 0; i < 100; i++) {
        owned char *path = must_format("f%d", i);
        assert_fine(batch_write(&batch, path, path, strlen(path), FILE_PUBLIC, &error));
    }
    assert_fine(batch_commit(&batch, &error));
    assert_int_equal(entries_in("."), 100);
    assert_file("f99", "f99");
}

static void a_step_that_fails_stops_the_batch(void **state)
{
    (void)state;
    struct batch batch = {0};
    put("folder/inside", "");
    assert_fine(batch_write(&batch, "before", "x", 1, FILE_PUBLIC, &error));
    assert_fine(batch_write(&batch, "folder", "x", 1, FILE_PUBLIC, &error));
    assert_fine(batch_write(&batch, "after", "x", 1, FILE_PUBLIC, &error));
    assert_failed(batch_commit(&batch, &error), REFUSED, "cannot write folder: Is a directory");
    assert_true(path_exists("before"));
    assert_false(path_exists("after"));
    assert_int_equal(entries_in("."), 2); /* no temporary file is left */
}

static void a_folder_takes_a_folders_place(void **state)
{
    (void)state;
    struct batch batch = {0};
    assert_fine(make_folders("new", FOLDER_SECRET, &error));
    assert_fine(batch_write_new(&batch, "new/a", "1", 1, FILE_PUBLIC, &error));
    batch_replace_folder(&batch, "new", "place");
    assert_fine(batch_commit(&batch, &error)); /* there was nothing */
    assert_file("place/a", "1");
    put("place/old/deep", "gone");
    assert_fine(make_folders("new", FOLDER_SECRET, &error));
    assert_fine(batch_write_new(&batch, "new/b", "2", 1, FILE_PUBLIC, &error));
    batch_replace_folder(&batch, "new", "place");
    assert_file("place/a", "1");
    assert_fine(batch_commit(&batch, &error));
    assert_file("place/b", "2");
    assert_int_equal(entries_in("place"), 1);
    assert_int_equal(entries_in("."), 1);
}

static void a_file_is_in_a_folders_way(void **state)
{
    (void)state;
    struct batch batch = {0};
    put("place", "file");
    assert_fine(make_folders("new", FOLDER_SECRET, &error));
    batch_replace_folder(&batch, "new", "place");
    assert_failed(batch_commit(&batch, &error), REFUSED, "cannot write place: Not a directory");
    assert_file("place", "file");
}

static void trees_are_removed(void **state)
{
    (void)state;
    put("outside/kept", "kept");
    put("tree/a/b/c", "");
    assert_int_equal(symlink("../outside", "tree/link"), 0);
    assert_int_equal(symlink("../outside/kept", "tree/file-link"), 0);
    assert_fine(remove_tree("tree", &error));
    assert_false(path_exists("tree"));
    assert_file("outside/kept", "kept");
    assert_int_equal(symlink("outside", "link"), 0);
    assert_fine(remove_tree("link", &error)); /* the link itself */
    assert_file("outside/kept", "kept");
    assert_fine(remove_tree("outside/kept", &error)); /* a file */
    assert_fine(remove_tree("nothing", &error));
    assert_int_equal(entries_in("."), 1);
}

static void only_temporaries_are_removed(void **state)
{
    (void)state;
    put(".sf-1-0", "");
    put(".sfx", "");
    put("x.sf-1", "");
    remove_temporaries(".");
    assert_int_equal(entries_in("."), 2);
    remove_temporaries("nothing");
}

static void only_empty_folders_are_removed(void **state)
{
    (void)state;
    put("full/x", "");
    assert_fine(make_folders("empty", FOLDER_PUBLIC, &error));
    remove_empty_folder("full");
    remove_empty_folder("empty");
    assert_true(path_exists("full/x"));
    assert_false(path_exists("empty"));
}

/* What another process answers when it wants the lock now. */
static enum status lock_elsewhere(const char *folder)
{
    pid_t child = fork();
    if (!child) {
        int lock;
        struct error refused = {0};
        _exit((int)lock_folder(folder, false, &lock, &refused));
    }
    int result;
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_true(WIFEXITED(result));
    return (enum status)WEXITSTATUS(result);
}

static void one_process_has_the_lock(void **state)
{
    (void)state;
    int lock, second;
    assert_fine(make_folders("folder", FOLDER_PUBLIC, &error));
    assert_fine(lock_folder("folder", false, &lock, &error));
    assert_true(lock >= 0);
    assert_int_equal(lock_elsewhere("folder"), REFUSED);
    assert_failed(lock_folder("folder", false, &second, &error), REFUSED,
                  "folder is locked by another command");
    assert_int_equal(second, -1);
    unlock(&lock);
    assert_int_equal(lock, -1);
    unlock(&lock);
    assert_int_equal(lock_elsewhere("folder"), FINE);
    assert_int_equal(entries_in("folder"), 0); /* no lock file */
    assert_failed(lock_folder("nothing", false, &lock, &error), REFUSED,
                  "cannot open the folder nothing: No such file or directory");
}

/* While we wait the holder removes the folder and makes it again: we must hold the new one. */
static void a_folder_made_anew_while_we_wait(void **state)
{
    (void)state;
    int lock, ends[2];
    char ready;
    assert_fine(make_folders("folder", FOLDER_PUBLIC, &error));
    assert_int_equal(pipe(ends), 0);
    pid_t holder = fork();
    if (!holder) {
        struct error ignored = {0};
        lock_folder("folder", true, &lock, &ignored);
        if (write(ends[1], "x", 1) != 1)
            _exit(1);
        usleep(100000);
        rmdir("folder");
        mkdir("folder", 0755);
        _exit(0);
    }
    assert_int_equal(read(ends[0], &ready, 1), 1);
    assert_fine(lock_folder("folder", true, &lock, &error));
    assert_int_equal(lock_elsewhere("folder"), REFUSED); /* the folder that is there now */
    unlock(&lock);
    assert_int_equal(waitpid(holder, NULL, 0), holder);
    close(ends[0]);
    close(ends[1]);
}

#define TEST(function) cmocka_unit_test_setup(function, clear_workplace)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(paths),
        TEST(kinds_of_paths),
        TEST(reading),
        TEST(reading_what_is_no_file),
        TEST(a_secret_is_read),
        TEST(making_folders),
        TEST(writing),
        TEST(writing_over_a_link),
        TEST(a_full_disk),
        TEST(a_batch_waits_for_its_commit),
        TEST(a_dropped_batch_leaves_nothing),
        TEST(steps_happen_in_order),
        TEST(a_long_batch),
        TEST(a_step_that_fails_stops_the_batch),
        TEST(a_folder_takes_a_folders_place),
        TEST(a_file_is_in_a_folders_way),
        TEST(trees_are_removed),
        TEST(only_temporaries_are_removed),
        TEST(only_empty_folders_are_removed),
        TEST(one_process_has_the_lock),
        TEST(a_folder_made_anew_while_we_wait),
    };
    return cmocka_run_group_tests(tests, go_to_workplace, leave_workplace);
}
