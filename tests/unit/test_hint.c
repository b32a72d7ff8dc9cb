/* Hints name the command that the person has. */
#include "heap.h"

#include "common/base/hint.h"

static void assert_translated(const char *format, const char *wanted)
{
    struct text made = {0};
    hint_translate(format, &made);
    assert_string_equal(text_string(&made), wanted);
    text_free(&made);
}

static void commands(void **state)
{
    (void)state;
    assert_translated("make delete name=%s removes it", "sensorforge delete %s removes it");
    assert_translated("make up", "sensorforge up");
    assert_translated("make down, then make up", "sensorforge down, then sensorforge up");
    assert_translated("make sensortype NAME=%s TARGET=aws; then",
                      "sensorforge deploy %s --target aws; then");
    assert_translated("(make doctor clean=yes)", "(sensorforge doctor --clean)");
    assert_translated("make create name=<a name> type=%s wifissid=...\n",
                      "sensorforge create <a name> --type %s --wifi-ssid ...\n");
    assert_translated("make create-all file=%s update=yes: x",
                      "sensorforge create --from %s --update: x");
    assert_translated("make run name=%s cycles=3 fast=yes", "sensorforge run %s --cycles 3 --fast");
    assert_translated("make all dbName=iot", "sensorforge deploy --all --database iot");
}

static void other_words(void **state)
{
    (void)state;
    const char *const same[] = {"make it so",
                                "make deps installs it",
                                "make build makes it",
                                "remake up",
                                "make a list",
                                "nothing",
                                "to make",
                                "make upper"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        assert_translated(same[i], same[i]);
}

static void caller(void **state)
{
    (void)state;
    owned char *alone = hint_format("make show name=%s says why", "make up");
    assert_string_equal(alone, "sensorforge show make up says why");
    assert_int_equal(setenv("SENSORFORGE_CALLED_BY", "make", 1), 0);
    owned char *by_make = hint_format("make show name=%s says why", "k");
    assert_string_equal(by_make, "make show name=k says why");
    assert_int_equal(unsetenv("SENSORFORGE_CALLED_BY"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands),
        cmocka_unit_test(other_words),
        cmocka_unit_test(caller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
