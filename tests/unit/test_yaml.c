/* YAML as a tree with places: what a scalar means, anchors and merging, hostile files, places
 * inside of scalars. */
#include "workplace.h"

#include "common/base/json.h"
#include "common/spec/schema.h"
#include "common/spec/yaml.h"

static struct source source;
static struct problems problems;
static struct yaml yaml;

static int forget(void **state)
{
    (void)state;
    yaml_tree_free(&yaml);
    problems_free(&problems);
    source_free(&source);
    return 0;
}

static void load_bytes(const char *bytes, size_t length)
{
    forget(NULL);
    source = (struct source){.name = must_copy("f")};
    problems = (struct problems){.source = &source};
    text_add(&source.bytes, bytes, length);
    yaml_tree_load(&source, &yaml, &problems);
}

static void load(const char *bytes)
{
    load_bytes(bytes, strlen(bytes));
}

/* As JSON on one line. */
static void assert_tree(const char *bytes, const char *json)
{
    struct text out = {0};
    load_bytes(bytes, strlen(bytes));
    if (problems.count)
        fail_msg("%s: %s", bytes, problems.at[0].message);
    cJSON *value = schema_check(NULL, NULL, yaml.root, &problems);
    json_compact(value, &out);
    assert_string_equal(text_string(&out), json);
    cJSON_Delete(value);
    text_free(&out);
}

/* The first problem; no tree is left when nothing more can be understood. */
static void assert_problem(const char *bytes, size_t line, size_t column, const char *message)
{
    load_bytes(bytes, strlen(bytes));
    if (!problems.count)
        fail_msg("%s: no problem", bytes);
    assert_string_equal(problems.at[0].message, message);
    assert_int_equal(problems.at[0].place.line, line);
    assert_int_equal(problems.at[0].place.column, column);
}

static void trees(void **state)
{
    (void)state;
    assert_tree("a: 1\nb: [x, 2.5, true]\nc: {d: null}\n",
                "{\"a\":1,\"b\":[\"x\",2.5,true],\"c\":{\"d\":null}}");
    assert_tree("- a\n- - b\n  - c\n", "[\"a\",[\"b\",\"c\"]]");
    assert_tree("\"a\": 'it''s'\nb: \"tab\\tend\"\nc: |\n  one\n  two\nd: >-\n  one\n  two\n",
                "{\"a\":\"it's\",\"b\":\"tab\\tend\",\"c\":\"one\\ntwo\\n\",\"d\":\"one two\"}");
    assert_tree("just text", "\"just text\"");
    assert_tree("\xef\xbb\xbf"
                "a: 1\n",
                "{\"a\":1}");
    assert_tree("a: 1\r\nb: 2\r\n", "{\"a\":1,\"b\":2}");
    assert_tree("--- {a: 1}\n...\n", "{\"a\":1}");
}

static void an_empty_file(void **state)
{
    (void)state;
    static const char *const empty[] = {"", "\n", "# only a comment\n", "---\n"};
    for (size_t i = 0; i < 3; i++) {
        load_bytes(empty[i], strlen(empty[i]));
        assert_null(yaml.root);
        assert_int_equal(problems.count, 0);
    }
    assert_tree(empty[3], "null");
}

static enum yaml_meaning meaning(const char *text, bool quoted, double *number)
{
    struct yaml_node node = {
        .kind = YAML_SCALAR, .text = text, .length = strlen(text), .quoted = quoted};
    return yaml_meaning(&node, number);
}

static void assert_meaning(enum yaml_meaning wanted, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (meaning(words[i], false, NULL) != wanted)
            print_error("%s\n", words[i]);
        assert_int_equal(meaning(words[i], false, NULL), wanted);
        assert_int_equal(meaning(words[i], true, NULL), YAML_STRING);
    }
}

#define ALL_MEAN(wanted, ...)                                                                      \
    do {                                                                                           \
        static const char *const words[] = {__VA_ARGS__};                                          \
        assert_meaning(wanted, words, sizeof words / sizeof *words);                               \
    } while (0)

static void meanings(void **state)
{
    (void)state;
    ALL_MEAN(YAML_NULL, "", "~", "null", "Null", "NULL");
    ALL_MEAN(YAML_TRUE, "true", "True", "TRUE", "yes", "on", "On");
    ALL_MEAN(YAML_FALSE, "false", "no", "NO", "off", "OFF");
    ALL_MEAN(YAML_INTEGER, "0", "-1", "+5", "123456789", "-0");
    ALL_MEAN(YAML_NUMBER, "0.5", "-0.25", "1.5e+3", "1.0E-2", "+2.0");
    ALL_MEAN(YAML_TOO_LARGE, "1.0e+309", "-1.8e+308");
    ALL_MEAN(YAML_AMBIGUOUS, "014", "-014", "08", "0x1F", "0b101", "0o17", "1:30", "190:20:30",
             "1_000", "1e3", "1.5e3", ".5", "5.", ".inf", "-.INF", ".nan");
    ALL_MEAN(YAML_STRING, "text", "1.2.3", "127.0.0.1", "2026-11-21", "5m", "1 2", "0x", "0xZZ",
             "tRUE", "nUll", "-", "+", ".", "-a", "1e", "1e+", "e3", "0b102x", "fd00::1");
}

static void numbers_have_values(void **state)
{
    (void)state;
    double number = 0;
    assert_int_equal(meaning("-12", false, &number), YAML_INTEGER);
    assert_true(number == -12);
    assert_int_equal(meaning("+1.5e+2", false, &number), YAML_NUMBER);
    assert_true(number == 150);
    number = 7;
    assert_int_equal(meaning("014", false, &number), YAML_AMBIGUOUS);
    assert_true(number == 7);
}

static void tags(void **state)
{
    (void)state;
    assert_tree("a: !!str 5\nb: ! 5\nc: !!int 5\nd: !!map {}\n",
                "{\"a\":\"5\",\"b\":\"5\",\"c\":5,\"d\":{}}");
    assert_problem("a: !secret x\n", 1, 4, "the tag !secret means nothing here");
    assert_problem("!!binary eA==\n", 1, 1, "the tag tag:yaml.org,2002:binary means nothing here");
    assert_problem("- !!set {a}\n", 1, 3, "the tag tag:yaml.org,2002:set means nothing here");
}

static void anchors(void **state)
{
    (void)state;
    assert_tree("a: &x {n: 1}\nb: *x\n", "{\"a\":{\"n\":1},\"b\":{\"n\":1}}");
    assert_tree("a: &x 1\nb: &x 2\nc: *x\n", "{\"a\":1,\"b\":2,\"c\":2}"); /* the latest */
    assert_tree("&k key: *k\n", "{\"key\":\"key\"}");
    load("a: &x [1]\nb: *x\n");
    assert_ptr_equal(yaml_get(yaml.root, "a"), yaml_get(yaml.root, "b")); /* shared */
    assert_problem("a: *x\n", 1, 4, "there is no anchor \"&x\" above");
    assert_null(yaml.root);
}

static void a_recursive_alias(void **state)
{
    (void)state;
    assert_problem("a: &x [1, *x]\n", 1, 11, "this alias stands inside of what it names");
    assert_null(yaml.root);
    assert_problem("&x a: {b: *x}\nc: &y {d: *y}\n", 2, 11,
                   "this alias stands inside of what it names");
    assert_problem("a: &x\n  <<: *x\n", 2, 7, "this alias stands inside of what it names");
}

static void merging(void **state)
{
    (void)state;
    assert_tree("a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  y: 3\n  z: 4\n",
                "{\"a\":{\"x\":1,\"y\":2},\"b\":{\"y\":3,\"z\":4,\"x\":1}}");
    assert_tree("b:\n  y: 3\n  <<: {x: 1, y: 2}\n", "{\"b\":{\"y\":3,\"x\":1}}");
    assert_tree("a:\n  <<: [{x: 1}, {x: 2, y: 3}]\n", "{\"a\":{\"x\":1,\"y\":3}}");
    assert_tree("\"<<\": 5\n", "{\"<<\":5}"); /* quoted: a key like any other */
    assert_problem("<<: 5\n", 1, 5, "\"<<\" merges a map, or a list of maps");
    assert_problem("<<: [{a: 1}, b]\n", 1, 14, "\"<<\" merges a map, or a list of maps");
    assert_problem("<<: {a: 1}\n<<: {b: 1}\n", 2, 1, "\"<<\" stands here twice");
}

static void keys(void **state)
{
    (void)state;
    assert_problem("a: 1\nb: 2\na: 3\n", 3, 1, "\"a\" stands here twice");
    assert_string_equal(problems.at[0].hint, "the first one is in line 1");
    assert_int_equal(yaml_get(yaml.root, "a")->text[0], '1');
    assert_problem("{a: 1, \"a\": 2}", 1, 8, "\"a\" stands here twice");
    assert_problem("? [a]\n: 1\n", 1, 3, "a key must be a single word or text");
    assert_problem("? {a: 1}\n: 1\n", 1, 3, "a key must be a single word or text");
    load("a: 1\nb: {c: 2}\n");
    assert_int_equal(yaml_key(yaml.root, "b")->place.line, 2);
    assert_null(yaml_key(yaml.root, "c"));
    assert_null(yaml_get(yaml_get(yaml.root, "a"), "b"));
    assert_null(yaml_get(NULL, "b"));
}

static void two_documents(void **state)
{
    (void)state;
    assert_problem("a: 1\n---\nb: 2\n", 2, 1, "a second document begins here; one is read");
    assert_null(yaml.root);
}

static void bytes_that_are_no_text(void **state)
{
    (void)state;
    load_bytes("a: b\n\0c", 7);
    assert_string_equal(problems.at[0].message, "a NUL byte; this is not a text file");
    assert_int_equal(problems.at[0].place.line, 2);
    assert_problem("a: \"\xc3\xbc\xe4\"\n", 1, 6, "the byte 0xE4 here is not UTF-8");
    assert_problem("a: \"x\\0y\"\n", 1, 4, "this text holds a NUL (\\0), which nothing here may");
    load_bytes("\xff\xfe"
               "a\0",
               4);
    assert_string_equal(problems.at[0].message, "this file is UTF-16");
    load_bytes("\xfe\xff\0a", 4);
    assert_string_equal(problems.at[0].message, "this file is UTF-16");
    assert_problem("a: x\x01y\n", 1, 5, "this is not YAML: control characters are not allowed");
}

static void syntax(void **state)
{
    (void)state;
    assert_problem("a: [1, 2\nb: 3\n", 2, 2, "this is not YAML: did not find expected ',' or ']'");
    assert_string_equal(problems.at[0].hint, "while parsing a flow sequence that begins in line 1");
    assert_problem("a: {b: 1\n", 1, 4, "this is not YAML: did not find expected ',' or '}'");
    assert_problem("a:\n\tb: 1\n", 2, 1, "a tab cannot stand here");
    assert_problem("a: 'b\n\n", 1, 4, "this is not YAML: found unexpected end of stream");
    assert_null(yaml.root);
}

static void depth(void **state)
{
    (void)state;
    struct text bytes = {0};
    text_add_repeated(&bytes, '[', 64);
    text_add_repeated(&bytes, ']', 64);
    load_bytes(bytes.at, bytes.length);
    assert_int_equal(problems.count, 0);
    text_clear(&bytes);
    text_add_repeated(&bytes, '[', 500000);
    alarm(20);
    assert_problem(bytes.at, 1, 65, "this is nested too deeply (at most 64 levels)");
    text_clear(&bytes);
    for (int i = 0; i < 5000; i++)
        text_add_string(&bytes, "- ");
    load_bytes(bytes.at, bytes.length);
    assert_int_equal(problems.errors, 1);
    alarm(0);
    text_free(&bytes);
}

static void sizes(void **state)
{
    (void)state;
    struct text bytes = {0};
    for (int i = 0; i < 100001; i++)
        text_add_string(&bytes, "- \n");
    load_bytes(bytes.at, bytes.length);
    assert_int_equal(problems.errors, 1);
    assert_string_equal(problems.at[0].message, "this file holds too much");
    text_clear(&bytes);
    for (int i = 0; i < 2001; i++)
        text_add_format(&bytes, "k%d: 1\n", i);
    assert_problem(bytes.at, 2001, 1, "this map has more than 2000 keys");
    text_clear(&bytes);
    for (int i = 0; i < 2001; i++)
        text_add_format(&bytes, "- &a%d x\n", i);
    assert_problem(bytes.at, 2001, 3, "this file has more than 2000 anchors");
    text_clear(&bytes);
    text_add_repeated(&bytes, '#', (1 << 20) + 1);
    load_bytes(bytes.at, bytes.length);
    assert_string_equal(problems.at[0].message,
                        "this file has 1048577 bytes; at most 1048576 are read");
    text_free(&bytes);
}

/* Small as a tree, because aliases share; huge as JSON, which is where it is stopped. */
static void a_billion_laughs(void **state)
{
    (void)state;
    struct text bytes = {0};
    text_add_string(&bytes, "a: &a [x, x, x, x, x, x, x, x, x]\n");
    for (char c = 'b'; c < 'k'; c++)
        text_add_format(&bytes, "%c: &%c [*%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c]\n", c, c,
                        c - 1, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1);
    alarm(20);
    load_bytes(bytes.at, bytes.length);
    assert_int_equal(problems.count, 0);
    assert_true(yaml.count < 100);
    cJSON *value = schema_check(NULL, NULL, yaml.root, &problems);
    assert_int_equal(problems.errors, 1);
    assert_string_equal(problems.at[0].message,
                        "aliases make more than 100000 values of this file");
    alarm(0);
    cJSON_Delete(value);
    text_free(&bytes);
}

/* Lines are those that end in a line feed, whatever else YAML calls a line's end. */
static void places(void **state)
{
    (void)state;
    load("k\xc3\xbc: {\xe2\x82\xac: x}\n");
    const struct yaml_node *inner = yaml_get(yaml.root, "k\xc3\xbc");
    assert_int_equal(inner->place.column, 5);
    assert_int_equal(inner->offset, 5);
    assert_int_equal(inner->items[0]->place.column, 9);
    assert_int_equal(inner->items[0]->offset, 11);
    assert_int_equal(inner->keys[0]->place.width, 1);
    load("a: 1 # x\r# y\r\nlast: word\n");
    assert_int_equal(yaml_get(yaml.root, "last")->place.line, 2);
    assert_int_equal(yaml_get(yaml.root, "last")->place.column, 7);
    assert_int_equal(yaml_get(yaml.root, "last")->place.width, 4);
}

/* YAML 1.2, 5.2: a byte order mark may begin a document. It is no column. */
static void a_byte_order_mark(void **state)
{
    (void)state;
    assert_tree("\xef\xbb\xbf"
                "a: 1\nb: {c: x}\n",
                "{\"a\":1,\"b\":{\"c\":\"x\"}}");
    assert_problem("\xef\xbb\xbf"
                   "a: [1, 2\nb: 3\n",
                   2, 2, "this is not YAML: did not find expected ',' or ']'");
    load("\xef\xbb\xbf"
         "k\xc3\xbc: {a: x}\n");
    assert_int_equal(yaml_get(yaml.root, "k\xc3\xbc")->place.column, 5);
}

/* Every character of `text` that is not blank is found at the place of the same character in the
 * file, which is unique there. */
static void assert_inside(const char *bytes, const char *letters)
{
    load_bytes(bytes, strlen(bytes));
    assert_int_equal(problems.count, 0);
    const struct yaml_node *scalar = yaml_get(yaml.root, "a");
    for (; *letters; letters++) {
        const char *in_text = strchr(scalar->text, *letters);
        const char *in_file = strrchr(bytes, *letters);
        assert_non_null(in_text);
        struct place wanted = source_place(&source, (size_t)(in_file - bytes));
        struct place got = yaml_place_inside(&source, scalar, (size_t)(in_text - scalar->text));
        if (got.line != wanted.line || got.column != wanted.column)
            fail_msg("%c of [%s]: %zu:%zu, not %zu:%zu", *letters, bytes, got.line, got.column,
                     wanted.line, wanted.column);
    }
}

static void places_inside(void **state)
{
    (void)state;
    assert_inside("a: BCD EFG\n", "BCDEFG");
    assert_inside("\xc3\xbc: 0\na: \xc3\xa4 X \xe2\x82\xac Y\n", "XY");
    assert_inside("a: one\n  TWO\n  THREE\n", "WHR");
    assert_inside("a: 'X''Y Z'\n", "XYZ");
    assert_inside("a: \"X\\\"Y \\\\ Z\"\n", "XYZ");
    assert_inside("a: \"X\n   Y\\/Z\"\n", "XYZ");
    assert_inside("a: |\n  X\n\n    Y\n  Z\n", "XYZ");
    assert_inside("a: >-\n    X\n    Y\n\n    Z\n", "XYZ");
    assert_inside("a: |2-   # comment\n   X\n  Y\n", "XY");
    assert_inside("{a: X Y, b: 0}", "XY");
    assert_inside("a: &anchor X\n", "X");
    assert_inside("a: !!str &b 'X Y'\n", "XY");
    assert_inside("a: &b |\n  X\n  Y\n", "XY");
}

static void places_that_cannot_be_told(void **state)
{
    (void)state;
    load("a: \"\\x41 Z\"\n");
    const struct yaml_node *scalar = yaml_get(yaml.root, "a");
    assert_string_equal(scalar->text, "A Z");
    struct place place = yaml_place_inside(&source, scalar, 2);
    assert_int_equal(place.line, 1);
    assert_int_equal(place.column, 4); /* the scalar's own */
    place = yaml_place_inside(&source, scalar, 1000);
    assert_int_equal(place.column, 4);
    load("a: abc  \n"); /* behind the end: one column after the last character */
    place = yaml_place_inside(&source, yaml_get(yaml.root, "a"), 3);
    assert_int_equal(place.column, 7);
    load("a: ''\n");
    place = yaml_place_inside(&source, yaml_get(yaml.root, "a"), 0);
    assert_int_equal(place.line, 1);
}

static void secrets_are_wiped(void **state)
{
    (void)state;
    load("a: hush\n");
    yaml_tree_wipe(&yaml);
    assert_null(yaml.root);
    assert_int_equal(yaml.count, 0);
}

#define TEST(function) cmocka_unit_test_teardown(function, forget)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(trees),
        TEST(an_empty_file),
        TEST(meanings),
        TEST(numbers_have_values),
        TEST(tags),
        TEST(anchors),
        TEST(a_recursive_alias),
        TEST(merging),
        TEST(keys),
        TEST(two_documents),
        TEST(bytes_that_are_no_text),
        TEST(syntax),
        TEST(depth),
        TEST(sizes),
        TEST(a_billion_laughs),
        TEST(places),
        TEST(a_byte_order_mark),
        TEST(a_byte_order_mark),
        TEST(places_inside),
        TEST(places_that_cannot_be_told),
        TEST(secrets_are_wiped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
