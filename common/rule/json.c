/* Parses JSON into values, and writes values as JSON.
 *
 * cJSON's parser does not distinguish 10 from 10.0, loses the digits that a double cannot hold, and
 * allocates each node. Here a payload is parsed in one pass after the check of its UTF-8, and
 * strings without escapes stay where they are. Items and members are collected in one stack until
 * their number is known, then copied to an array of that size, so the cost is linear. */
#include "value.h"
#include "common/base/hex.h"
#include "common/base/text.h"

#include <string.h>

enum { DEEPEST = 64 /* arrays and objects */, FIRST_ROOM = 8 /* items of the stack */ };

struct reader {
    struct rule_memory *memory;
    const char *at, *end;
    int depth;
    /* The stack: members and items of the arrays and objects that are open. Items have no name. */
    struct rule_member *waiting;
    size_t waiting_count, waiting_room;
};

static bool read_value(struct reader *reader, struct rule_value *value);

static inline bool is_blank(char c)
{
    return c <= ' ' && (c == ' ' || c == '\n' || c == '\t' || c == '\r');
}

static inline void skip_blanks(struct reader *reader)
{
    while (reader->at < reader->end && is_blank(*reader->at))
        reader->at++;
}

static inline bool take(struct reader *reader, char wanted)
{
    skip_blanks(reader);
    if (reader->at == reader->end || *reader->at != wanted)
        return false;
    reader->at++;
    return true;
}

/* --- strings --- */

static bool read_hex(const char *at, const char *end, unsigned *code)
{
    *code = 0;
    if (end - at < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
                         : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10)
                                                : 16;
        if (digit > 15)
            return false;
        *code = *code << 4 | digit;
    }
    return true;
}

static size_t put_utf8(unsigned code, char *out)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xe0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

/* Reads behind "\u" a code unit, or two that are a surrogate pair. NULL: no hexadecimal digits, or
 * half a pair. */
static const char *read_unicode(const char *at, const char *end, unsigned *code)
{
    unsigned low;
    if (!read_hex(at, end, code))
        return NULL;
    at += 4;
    if (*code < 0xd800 || *code > 0xdfff)
        return at;
    if (*code > 0xdbff || end - at < 6 || at[0] != '\\' || at[1] != 'u' ||
        !read_hex(at + 2, end, &low) || low < 0xdc00 || low > 0xdfff)
        return NULL;
    *code = 0x10000 + ((*code - 0xd800) << 10) + (low - 0xdc00);
    return at + 6;
}

/* Reads on from the first escape, into a copy, which is never longer than what is written. */
OWN_FRAME static bool read_escaped(struct reader *reader, const char *start, const char **text,
                                   size_t *length)
{
    static const char escapes[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    const char *at = reader->at, *close = at;
    while (close < reader->end && *close != '"')
        close += *close == '\\' && reader->end - close > 1 ? 2 : 1;
    if (close >= reader->end)
        return false;
    char *copy = rule_take(reader->memory, (size_t)(close - start));
    if (!copy)
        return false;
    size_t made = (size_t)(at - start);
    memcpy(copy, start, made);
    while (at < close) {
        unsigned code;
        if ((unsigned char)*at < 0x20)
            return false;
        if (*at != '\\') {
            copy[made++] = *at++;
            continue;
        }
        const char *known = strchr(escapes, at[1]);
        if (at[1] == 'u') {
            if (!(at = read_unicode(at + 2, close, &code)))
                return false;
            made += put_utf8(code, copy + made);
        } else if (known && *known) {
            copy[made++] = meant[known - escapes];
            at += 2;
        } else {
            return false;
        }
    }
    reader->at = close + 1;
    *text = copy;
    *length = made;
    return true;
}

/* The high bit of each byte that is zero, and perhaps of others behind such a one. */
static inline uint64_t zero_bytes(uint64_t word)
{
    return (word - 0x0101010101010101) & ~word & 0x8080808080808080;
}

/* Skips characters that stand for themselves. Eight at a time: rules run 4 % faster with that. */
static const char *skip_plain(const char *at, const char *end)
{
    uint64_t word;
    for (; (size_t)(end - at) >= sizeof word; at += sizeof word) {
        memcpy(&word, at, sizeof word);
        uint64_t control = (word - 0x2020202020202020) & ~word & 0x8080808080808080;
        if (control | zero_bytes(word ^ 0x2222222222222222) | zero_bytes(word ^ 0x5c5c5c5c5c5c5c5c))
            break;
    }
    while (at < end && *at != '"' && *at != '\\' && (unsigned char)*at >= 0x20)
        at++;
    return at;
}

static bool read_string(struct reader *reader, const char **text, size_t *length)
{
    const char *start = reader->at, *at = skip_plain(start, reader->end);
    reader->at = at;
    if (at == reader->end || (unsigned char)*at < 0x20)
        return false;
    if (*at == '\\')
        return read_escaped(reader, start, text, length);
    *text = start;
    *length = (size_t)(at - start);
    reader->at = at + 1;
    return true;
}

/* --- numbers --- */

static inline bool is_digit(const char *at, const char *end)
{
    return at < end && *at >= '0' && *at <= '9';
}

/* Any number: finds its end and calls rule_decimal_read(), which does not take the "+" that JSON
 * allows in an exponent. */
OWN_FRAME static bool read_long_number(struct reader *reader, const char *start,
                                       struct rule_value *value)
{
    const char *at = start, *end = reader->end, *plus = NULL;
    bool whole = true;
    at += *at == '-';
    while (is_digit(at, end))
        at++;
    if (at < end && *at == '.') {
        whole = false;
        at++;
        if (!is_digit(at, end))
            return false;
        while (is_digit(at, end))
            at++;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        whole = false;
        at++;
        if (at < end && *at == '+')
            plus = at;
        at += at < end && (*at == '+' || *at == '-');
        if (!is_digit(at, end))
            return false;
        while (is_digit(at, end))
            at++;
    }
    reader->at = at;
    size_t length = (size_t)(at - start);
    if (plus) {
        char *copy = rule_take(reader->memory, length);
        if (!copy)
            return false;
        size_t before = (size_t)(plus - start);
        memcpy(copy, start, before);
        memcpy(copy + before, plus + 1, length - before - 1);
        start = copy;
        length--;
    }
    struct rule_decimal decimal;
    int64_t integer;
    *value = rule_undefined(); /* outside the range of a Decimal */
    if (!rule_decimal_read(start, length, &decimal))
        return true;
    *value =
        whole && rule_decimal_to_int(decimal, &integer) ? rule_int(integer) : rule_decimal(decimal);
    return true;
}

/* The usual number of a sensor, up to 18 digits without an exponent, is read here. */
static bool read_number(struct reader *reader, struct rule_value *value)
{
    const char *start = reader->at, *at = start, *end = reader->end;
    bool negative = *at == '-';
    at += negative;
    const char *digits = at;
    uint64_t coefficient = 0;
    for (; is_digit(at, end); at++)
        coefficient = coefficient * 10 + (uint64_t)(*at - '0');
    size_t count = (size_t)(at - digits);
    if (!count || (count > 1 && *digits == '0'))
        return false;
    bool point = at < end && *at == '.';
    const char *behind = at + point;
    if (point)
        for (at = behind; is_digit(at, end); at++)
            coefficient = coefficient * 10 + (uint64_t)(*at - '0');
    size_t places = point ? (size_t)(at - behind) : 0;
    if (point && !places)
        return false;
    if (count + places > 18 || (at < end && (*at == 'e' || *at == 'E')))
        return read_long_number(reader, start, value);
    reader->at = at;
    if (point) {
        value->kind = RULE_DECIMAL;
        value->decimal =
            (struct rule_decimal){coefficient, 0, -(int32_t)places, negative && coefficient};
    } else {
        value->kind = RULE_INT;
        value->integer = negative ? -(int64_t)coefficient : (int64_t)coefficient;
    }
    return true;
}

/* --- arrays and objects --- */

/* Pushes a member onto the stack; NULL: out of memory. The stack can move when it grows. */
static struct rule_member *add_waiting(struct reader *reader)
{
    if (reader->waiting_count == reader->waiting_room) {
        size_t room = reader->waiting_room ? reader->waiting_room * 2 : FIRST_ROOM;
        struct rule_member *moved =
            rule_take_more(reader->memory, reader->waiting, reader->waiting_count * sizeof *moved,
                           room * sizeof *moved);
        if (!moved)
            return NULL;
        reader->waiting = moved;
        reader->waiting_room = room;
    }
    return &reader->waiting[reader->waiting_count++];
}

/* Reads the value of the member that was pushed last. A nested value can move the stack. */
static bool read_waiting(struct reader *reader, struct rule_member *waiting)
{
    struct rule_value nested;
    size_t place = reader->waiting_count - 1;
    skip_blanks(reader);
    if (reader->at == reader->end || (*reader->at != '{' && *reader->at != '['))
        return read_value(reader, &waiting->value);
    if (!read_value(reader, &nested))
        return false;
    reader->waiting[place].value = nested;
    return true;
}

static bool read_array(struct reader *reader, struct rule_value *value)
{
    size_t first = reader->waiting_count;
    if (!take(reader, ']')) {
        do {
            struct rule_member *waiting = add_waiting(reader);
            if (!waiting || !read_waiting(reader, waiting))
                return false;
        } while (take(reader, ','));
        if (!take(reader, ']'))
            return false;
    }
    size_t count = reader->waiting_count - first;
    struct rule_value *items = rule_take(reader->memory, count * sizeof *items);
    if (!items)
        return false;
    for (size_t i = 0; i < count; i++)
        items[i] = reader->waiting[first + i].value;
    reader->waiting_count = first;
    *value = rule_array(items, count);
    return true;
}

static bool read_member(struct reader *reader)
{
    struct rule_member *waiting = add_waiting(reader);
    return waiting && take(reader, '"') &&
           read_string(reader, &waiting->name, &waiting->name_length) && take(reader, ':') &&
           read_waiting(reader, waiting);
}

static bool read_object(struct reader *reader, struct rule_value *value)
{
    size_t first = reader->waiting_count;
    if (!take(reader, '}')) {
        do
            if (!read_member(reader))
                return false;
        while (take(reader, ','));
        if (!take(reader, '}'))
            return false;
    }
    size_t count = reader->waiting_count - first;
    struct rule_member *members = reader->waiting;
    if (reader->depth > 1) { /* the outermost object keeps the stack itself */
        members = rule_take(reader->memory, count * sizeof *members);
        if (!members)
            return false;
        if (count)
            memcpy(members, reader->waiting + first, count * sizeof *members);
    }
    reader->waiting_count = first;
    *value = rule_object(reader->memory, members, count);
    return !reader->memory->failed;
}

static bool read_word(struct reader *reader, const char *word, size_t length,
                      struct rule_value meant, struct rule_value *value)
{
    if ((size_t)(reader->end - reader->at) < length || memcmp(reader->at, word, length) != 0)
        return false;
    reader->at += length;
    *value = meant;
    return true;
}

static bool read_nested(struct reader *reader, struct rule_value *value)
{
    if (reader->depth == DEEPEST)
        return false;
    reader->depth++;
    bool read = *reader->at++ == '{' ? read_object(reader, value) : read_array(reader, value);
    reader->depth--;
    return read;
}

static bool read_value(struct reader *reader, struct rule_value *value)
{
    skip_blanks(reader);
    if (reader->at == reader->end)
        return false;
    switch (*reader->at) {
    case '{':
    case '[':
        return read_nested(reader, value);
    case '"':
        reader->at++;
        value->kind = RULE_STRING;
        return read_string(reader, &value->string.at, &value->string.length);
    case 't':
        return read_word(reader, "true", 4, rule_boolean(true), value);
    case 'f':
        return read_word(reader, "false", 5, rule_boolean(false), value);
    case 'n':
        return read_word(reader, "null", 4, rule_null(), value);
    default:
        return read_number(reader, value);
    }
}

/* Whether all bytes are below 0x80; eight at a time. Most payloads are ASCII, and need no check of
 * their UTF-8: 8% more messages a second (bench/run rules). */
static bool is_ascii(const char *bytes, size_t length)
{
    uint64_t seen = 0, word;
    size_t i = 0;
    for (; i + sizeof word <= length; i += sizeof word) {
        memcpy(&word, bytes + i, sizeof word);
        seen |= word;
    }
    for (; i < length; i++)
        seen |= (uint64_t)(unsigned char)bytes[i];
    return !(seen & 0x8080808080808080U);
}

bool rule_json_read(struct rule_memory *memory, const char *bytes, size_t length,
                    struct rule_value *value)
{
    struct reader reader = {.memory = memory, .at = bytes, .end = bytes + length};
    if (!length || (!is_ascii(bytes, length) && !utf8_valid(bytes, length, NULL)))
        return false;
    if (!read_value(&reader, value))
        return false;
    skip_blanks(&reader);
    return reader.at == reader.end;
}

/* --- writing --- */

static char *make_room(struct rule_output *output, size_t more)
{
    if (more > output->room - output->length) {
        size_t room = output->room ? output->room * 2 : 256;
        while (room - output->length < more)
            room *= 2;
        char *moved = rule_take_more(output->memory, output->at, output->room, room);
        if (!moved)
            return NULL;
        output->at = moved;
        output->room = room;
    }
    return output->at + output->length;
}

void rule_output_add(struct rule_output *output, const char *bytes, size_t length)
{
    char *at = length ? make_room(output, length) : NULL; /* bytes can be NULL when it is empty */
    if (!at)
        return;
    memcpy(at, bytes, length);
    output->length += length;
}

static void write_escape(struct rule_output *output, unsigned char c)
{
    char made[6] = {'\\', 'u'};
    const char *known = memchr("\"\\\b\f\n\r\t", c, 7);
    hex_number(c, 4, made + 2);
    if (known)
        made[1] = "\"\\bfnrt"[known - "\"\\\b\f\n\r\t"];
    rule_output_add(output, made, known ? 2 : 6);
}

static void write_string(struct rule_output *output, const char *at, size_t length)
{
    const char *end = at + length;
    rule_output_add(output, "\"", 1);
    while (at < end) {
        const char *plain = at;
        while (at < end && (unsigned char)*at >= 0x20 && *at != '"' && *at != '\\')
            at++;
        rule_output_add(output, plain, (size_t)(at - plain));
        if (at < end)
            write_escape(output, (unsigned char)*at++);
    }
    rule_output_add(output, "\"", 1);
}

static void write_int(struct rule_output *output, int64_t integer)
{
    char made[24], *at = made + sizeof made;
    uint64_t size = integer < 0 ? 0 - (uint64_t)integer : (uint64_t)integer;
    do
        *--at = (char)('0' + (int)(size % 10));
    while (size /= 10);
    if (integer < 0)
        *--at = '-';
    rule_output_add(output, at, (size_t)(made + sizeof made - at));
}

static void write_number(struct rule_output *output, enum rule_version version,
                         const struct rule_value *value)
{
    char made[RULE_LONGEST_NUMBER];
    struct rule_value settled = rule_settle(*value, version);
    if (settled.kind == RULE_INT)
        write_int(output, settled.integer);
    else
        rule_output_add(output, made, rule_decimal_print(settled.decimal, made));
}

static void write_array(struct rule_output *output, enum rule_version version,
                        const struct rule_value *value)
{
    bool any = false;
    rule_output_add(output, "[", 1);
    for (size_t i = 0; i < value->array.count && !output->memory->failed; i++) {
        if (value->array.items[i].kind == RULE_UNDEFINED)
            continue;
        if (any)
            rule_output_add(output, ",", 1);
        any = true;
        rule_json_write(output, version, &value->array.items[i]);
    }
    rule_output_add(output, "]", 1);
}

static void write_object(struct rule_output *output, enum rule_version version,
                         const struct rule_value *value)
{
    rule_output_add(output, "{", 1);
    for (size_t i = 0; i < value->object.count && !output->memory->failed; i++) {
        const struct rule_member *member = &value->object.members[i];
        if (i)
            rule_output_add(output, ",", 1);
        write_string(output, member->name, member->name_length);
        rule_output_add(output, ":", 1);
        rule_json_write(output, version, &member->value);
    }
    rule_output_add(output, "}", 1);
}

void rule_json_write(struct rule_output *output, enum rule_version version,
                     const struct rule_value *value)
{
    switch (value->kind) {
    case RULE_UNDEFINED:
        return;
    case RULE_NULL:
        rule_output_add(output, "null", 4);
        return;
    case RULE_BOOLEAN:
        rule_output_add(output, value->boolean ? "true" : "false", value->boolean ? 4 : 5);
        return;
    case RULE_INT:
    case RULE_DECIMAL:
        write_number(output, version, value);
        return;
    case RULE_STRING:
        write_string(output, value->string.at, value->string.length);
        return;
    case RULE_ARRAY:
        write_array(output, version, value);
        return;
    case RULE_OBJECT:
        write_object(output, version, value);
        return;
    }
}
