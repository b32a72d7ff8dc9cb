/* The checker of JSON Schema.
 *
 * One recursive walk over the schema and the tree together. The tree has at most 64 levels, so the
 * recursion is bounded. Where the schema allows anything, free_value() copies the tree; it counts
 * the values that it makes, because a list of aliases of lists of aliases is small as a tree and
 * huge as JSON. A check that fails adds a problem and goes on, so that one run reports all
 * problems. Cost: linear in the size of the tree, times the number of words of an enum or of
 * properties of a map. */
#include "schema.h"
#include "common/base/clock.h"
#include "common/base/embedded.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "pattern.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

EMBEDDED(schema_sensortype)
EMBEDDED(schema_system)
EMBEDDED(schema_platform)
EMBEDDED(schema_driver)
EMBEDDED(schema_secrets)

enum { MOST_JSON_VALUES = 100000 };

struct checker {
    const cJSON *root;
    struct problems *problems;
    size_t made; /* JSON values so far; bounded, because aliases multiply them */
};

/* --- the schemas that are built in --- */

const cJSON *schema_named(const char *name)
{
    static struct {
        const char *name, *at, *end;
        cJSON *parsed;
    } schemas[] = {
        {"sensortype", embedded_schema_sensortype, embedded_schema_sensortype_end, NULL},
        {"system", embedded_schema_system, embedded_schema_system_end, NULL},
        {"platform", embedded_schema_platform, embedded_schema_platform_end, NULL},
        {"driver", embedded_schema_driver, embedded_schema_driver_end, NULL},
        {"secrets", embedded_schema_secrets, embedded_schema_secrets_end, NULL},
    };
    for (size_t i = 0; i < sizeof schemas / sizeof *schemas; i++) {
        if (strcmp(schemas[i].name, name) != 0)
            continue;
        if (!schemas[i].parsed)
            schemas[i].parsed =
                cJSON_ParseWithLength(schemas[i].at, (size_t)(schemas[i].end - schemas[i].at));
        return schemas[i].parsed;
    }
    return NULL;
}

static const cJSON *resolve(const struct checker *checker, const cJSON *schema)
{
    const char *reference = json_string(schema, "$ref", NULL);
    if (!reference || !begins_with(reference, "#/$defs/"))
        return NULL;
    return json_get(json_get(checker->root, "$defs"), reference + strlen("#/$defs/"));
}

/* A keyword of the schema, or of the definition that its $ref names. */
static const cJSON *keyword(const struct checker *checker, const cJSON *schema, const char *name)
{
    for (int hops = 0; schema && hops < 8; hops++) {
        const cJSON *found = json_get(schema, name);
        if (found)
            return found;
        schema = resolve(checker, schema);
    }
    return NULL;
}

static const char *keyword_text(const struct checker *checker, const cJSON *schema,
                                const char *name, const char *otherwise)
{
    const cJSON *found = keyword(checker, schema, name);
    return cJSON_IsString(found) ? found->valuestring : otherwise;
}

/* --- durations --- */

static void check_duration(struct checker *checker, const cJSON *schema,
                           const struct yaml_node *node)
{
    const cJSON *limits = keyword(checker, schema, "x-duration");
    double seconds = clock_duration(node->text);
    if (!limits || seconds < 0)
        return;
    const char *least = json_string(limits, "minimum", "0s");
    const char *most = json_string(limits, "maximum", "999999999d");
    const char *unit = json_string(limits, "unit", "1s");
    const char *why = json_string(limits, "why", "allowed:");
    if (seconds < clock_duration(least) || seconds > clock_duration(most))
        problem_add(checker->problems, ERROR, node->place,
                    must_format("%s %s to %s", why, least, most), "%s is out of range", node->text);
    else if (fmod(seconds, clock_duration(unit)) != 0)
        problem_add(checker->problems, ERROR, node->place,
                    must_format("%s multiples of %s", why, unit), "%s is not a multiple of %s",
                    node->text, unit);
}

/* --- free values --- */

static cJSON *scalar_to_json(struct checker *checker, const struct yaml_node *node)
{
    double number = 0;
    switch (yaml_meaning(node, &number)) {
    case YAML_NULL:
        return cJSON_CreateNull();
    case YAML_TRUE:
        return cJSON_CreateTrue();
    case YAML_FALSE:
        return cJSON_CreateFalse();
    case YAML_INTEGER:
    case YAML_NUMBER:
        return cJSON_CreateNumber(number);
    case YAML_AMBIGUOUS:
        problem_add(checker->problems, ERROR, node->place,
                    must_copy("a number as JSON writes it, or put text in quotes"),
                    "%s is read differently by different readers of YAML", node->text);
        return cJSON_CreateNull();
    case YAML_TOO_LARGE:
        problem_add(checker->problems, ERROR, node->place, must_copy("or put text in quotes"),
                    "the number %s is too large", node->text);
        return cJSON_CreateNull();
    default:
        return cJSON_CreateString(node->text);
    }
}

/* Counts a value. False when there are too many, because aliases multiply them; that is reported
 * once. */
static bool still_room(struct checker *checker, const struct yaml_node *node)
{
    if (++checker->made <= MOST_JSON_VALUES)
        return true;
    if (checker->made == MOST_JSON_VALUES + 1)
        problem_add(checker->problems, ERROR, node->place, NULL,
                    "aliases make more than 100000 values of this file");
    return false;
}

static cJSON *free_value(struct checker *checker, const struct yaml_node *node)
{
    if (!still_room(checker, node))
        return cJSON_CreateNull();
    if (node->kind == YAML_SCALAR)
        return scalar_to_json(checker, node);
    cJSON *value = node->kind == YAML_MAP ? json_object() : json_array();
    for (size_t i = 0; i < node->count && checker->made <= MOST_JSON_VALUES; i++) {
        cJSON *item = free_value(checker, node->items[i]);
        if (node->kind == YAML_MAP)
            json_put(value, node->keys[i]->text, item);
        else
            cJSON_AddItemToArray(value, item);
    }
    return value;
}

/* --- scalars --- */

/* The types of JSON Schema, with the words for messages. */
static const char *type_title(const char *type)
{
    static const char *const titles[][2] = {
        {"string", "text"},           {"integer", "a whole number"},    {"number", "a number"},
        {"boolean", "true or false"}, {"object", "a map (key: value)"}, {"array", "a list"},
        {"null", "nothing"},
    };
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        if (strcmp(titles[i][0], type) == 0)
            return titles[i][1];
    return type;
}

static const char *found_title(const struct yaml_node *node)
{
    if (node->kind != YAML_SCALAR)
        return node->kind == YAML_MAP ? "a map" : "a list";
    switch (yaml_meaning(node, NULL)) {
    case YAML_NULL:
        return "nothing";
    case YAML_TRUE:
    case YAML_FALSE:
        return "a yes or no";
    case YAML_INTEGER:
    case YAML_NUMBER:
        return "a number";
    case YAML_AMBIGUOUS:
        return "a number that readers of YAML disagree on";
    case YAML_TOO_LARGE:
        return "a number that is too large";
    default:
        return "text";
    }
}

/* The values of an enum, and the nearest of them. */
static char *enum_hint(const char *text, const cJSON *values)
{
    const char *words[64];
    char numbers[64][32];
    size_t count = 0;
    const cJSON *value;
    cJSON_ArrayForEach(value, values)
    {
        if (count == 64)
            break;
        if (cJSON_IsNumber(value))
            json_format_number(value->valuedouble, numbers[count]);
        if (cJSON_IsString(value) || cJSON_IsNumber(value)) {
            words[count] = cJSON_IsString(value) ? value->valuestring : numbers[count];
            count++;
        }
    }
    return count ? choice_hint(text, words, count) : NULL;
}

static bool has_type(const struct yaml_node *node, const char *type)
{
    if (strcmp(type, "object") == 0)
        return node->kind == YAML_MAP;
    if (strcmp(type, "array") == 0)
        return node->kind == YAML_LIST;
    if (node->kind != YAML_SCALAR)
        return false;
    enum yaml_meaning meaning = yaml_meaning(node, NULL);
    if (strcmp(type, "string") == 0)
        return meaning == YAML_STRING;
    if (strcmp(type, "boolean") == 0)
        return meaning == YAML_TRUE || meaning == YAML_FALSE;
    if (strcmp(type, "integer") == 0)
        return meaning == YAML_INTEGER;
    if (strcmp(type, "number") == 0)
        return meaning == YAML_INTEGER || meaning == YAML_NUMBER;
    return meaning == YAML_NULL;
}

/* Whether a text satisfies enum and pattern. If not, *hint says what they expect. */
static bool is_wanted_text(struct checker *checker, const cJSON *schema, const char *text,
                           char **hint)
{
    const cJSON *values = keyword(checker, schema, "enum"), *value;
    const char *pattern = keyword_text(checker, schema, "pattern", NULL);
    *hint = NULL;
    cJSON_ArrayForEach(value, values)
    {
        if (cJSON_IsString(value) && strcmp(value->valuestring, text) == 0)
            return true;
    }
    if (values)
        *hint = enum_hint(text, values);
    else if (pattern && !pattern_found(pattern, text))
        *hint = must_copy(keyword_text(checker, schema, "x-expected", pattern));
    return !*hint;
}

/* The hint for a scalar of the wrong type: what to write instead. wanted: the type, as messages
 * call it. */
static char *type_hint(struct checker *checker, const cJSON *schema, const struct yaml_node *node,
                       const char *wanted)
{
    if (node->kind != YAML_SCALAR)
        return NULL;
    struct yaml_node plain = *node;
    plain.quoted = false;
    enum yaml_meaning meaning = yaml_meaning(&plain, NULL);
    bool number = strstr(wanted, "number");
    if (strstr(wanted, "text")) {
        char *hint;
        if (is_wanted_text(checker, schema, node->text, &hint))
            return must_format("put it in quotes: \"%s\"", node->text);
        return hint;
    }
    if (number && (meaning == YAML_AMBIGUOUS || meaning == YAML_TOO_LARGE))
        return must_copy("a number as JSON writes it: 10, -0.5, 1.5e+3");
    bool fits = number ? meaning == YAML_INTEGER || meaning == YAML_NUMBER
                       : meaning == YAML_TRUE || meaning == YAML_FALSE;
    return node->quoted && fits ? must_format("write it without quotes: %s", node->text) : NULL;
}

/* "type" is a word or a list of words. */
static bool check_type(struct checker *checker, const cJSON *schema, const struct yaml_node *node)
{
    const cJSON *type = keyword(checker, schema, "type");
    if (!type || (cJSON_IsString(type) && has_type(node, type->valuestring)))
        return true;
    struct text wanted = {0};
    const cJSON *word;
    if (cJSON_IsString(type))
        text_add_string(&wanted, type_title(type->valuestring));
    cJSON_ArrayForEach(word, type)
    {
        if (has_type(node, word->valuestring)) {
            text_free(&wanted);
            return true;
        }
        text_add_format(&wanted, "%s%s", wanted.length ? " or " : "",
                        type_title(word->valuestring));
    }
    problem_add(checker->problems, ERROR, node->place,
                type_hint(checker, schema, node, text_string(&wanted)), "%s must be %s; this is %s",
                keyword_text(checker, schema, "title", "this value"), text_string(&wanted),
                found_title(node));
    text_free(&wanted);
    return false;
}

static void check_enum(struct checker *checker, const cJSON *schema, const struct yaml_node *node)
{
    const cJSON *values = keyword(checker, schema, "enum"), *value;
    if (!values || node->kind != YAML_SCALAR)
        return;
    cJSON_ArrayForEach(value, values)
    {
        double number = 0;
        if (cJSON_IsString(value) && strcmp(value->valuestring, node->text) == 0)
            return;
        if (cJSON_IsNumber(value) && yaml_meaning(node, &number) != YAML_STRING &&
            number == value->valuedouble)
            return;
    }
    problem_add(checker->problems, ERROR, node->place, enum_hint(node->text, values),
                "\"%s\" is not %s", node->text,
                keyword_text(checker, schema, "title", "one of the values allowed"));
}

static void check_const(struct checker *checker, const cJSON *schema, const struct yaml_node *node)
{
    const cJSON *value = keyword(checker, schema, "const");
    double number = 0;
    if (!value || (node->kind == YAML_SCALAR && yaml_meaning(node, &number) == YAML_INTEGER &&
                   number == value->valuedouble))
        return;
    problem_add(checker->problems, ERROR, node->place, NULL, "%s must be %d",
                keyword_text(checker, schema, "title", "this"), value->valueint);
}

static void check_text(struct checker *checker, const cJSON *schema, const struct yaml_node *node)
{
    const char *title = keyword_text(checker, schema, "title", "a value");
    const char *pattern = keyword_text(checker, schema, "pattern", NULL);
    const char *unwanted = json_string(keyword(checker, schema, "not"), "pattern", NULL);
    const cJSON *longest = keyword(checker, schema, "maxLength");
    const cJSON *shortest = keyword(checker, schema, "minLength");
    size_t length = utf8_length(node->text, node->length);
    if (longest && length > (size_t)longest->valuedouble)
        problem_add(checker->problems, ERROR, node->place, NULL,
                    "%s has at most %d characters; this has %zu", title, longest->valueint, length);
    else if (shortest && length < (size_t)shortest->valuedouble)
        problem_add(checker->problems, ERROR, node->place, NULL, "%s must not be empty", title);
    else if (pattern && !pattern_found(pattern, node->text))
        problem_add(checker->problems, ERROR, node->place,
                    must_copy(keyword_text(checker, schema, "x-expected", pattern)),
                    "\"%s\" is not %s", node->text, title);
    else if (unwanted && pattern_found(unwanted, node->text))
        problem_add(checker->problems, ERROR, node->place,
                    must_copy(keyword_text(checker, schema, "x-not", "another name")),
                    "\"%s\" cannot be %s", node->text, title);
    else
        check_duration(checker, schema, node);
}

static void check_number(struct checker *checker, const cJSON *schema, const struct yaml_node *node,
                         double number)
{
    const cJSON *least = keyword(checker, schema, "minimum");
    const cJSON *most = keyword(checker, schema, "maximum");
    if ((!least || number >= least->valuedouble) && (!most || number <= most->valuedouble))
        return;
    char *hint = least && most
                     ? must_format("%.15g to %.15g", least->valuedouble, most->valuedouble)
                 : least ? must_format("at least %.15g", least->valuedouble)
                         : must_format("at most %.15g", most->valuedouble);
    problem_add(checker->problems, ERROR, node->place, hint, "%s is out of range for %s",
                node->text, keyword_text(checker, schema, "title", "this value"));
}

static cJSON *check_scalar(struct checker *checker, const cJSON *schema,
                           const struct yaml_node *node)
{
    double number = 0;
    enum yaml_meaning meaning = yaml_meaning(node, &number);
    size_t errors = checker->problems->errors;
    check_enum(checker, schema, node);
    check_const(checker, schema, node);
    if (meaning == YAML_STRING)
        check_text(checker, schema, node);
    else if (meaning == YAML_INTEGER || meaning == YAML_NUMBER)
        check_number(checker, schema, node, number);
    return errors == checker->problems->errors ? scalar_to_json(checker, node) : NULL;
}

/* --- maps --- */

static cJSON *check_value(struct checker *checker, const cJSON *schema,
                          const struct yaml_node *node);

static void unknown_key(struct checker *checker, const cJSON *schema, const struct yaml_node *key)
{
    const char *words[64];
    size_t count = 0;
    const cJSON *property;
    cJSON_ArrayForEach(property, keyword(checker, schema, "properties"))
    {
        if (count < 64)
            words[count++] = property->string;
    }
    problem_add(checker->problems, ERROR, key->place, choice_hint(key->text, words, count),
                "\"%s\" is not a key of %s", key->text,
                keyword_text(checker, schema, "title", "this map"));
}

/* The schema for the value of a key; NULL: any value is right. *known: whether the key is
 * allowed. */
static const cJSON *schema_of_key(struct checker *checker, const cJSON *schema, const char *key,
                                  bool *known)
{
    const cJSON *named = json_get(keyword(checker, schema, "properties"), key);
    const cJSON *others = keyword(checker, schema, "additionalProperties");
    *known = named || !cJSON_IsFalse(others);
    return named ? named : cJSON_IsObject(others) ? others : NULL;
}

static void check_required(struct checker *checker, const cJSON *schema, struct place place,
                           const struct yaml_node *node)
{
    const cJSON *name;
    cJSON_ArrayForEach(name, keyword(checker, schema, "required"))
    {
        if (yaml_get(node, name->valuestring))
            continue;
        const cJSON *wanted = json_get(keyword(checker, schema, "properties"), name->valuestring);
        const char *example = keyword_text(checker, wanted, "x-example", NULL);
        problem_add(checker->problems, ERROR, place,
                    example ? must_format("for example %s: %s", name->valuestring, example) : NULL,
                    "%s needs the key \"%s\"", keyword_text(checker, schema, "title", "this map"),
                    name->valuestring);
    }
}

static void check_size(struct checker *checker, const cJSON *schema, struct place place,
                       size_t count, const char *what, const char *least_name,
                       const char *most_name)
{
    const cJSON *least = keyword(checker, schema, least_name);
    const cJSON *most = keyword(checker, schema, most_name);
    const char *title = keyword_text(checker, schema, "title", "this");
    if (least && count < (size_t)least->valuedouble)
        problem_add(checker->problems, ERROR, place, NULL, "%s: at least %d %s%s must be here",
                    title, least->valueint, what, least->valueint == 1 ? "" : "s");
    if (most && count > (size_t)most->valuedouble)
        problem_add(checker->problems, ERROR, place, NULL,
                    "%s: at most %d %s%s may be here; there are %zu", title, most->valueint, what,
                    most->valueint == 1 ? "" : "s", count);
}

static void fill_defaults(struct checker *checker, const cJSON *schema, cJSON *object)
{
    const cJSON *property;
    cJSON_ArrayForEach(property, keyword(checker, schema, "properties"))
    {
        const cJSON *otherwise = keyword(checker, property, "default");
        if (!otherwise || json_get(object, property->string))
            continue;
        cJSON *value = cJSON_Duplicate(otherwise, true);
        if (cJSON_IsObject(value))
            fill_defaults(checker, property, value);
        json_put(object, property->string, value);
    }
}

static cJSON *check_map(struct checker *checker, const cJSON *schema, const struct yaml_node *node)
{
    cJSON *object = json_object();
    const cJSON *names = keyword(checker, schema, "propertyNames");
    check_required(checker, schema, node->place, node);
    check_size(checker, schema, node->place, node->count, "key", "minProperties", "maxProperties");
    for (size_t i = 0; i < node->count && checker->made <= MOST_JSON_VALUES; i++) {
        const struct yaml_node *key = node->keys[i];
        bool known;
        const cJSON *inner = schema_of_key(checker, schema, key->text, &known);
        if (!known && still_room(checker, key))
            unknown_key(checker, schema, key);
        if (names)
            check_text(checker, names, key);
        cJSON *value = known ? check_value(checker, inner, node->items[i]) : NULL;
        if (value)
            json_put(object, key->text, value);
    }
    fill_defaults(checker, schema, object);
    return object;
}

/* --- lists --- */

static void check_unique(struct checker *checker, const struct yaml_node *node)
{
    for (size_t i = 0; i < node->count; i++)
        for (size_t j = 0; j < i; j++)
            if (node->items[i]->kind == YAML_SCALAR && node->items[j]->kind == YAML_SCALAR &&
                strcmp(node->items[i]->text, node->items[j]->text) == 0) {
                problem_add(checker->problems, ERROR, node->items[i]->place, NULL,
                            "\"%s\" stands here twice", node->items[i]->text);
                return;
            }
}

static cJSON *check_list(struct checker *checker, const cJSON *schema, const struct yaml_node *node)
{
    cJSON *array = json_array();
    size_t errors = checker->problems->errors;
    check_size(checker, schema, node->place, node->count, "item", "minItems", "maxItems");
    if (errors == checker->problems->errors &&
        cJSON_IsTrue(keyword(checker, schema, "uniqueItems")))
        check_unique(checker, node);
    /* Items beyond maxItems are not checked. */
    size_t most = (size_t)json_number(schema, "maxItems", MOST_JSON_VALUES);
    for (size_t i = 0; i < node->count && i < most && checker->made <= MOST_JSON_VALUES; i++) {
        cJSON *item = check_value(checker, keyword(checker, schema, "items"), node->items[i]);
        if (item)
            cJSON_AddItemToArray(array, item);
    }
    return array;
}

/* NULL when the value is wrong; a schema of NULL allows anything. */
static cJSON *check_value(struct checker *checker, const cJSON *schema,
                          const struct yaml_node *node)
{
    if (!schema || (!keyword(checker, schema, "type") && !keyword(checker, schema, "const")))
        return free_value(checker, node);
    if (!still_room(checker, node) || !check_type(checker, schema, node))
        return NULL;
    if (node->kind == YAML_MAP)
        return check_map(checker, schema, node);
    if (node->kind == YAML_LIST)
        return check_list(checker, schema, node);
    return check_scalar(checker, schema, node);
}

cJSON *schema_check(const cJSON *root, const cJSON *schema, const struct yaml_node *node,
                    struct problems *problems)
{
    struct checker checker = {.root = root, .problems = problems};
    if (!node) {
        problem_add(problems, ERROR, (struct place){0}, NULL, "this file is empty; expected %s",
                    keyword_text(&checker, schema, "title", "a value"));
        return json_object();
    }
    cJSON *checked = check_value(&checker, schema, node);
    return checked ? checked : json_object();
}
