/* Errors, memory and secrets: small rooms that all others stand on. */
#include "workplace.h"

#include "common/base/secret.h"

#include <errno.h>
#include <sys/wait.h>

static void errors_are_filled(void **state)
{
    (void)state;
    struct error filled = {0};
    assert_int_equal((fail)(&filled, WRONG_USAGE, "%s %d", "a", 1), WRONG_USAGE);
    assert_int_equal(filled.status, WRONG_USAGE);
    assert_string_equal(text_string(&filled.message), "a 1");
    assert_int_equal(advise(&filled, "do %s", "this"), WRONG_USAGE);
    assert_int_equal(advise(&filled, "or that"), WRONG_USAGE);
    assert_string_equal(text_string(&filled.advice), "do this\nor that");
    errno = ENOSPC;
    assert_int_equal(fail_errno(&filled, "cannot write %s", "x"), REFUSED);
    assert_string_equal(text_string(&filled.message), "cannot write x: No space left on device");
    assert_string_equal(text_string(&filled.advice), ""); /* of the error before */
    advise(&filled, "free some");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(fail_memory(&filled), REFUSED);
        assert_string_equal(text_string(&filled.message), "out of memory");
        assert_string_equal(text_string(&filled.advice), "");
        error_free(&filled); /* the second one has no room yet */
    }
    error_free(&filled);
    assert_int_equal(filled.status, FINE);
    error_free(&filled);
}

static void memory_is_zeroed(void **state)
{
    (void)state;
    char *bytes = must_alloc(100), *items = must_array(10, 10);
    for (size_t i = 0; i < 100; i++)
        assert_true(!bytes[i] && !items[i]);
    free(bytes);
    free(items);
}

static void arrays_grow(void **state)
{
    (void)state;
    size_t count = 0, room = 0;
    int *numbers = NULL;
    for (int i = 0; i < 1000; i++) {
        numbers = must_grow(numbers, count, &room, sizeof *numbers);
        assert_true(room > count);
        numbers[count++] = i;
    }
    for (int i = 0; i < 1000; i++)
        assert_int_equal(numbers[i], i);
    free(numbers);
}

static void strings_are_copied(void **state)
{
    (void)state;
    owned char *whole = must_copy("abc"), *part = must_copy_bytes("abc", 2);
    owned char *nothing = must_copy_bytes("", 0), *made = must_format("%s-%03d", "x", 7);
    assert_string_equal(whole, "abc");
    assert_string_equal(part, "ab");
    assert_string_equal(nothing, "");
    assert_string_equal(made, "x-007");
}

/* Without memory the program says so, and ends with the exit code for a world that refuses. */
static void no_memory(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        int ends[2], result;
        char said[200] = "";
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        if (!child) {
            dup2(ends[1], STDERR_FILENO);
            setenv("ASAN_OPTIONS", "allocator_may_return_null=1", 1);
            free(must_array(SIZE_MAX / 2, i ? 3 : 4)); /* the product overflows */
            _exit(0);
        }
        close(ends[1]);
        assert_true(read(ends[0], said, sizeof said - 1) > 0);
        close(ends[0]);
        assert_int_equal(waitpid(child, &result, 0), child);
        assert_true(WIFEXITED(result));
        assert_int_equal(WEXITSTATUS(result), REFUSED);
        assert_non_null(strstr(said, "memory"));
    }
}

static void secrets(void **state)
{
    (void)state;
    struct secret secret = secret_copy("a\0b", 3);
    assert_int_equal(secret.length, 3);
    assert_memory_equal(secret.at, "a\0b", 4);
    secret_free(&secret);
    assert_null(secret.at);
    assert_int_equal(secret.length, 0);
    secret_free(&secret);
    struct secret empty = secret_copy("", 0);
    assert_string_equal(empty.at, "");
    secret_free(&empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_are_filled), cmocka_unit_test(memory_is_zeroed),
        cmocka_unit_test(arrays_grow),       cmocka_unit_test(strings_are_copied),
        cmocka_unit_test(no_memory),         cmocka_unit_test(secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
