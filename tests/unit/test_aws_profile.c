/* ~/.aws/config and credentials, against botocore's reader: tests/unit/profile-cases.json, made by
 * tests/aws/make_profile_cases.py. */
#include "workplace.h"

#include "common/base/json.h"
#include "aws/profile.h"

static const char *lookup(const struct aws_profiles *profiles, const char *kind, const char *name,
                          const char *key, const char *nested)
{
    return strcmp(kind, "profile") == 0 ? profile_setting(profiles, name, key, nested)
                                        : section_setting(profiles, kind, name, key, nested);
}

static void assert_setting(const struct aws_profiles *profiles, const char *kind,
                           const cJSON *section, const char *key, const char *nested,
                           const cJSON *wanted)
{
    const char *found = lookup(profiles, kind, section->string, key, nested);
    if (!found || strcmp(found, wanted->valuestring) != 0)
        fail_msg("%s %s: %s %s is \"%s\", and not \"%s\"", kind, section->string, key,
                 nested ? nested : "", found ? found : "nothing", wanted->valuestring);
}

static void assert_block(const struct aws_profiles *profiles, const char *kind,
                         const cJSON *section, const cJSON *block)
{
    const cJSON *inner;
    cJSON_ArrayForEach(inner, block)
        assert_setting(profiles, kind, section, block->string, inner->string, inner);
}

static void assert_section(const struct aws_profiles *profiles, const char *kind,
                           const cJSON *section)
{
    const cJSON *setting;
    assert_true(strcmp(kind, "profile") == 0 ? profile_exists(profiles, section->string)
                                             : section_exists(profiles, kind, section->string));
    cJSON_ArrayForEach(setting, section)
    {
        if (cJSON_IsString(setting))
            assert_setting(profiles, kind, section, setting->string, NULL, setting);
        else
            assert_block(profiles, kind, section, setting);
    }
    assert_null(lookup(profiles, kind, section->string, "not_there", NULL));
    assert_null(lookup(profiles, kind, section->string, "region", "not_there"));
}

static int by_text(const void *one, const void *other)
{
    return strcmp(*(char *const *)one, *(char *const *)other);
}

/* No profile more than botocore has. */
static void assert_names(const struct aws_profiles *profiles, const cJSON *wanted)
{
    struct text names = {0};
    size_t count = 0, found = 0;
    const char *sorted[16] = {0};
    profile_names(profiles, &names);
    for (const cJSON *section = wanted->child; section; section = section->next)
        sorted[count++] = section->string;
    qsort(sorted, count, sizeof *sorted, by_text);
    for (char *rest = names.at, *name; rest && (name = strsep(&rest, ",")); found++)
        assert_non_null(bsearch(&(const char *){name + (*name == ' ')}, sorted, count,
                                sizeof *sorted, by_text));
    assert_int_equal(found, count);
    text_free(&names);
}

static void assert_case(const cJSON *one)
{
    struct aws_profiles *profiles;
    const cJSON *read = json_get(one, "read"), *kind, *section;
    print_message("%s\n", json_string(one, "name", ""));
    put("config", json_string(one, "config", ""));
    put("credentials", json_string(one, "credentials", ""));
    enum status status = profiles_read(&profiles, &error);
    if (cJSON_IsNull(read)) {
        assert_int_equal(status, WRONG_INPUT);
        assert_null(profiles);
        return;
    }
    assert_fine(status);
    cJSON_ArrayForEach(kind, read) cJSON_ArrayForEach(section, kind)
        assert_section(profiles, kind->string, section);
    assert_names(profiles, json_get(read, "profile"));
    profiles_free(profiles);
}

static void as_botocore_reads(void **state)
{
    (void)state;
    cJSON *cases;
    const cJSON *one;
    owned char *path = from_root("tests/unit/profile-cases.json");
    assert_fine(json_read(path, 1 << 20, &cases, &error));
    cJSON_ArrayForEach(one, cases) assert_case(one);
    cJSON_Delete(cases);
}

static void assert_wrong(const char *config, const char *message)
{
    struct aws_profiles *profiles;
    put("config", config);
    put("credentials", "");
    assert_failed(profiles_read(&profiles, &error), WRONG_INPUT, message);
}

static void messages_have_a_place(void **state)
{
    (void)state;
    assert_wrong("[default]\n\nregion\n", "config:3: expected \"key = value\"");
    assert_wrong("region = a\n", "config:1: expected a section ([default]) before this line");
    assert_wrong("[a]\n[b]\n[a]\n", "config:3: this section has been there before");
    assert_wrong("[a]\nb=c\nb=d\n", "config:3: this key has been in the section before");
    assert_wrong("[a]\nb = \xff\n", "config is no text in UTF-8");
    assert_wrong("[a]\nb =\n  c\nd = e\n", "config:4: expected \"key = value\" in the lines above");
}

static void of_one_file(void **state)
{
    (void)state;
    struct aws_profiles *profiles;
    put("config", "[default]\nregion = a\noutput = x\n");
    put("credentials", "[default]\nregion = b\n");
    assert_fine(profiles_read(&profiles, &error));
    assert_string_equal(profile_setting(profiles, "default", "region", NULL), "b");
    assert_string_equal(profile_setting(profiles, "default", "output", NULL), "x");
    assert_string_equal(profile_setting_of(profiles, CONFIG_FILE, "default", "region"), "a");
    assert_string_equal(profile_setting_of(profiles, CREDENTIALS_FILE, "default", "region"), "b");
    assert_null(profile_setting_of(profiles, CREDENTIALS_FILE, "default", "output"));
    assert_string_equal(profile_file_name(profiles, CONFIG_FILE), "config");
    profiles_free(profiles);
}

/* What HOME has is read where no variable says otherwise; neither file need be there. */
static void usual_places(void **state)
{
    (void)state;
    struct aws_profiles *profiles;
    unsetenv("AWS_CONFIG_FILE");
    unsetenv("AWS_SHARED_CREDENTIALS_FILE");
    setenv("HOME", workplace, 1);
    assert_fine(profiles_read(&profiles, &error));
    assert_false(profile_exists(profiles, "default"));
    profiles_free(profiles);
    put(".aws/config", "[default]\nregion = here\n");
    assert_fine(profiles_read(&profiles, &error));
    assert_string_equal(profile_setting(profiles, "default", "region", NULL), "here");
    profiles_free(profiles);
    put("elsewhere", "[default]\nregion = there\n");
    setenv("AWS_CONFIG_FILE", "~/elsewhere", 1);
    assert_fine(profiles_read(&profiles, &error));
    assert_string_equal(profile_setting(profiles, "default", "region", NULL), "there");
    profiles_free(profiles);
}

static void assert_words(const char *command, const char *wanted)
{
    char **words = shell_words(command);
    struct text made = {0};
    for (size_t i = 0; words && words[i]; i++)
        text_add_format(&made, "[%s]", words[i]);
    assert_string_equal(words ? text_string(&made) : "none", wanted);
    text_free(&made);
    shell_words_free(words);
}

/* Wanted: what Python's shlex.split() makes. */
static void words(void **state)
{
    (void)state;
    assert_words("", "");
    assert_words("  \t ", "");
    assert_words("a b  c ", "[a][b][c]");
    assert_words("a 'b c' \"d e\"", "[a][b c][d e]");
    assert_words("a'b'\"c\"d", "[abcd]");
    assert_words("'' \"\" a", "[][][a]");
    assert_words("a\\ b \\' \\\"", "[a b]['][\"]");
    assert_words("\"a\\\"b\\\\c\\d\" 'a\\b'", "[a\"b\\c\\d][a\\b]");
    assert_words("a | b > c $HOME *", "[a][|][b][>][c][$HOME][*]");
    assert_words("a # b", "[a][#][b]");
    assert_words("'a", "none");
    assert_words("\"a", "none");
    assert_words("a\\", "none");
}

static int set_up(void **state)
{
    int failed = go_to_workplace(state);
    setenv("AWS_CONFIG_FILE", "config", 1);
    setenv("AWS_SHARED_CREDENTIALS_FILE", "credentials", 1);
    return failed;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_botocore_reads), cmocka_unit_test(messages_have_a_place),
        cmocka_unit_test(of_one_file),       cmocka_unit_test(words),
        cmocka_unit_test(usual_places),
    };
    return cmocka_run_group_tests(tests, set_up, leave_workplace);
}
