/* Texts that grow, UTF-8, and the nearest word. */
#include "heap.h"

#include "common/base/text.h"

static void a_text_grows(void **state)
{
    (void)state;
    struct text text = {0};
    assert_string_equal(text_string(&text), "");
    text_add_string(&text, "");
    assert_int_equal(text.length, 0);
    text_add(&text, "a\0b", 3);
    text_add_char(&text, 'c');
    text_add_repeated(&text, '-', 3);
    text_add_format(&text, "%d%s", 42, "!");
    assert_int_equal(text.length, 10);
    assert_memory_equal(text.at, "a\0bc---42!", 11); /* and its NUL */
    text_clear(&text);
    assert_string_equal(text_string(&text), "");
    for (int i = 0; i < 10000; i++)
        text_add_format(&text, "%d,", i % 10);
    assert_int_equal(text.length, 20000);
    assert_int_equal(strlen(text.at), 20000);
    text_free(&text);
    assert_null(text.at);
}

static void a_text_is_taken(void **state)
{
    (void)state;
    struct text text = {0};
    owned char *nothing = text_take(&text);
    assert_string_equal(nothing, "");
    text_add_string(&text, "kept");
    owned char *taken = text_take(&text);
    assert_string_equal(taken, "kept");
    assert_null(text.at);
    assert_int_equal(text.length + text.room, 0);
}

/* However often it grew: no copy of what it held is left. */
static void a_secret_text_is_overwritten(void **state)
{
    (void)state;
    char password[33];
    make_password(password);
    struct text plain = {0}, secret = {.secret = true};
    text_add_string(&plain, password);
    assert_true(memory_holds(password, 32)); /* so that the search is known to find it */
    text_wipe(&plain);
    assert_false(memory_holds(password, 32));
    for (int i = 0; i < 1000; i++)
        text_add_string(&secret, password);
    assert_int_equal(secret.length, 32000);
    assert_memory_equal(secret.at + 31968, password, 33);
    text_free(&secret);
    assert_false(memory_holds(password, 32));
}

static void well_formed_utf8(void **state)
{
    (void)state;
    static const char *const good[] = {
        "",
        "plain",
        "\xc2\x80",
        "\xdf\xbf",
        "\xe0\xa0\x80",
        "\xed\x9f\xbf",
        "\xee\x80\x80",
        "\xef\xbf\xbf",
        "\xf0\x90\x80\x80",
        "\xf4\x8f\xbf\xbf",
        "a\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(utf8_valid(good[i], strlen(good[i]), NULL));
    assert_true(utf8_valid("a\0b", 3, NULL));
}

static void ill_formed_utf8(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t bad; /* offset */
    } wrong[] = {
        {"\x80", 0},
        {"a\xbf", 1},
        {"\xc0\x80", 0},         /* overlong NUL */
        {"\xc1\xbf", 0},         /* overlong */
        {"\xe0\x9f\xbf", 0},     /* overlong */
        {"\xf0\x8f\xbf\xbf", 0}, /* overlong */
        {"ab\xed\xa0\x80", 2},   /* surrogate */
        {"\xf4\x90\x80\x80", 0}, /* above U+10FFFF */
        {"\xf5\x80\x80\x80", 0},
        {"\xff", 0},
        {"\xc3", 0}, /* cut off */
        {"x\xe2\x82", 1},
        {"\xf0\x9f\x98", 0},
        {"\xc3(", 0},
        {"\xe2\x82(", 0},
        {"\xf0\x9f\x98(", 0},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        size_t bad = 99;
        assert_false(utf8_valid(wrong[i].bytes, strlen(wrong[i].bytes), &bad));
        assert_int_equal(bad, wrong[i].bad);
    }
}

static void lengths_in_code_points(void **state)
{
    (void)state;
    assert_int_equal(utf8_length("", 0), 0);
    assert_int_equal(utf8_length("a\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80", 10), 4);
}

static void beginnings_and_ends(void **state)
{
    (void)state;
    assert_true(begins_with("abc", "ab") && begins_with("abc", "") && begins_with("abc", "abc"));
    assert_false(begins_with("ab", "abc") || begins_with("abc", "b"));
    assert_true(ends_with("abc", "bc") && ends_with("abc", "") && ends_with("abc", "abc"));
    assert_false(ends_with("bc", "abc") || ends_with("abc", "ab"));
}

static void edits(void **state)
{
    (void)state;
    static const struct {
        const char *one, *other;
        size_t distance;
    } pairs[] = {
        {"", "", 0},
        {"a", "a", 0},
        {"", "abc", 3},
        {"duble", "double", 1},
        {"doublee", "double", 1},
        {"dauble", "double", 1},
        {"duoble", "double", 1},
        {"esp8622", "esp8266", 2},
        {"kitten", "sitting", 3},
        {"ca", "abc", 3},
        {"ab", "ba", 1},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        assert_int_equal(edit_distance(pairs[i].one, pairs[i].other), pairs[i].distance);
        assert_int_equal(edit_distance(pairs[i].other, pairs[i].one), pairs[i].distance);
    }
    char longest[66] = {0};
    memset(longest, 'a', 64);
    assert_int_equal(edit_distance(longest, ""), 64);
    longest[64] = 'a';
    assert_int_equal(edit_distance(longest, longest), SIZE_MAX);
    assert_int_equal(edit_distance("", longest), SIZE_MAX);
}

static void the_nearest_word(void **state)
{
    (void)state;
    static const char *const words[] = {"mean", "min", "max", "last", "temperature"};
    assert_string_equal(nearest_word("max", words, 5), "max");
    assert_string_equal(nearest_word("mx", words, 5), "max");
    assert_string_equal(nearest_word("maen", words, 5), "mean");
    assert_string_equal(nearest_word("temprature", words, 5), "temperature");
    assert_null(nearest_word("humidity", words, 5));
    assert_null(nearest_word("x", words, 5)); /* two edits away from "max" */
    assert_null(nearest_word("ab", words, 5));
    assert_null(nearest_word("", words, 0));
    /* the nearer one wins, not the first that is near enough */
    static const char *const close[] = {"publish", "publishes"};
    assert_string_equal(nearest_word("publishe", close, 2), "publish");
    assert_string_equal(nearest_word("publishess", close, 2), "publishes");
    assert_ptr_equal(nearest_word("publish", close, 2), close[0]);
}

static void places(void **state)
{
    (void)state;
    static const char bytes[] = "a\n\xc3\xbc"
                                "b\n\n";
    static const size_t expected[][3] = {{0, 1, 1}, {1, 1, 2}, {2, 2, 1}, {4, 2, 2},
                                         {5, 2, 3}, {6, 3, 1}, {7, 4, 1}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        size_t line = 0, column = 0;
        find_place(bytes, expected[i][0], &line, &column);
        assert_int_equal(line, expected[i][1]);
        assert_int_equal(column, expected[i][2]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_grows),
        cmocka_unit_test(a_text_is_taken),
        cmocka_unit_test(a_secret_text_is_overwritten),
        cmocka_unit_test(well_formed_utf8),
        cmocka_unit_test(ill_formed_utf8),
        cmocka_unit_test(lengths_in_code_points),
        cmocka_unit_test(beginnings_and_ends),
        cmocka_unit_test(edits),
        cmocka_unit_test(the_nearest_word),
        cmocka_unit_test(places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
