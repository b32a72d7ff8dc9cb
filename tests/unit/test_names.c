/* Lists of names. */
#include "workplace.h"

#include "common/base/names.h"

static void names_are_copied_in_order(void **state)
{
    (void)state;
    struct names *names = must_alloc(sizeof *names);
    char name[16];
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "n%d", 99 - i);
        names_append(names, name);
    }
    assert_int_equal(names->count, 100);
    assert_string_equal(names->at[0], "n99");
    assert_string_equal(names->at[99], "n0");
    names_free(names);
    names_free(NULL);
}

static void folders_with_a_file(void **state)
{
    (void)state;
    put("types/b/spec.yaml", "");
    put("types/a/spec.yaml", "");
    put("types/.hidden/spec.yaml", "");
    put("types/c/other", "");
    put("types/spec.yaml", "");
    assert_int_equal(symlink("nowhere", "types/dangling"), 0);
    struct names *names = names_of_folders("types", "spec.yaml");
    assert_int_equal(names->count, 2);
    assert_string_equal(names->at[0], "a");
    assert_string_equal(names->at[1], "b");
    names_free(names);
    names = names_of_folders("types", ".");
    assert_int_equal(names->count, 3);
    assert_string_equal(names->at[2], "c");
    assert_true(names_have(names, "a") && names_have(names, "b") && names_have(names, "c"));
    assert_false(names_have(names, "") || names_have(names, "ab") || names_have(names, "d"));
    names_free(names);
    names = names_of_folders("nowhere", "spec.yaml");
    assert_int_equal(names->count, 0);
    assert_false(names_have(names, "a"));
    names_free(names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_copied_in_order),
        cmocka_unit_test_setup(folders_with_a_file, clear_workplace),
    };
    return cmocka_run_group_tests(tests, go_to_workplace, leave_workplace);
}
