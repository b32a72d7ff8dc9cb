/* A JSON text in the one layout of json.h, made without a tree.
 *
 * Every document that is generated goes through here, and a tree of it takes four times as long as
 * copying its text piece by piece. The copy understands what documents consist of: objects of few
 * keys, arrays, strings, whole numbers, true, false, null. Where it meets anything else (a
 * fraction, an escape that the layout writes in another way, a mistake) it gives up, and the text
 * goes through json_parse() and json_layout(), which say what is right, and what is wrong. */
#include "json.h"

#include <string.h>

enum { DEEPEST_COPY = 32, MOST_KEYS = 256, MOST_DIGITS = 15 /* a double holds them exactly */ };

struct span {
    const char *at;
    size_t length;
};

struct copy {
    const char *at, *end; /* what is left of the text */
    struct text *out;
    int depth;
    struct span keys[MOST_KEYS]; /* of the objects that are open, with their quotes */
    size_t key_count;
};

static bool copy_value(struct copy *copy);

/* The next byte, a NUL at the end. */
static char next_byte(const struct copy *copy)
{
    return copy->at < copy->end ? *copy->at : '\0';
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

static void skip_blanks(struct copy *copy)
{
    while (is_blank(next_byte(copy)))
        copy->at++;
}

static bool skip_byte(struct copy *copy, char byte)
{
    bool there = next_byte(copy) == byte;
    copy->at += there;
    return there;
}

static void begin_line(struct copy *copy)
{
    text_add_char(copy->out, '\n');
    text_add_repeated(copy->out, ' ', 2 * (size_t)copy->depth);
}

/* Each escape that is taken is the only one of its character: equal strings are equal bytes. */
static bool copy_string(struct copy *copy)
{
    const char *start = copy->at;
    if (!skip_byte(copy, '"'))
        return false;
    for (char byte; (byte = next_byte(copy)) != '"'; copy->at++) {
        if ((unsigned char)byte < 0x20)
            return false;
        if (byte == '\\' &&
            (++copy->at == copy->end || !strchr("\"\\bfnrt", *copy->at) || !*copy->at))
            return false;
    }
    copy->at++;
    text_add(copy->out, start, (size_t)(copy->at - start));
    return true;
}

static bool copy_number(struct copy *copy)
{
    const char *start = copy->at;
    bool negative = skip_byte(copy, '-');
    const char *digits = copy->at;
    bool zero = next_byte(copy) == '0';
    while (next_byte(copy) >= '0' && next_byte(copy) <= '9')
        copy->at++;
    size_t count = (size_t)(copy->at - digits);
    if (!count || count > MOST_DIGITS || (zero && (count > 1 || negative)) ||
        (next_byte(copy) && strchr(".eE", next_byte(copy))))
        return false;
    text_add(copy->out, start, (size_t)(copy->at - start));
    return true;
}

static bool copy_word(struct copy *copy, const char *word)
{
    size_t length = strlen(word);
    if ((size_t)(copy->end - copy->at) < length || memcmp(copy->at, word, length) != 0)
        return false;
    copy->at += length;
    text_add(copy->out, word, length);
    return true;
}

/* The key and its colon. first: of the object's keys among those of the objects that are open. */
static bool copy_key(struct copy *copy, size_t first)
{
    struct span key = {.at = copy->at};
    if (copy->key_count == MOST_KEYS || !copy_string(copy))
        return false;
    key.length = (size_t)(copy->at - key.at);
    for (size_t i = first; i < copy->key_count; i++)
        if (copy->keys[i].length == key.length && memcmp(copy->keys[i].at, key.at, key.length) == 0)
            return false;
    copy->keys[copy->key_count++] = key;
    text_add_string(copy->out, ": ");
    skip_blanks(copy);
    return skip_byte(copy, ':');
}

static bool copy_member(struct copy *copy, char close, size_t first)
{
    begin_line(copy);
    skip_blanks(copy);
    return (close != '}' || copy_key(copy, first)) && copy_value(copy);
}

/* The members of an object (close is a brace) or an array, and the closing bracket. */
static bool copy_members(struct copy *copy, char close)
{
    size_t first = copy->key_count;
    skip_blanks(copy);
    if (next_byte(copy) != close) {
        bool fine = ++copy->depth <= DEEPEST_COPY && copy_member(copy, close, first);
        while (fine && skip_byte(copy, ',')) {
            text_add_char(copy->out, ',');
            fine = copy_member(copy, close, first);
        }
        if (!fine)
            return false;
        copy->depth--;
        begin_line(copy);
    }
    copy->key_count = first;
    text_add_char(copy->out, close);
    return skip_byte(copy, close);
}

static bool copy_scalar(struct copy *copy)
{
    switch (next_byte(copy)) {
    case '"':
        return copy_string(copy);
    case 't':
        return copy_word(copy, "true");
    case 'f':
        return copy_word(copy, "false");
    case 'n':
        return copy_word(copy, "null");
    default:
        return copy_number(copy);
    }
}

/* A value and the blanks around it. */
static bool copy_value(struct copy *copy)
{
    skip_blanks(copy);
    char open = next_byte(copy);
    bool fine;
    if (open == '{' || open == '[') {
        text_add_char(copy->out, open);
        copy->at++;
        fine = copy_members(copy, open == '{' ? '}' : ']');
    } else {
        fine = copy_scalar(copy);
    }
    skip_blanks(copy);
    return fine;
}

static bool copy_all(const char *bytes, size_t length, struct text *out)
{
    struct copy copy = {.at = bytes, .end = bytes + length, .out = out};
    if (!utf8_valid(bytes, length, NULL) || !copy_value(&copy))
        return false;
    text_add_char(out, '\n');
    return copy.at == copy.end;
}

enum status json_normalize(const char *name, const char *bytes, size_t length, struct text *out,
                           struct error *error)
{
    cJSON *value;
    size_t before = out->length;
    text_reserve(out, before + length + length / 4 + 64); /* as a rule it need not grow */
    if (copy_all(bytes, length, out))
        return FINE;
    out->length = before;
    out->at[before] = '\0';
    enum status status = json_parse(name, bytes, length, &value, error);
    if (!status)
        json_layout(value, out);
    json_wipe(value);
    return status;
}
