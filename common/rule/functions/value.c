/* Functions of any value: cast, get, isNull, isUndefined, nanvl, transform. */
#include "function.h"

#include <string.h>

/* --- cast(value AS type) --- */

static void cast_to_string(struct rule_call *call)
{
    struct rule_value string;
    if (rule_string_argument(call, 0, &string))
        *call->result = string;
}

static bool cast_number(const struct rule_value *value, struct rule_decimal *decimal)
{
    if (value->kind != RULE_BOOLEAN)
        return rule_to_decimal(value, decimal);
    *decimal = (struct rule_decimal){.low = value->boolean ? 10 : 0, .exponent = -1};
    return true;
}

static void cast_to_decimal(struct rule_call *call)
{
    struct rule_decimal decimal;
    if (cast_number(call->arguments[0], &decimal))
        *call->result = rule_decimal(decimal);
}

/* The table keeps an Int without a decimal point. So the value changes only where a double cannot
 * hold it. */
static void cast_to_double(struct rule_call *call)
{
    struct rule_decimal decimal, rounded;
    if (!cast_number(call->arguments[0], &decimal))
        return;
    if (rule_decimal_of_double(rule_decimal_to_double(decimal), &rounded))
        *call->result =
            rule_decimal(rule_decimal_compare(&decimal, &rounded) == 0 ? decimal : rounded);
}

static void cast_to_int(struct rule_call *call)
{
    struct rule_decimal decimal;
    if (cast_number(call->arguments[0], &decimal))
        *call->result = rule_whole(rule_decimal_round(decimal, 0, RULE_FLOOR));
}

static void cast_to_boolean(struct rule_call *call)
{
    const struct rule_value *value = call->arguments[0];
    bool boolean;
    if (value->kind == RULE_INT)
        *call->result = rule_boolean(value->integer != 0);
    else if (value->kind == RULE_DECIMAL)
        *call->result = rule_boolean(!rule_decimal_is_zero(value->decimal));
    else if (rule_to_boolean(value, &boolean))
        *call->result = rule_boolean(boolean);
}

void function_cast(struct rule_call *call)
{
    static const struct {
        const char *name;
        void (*cast)(struct rule_call *call);
    } types[] = {
        {"string", cast_to_string},   {"nvarchar", cast_to_string}, {"text", cast_to_string},
        {"ntext", cast_to_string},    {"varchar", cast_to_string},  {"int", cast_to_int},
        {"integer", cast_to_int},     {"double", cast_to_double},   {"decimal", cast_to_decimal},
        {"boolean", cast_to_boolean}, {"bool", cast_to_boolean},
    };
    const struct rule_value *type = call->arguments[1];
    for (size_t i = 0; type->kind == RULE_STRING && i < sizeof types / sizeof *types; i++)
        if (type->string.length == strlen(types[i].name) &&
            memcmp(type->string.at, types[i].name, type->string.length) == 0)
            types[i].cast(call);
}

/* --- get() --- */

/* "Converted to Int" for get(): a Decimal to the nearest; the digits of a String before its point.
 */
static bool read_index(const struct rule_value *value, size_t *index)
{
    int64_t integer;
    enum rule_rounding rounding = value->kind == RULE_STRING ? RULE_DOWN : RULE_HALF_UP;
    if (!rule_to_int(value, rounding, &integer) || integer < 0)
        return false;
    *index = (size_t)integer;
    return true;
}

static void get_character(struct rule_call *call, const struct rule_value *string, size_t index)
{
    const char *at = string->string.at, *end = at + string->string.length;
    while (index && at < end) {
        at += rule_character_length(*at);
        index--;
    }
    if (at < end)
        *call->result = rule_string(at, rule_character_length(*at));
}

/* Only the second argument is converted, and only to an Int. The guide's example get("abc", 1) =
 * "a" counts from 1, its table from 0; the table is followed. */
void function_get(struct rule_call *call)
{
    const struct rule_value *from = call->arguments[0], *key = call->arguments[1];
    size_t index;
    if (from->kind == RULE_OBJECT) {
        const struct rule_value *found =
            key->kind == RULE_STRING ? rule_get(from, key->string.at, key->string.length) : NULL;
        if (found)
            *call->result = *found;
    } else if (from->kind == RULE_ARRAY && read_index(key, &index)) {
        if (index < from->array.count)
            *call->result = from->array.items[index];
    } else if (from->kind == RULE_STRING && read_index(key, &index)) {
        get_character(call, from, index);
    }
}

/* --- Null, Undefined, NaN --- */

void function_isnull(struct rule_call *call)
{
    *call->result = rule_boolean(call->arguments[0]->kind == RULE_NULL);
}

void function_isundefined(struct rule_call *call)
{
    *call->result = rule_boolean(call->arguments[0]->kind == RULE_UNDEFINED);
}

/* There is no NaN: a function whose result would be NaN is Undefined. */
void function_nanvl(struct rule_call *call)
{
    const struct rule_value *first = call->arguments[0];
    bool missing = first->kind == RULE_UNDEFINED || first->kind == RULE_NULL;
    *call->result = missing ? *call->arguments[1] : *first;
}

/* Undefined, too, where there is no default. A function that fails on AWS is one that calls a
 * service; such a rule is refused here, default or not. */
void function_get_or_default(struct rule_call *call)
{
    const struct rule_value *first = call->arguments[0];
    if (first->kind != RULE_UNDEFINED && first->kind != RULE_NULL)
        *call->result = *first;
    else if (call->count > 1)
        *call->result = *call->arguments[1];
}

/* --- transform() --- */

enum {
    MOST_TRANSFORMED = 128 * 1024, /* bytes of the array as JSON */
    SHORTEST_MEMBER = 4            /* bytes as JSON: "":1 */
};

static bool are_objects(const struct rule_value *array)
{
    for (size_t i = 0; i < array->array.count; i++)
        if (array->array.items[i].kind != RULE_OBJECT)
            return false;
    return true;
}

static struct rule_value enrich(struct rule_call *call, const struct rule_value *object,
                                const struct rule_value *with)
{
    size_t own = object->object.count, added = with->object.count;
    struct rule_member *members = rule_take(call->memory, (own + added) * sizeof *members);
    if (!members)
        return rule_undefined();
    if (own)
        memcpy(members, object->object.members, own * sizeof *members);
    if (added)
        memcpy(members + own, with->object.members, added * sizeof *members);
    return rule_object(call->memory, members, own + added);
}

static bool short_enough(struct rule_call *call, const struct rule_value *array)
{
    struct rule_output output = {.memory = call->memory};
    rule_json_write(&output, call->version, array);
    return !call->memory->failed && output.length <= MOST_TRANSFORMED;
}

/* Adds the members of an object to each object of the array. Undefined when the result is longer
 * than MOST_TRANSFORMED; a count of members that is too large in any case is refused before. */
static void enrich_array(struct rule_call *call, const struct rule_value *with,
                         const struct rule_value *array)
{
    size_t count = array->array.count;
    if (with->object.count && count > MOST_TRANSFORMED / SHORTEST_MEMBER / with->object.count)
        return;
    struct rule_value *made = rule_take(call->memory, count * sizeof *made);
    for (size_t i = 0; made && i < count && !call->memory->failed; i++)
        made[i] = enrich(call, &array->array.items[i], with);
    if (!made || call->memory->failed)
        return;
    struct rule_value whole = rule_array(made, count);
    if (short_enough(call, &whole))
        *call->result = whole;
}

void function_transform(struct rule_call *call)
{
    const struct rule_value *mode = call->arguments[0], *with = call->arguments[1],
                            *array = call->arguments[2];
    static const char only[] = "enrichArray";
    if (mode->kind == RULE_STRING && mode->string.length == strlen(only) &&
        memcmp(mode->string.at, only, strlen(only)) == 0 && with->kind == RULE_OBJECT &&
        array->kind == RULE_ARRAY && are_objects(array))
        enrich_array(call, with, array);
}
