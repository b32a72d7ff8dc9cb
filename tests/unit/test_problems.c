/* How what is wrong is shown: sorted, with its line and a caret, safe for a terminal. */
#include "workplace.h"

#include "common/base/json.h"
#include "common/spec/problems.h"

static struct source source;
static struct problems problems;

static void given(const char *bytes)
{
    problems_free(&problems);
    source_free(&source);
    source = (struct source){.name = must_copy("f.yaml")};
    text_add_string(&source.bytes, bytes);
    problems = (struct problems){.source = &source};
}

static void wrong_at(size_t line, size_t column, size_t width, const char *message,
                     const char *hint)
{
    problem_add(&problems, ERROR, (struct place){line, column, width},
                hint ? must_copy(hint) : NULL, "%s", message);
}

static void assert_report(const char *expected)
{
    struct text out = {0};
    problems_write(&problems, false, &out);
    assert_string_equal(text_string(&out), expected);
    text_free(&out);
}

static int forget(void **state)
{
    (void)state;
    problems_free(&problems);
    source_free(&source);
    return 0;
}

static void a_line_with_a_caret(void **state)
{
    (void)state;
    given("one\n  type: duble\nthree");
    wrong_at(2, 9, 5, "not a type", "did you mean \"double\"?");
    wrong_at(3, 1, 5, "last line", NULL);
    wrong_at(0, 0, 0, "the file as a whole", "save it");
    assert_report("f.yaml:2:9: error: not a type\n"
                  "  2 |   type: duble\n"
                  "    |         ^~~~~ did you mean \"double\"?\n"
                  "f.yaml:3:1: error: last line\n"
                  "  3 | three\n"
                  "    | ^~~~~\n"
                  "f.yaml: error: the file as a whole\n"
                  "    save it\n");
}

static void sorted_by_place(void **state)
{
    (void)state;
    given("a\nb\n");
    wrong_at(2, 1, 1, "c", NULL);
    wrong_at(1, 2, 1, "b", NULL);
    wrong_at(1, 1, 1, "z", NULL);
    wrong_at(1, 1, 1, "a", NULL);
    wrong_at(0, 0, 0, "first", NULL);
    problems_sort(&problems);
    static const char *const order[] = {"first", "a", "z", "b", "c"};
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(problems.at[i].message, order[i]);
}

static void columns_are_code_points(void **state)
{
    (void)state;
    given("k\xc3\xbc\xe2\x82\xac: x\r\n");
    struct place place = source_place(&source, strlen("k\xc3\xbc\xe2\x82\xac: "));
    assert_int_equal(place.line, 1);
    assert_int_equal(place.column, 6);
    wrong_at(place.line, place.column, 1, "x", NULL);
    assert_report("f.yaml:1:6: error: x\n"
                  "  1 | k\xc3\xbc\xe2\x82\xac: x\n" /* without the carriage return */
                  "    |      ^\n");
    assert_int_equal(source_place(&source, 10000).line, 2); /* no further than the end */
}

static void a_terminal_is_safe(void **state)
{
    (void)state;
    given("a\tb\x1b[2J\x7f\xff\x9b"
          "c\n");
    wrong_at(1, 3, 1, "a \x1b[31mred\nline", "hint\x07\tbell");
    assert_report("f.yaml:1:3: error: a ?[31mred line\n"
                  "  1 | a b?[2J???c\n"
                  "    |   ^ hint? bell\n");
}

static void a_long_line_is_cut_around_the_place(void **state)
{
    (void)state;
    struct text line = {0}, out = {0};
    for (int i = 0; i < 50; i++)
        text_add_format(&line, "0123456789");
    given(text_string(&line));
    wrong_at(1, 201, 300, "x", NULL);
    problems_write(&problems, false, &out);
    const char *caret = strchr(out.at, '^'), *shown = strstr(out.at, "...");
    assert_non_null(caret);
    assert_non_null(shown);
    /* the caret stands under the digit that column 201 has */
    const char *caret_line = strstr(out.at, "\n    | ") + 1, *line_at = strstr(out.at, "  1 | ");
    assert_int_equal(line_at[caret - caret_line], '0');
    assert_int_equal(line_at[caret - caret_line - 1], '9');
    for (char *at = out.at; *at; at += strcspn(at, "\n") + 1)
        assert_true(strcspn(at, "\n") <= 115);
    text_free(&line);
    text_free(&out);
}

static void fifty_are_shown(void **state)
{
    (void)state;
    struct text out = {0};
    given("a\n");
    for (int i = 0; i < 53; i++)
        wrong_at(1, 1, 1, "again", NULL);
    problems_write(&problems, false, &out);
    size_t shown = 0;
    for (const char *at = out.at; (at = strstr(at, "error: again")); at++)
        shown++;
    assert_int_equal(shown, 50);
    assert_true(ends_with(out.at, "f.yaml: and 3 more\n"));
    text_free(&out);
}

static void too_many_are_counted_only(void **state)
{
    (void)state;
    given("a\n");
    for (int i = 0; i < 10100; i++)
        wrong_at(1, 1, 1, "again", "hint");
    assert_int_equal(problems.errors, 10100);
    assert_int_equal(problems.count, 10000);
}

static void a_long_message_is_cut(void **state)
{
    (void)state;
    struct text message = {0};
    given("a\n");
    for (int i = 0; i < 600; i++)
        text_add_string(&message, "\xe2\x82\xac"); /* three bytes each */
    wrong_at(1, 1, 1, text_string(&message), NULL);
    size_t length = strlen(problems.at[0].message);
    assert_true(length <= 1000 && length > 990);
    assert_true(ends_with(problems.at[0].message, "\xe2\x82\xac..."));
    assert_true(utf8_valid(problems.at[0].message, length, NULL));
    text_free(&message);
}

static void warnings_are_no_errors(void **state)
{
    (void)state;
    given("a\n");
    problem_add(&problems, WARNING, (struct place){1, 1, 1}, NULL, "%d is odd", 3);
    assert_int_equal(problems.errors, 0);
    assert_int_equal(problems.count, 1);
    assert_report("f.yaml:1:1: warning: 3 is odd\n  1 | a\n    | ^\n");
}

static void colour(void **state)
{
    (void)state;
    struct text out = {0};
    given("a\n");
    wrong_at(1, 1, 1, "x", NULL);
    problems_write(&problems, true, &out);
    assert_non_null(strstr(out.at, ": \033[1;31merror\033[0m: x\n"));
    assert_non_null(strstr(out.at, "| \033[1;31m^\033[0m\n"));
    text_free(&out);
}

static void as_json(void **state)
{
    (void)state;
    struct text out = {0};
    cJSON *list = json_array();
    given("a\n");
    wrong_at(1, 2, 1, "x", "y");
    problem_add(&problems, WARNING, (struct place){0}, NULL, "z");
    problems_to_json(&problems, list);
    json_compact(list, &out);
    assert_string_equal(out.at,
                        "[{\"file\":\"f.yaml\",\"line\":1,\"column\":2,\"severity\":\"error\","
                        "\"message\":\"x\",\"hint\":\"y\"},{\"file\":\"f.yaml\",\"line\":0,"
                        "\"column\":0,\"severity\":\"warning\",\"message\":\"z\","
                        "\"hint\":null}]");
    cJSON_Delete(list);
    text_free(&out);
}

static void choices(void **state)
{
    (void)state;
    static const char *const words[] = {"a1", "b", "c", "d", "e", "f", "g",
                                        "h",  "i", "j", "k", "l", "m"};
    owned char *few = choice_hint("x", words + 1, 2), *near = choice_hint("a2", words, 2);
    owned char *many = choice_hint("zzzz", words, 13), *twelve = choice_hint("zzzz", words, 12);
    assert_string_equal(few, "did you mean \"b\"? (b, c)");
    assert_string_equal(near, "did you mean \"a1\"? (a1, b)");
    assert_string_equal(twelve, "(a1, b, c, d, e, f, g, h, i, j, k, l)");
    assert_string_equal(many, "(a1, b, c, d, e, f, g, h, i, j, k, l, ...)");
}

#define TEST(function) cmocka_unit_test_teardown(function, forget)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_line_with_a_caret),
        TEST(sorted_by_place),
        TEST(columns_are_code_points),
        TEST(a_terminal_is_safe),
        TEST(a_long_line_is_cut_around_the_place),
        TEST(fifty_are_shown),
        TEST(too_many_are_counted_only),
        TEST(a_long_message_is_cut),
        TEST(warnings_are_no_errors),
        TEST(colour),
        TEST(as_json),
        TEST(choices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
