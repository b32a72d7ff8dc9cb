/* Any bytes as ~/.aws/config and, behind a NUL, ~/.aws/credentials. What is read can be looked up;
 * an error names a file. The words of a command are read from the same bytes. */
#include "common/base/memory.h"
#include "aws/profile.h"
#include "workplace.h"

static void look_up(const struct aws_profiles *profiles)
{
    static const char *const keys[] = {"region", "a", "s3", ""};
    struct text names = {0};
    profile_names(profiles, &names);
    owned char *all = must_copy(text_string(&names));
    for (char *rest = all, *name; (name = strsep(&rest, ","));) {
        name += *name == ' ';
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
            const char *whole = profile_setting(profiles, name, keys[i], NULL);
            const char *nested = profile_setting(profiles, name, keys[i], "a");
            must_hold(!whole || strlen(whole) < 1 << 20);
            must_hold(!nested || (whole && strstr(whole, nested)));
        }
    }
    section_setting(profiles, "services", "a", "iot", "endpoint_url");
    text_free(&names);
}

static void check_words(const char *string)
{
    char **words = shell_words(string);
    size_t length = 0;
    for (size_t i = 0; words && words[i]; i++)
        length += strlen(words[i]);
    must_hold(length <= strlen(string));
    shell_words_free(words);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    static bool there;
    struct aws_profiles *profiles;
    struct error error = {0};
    if (!there) {
        go_to_workplace();
        setenv("AWS_CONFIG_FILE", "config", 1);
        setenv("AWS_SHARED_CREDENTIALS_FILE", "credentials", 1);
    }
    there = true;
    const uint8_t *end = size ? memchr(input, 0, size) : NULL;
    size_t first = end ? (size_t)(end - input) : size;
    put_file("config", input, first);
    put_file("credentials", end ? end + 1 : input, end ? size - first - 1 : 0);
    enum status status = profiles_read(&profiles, &error);
    if (status)
        must_hold(status == WRONG_INPUT && !profiles &&
                  begins_with(text_string(&error.message), "c"));
    else
        look_up(profiles);
    owned char *string = must_copy_bytes((const char *)input, first);
    check_words(string);
    profiles_free(profiles);
    error_free(&error);
    return 0;
}
