/* Each keyword of JSON Schema that the checker understands, and that the schemas which ship use no
 * other. */
#include "workplace.h"

#include "common/base/json.h"
#include "common/spec/pattern.h"
#include "common/spec/schema.h"

/* The JSON that comes back, and behind it every message: "{...}|message (hint)|..." */
static char *outcome(const char *schema_text, const char *value)
{
    struct source source = {.name = must_copy("f")};
    struct problems problems = {.source = &source};
    struct yaml yaml;
    struct text out = {0};
    cJSON *schema = cJSON_Parse(schema_text);
    if (!schema)
        fail_msg("%s is not JSON", schema_text);
    text_add_string(&source.bytes, value);
    yaml_tree_load(&source, &yaml, &problems);
    cJSON *json = schema_check(schema, schema, yaml.root, &problems);
    json_compact(json, &out);
    problems_sort(&problems);
    for (size_t i = 0; i < problems.count; i++)
        text_add_format(&out, "|%s%s%s%s", problems.at[i].message, problems.at[i].hint ? " (" : "",
                        problems.at[i].hint ? problems.at[i].hint : "",
                        problems.at[i].hint ? ")" : "");
    cJSON_Delete(json);
    cJSON_Delete(schema);
    yaml_tree_free(&yaml);
    problems_free(&problems);
    source_free(&source);
    return text_take(&out);
}

static void assert_outcome(const char *schema, const char *value, const char *wanted)
{
    owned char *got = outcome(schema, value);
    assert_string_equal(got, wanted);
}

static void types(void **state)
{
    (void)state;
    static const char *const values[] = {"text", "5", "2.5", "yes", "{a: 1}", "[1]", "~"};
    static const struct {
        const char *schema;
        const char *fits; /* one letter for each value: x when it does */
    } types[] = {
        {"{\"type\": \"string\"}", "x......"}, {"{\"type\": \"integer\"}", ".x....."},
        {"{\"type\": \"number\"}", ".xx...."}, {"{\"type\": \"boolean\"}", "...x..."},
        {"{\"type\": \"object\"}", "....x.."}, {"{\"type\": \"array\"}", ".....x."},
        {"{\"type\": \"null\"}", "......x"},   {"{\"type\": [\"number\", \"string\"]}", "xxx...."},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        for (size_t j = 0; j < sizeof values / sizeof *values; j++) {
            owned char *got = outcome(types[i].schema, values[j]);
            if ((strchr(got, '|') == NULL) != (types[i].fits[j] == 'x'))
                fail_msg("%s of %s: %s", types[i].schema, values[j], got);
        }
    }
}

static void messages_of_types(void **state)
{
    (void)state;
    static const char integer[] = "{\"title\": \"a port\", \"type\": \"integer\"}";
    assert_outcome(integer, "text", "{}|a port must be a whole number; this is text");
    assert_outcome(integer, "\"80\"",
                   "{}|a port must be a whole number; this is text "
                   "(write it without quotes: 80)");
    assert_outcome(integer, "0x50",
                   "{}|a port must be a whole number; this is a number that "
                   "readers of YAML disagree on (a number as JSON writes it: 10, "
                   "-0.5, 1.5e+3)");
    assert_outcome(integer, "{a: 1}", "{}|a port must be a whole number; this is a map");
    assert_outcome("{\"type\": \"string\"}", "5",
                   "{}|this value must be text; this is a number (put it in quotes: \"5\")");
    assert_outcome("{\"type\": \"string\", \"enum\": [\"none\", \"deep\"]}", "no",
                   "{}|this value must be text; this is a yes or no ((none, deep))");
    assert_outcome("{\"type\": \"string\", \"pattern\": \"^[0-9]+s$\", \"x-expected\": \"5s\"}",
                   "5", "{}|this value must be text; this is a number (5s)");
    assert_outcome("{\"type\": [\"number\", \"string\"]}", "yes",
                   "{}|this value must be a number or text; this is a yes or no (put it in quotes: "
                   "\"yes\")");
    assert_outcome("{\"type\": \"array\"}", "a: 1", "{}|this value must be a list; this is a map");
    assert_outcome("{\"type\": \"boolean\"}", "\"on\"",
                   "{}|this value must be true or false; this is text (write it without quotes: "
                   "on)");
}

static void enum_and_const(void **state)
{
    (void)state;
    static const char words[] =
        "{\"title\": \"a way\", \"type\": \"string\", \"enum\": [\"deep\", \"light\"]}";
    assert_outcome(words, "deep", "\"deep\"");
    assert_outcome(words, "depe",
                   "{}|\"depe\" is not a way (did you mean \"deep\"? (deep, light))");
    static const char numbers[] = "{\"type\": \"integer\", \"enum\": [118, 119]}";
    assert_outcome(numbers, "119", "119");
    assert_outcome(numbers, "11",
                   "{}|\"11\" is not one of the values allowed (did you mean "
                   "\"118\"? (118, 119))");
    assert_outcome("{\"title\": \"a version\", \"const\": 1}", "1", "1");
    assert_outcome("{\"title\": \"a version\", \"const\": 1}", "2", "{}|a version must be 1");
    assert_outcome("{\"title\": \"a version\", \"const\": 1}", "\"1\"", "{}|a version must be 1");
}

static void texts(void **state)
{
    (void)state;
    static const char pattern[] = "{\"title\": \"a name\", \"type\": \"string\", \"pattern\": "
                                  "\"^[a-z]+$\", \"x-expected\": \"letters\"}";
    assert_outcome(pattern, "abc", "\"abc\"");
    assert_outcome(pattern, "abC", "{}|\"abC\" is not a name (letters)");
    assert_outcome(pattern, "\"abc\\n\"", "{}|\"abc \" is not a name (letters)");
    assert_outcome("{\"type\": \"string\", \"pattern\": \"b\"}", "abc", "\"abc\""); /* unanchored */
    static const char not [] =
        "{\"title\": \"a name\", \"type\": \"string\", \"not\": {\"pattern\": "
        "\"^time$\"}, \"x-not\": \"taken\"}";
    assert_outcome(not, "times", "\"times\"");
    assert_outcome(not, "time", "{}|\"time\" cannot be a name (taken)");
    static const char length[] =
        "{\"title\": \"a unit\", \"type\": \"string\", \"minLength\": 1, \"maxLength\": 3}";
    assert_outcome(length, "\xc2\xb0\xe2\x82\xac!", "\"\xc2\xb0\xe2\x82\xac!\"");
    assert_outcome(length, "abcd", "{}|a unit has at most 3 characters; this has 4");
    assert_outcome(length, "\"\"", "{}|a unit must not be empty");
}

static void numbers(void **state)
{
    (void)state;
    static const char both[] =
        "{\"title\": \"a port\", \"type\": \"integer\", \"minimum\": 1, \"maximum\": 65535}";
    assert_outcome(both, "1", "1");
    assert_outcome(both, "65535", "65535");
    assert_outcome(both, "0", "{}|0 is out of range for a port (1 to 65535)");
    assert_outcome(both, "65536", "{}|65536 is out of range for a port (1 to 65535)");
    assert_outcome("{\"type\": \"number\", \"minimum\": 0.1}", "0",
                   "{}|0 is out of range for this value (at least 0.1)");
    assert_outcome("{\"type\": \"number\", \"maximum\": -1}", "0",
                   "{}|0 is out of range for this value (at most -1)");
}

static void durations(void **state)
{
    (void)state;
    static const char limited[] =
        "{\"type\": \"string\", \"x-duration\": {\"minimum\": \"1h\", \"maximum\": \"2d\", "
        "\"unit\": \"1h\", \"why\": \"it takes\"}}";
    assert_outcome(limited, "1h", "\"1h\"");
    assert_outcome(limited, "48h", "\"48h\"");
    assert_outcome(limited, "59m", "{}|59m is out of range (it takes 1h to 2d)");
    assert_outcome(limited, "49h", "{}|49h is out of range (it takes 1h to 2d)");
    assert_outcome(limited, "90m", "{}|90m is not a multiple of 1h (it takes multiples of 1h)");
}

static void maps(void **state)
{
    (void)state;
    static const char map[] =
        "{\"title\": \"a thing\", \"type\": \"object\", \"additionalProperties\": false, "
        "\"required\": [\"name\"], \"properties\": {\"name\": {\"type\": \"string\", "
        "\"x-example\": "
        "\"kitchen\"}, \"size\": {\"type\": \"integer\"}}}";
    assert_outcome(map, "name: a\nsize: 1", "{\"name\":\"a\",\"size\":1}");
    assert_outcome(map, "size: 1",
                   "{\"size\":1}|a thing needs the key \"name\" (for example name: kitchen)");
    assert_outcome(map, "{name: a, sise: 1}",
                   "{\"name\":\"a\"}|\"sise\" is not a key of a thing "
                   "(did you mean \"size\"? (name, size))");
    assert_outcome(map, "{name: a, size: b}",
                   "{\"name\":\"a\"}|this value must be a whole number; this is text");
    static const char named[] =
        "{\"title\": \"all\", \"type\": \"object\", \"minProperties\": 1, \"maxProperties\": 2, "
        "\"propertyNames\": {\"title\": \"a name\", \"pattern\": \"^[a-z]$\"}, "
        "\"additionalProperties\": {\"type\": \"integer\"}}";
    assert_outcome(named, "{a: 1, b: 2}", "{\"a\":1,\"b\":2}");
    assert_outcome(named, "{}", "{}|all: at least 1 key must be here");
    assert_outcome(named, "{a: 1, b: 2, c: 3}",
                   "{\"a\":1,\"b\":2,\"c\":3}|all: at most 2 keys may be here; there are 3");
    assert_outcome(named, "{A: 1}", "{\"A\":1}|\"A\" is not a name (^[a-z]$)");
    assert_outcome(named, "{a: x}", "{}|this value must be a whole number; this is text");
}

static void lists(void **state)
{
    (void)state;
    static const char list[] =
        "{\"title\": \"pins\", \"type\": \"array\", \"minItems\": 1, \"maxItems\": 3, "
        "\"uniqueItems\": true, \"items\": {\"type\": \"integer\"}}";
    assert_outcome(list, "[1, 2, 3]", "[1,2,3]");
    assert_outcome(list, "[]", "[]|pins: at least 1 item must be here");
    assert_outcome(list, "[1, 2, 3, x, y]",
                   "[1,2,3]|pins: at most 3 items may be here; there are 5");
    assert_outcome(list, "[1, 2, 1]", "[1,2,1]|\"1\" stands here twice");
    assert_outcome(list, "[1, x]", "[1]|this value must be a whole number; this is text");
}

static void defaults(void **state)
{
    (void)state;
    static const char schema[] =
        "{\"type\": \"object\", \"properties\": {\"a\": {\"type\": \"integer\", \"default\": 5}, "
        "\"b\": {\"type\": \"object\", \"default\": {}, \"properties\": {\"c\": {\"type\": "
        "\"string\", \"default\": \"x\"}}}, \"d\": {\"type\": \"object\", \"properties\": {\"e\": "
        "{\"default\": 1}}}}}";
    assert_outcome(schema, "{}", "{\"a\":5,\"b\":{\"c\":\"x\"}}");
    assert_outcome(schema, "{a: 1, b: {c: y}, d: {}}",
                   "{\"a\":1,\"b\":{\"c\":\"y\"},\"d\":{\"e\":1}}");
    assert_outcome(schema, "b: {}", "{\"b\":{\"c\":\"x\"},\"a\":5}");
}

static void references(void **state)
{
    (void)state;
    static const char schema[] =
        "{\"type\": \"object\", \"properties\": {\"a\": {\"$ref\": \"#/$defs/two\", \"title\": "
        "\"an a\"}}, \"$defs\": {\"one\": {\"title\": \"a one\", \"type\": \"integer\", "
        "\"maximum\": 9}, \"two\": {\"$ref\": \"#/$defs/one\", \"minimum\": 2}}}";
    assert_outcome(schema, "a: 5", "{\"a\":5}");
    assert_outcome(schema, "a: 1", "{}|1 is out of range for an a (2 to 9)");
    assert_outcome(schema, "a: x", "{}|an a must be a whole number; this is text");
}

static void free_values(void **state)
{
    (void)state;
    assert_outcome("{}", "{a: [1, yes, ~, x, 2.5, \"5\"]}",
                   "{\"a\":[1,true,null,\"x\",2.5,\"5\"]}");
    assert_outcome("{}", "a: 014",
                   "{\"a\":null}|014 is read differently by different readers of "
                   "YAML (a number as JSON writes it, or put text in quotes)");
}

static void an_empty_file(void **state)
{
    (void)state;
    assert_outcome("{\"title\": \"a spec\", \"type\": \"object\"}", "# nothing\n",
                   "{}|this file is empty; expected a spec");
}

static void patterns(void **state)
{
    (void)state;
    char why[128] = "";
    size_t at = 0;
    assert_true(pattern_matches("[0-9a-z-]+", "1-a") && pattern_matches("a|bc", "bc"));
    assert_false(pattern_matches("[0-9a-z-]+", "1 a") || pattern_matches("a", "ab") ||
                 pattern_matches("b", "ab") || pattern_matches("a", "a\n") ||
                 pattern_matches("a|b", "bc"));
    assert_true(pattern_matches("\xc3\xbc?x", "x")); /* code points, not bytes */
    assert_false(pattern_matches("[", "["));
    assert_true(pattern_valid("[0-9]+", why, &at));
    assert_false(pattern_valid("ab(c", why, &at));
    assert_string_equal(why, "missing closing parenthesis");
    assert_int_equal(at, 4);
    alarm(10); /* a pattern that takes for ever without a limit */
    assert_false(pattern_matches("(a|aa)+",
                                 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"));
    alarm(0);
}

/* --- the schemas that ship --- */

static const char *const understood[] = {"type",
                                         "enum",
                                         "const",
                                         "pattern",
                                         "minLength",
                                         "maxLength",
                                         "minimum",
                                         "maximum",
                                         "properties",
                                         "required",
                                         "additionalProperties",
                                         "propertyNames",
                                         "minProperties",
                                         "maxProperties",
                                         "items",
                                         "minItems",
                                         "maxItems",
                                         "uniqueItems",
                                         "not",
                                         "default",
                                         "$ref",
                                         "x-expected",
                                         "x-duration",
                                         "x-not"};
static const char *const annotations[] = {"$schema", "$id",         "$defs",
                                          "title",   "description", "x-example"};

static bool is_one_of(const char *word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(word, words[i]) == 0)
            return true;
    return false;
}

static void walk_schema(const cJSON *root, const cJSON *schema, size_t *count);

static void walk_all(const cJSON *root, const cJSON *schemas, size_t *count)
{
    const cJSON *schema;
    cJSON_ArrayForEach(schema, schemas) walk_schema(root, schema, count);
}

/* A keyword that is misspelled or not understood checks nothing, and nobody would notice. */
static void walk_schema(const cJSON *root, const cJSON *schema, size_t *count)
{
    const cJSON *keyword;
    assert_true(cJSON_IsObject(schema));
    ++*count;
    cJSON_ArrayForEach(keyword, schema)
    {
        const char *name = keyword->string;
        if (!is_one_of(name, understood, sizeof understood / sizeof *understood) &&
            !is_one_of(name, annotations, sizeof annotations / sizeof *annotations))
            fail_msg("the checker does not understand \"%s\"", name);
        if (strcmp(name, "pattern") == 0) {
            char why[128];
            size_t at;
            assert_true(pattern_valid(keyword->valuestring, why, &at));
            /* without an anchor at both ends more would match than a reader expects */
            assert_true(keyword->valuestring[0] == '^' && ends_with(keyword->valuestring, "$"));
        }
        if (strcmp(name, "$ref") == 0)
            assert_true(begins_with(keyword->valuestring, "#/$defs/") &&
                        json_get(json_get(root, "$defs"), keyword->valuestring + 8));
        if (strcmp(name, "not") == 0) /* of "not" only a pattern is understood */
            assert_true(cJSON_GetArraySize(keyword) == 1 && json_get(keyword, "pattern"));
        if (strcmp(name, "const") == 0)
            assert_true(cJSON_IsNumber(keyword));
        if (strcmp(name, "additionalProperties") == 0 && !cJSON_IsFalse(keyword))
            walk_schema(root, keyword, count);
        if (strcmp(name, "items") == 0 || strcmp(name, "propertyNames") == 0)
            walk_schema(root, keyword, count);
        if (strcmp(name, "properties") == 0 || strcmp(name, "$defs") == 0)
            walk_all(root, keyword, count);
    }
}

static void schemas_use_what_is_understood(void **state)
{
    (void)state;
    static const char *const names[] = {"sensortype", "system", "platform", "driver", "secrets"};
    for (size_t i = 0; i < 5; i++) {
        size_t count = 0;
        const cJSON *schema = schema_named(names[i]);
        assert_non_null(schema);
        assert_ptr_equal(schema, schema_named(names[i])); /* parsed once */
        walk_schema(schema, schema, &count);
        assert_true(count >= 3);
    }
    assert_null(schema_named("other"));
}

/* What schema.h tells the reader is what this test holds the schemas to. */
static void the_header_names_the_same_keywords(void **state)
{
    (void)state;
    owned char *path = from_root("common/spec/schema.h");
    owned char *header = get(path);
    for (size_t i = 0; i < sizeof understood / sizeof *understood; i++)
        if (!strstr(header, understood[i]))
            fail_msg("schema.h does not name \"%s\"", understood[i]);
}

/* What is built in is what editors read. */
static void schemas_are_the_files(void **state)
{
    (void)state;
    static const char *const names[] = {"sensortype", "system", "platform", "driver", "secrets"};
    for (size_t i = 0; i < 5; i++) {
        owned char *name = must_format("schemas/%s.schema.json", names[i]);
        owned char *path = from_root(name);
        cJSON *file = NULL;
        assert_fine(json_read(path, 1 << 20, &file, &error)); /* no duplicate keys either */
        assert_true(cJSON_Compare(file, schema_named(names[i]), true));
        cJSON_Delete(file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types),
        cmocka_unit_test(messages_of_types),
        cmocka_unit_test(enum_and_const),
        cmocka_unit_test(texts),
        cmocka_unit_test(numbers),
        cmocka_unit_test(durations),
        cmocka_unit_test(maps),
        cmocka_unit_test(lists),
        cmocka_unit_test(defaults),
        cmocka_unit_test(references),
        cmocka_unit_test(free_values),
        cmocka_unit_test(an_empty_file),
        cmocka_unit_test(patterns),
        cmocka_unit_test(schemas_use_what_is_understood),
        cmocka_unit_test(the_header_names_the_same_keywords),
        cmocka_unit_test(schemas_are_the_files),
    };
    return cmocka_run_group_tests(tests, go_to_workplace, leave_workplace);
}
