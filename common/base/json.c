#include "json.h"
#include "files.h"
#include "memory.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 64, FEW_KEYS = 16 };

/* --- writing --- */

static void add_escape(char character, struct text *out)
{
    const char *shorts = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (size_t i = 0; shorts[i]; i += 2) {
        if (shorts[i] == character) {
            text_add_format(out, "\\%c", shorts[i + 1]);
            return;
        }
    }
    text_add_format(out, "\\u%04x", (unsigned char)character);
}

void json_add_string(const char *bytes, size_t length, struct text *out)
{
    const char *plain = bytes, *end = bytes + length;
    text_add_char(out, '"');
    for (const char *c = bytes; c < end; c++) {
        if ((unsigned char)*c >= 0x20 && *c != '"' && *c != '\\')
            continue;
        text_add(out, plain, (size_t)(c - plain));
        add_escape(*c, out);
        plain = c + 1;
    }
    text_add(out, plain, (size_t)(end - plain));
    text_add_char(out, '"');
}

static void write_string(const char *string, struct text *out)
{
    json_add_string(string, strlen(string), out);
}

void json_format_number(double number, char made[32])
{
    const double exact = 9007199254740992.0; /* 2^53: whole numbers up to here are held exactly */
    if (!isfinite(number)) {
        snprintf(made, 32, "null");
        return;
    }
    if (number >= -exact && number <= exact && number == (double)(int64_t)number) {
        snprintf(made, 32, "%lld", (long long)number);
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(made, 32, "%.*g", digits, number);
        if (strtod(made, NULL) == number)
            return;
    }
}

/* indent < 0: all on one line. */
static void write_value(const cJSON *value, int indent, struct text *out)
{
    if (cJSON_IsString(value)) {
        write_string(value->valuestring, out);
    } else if (cJSON_IsNumber(value)) {
        char digits[32];
        json_format_number(value->valuedouble, digits);
        text_add_string(out, digits);
    } else if (cJSON_IsBool(value)) {
        text_add_string(out, cJSON_IsTrue(value) ? "true" : "false");
    } else if (cJSON_IsRaw(value)) { /* JSON already: numbers whose digits must stay */
        text_add_string(out, value->valuestring);
    } else if (cJSON_IsObject(value) || cJSON_IsArray(value)) {
        bool object = cJSON_IsObject(value);
        int inner = indent < 0 ? -1 : indent + 2;
        text_add_char(out, object ? '{' : '[');
        for (const cJSON *child = value->child; child; child = child->next) {
            if (child != value->child)
                text_add_char(out, ',');
            if (indent >= 0) {
                text_add_char(out, '\n');
                text_add_repeated(out, ' ', (size_t)inner);
            }
            if (object) {
                write_string(child->string, out);
                text_add_string(out, indent < 0 ? ":" : ": ");
            }
            write_value(child, inner, out);
        }
        if (indent >= 0 && value->child) {
            text_add_char(out, '\n');
            text_add_repeated(out, ' ', (size_t)indent);
        }
        text_add_char(out, object ? '}' : ']');
    } else {
        text_add_string(out, "null");
    }
}

void json_layout(const cJSON *value, struct text *out)
{
    write_value(value, 0, out);
    text_add_char(out, '\n');
}

void json_compact(const cJSON *value, struct text *out)
{
    write_value(value, -1, out);
}

/* --- reading --- */

static enum status syntax_error(const char *name, const char *bytes, const char *at,
                                const char *what, struct error *error)
{
    size_t line, column;
    find_place(bytes, (size_t)(at - bytes), &line, &column);
    return fail(error, WRONG_INPUT, "%s:%zu:%zu: %s", name, line, column, what);
}

static int by_text(const void *one, const void *other)
{
    return strcmp(*(const char *const *)one, *(const char *const *)other);
}

static const char *twin_of_few(const cJSON *object)
{
    for (const cJSON *one = object->child; one; one = one->next)
        for (const cJSON *other = one->next; other; other = other->next)
            if (strcmp(one->string, other->string) == 0)
                return one->string;
    return NULL;
}

/* A key that an object has twice, NULL when it has none. Many keys are sorted, not compared
 * pairwise: an object may have a hundred thousand. */
static const char *twin_key(const cJSON *object)
{
    size_t count = (size_t)cJSON_GetArraySize(object), i = 0;
    if (count <= FEW_KEYS)
        return twin_of_few(object);
    const char **keys = must_array(count, sizeof *keys), *twin = NULL;
    for (const cJSON *child = object->child; child; child = child->next)
        keys[i++] = child->string;
    qsort(keys, count, sizeof *keys, by_text);
    for (i = 1; i < count && !twin; i++)
        if (strcmp(keys[i], keys[i - 1]) == 0)
            twin = keys[i];
    free(keys);
    return twin;
}

/* cJSON checks neither nesting (beyond 1000) nor duplicate keys. */
static const char *structure_fault(const cJSON *value, int depth, struct text *what)
{
    if (depth > DEEPEST)
        return "is nested too deeply (at most 64 levels)";
    const char *twin = cJSON_IsObject(value) ? twin_key(value) : NULL;
    if (twin) {
        text_add_format(what, "has the key \"%s\" twice", twin);
        return text_string(what);
    }
    for (const cJSON *child = value->child; child; child = child->next) {
        const char *fault = structure_fault(child, depth + 1, what);
        if (fault)
            return fault;
    }
    return NULL;
}

enum status json_parse(const char *name, const char *bytes, size_t length, cJSON **parsed,
                       struct error *error)
{
    const char *end = bytes;
    *parsed = NULL;
    size_t bad;
    if (!utf8_valid(bytes, length, &bad))
        return syntax_error(name, bytes, bytes + bad, "this byte is not UTF-8", error);
    cJSON *value = cJSON_ParseWithLengthOpts(bytes, length, &end, false);
    if (!value)
        return syntax_error(name, bytes, end ? end : bytes, "this is not JSON", error);
    for (; end < bytes + length; end++) {
        if (!strchr(" \t\r\n", *end) || !*end) {
            cJSON_Delete(value);
            return syntax_error(name, bytes, end, "expected the end of the JSON here", error);
        }
    }
    struct text what = {0};
    const char *fault = structure_fault(value, 0, &what);
    enum status status = FINE;
    if (fault) {
        status = fail(error, WRONG_INPUT, "%s %s", name, fault);
        cJSON_Delete(value);
    } else {
        *parsed = value;
    }
    text_free(&what);
    return status;
}

enum status json_read(const char *path, size_t limit, cJSON **parsed, struct error *error)
{
    struct text bytes = {0};
    *parsed = NULL;
    enum status status = read_file(path, limit, &bytes, error);
    if (!status)
        status = json_parse(path, text_string(&bytes), bytes.length, parsed, error);
    text_wipe(&bytes); /* a record may hold a password */
    return status;
}

/* --- members --- */

cJSON *json_get(const cJSON *object, const char *name)
{
    return cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, name) : NULL;
}

const char *json_string(const cJSON *object, const char *name, const char *otherwise)
{
    const cJSON *member = json_get(object, name);
    return cJSON_IsString(member) ? member->valuestring : otherwise;
}

double json_number(const cJSON *object, const char *name, double otherwise)
{
    const cJSON *member = json_get(object, name);
    return cJSON_IsNumber(member) ? member->valuedouble : otherwise;
}

bool json_true(const cJSON *object, const char *name)
{
    return cJSON_IsTrue(json_get(object, name));
}

static cJSON *must(cJSON *value)
{
    if (!value)
        out_of_memory();
    return value;
}

cJSON *json_object(void)
{
    return must(cJSON_CreateObject());
}

cJSON *json_array(void)
{
    return must(cJSON_CreateArray());
}

void json_put(cJSON *object, const char *name, cJSON *value)
{
    must(value);
    if (cJSON_GetObjectItemCaseSensitive(object, name))
        cJSON_ReplaceItemInObjectCaseSensitive(object, name, value);
    else if (!cJSON_AddItemToObject(object, name, value))
        must(NULL);
}

void json_put_string(cJSON *object, const char *name, const char *value)
{
    json_put(object, name, value ? cJSON_CreateString(value) : cJSON_CreateNull());
}

void json_put_number(cJSON *object, const char *name, double value)
{
    json_put(object, name, cJSON_CreateNumber(value));
}

void json_put_bool(cJSON *object, const char *name, bool value)
{
    json_put(object, name, cJSON_CreateBool(value));
}

void json_put_secret(cJSON *object, const char *name, const struct secret *secret)
{
    json_put(object, name,
             secret->at ? cJSON_CreateStringReference(secret->at) : cJSON_CreateNull());
}

static void overwrite_string(cJSON *value)
{
    if (cJSON_IsString(value) && value->valuestring && !(value->type & cJSON_IsReference))
        explicit_bzero(value->valuestring, strlen(value->valuestring));
}

static void overwrite_strings(cJSON *value)
{
    for (; value; value = value->next) {
        overwrite_string(value);
        if (!(value->type & cJSON_IsReference))
            overwrite_strings(value->child);
    }
}

void json_wipe(cJSON *value)
{
    if (!value)
        return;
    overwrite_string(value);
    if (!(value->type & cJSON_IsReference))
        overwrite_strings(value->child);
    cJSON_Delete(value);
}

/* What a person typed may have any bytes; JSON has none that are not UTF-8. */
static void put_bytes(cJSON *object, const char *name, const struct text *bytes)
{
    struct text clean = {0};
    const char *at = text_string(bytes);
    size_t left = bytes->length, bad;
    while (!utf8_valid(at, left, &bad)) {
        text_add(&clean, at, bad);
        text_add_string(&clean, "\xef\xbf\xbd"); /* U+FFFD */
        at += bad + 1;
        left -= bad + 1;
    }
    text_add(&clean, at, left);
    json_put_string(object, name, text_string(&clean));
    text_free(&clean);
}

cJSON *json_error(const struct error *error)
{
    cJSON *answer = json_object(), *fault = json_object();
    json_put_number(fault, "status", error->status);
    put_bytes(fault, "message", &error->message);
    put_bytes(fault, "advice", &error->advice);
    json_put(answer, "error", fault);
    return answer;
}
