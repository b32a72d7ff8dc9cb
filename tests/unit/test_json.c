/* The one layout of JSON files, and reading with places. */
#include "workplace.h"

#include "common/base/json.h"

#include <math.h>

static void assert_layout(const char *json, const char *layout)
{
    struct text out = {0};
    cJSON *value = NULL;
    assert_fine(json_parse("j", json, strlen(json), &value, &error));
    json_layout(value, &out);
    assert_string_equal(text_string(&out), layout);
    cJSON_Delete(value);
    text_free(&out);
}

static void layout(void **state)
{
    (void)state;
    assert_layout("{}", "{}\n");
    assert_layout("[ ]", "[]\n");
    assert_layout("null", "null\n");
    assert_layout("{\"b\":1,\"a\":[true,false,null,{},[]]}",
                  "{\n  \"b\": 1,\n  \"a\": [\n    true,\n    false,\n    null,\n    {},\n"
                  "    []\n  ]\n}\n");
    assert_layout("{\"a\":{\"b\":{\"c\":\"d\"}}}",
                  "{\n  \"a\": {\n    \"b\": {\n      \"c\": \"d\"\n    }\n  }\n}\n");
}

static void strings(void **state)
{
    (void)state;
    assert_layout("\"\\u00fc \\u20ac \\ud83d\\ude00 / \\/\"",
                  "\"\xc3\xbc \xe2\x82\xac \xf0\x9f\x98\x80 / /\"\n");
    assert_layout("\"\\\" \\\\ \\b \\f \\n \\r \\t \\u001b \\u007f\"",
                  "\"\\\" \\\\ \\b \\f \\n \\r \\t \\u001b \x7f\"\n");
}

static void numbers(void **state)
{
    (void)state;
    static const struct {
        double number;
        const char *written;
    } numbers[] = {
        {0, "0"},
        {-1, "-1"},
        {0.1, "0.1"},
        {24.6, "24.6"},
        {1e6, "1000000"},
        {-0.5, "-0.5"},
        {1e21, "1e+21"},
        {31536000, "31536000"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1.0 / 3, "0.3333333333333333"},
        {9007199254740992.0, "9007199254740992"},
        {123456789012345678.0, "1.2345678901234568e+17"},
        {5e-324, "4.94065645841247e-324"},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char written[32];
        json_format_number(numbers[i].number, written);
        assert_string_equal(written, numbers[i].written);
        assert_true(strtod(written, NULL) == numbers[i].number);
    }
    char written[32];
    json_format_number((double)INFINITY, written);
    assert_string_equal(written, "null");
}

static void compact(void **state)
{
    (void)state;
    struct text out = {0};
    cJSON *value = cJSON_Parse("{ \"a\" : [ 1 , \"x y\" ] }");
    json_compact(value, &out);
    assert_string_equal(text_string(&out), "{\"a\":[1,\"x y\"]}");
    cJSON_Delete(value);
    text_free(&out);
}

static void assert_refused(const char *json, const char *message)
{
    cJSON *value = (cJSON *)"x";
    assert_failed(json_parse("f.json", json, strlen(json), &value, &error), WRONG_INPUT, message);
    assert_null(value);
}

static void what_is_no_json(void **state)
{
    (void)state;
    assert_refused("", "f.json:1:1: this is not JSON");
    assert_refused("{\"a\":1,\n \"b\": tru}", "f.json:2:7: this is not JSON");
    assert_refused("{\"\xc3\xbc\xc3\xbc\": x}", "f.json:1:8: this is not JSON");
    assert_refused("{} x", "f.json:1:4: expected the end of the JSON here");
    assert_refused("{}\n{}", "f.json:2:1: expected the end of the JSON here");
    assert_refused("{\"a\": \"\xff\"}", "f.json:1:8: this byte is not UTF-8");
    assert_refused("{\"a\": 1, \"b\": 2, \"a\": 3}", "f.json has the key \"a\" twice");
    assert_refused("[{\"x\": {\"b\": 2, \"b\": 3}}]", "f.json has the key \"b\" twice");
    cJSON *value = NULL;
    assert_int_equal(json_parse("f", "1\0", 2, &value, &error), WRONG_INPUT);
    assert_null(value);
}

static void depth(void **state)
{
    (void)state;
    cJSON *value = NULL;
    struct text deep = {0};
    text_add_repeated(&deep, '[', 65);
    text_add_repeated(&deep, ']', 65);
    assert_fine(json_parse("f", deep.at, deep.length, &value, &error));
    cJSON_Delete(value);
    text_clear(&deep);
    text_add_repeated(&deep, '[', 66);
    text_add_repeated(&deep, ']', 66);
    assert_refused(deep.at, "f.json is nested too deeply (at most 64 levels)");
    text_clear(&deep);
    text_add_repeated(&deep, '[', 100000);
    assert_int_equal(json_parse("f", deep.at, deep.length, &value, &error), WRONG_INPUT);
    text_free(&deep);
}

static void files(void **state)
{
    (void)state;
    cJSON *value = NULL;
    put("a.json", "{\"a\": 1}\n \t\r\n");
    assert_fine(json_read("a.json", 100, &value, &error));
    assert_int_equal(json_number(value, "a", 0), 1);
    cJSON_Delete(value);
    put("b.json", "{\n\"a\" 1}");
    assert_failed(json_read("b.json", 100, &value, &error), WRONG_INPUT,
                  "b.json:2:5: this is not JSON");
    assert_failed(json_read("c.json", 100, &value, &error), WRONG_INPUT, "c.json: no such file");
    assert_null(value);
}

static void members(void **state)
{
    (void)state;
    cJSON *object = json_object(), *array = json_array();
    json_put_string(object, "s", "x");
    json_put_number(object, "n", 2.5);
    json_put_bool(object, "t", true);
    json_put_string(object, "null", NULL);
    json_put(object, "list", array);
    assert_string_equal(json_string(object, "s", "?"), "x");
    assert_string_equal(json_string(object, "S", "?"), "?"); /* case matters */
    assert_string_equal(json_string(object, "n", "?"), "?");
    assert_true(json_number(object, "n", 0) == 2.5 && json_number(object, "s", 7) == 7);
    assert_true(json_true(object, "t"));
    assert_false(json_true(object, "s") || json_true(object, "none") || json_true(NULL, "t"));
    assert_ptr_equal(json_get(object, "list"), array);
    assert_true(cJSON_IsNull(json_get(object, "null")));
    assert_null(json_get(array, "x"));
    assert_null(json_get(NULL, "x"));
    json_put_number(object, "s", 1); /* replaced in its place */
    assert_string_equal(object->child->string, "s");
    assert_int_equal(cJSON_GetArraySize(object), 5);
    json_wipe(object);
    json_wipe(NULL);
}

/* A secret is borrowed: written like any string, neither copied nor overwritten by the tree. */
static void secrets_are_borrowed(void **state)
{
    (void)state;
    secret_owned struct secret password = secret_copy("a\"b", 3);
    struct secret none = {0};
    cJSON *object = json_object();
    struct text out = {0};
    json_put_secret(object, "password", &none);
    json_put_secret(object, "password", &password);
    json_put_secret(object, "other", &none);
    assert_ptr_equal(json_string(object, "password", ""), password.at);
    json_compact(object, &out);
    assert_string_equal(text_string(&out), "{\"password\":\"a\\\"b\",\"other\":null}");
    json_wipe(object);
    assert_string_equal(password.at, "a\"b");
    text_free(&out);
}

static void json_that_is_there_stays_as_it_is(void **state)
{
    (void)state;
    cJSON *object = json_object();
    struct text out = {0};
    json_put(object, "a", cJSON_CreateRaw("{\"b\":25.0}"));
    json_layout(object, &out);
    assert_string_equal(text_string(&out), "{\n  \"a\": {\"b\":25.0}\n}\n");
    text_free(&out);
    cJSON_Delete(object);
}

/* json_normalize() is json_parse() and json_layout(), whatever the text. */
static void assert_normalized(const char *json, size_t length)
{
    struct text slow = {0}, fast = {0};
    struct error broken = {0};
    cJSON *value = NULL;
    enum status status = json_parse("j", json, length, &value, &broken);
    if (!status)
        json_layout(value, &slow);
    assert_int_equal(json_normalize("j", json, length, &fast, &error), status);
    assert_string_equal(text_string(&fast), text_string(&slow));
    if (status)
        assert_failed(status, WRONG_INPUT, text_string(&broken.message));
    cJSON_Delete(value);
    text_free(&slow);
    text_free(&fast);
    error_free(&broken);
    error_free(&error);
}

static void normalized_texts(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        " ",
        "{}",
        " [ ] ",
        "{\"a\":{},\"b\":[[],{}]}",
        "[1,-1,0,-0,00,01,-01,123456789012345,1234567890123456,99999999999999999999]",
        "[0.5,1.0,1e3,1E3,-1e-7,.5,1.,1e,-]",
        "-",
        "0",
        "-0",
        "01",
        "1.0",
        "1e3",
        "12a",
        "123456789012345",
        "1234567890123456",
        "tru",
        "true",
        "truefalse",
        "false ",
        "nulL",
        "null\r\n\t ",
        "null\v",
        "\xef\xbb\xbf{}",
        "\"\xc3\xbc\"",
        "\"\xc3\"",
        "\"\\\"\\\\\\b\\f\\n\\r\\t\"",
        "\"\\/\"",
        "\"\\u00fc\"",
        "\"\\u0008\"",
        "\"\\x\"",
        "\"\\",
        "\"open",
        "\"a\nb\"",
        "\"\x7f\"",
        "{\"a\":1,\"a\":2}",
        "{\"a\":1,\"\\u0061\":2}",
        "{\"a\":{\"a\":1},\"b\":{\"a\":1}}",
        "{\"a\":{\"a\":1},\"a\":{\"a\":1}}",
        "{\"\":1}",
        "{\"a\" : 1 , \"b\" :2}",
        "{\"a\",1}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{,}",
        "{a:1}",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1}",
        "{\"a\":1]",
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
        "{} {}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_normalized(texts[i], strlen(texts[i]));
    assert_normalized("{}\0", 3);
    assert_normalized("\"a\0b\"", 5);
}

/* Real documents: whole, on one line, broken off anywhere, and with one byte that is another. */
static void normalized_documents(void **state)
{
    (void)state;
    static const char *const documents[] = {
        "schemas/system.schema.json", "docs/operator-policy.json", "tests/unit/profile-cases.json"};
    static const char others[] = "\"\\{}[],:0-. \x01\xc3n";
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
        owned char *path = from_root(documents[i]);
        owned char *whole = get(path);
        size_t length = strlen(whole);
        struct text line = {0};
        cJSON *value = cJSON_Parse(whole);
        json_compact(value, &line);
        assert_normalized(line.at, line.length);
        assert_normalized(whole, length);
        for (size_t at = i; at < length; at += 1 + length / 400) {
            owned char *part = must_copy_bytes(whole, at); /* sanitizers see what reads on */
            assert_normalized(part, at);
            char byte = whole[at];
            whole[at] = others[at % (sizeof others - 1)];
            assert_normalized(whole, length);
            whole[at] = byte;
        }
        cJSON_Delete(value);
        text_free(&line);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_that_is_there_stays_as_it_is),
        cmocka_unit_test(secrets_are_borrowed),
        cmocka_unit_test(layout),
        cmocka_unit_test(normalized_texts),
        cmocka_unit_test(normalized_documents),
        cmocka_unit_test(strings),
        cmocka_unit_test(numbers),
        cmocka_unit_test(compact),
        cmocka_unit_test(what_is_no_json),
        cmocka_unit_test(depth),
        cmocka_unit_test(files),
        cmocka_unit_test(members),
    };
    return cmocka_run_group_tests(tests, go_to_workplace, leave_workplace);
}
