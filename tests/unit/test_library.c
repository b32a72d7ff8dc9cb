/* Libraries that are loaded when they are first used. */
#include "workplace.h"

#include "aws/libcurl.h"
#include "generator/local/libmosquitto.h"

static void *pointers[2];
static int initializations;

static bool initialize(void)
{
    return ++initializations > 0;
}

static bool refuse(void)
{
    return false;
}

static struct library math(const char *const *names)
{
    return (struct library){.file = "libm.so.6",
                            .package = "libc6",
                            .names = names,
                            .count = 2,
                            .pointers = pointers,
                            .initialize = initialize};
}

static void functions_are_found_once(void **state)
{
    (void)state;
    static const char *const names[] = {"floor", "ceil"};
    struct library library = math(names);
    double (*ceiling)(double);
    initializations = 0;
    assert_fine(library_load(&library, &error));
    assert_fine(library_load(&library, &error));
    assert_int_equal(initializations, 1);
    memcpy(&ceiling, &pointers[1], sizeof ceiling);
    assert_true(ceiling(1.5) == 2);
}

static void a_missing_library_is_told(void **state)
{
    (void)state;
    struct library library = {.file = "libnowhere.so.7", .package = "libnowhere7"};
    for (int i = 0; i < 2; i++) {
        assert_failed(library_load(&library, &error), REFUSED,
                      "cannot load a library: libnowhere.so.7: cannot open shared object file: "
                      "No such file or directory");
        assert_string_equal(text_string(&error.advice),
                            "make deps installs it (Debian's package libnowhere7)");
        assert_false(library.loaded);
        error_free(&error);
    }
}

static void a_missing_function_is_told(void **state)
{
    (void)state;
    static const char *const names[] = {"floor", "floor_of_the_future"};
    struct library library = math(names);
    initializations = 0;
    assert_failed(library_load(&library, &error), REFUSED,
                  "libm.so.6 has no function floor_of_the_future: it is older than it has to be");
    error_free(&error);
    assert_int_equal(initializations, 0);
    assert_false(library.loaded);
}

static void a_failed_initialization_is_told(void **state)
{
    (void)state;
    static const char *const names[] = {"floor", "ceil"};
    struct library library = math(names);
    library.initialize = refuse;
    assert_failed(library_load(&library, &error), REFUSED, "libm.so.6 cannot be initialized");
    assert_false(library.loaded);
    error_free(&error);
}

static void the_real_ones_are_complete(void **state)
{
    (void)state;
    assert_fine(libcurl_load(&error));
    assert_string_equal(curl.easy_strerror(CURLE_OK), "No error");
    assert_fine(libmosquitto_load(&error));
    assert_string_equal(mosquitto.strerror(MOSQ_ERR_SUCCESS), "No error.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_are_found_once),
        cmocka_unit_test(a_missing_library_is_told),
        cmocka_unit_test(a_missing_function_is_told),
        cmocka_unit_test(a_failed_initialization_is_told),
        cmocka_unit_test(the_real_ones_are_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
