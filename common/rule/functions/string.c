/* Functions of strings. A character is a code point: the guide counts "characters", and has
 * numbytes() beside length(). The length of results is bounded by the memory of the run. */
#include "function.h"

#include <string.h>

/* Makes the result a String of that many bytes, which the caller fills. NULL: out of memory. */
static char *result_bytes(struct rule_call *call, size_t length)
{
    char *made = rule_take(call->memory, length);
    if (made)
        *call->result = rule_string(made, length);
    return made;
}

static bool two_strings(struct rule_call *call, struct rule_value *one, struct rule_value *other)
{
    return rule_string_argument(call, 0, one) && rule_string_argument(call, 1, other);
}

static bool begins(const char *at, size_t length, const struct rule_value *part)
{
    return part->string.length <= length && memcmp(at, part->string.at, part->string.length) == 0;
}

/* --- looking at strings --- */

void function_startswith(struct rule_call *call)
{
    struct rule_value string, part;
    if (two_strings(call, &string, &part))
        *call->result = rule_boolean(begins(string.string.at, string.string.length, &part));
}

/* Comparing bytes is enough: no character of UTF-8 ends with the bytes of another one. */
void function_endswith(struct rule_call *call)
{
    struct rule_value string, part;
    if (!two_strings(call, &string, &part))
        return;
    size_t length = string.string.length, end = part.string.length;
    *call->result =
        rule_boolean(end <= length && begins(string.string.at + (length - end), end, &part));
}

static size_t count_characters(const char *at, size_t length)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += ((unsigned char)at[i] & 0xC0) != 0x80;
    return count;
}

void function_length(struct rule_call *call)
{
    struct rule_value string;
    if (rule_string_argument(call, 0, &string))
        *call->result = rule_int((int64_t)count_characters(string.string.at, string.string.length));
}

void function_numbytes(struct rule_call *call)
{
    struct rule_value string;
    if (rule_string_argument(call, 0, &string))
        *call->result = rule_int((int64_t)string.string.length);
}

/* -1 where it is not found, as Java's indexOf(); the guide does not say. */
void function_indexof(struct rule_call *call)
{
    struct rule_value string, part;
    if (!two_strings(call, &string, &part))
        return;
    const char *found =
        memmem(string.string.at, string.string.length, part.string.at, part.string.length);
    *call->result = rule_int(
        found ? (int64_t)count_characters(string.string.at, (size_t)(found - string.string.at))
              : -1);
}

/* --- parts of strings --- */

/* The offset of the byte at which that character begins, or the end of the string. */
static size_t byte_of(const struct rule_value *string, int64_t character)
{
    size_t at = 0, length = string->string.length;
    for (; character > 0 && at < length; character--)
        at += rule_character_length(string->string.at[at]);
    return at < length ? at : length;
}

/* Positions are rounded down, as in the guide's examples. */
void function_substring(struct rule_call *call)
{
    struct rule_value string;
    int64_t from, to = INT64_MAX;
    if (!rule_string_argument(call, 0, &string) ||
        !rule_to_int(call->arguments[1], RULE_FLOOR, &from) ||
        (call->count == 3 && !rule_to_int(call->arguments[2], RULE_FLOOR, &to)))
        return;
    size_t begin = byte_of(&string, from), end = byte_of(&string, to);
    *call->result = rule_string(string.string.at + begin, begin < end ? end - begin : 0);
}

static void trim(struct rule_call *call, const char *white, bool left, bool right)
{
    struct rule_value string;
    if (!rule_string_argument(call, 0, &string))
        return;
    const char *at = string.string.at;
    size_t begin = 0, end = string.string.length;
    while (left && begin < end && at[begin] && strchr(white, at[begin]))
        begin++;
    while (right && end > begin && at[end - 1] && strchr(white, at[end - 1]))
        end--;
    *call->result = rule_string(at + begin, end - begin);
}

void function_ltrim(struct rule_call *call)
{
    trim(call, " \t", true, false);
}

void function_rtrim(struct rule_call *call)
{
    trim(call, " \t", false, true);
}

/* The guide says "white space" of trim(), and "tabs and spaces" of the other two. */
void function_trim(struct rule_call *call)
{
    trim(call, " \t\n\v\f\r", true, true);
}

/* --- making strings --- */

/* ASCII has 128 characters. */
void function_chr(struct rule_call *call)
{
    int64_t code;
    if (!rule_to_int(call->arguments[0], RULE_FLOOR, &code) || code < 0 || code > 127)
        return;
    char *made = result_bytes(call, 1);
    if (made)
        *made = (char)code;
}

static void pad(struct rule_call *call, bool left)
{
    struct rule_value string;
    int64_t count;
    if (!rule_to_int(call->arguments[1], RULE_FLOOR, &count) ||
        !rule_string_argument(call, 0, &string))
        return;
    size_t spaces = count < 0 ? 0 : count > 1000 ? 1000 : (size_t)count;
    char *made = result_bytes(call, string.string.length + spaces);
    if (!made)
        return;
    memset(left ? made : made + string.string.length, ' ', spaces);
    memcpy(left ? made + spaces : made, string.string.at, string.string.length);
}

void function_lpad(struct rule_call *call)
{
    pad(call, true);
}

void function_rpad(struct rule_call *call)
{
    pad(call, false);
}

/* The offset of part at or after from; SIZE_MAX: none. An empty part is found before each character
 * and at the end, as by Java's String.replace(). */
static size_t next_place(const struct rule_value *string, const struct rule_value *part,
                         size_t from)
{
    const char *found = memmem(string->string.at + from, string->string.length - from,
                               part->string.at, part->string.length);
    return found ? (size_t)(found - string->string.at) : SIZE_MAX;
}

/* Adds the bytes before place, and the replacement. Returns where to search on; SIZE_MAX: at the
 * end. */
static size_t replace_one(struct rule_output *output, const struct rule_value *string,
                          const struct rule_value *part, const struct rule_value *by, size_t from,
                          size_t place)
{
    const char *at = string->string.at;
    rule_output_add(output, at + from, place - from);
    rule_output_add(output, by->string.at, by->string.length);
    if (part->string.length)
        return place + part->string.length;
    if (place == string->string.length)
        return SIZE_MAX;
    size_t character = rule_character_length(at[place]);
    rule_output_add(output, at + place, character);
    return place + character;
}

void function_replace(struct rule_call *call)
{
    struct rule_value string, part, by;
    if (!two_strings(call, &string, &part) || !rule_string_argument(call, 2, &by))
        return;
    struct rule_output output = {.memory = call->memory};
    size_t from = 0, place;
    while (from != SIZE_MAX && (place = next_place(&string, &part, from)) != SIZE_MAX &&
           !call->memory->failed)
        from = replace_one(&output, &string, &part, &by, from, place);
    if (from != SIZE_MAX)
        rule_output_add(&output, string.string.at + from, string.string.length - from);
    if (!call->memory->failed)
        *call->result = rule_output_string(&output);
}

/* --- concat() --- */

static size_t items_of(const struct rule_value *value)
{
    return value->kind == RULE_ARRAY ? value->array.count : 1;
}

static void concat_arrays(struct rule_call *call)
{
    size_t count = 0;
    for (size_t i = 0; i < call->count; i++) {
        if (call->arguments[i]->kind == RULE_UNDEFINED)
            return;
        count += items_of(call->arguments[i]);
    }
    struct rule_value *made = rule_take(call->memory, count * sizeof *made);
    if (!made)
        return;
    size_t at = 0;
    for (size_t i = 0; i < call->count; i++) {
        const struct rule_value *argument = call->arguments[i];
        const struct rule_value *items =
            argument->kind == RULE_ARRAY ? argument->array.items : argument;
        if (items_of(argument))
            memcpy(made + at, items, items_of(argument) * sizeof *made);
        at += items_of(argument);
    }
    *call->result = rule_array(made, count);
}

static void concat_strings(struct rule_call *call)
{
    struct rule_value *strings = rule_take(call->memory, call->count * sizeof *strings);
    size_t length = 0;
    for (size_t i = 0; i < call->count; i++) {
        if (!strings || !rule_string_argument(call, i, &strings[i]))
            return;
        length += strings[i].string.length;
    }
    char *made = result_bytes(call, length);
    for (size_t i = 0; made && i < call->count; i++) {
        memcpy(made, strings[i].string.at, strings[i].string.length);
        made += strings[i].string.length;
    }
}

static bool has(const struct rule_call *call, enum rule_kind kind)
{
    for (size_t i = 0; i < call->count; i++)
        if (call->arguments[i]->kind == kind)
            return true;
    return false;
}

/* One argument that is not an Array becomes a String: the guide's example is concat(1) = "1".
 * Several arguments of which none is an Array or String are Undefined: the guide does not say. */
void function_concat(struct rule_call *call)
{
    if (has(call, RULE_ARRAY))
        concat_arrays(call);
    else if (call->count == 1 || has(call, RULE_STRING))
        concat_strings(call);
}
