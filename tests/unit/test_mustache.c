/* The template engine. What a template renders to, and which error a wrong one gives, stands in
 * mustache-cases.json; here is what a case cannot say: bounds, bytes that JSON cannot hold, paths.
 */
#include "common/base/memory.h"
#include "generator/documents/mustache.h"

#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *read_source(const char *path)
{
    const char *root = getenv("SENSORFORGE_SOURCE");
    owned char *full = must_format("%s/%s", root ? root : ".", path);
    FILE *file = fopen(full, "rb");
    if (!file)
        fail_msg("cannot open %s; run from the root or set SENSORFORGE_SOURCE", full);
    struct text content = {0};
    char part[4096];
    for (size_t got; (got = fread(part, 1, sizeof part, file));)
        text_add(&content, part, got);
    fclose(file);
    return text_take(&content);
}

/* Partials of one rendering: texts by name, and what was compiled of them. */
struct partials {
    const cJSON *texts;
    struct mustache **made;
    size_t count, room;
};

static enum status find_partial(void *context, const char *name, const struct mustache **found,
                                struct error *error)
{
    struct partials *partials = context;
    const char *text =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(partials->texts, name));
    *found = NULL;
    if (!text)
        return FINE;
    struct mustache *made;
    enum status status = mustache_compile(&made, name, text, strlen(text), error);
    if (status)
        return status;
    partials->made =
        must_grow(partials->made, partials->count, &partials->room, sizeof *partials->made);
    *found = partials->made[partials->count++] = made;
    return FINE;
}

static void free_partials(struct partials *partials)
{
    for (size_t i = 0; i < partials->count; i++)
        mustache_free(partials->made[i]);
    free(partials->made);
}

/* Compiles a template called t and renders it. */
static enum status render(const char *template, size_t length, const cJSON *data,
                          const struct mustache_options *options, struct text *out,
                          struct error *error)
{
    struct mustache *made;
    enum status status = mustache_compile(&made, "t", template, length, error);
    if (!status)
        status = mustache_render(made, data, options, out, error);
    else
        assert_null(made);
    mustache_free(made);
    return status;
}

static const char *string_in(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

static bool matches(const char *about, const char *what, const char *expected, const char *got)
{
    if (!strcmp(expected, got))
        return true;
    print_error("%s: %s\n  expected: [%s]\n  got:      [%s]\n", about, what, expected, got);
    return false;
}

static bool case_holds(const cJSON *given)
{
    const char *about = string_in(given, "about"), *template = string_in(given, "template");
    const char *output = string_in(given, "output"), *wrong = string_in(given, "error");
    const char *advice = string_in(given, "advice"), *escape = string_in(given, "escape");
    struct partials partials = {.texts = cJSON_GetObjectItemCaseSensitive(given, "partials")};
    struct mustache_options options = {
        .strict = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(given, "strict")),
        .partial = find_partial,
        .context = &partials,
    };
    if (escape && !escape_named(escape, &options.escape))
        fail_msg("%s: no escape is called %s", about, escape);
    struct text out = {0};
    struct error error = {0};
    enum status status =
        render(template, strlen(template), cJSON_GetObjectItemCaseSensitive(given, "data"),
               &options, &out, &error);
    bool holds = matches(about, "message", wrong ? wrong : "", text_string(&error.message));
    holds &= matches(about, "advice", advice ? advice : "", text_string(&error.advice));
    if (output)
        holds &= matches(about, "output", output, text_string(&out));
    holds &= status == (wrong ? WRONG_INPUT : FINE) && error.status == status && !output == !!wrong;
    free_partials(&partials);
    error_free(&error);
    text_free(&out);
    return holds;
}

static void test_cases(void **state)
{
    (void)state;
    owned char *source = read_source("tests/unit/mustache-cases.json");
    cJSON *cases = cJSON_Parse(source);
    assert_non_null(cases);
    int failed = 0;
    const cJSON *given;
    cJSON_ArrayForEach(given, cases) failed += !case_holds(given);
    assert_true(cJSON_GetArraySize(cases) >= 90);
    assert_int_equal(failed, 0);
    cJSON_Delete(cases);
}

/* Renders with no partials, no escape, not strict; the message, or the output when all is fine. */
static char *outcome(const struct text *template, const char *json)
{
    struct mustache_options options = {0};
    struct text out = {0};
    struct error error = {0};
    cJSON *data = cJSON_Parse(json);
    enum status status =
        render(text_string(template), template->length, data, &options, &out, &error);
    char *result = text_take(status ? &error.message : &out);
    error_free(&error);
    text_free(&out);
    cJSON_Delete(data);
    return result;
}

static void nest(struct text *template, int depth)
{
    for (int i = 0; i < depth; i++)
        text_add_string(template, "{{#a}}");
    text_add_string(template, "x");
    for (int i = 0; i < depth; i++)
        text_add_string(template, "{{/a}}");
}

static void test_sections_nest_100_deep(void **state)
{
    (void)state;
    struct text template = {0};
    nest(&template, 100);
    owned char *fine = outcome(&template, "{\"a\": true}");
    assert_string_equal(fine, "x");
    text_clear(&template);
    nest(&template, 101);
    owned char *wrong = outcome(&template, "{\"a\": true}");
    assert_string_equal(wrong, "t:1:601: the section 'a' is nested too deep, expected at most 100 "
                               "sections around each other");
    text_free(&template);
}

static enum status find_only(void *context, const char *name, const struct mustache **found,
                             struct error *error)
{
    (void)name, (void)error;
    *found = *(struct mustache **)context;
    return FINE;
}

/* Renders a template that is its own partial. */
static enum status render_own(const char *template, const char *json, struct text *out,
                              struct error *error)
{
    struct mustache *made;
    assert_int_equal(mustache_compile(&made, "own", template, strlen(template), error), FINE);
    struct mustache_options options = {.partial = find_only, .context = &made};
    cJSON *data = cJSON_Parse(json);
    assert_non_null(data);
    enum status status = mustache_render(made, data, &options, out, error);
    cJSON_Delete(data);
    mustache_free(made);
    return status;
}

static void test_endless_partial(void **state)
{
    (void)state;
    struct text out = {0};
    struct error error = {0};
    assert_int_equal(render_own("x\n {{>p}}\n", "{}", &out, &error), WRONG_INPUT);
    assert_string_equal(text_string(&error.message),
                        "own:2:2: the partial 'p' is nested too deep, expected at most 100 "
                        "partials inside each other");
    text_free(&out);
    error_free(&error);
}

/* Data of lists inside lists, as deep as told; [] at the bottom. */
static char *nested_lists(int depth)
{
    struct text json = {0};
    for (int i = 0; i <= depth; i++)
        text_add_char(&json, '[');
    for (int i = 0; i <= depth; i++)
        text_add_char(&json, ']');
    return text_take(&json);
}

static void test_partials_nest_100_deep(void **state)
{
    (void)state;
    struct text out = {0};
    struct error error = {0};
    owned char *fine = nested_lists(100);
    assert_int_equal(render_own("x{{#.}}{{>p}}{{/.}}", fine, &out, &error), FINE);
    assert_int_equal(out.length, 101);
    owned char *wrong = nested_lists(101);
    assert_int_equal(render_own("x{{#.}}{{>p}}{{/.}}", wrong, &out, &error), WRONG_INPUT);
    text_free(&out);
    error_free(&error);
}

static const char *twenty = "{\"a\": [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20]}";

static void test_output_is_bounded(void **state)
{
    (void)state;
    struct text template = {0};
    text_add_string(&template, "{{#a}}{{#a}}{{#a}}\n");
    text_add_repeated(&template, 'x', 10000);
    text_add_string(&template, "{{/a}}{{/a}}{{/a}}");
    owned char *wrong = outcome(&template, twenty);
    assert_string_equal(wrong, "t:2:1: the output has passed 64 MiB, expected less");
    text_free(&template);
}

/* What out held before does not count. */
static void test_bound_is_per_rendering(void **state)
{
    (void)state;
    struct mustache_options options = {0};
    struct text out = {0};
    struct error error = {0};
    text_add_repeated(&out, 'x', 64 * 1024 * 1024);
    assert_int_equal(render("y", 1, NULL, &options, &out, &error), FINE);
    assert_int_equal(out.length, 64 * 1024 * 1024 + 1);
    text_free(&out);
    error_free(&error);
}

static void test_steps_are_bounded(void **state)
{
    (void)state;
    struct text template = {0};
    text_add_string(&template, "{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}\n"
                               "{{/a}}{{/a}}{{/a}}{{/a}}{{/a}}{{/a}}{{/a}}");
    owned char *wrong = outcome(&template, twenty);
    assert_non_null(strstr(wrong, ": the rendering has taken 100 million steps, expected fewer"));
    text_free(&template);
}

static void test_names_are_bounded(void **state)
{
    (void)state;
    struct text template = {0};
    text_add_string(&template, "{{");
    text_add_repeated(&template, 'n', 1000);
    text_add_string(&template, "}}.");
    owned char *fine = outcome(&template, "{}");
    assert_string_equal(fine, ".");
    text_clear(&template);
    text_add_string(&template, "{{");
    text_add_repeated(&template, 'n', 1001);
    text_add_string(&template, "}}");
    owned char *wrong = outcome(&template, "{}");
    assert_string_equal(wrong,
                        "t:1:1: bad name "
                        "'nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn', expected "
                        "at most 1000 bytes and no NUL among them");
    text_free(&template);
}

static void test_nul_and_odd_bytes(void **state)
{
    (void)state;
    static const char template[] = "\0a{{x}}\xFF\0{{!\0}}\0\n", expected[] = "\0a1\xFF\0\0\n";
    struct mustache_options options = {0};
    struct text out = {0};
    struct error error = {0};
    cJSON *data = cJSON_Parse("{\"x\": 1}");
    assert_int_equal(render(template, sizeof template - 1, data, &options, &out, &error), FINE);
    assert_int_equal(out.length, sizeof expected - 1);
    assert_memory_equal(out.at, expected, sizeof expected - 1);
    assert_int_equal(render("{{x\0y}}", 7, data, &options, &out, &error), WRONG_INPUT);
    assert_string_equal(text_string(&error.message), "t:1:1: bad name 'x', expected at most 1000 "
                                                     "bytes and no NUL among them");
    cJSON_Delete(data);
    text_free(&out);
    error_free(&error);
}

static void test_template_renders_again(void **state)
{
    (void)state;
    struct mustache *made;
    struct mustache_options options = {0};
    struct text out = {0};
    struct error error = {0};
    cJSON *data = cJSON_Parse("{\"l\": [1, 2]}");
    assert_int_equal(mustache_compile(&made, "t", "{{#l}}{{.}}{{/l}};", 18, &error), FINE);
    for (int i = 0; i < 3; i++)
        assert_int_equal(mustache_render(made, data, &options, &out, &error), FINE);
    assert_string_equal(text_string(&out), "12;12;12;");
    mustache_free(made);
    cJSON_Delete(data);
    text_free(&out);
    error_free(&error);
}

static void test_no_data_and_no_finder(void **state)
{
    (void)state;
    struct mustache_options options = {0};
    struct text out = {0};
    struct error error = {0};
    assert_int_equal(render("[{{.}}{{a}}{{>p}}]", 18, NULL, &options, &out, &error), FINE);
    assert_string_equal(text_string(&out), "[]");
    options.strict = true;
    assert_int_equal(render("{{.}}", 5, NULL, &options, &out, &error), WRONG_INPUT);
    assert_string_equal(text_string(&error.message),
                        "t:1:1: the data has no '.', expected a name that it has");
    assert_int_equal(render("{{>p}}", 6, NULL, &options, &out, &error), WRONG_INPUT);
    assert_string_equal(text_string(&error.message),
                        "t:1:1: there is no partial 'p', expected one that exists");
    text_free(&out);
    error_free(&error);
    mustache_free(NULL);
}

/* A name of nothing but bytes that continue a code point must not upset how names are shown. */
static void test_name_that_is_not_utf8(void **state)
{
    (void)state;
    struct text template = {0};
    text_add_string(&template, "{{/");
    text_add_repeated(&template, '\x80', 80);
    text_add_string(&template, "}}");
    owned char *wrong = outcome(&template, "{}");
    assert_int_equal(strspn(wrong + strlen("t:1:1: '"), "\x80"), 57);
    text_free(&template);
}

static void test_escape_for_path(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        enum escape escape;
    } cases[] = {
        {"main.tf.json", ESCAPE_TERRAFORM},
        {"a/b.json", ESCAPE_JSON},
        {"fleet.py", ESCAPE_PYTHON},
        {"compose.yaml", ESCAPE_YAML},
        {"compose.yml", ESCAPE_YAML},
        {"index.html", ESCAPE_HTML},
        {"index.htm", ESCAPE_HTML},
        {"README.md", ESCAPE_NONE},
        {"json", ESCAPE_NONE},
        {"a.json/b", ESCAPE_NONE},
        {"", ESCAPE_NONE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(escape_for_path(cases[i].path), cases[i].escape);
}

static void test_escape_named(void **state)
{
    (void)state;
    enum escape escape = ESCAPE_NONE;
    assert_true(escape_named("terraform", &escape));
    assert_int_equal(escape, ESCAPE_TERRAFORM);
    assert_true(escape_named("none", &escape));
    assert_int_equal(escape, ESCAPE_NONE);
    assert_false(escape_named("JSON", &escape));
    assert_false(escape_named("", &escape));
}

static void test_escape_text_takes_any_bytes(void **state)
{
    (void)state;
    struct text out = {0};
    escape_text(&out, ESCAPE_JSON, "a\0\"\xFF", 4);
    escape_text(&out, ESCAPE_PYTHON, "\0'", 2);
    escape_text(&out, ESCAPE_YAML, "\xC2", 1);
    escape_text(&out, ESCAPE_YAML, "\xE2\x80", 2);
    escape_text(&out, ESCAPE_YAML, "\xEF\xBF\xBE", 3);
    escape_text(&out, ESCAPE_TERRAFORM, "$", 1);
    escape_text(&out, ESCAPE_HTML, "", 0);
    escape_text(&out, ESCAPE_NONE, NULL, 0);
    assert_string_equal(text_string(&out), "a\\u0000\\\"\xFF\\x00\\'\xC2\xE2\x80\\ufffe$");
    text_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_sections_nest_100_deep),
        cmocka_unit_test(test_endless_partial),
        cmocka_unit_test(test_partials_nest_100_deep),
        cmocka_unit_test(test_output_is_bounded),
        cmocka_unit_test(test_bound_is_per_rendering),
        cmocka_unit_test(test_steps_are_bounded),
        cmocka_unit_test(test_names_are_bounded),
        cmocka_unit_test(test_nul_and_odd_bytes),
        cmocka_unit_test(test_template_renders_again),
        cmocka_unit_test(test_no_data_and_no_finder),
        cmocka_unit_test(test_name_that_is_not_utf8),
        cmocka_unit_test(test_escape_for_path),
        cmocka_unit_test(test_escape_named),
        cmocka_unit_test(test_escape_text_takes_any_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
