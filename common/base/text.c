#include "text.h"
#include "memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As realloc(), without leaving the old bytes in memory that others may get. */
static char *move_secret(char *bytes, size_t length, size_t room)
{
    char *moved = must_realloc(NULL, room);
    if (bytes) {
        memcpy(moved, bytes, length);
        explicit_bzero(bytes, length);
    }
    free(bytes);
    return moved;
}

void text_reserve(struct text *text, size_t room)
{
    if (room <= text->room)
        return;
    size_t wanted = text->room ? text->room : 64;
    while (wanted < room)
        wanted = wanted > SIZE_MAX / 2 ? room : wanted * 2;
    if (text->secret)
        text->at = move_secret(text->at, text->room, wanted);
    else
        text->at = must_realloc(text->at, wanted);
    text->room = wanted;
}

void text_add(struct text *text, const void *bytes, size_t length)
{
    text_reserve(text, text->length + length + 1);
    if (length)
        memcpy(text->at + text->length, bytes, length);
    text->length += length;
    text->at[text->length] = '\0';
}

void text_add_string(struct text *text, const char *string)
{
    text_add(text, string, strlen(string));
}

void text_add_char(struct text *text, char character)
{
    text_add(text, &character, 1);
}

void text_add_repeated(struct text *text, char character, size_t times)
{
    text_reserve(text, text->length + times + 1);
    memset(text->at + text->length, character, times);
    text->length += times;
    text->at[text->length] = '\0';
}

void text_add_formatv(struct text *text, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    size_t left = text->room - text->length;
    int length = vsnprintf(left ? text->at + text->length : NULL, left, format, arguments);
    if (length > 0 && (size_t)length >= left) {
        text_reserve(text, text->length + (size_t)length + 1);
        vsnprintf(text->at + text->length, (size_t)length + 1, format, again);
    }
    if (length > 0)
        text->length += (size_t)length;
    va_end(again);
}

void text_add_format(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    text_add_formatv(text, format, arguments);
    va_end(arguments);
}

const char *text_string(const struct text *text)
{
    return text->at ? text->at : "";
}

void text_clear(struct text *text)
{
    text->length = 0;
    if (text->at)
        text->at[0] = '\0';
}

char *text_take(struct text *text)
{
    char *taken = text->at ? text->at : must_copy("");
    *text = (struct text){0};
    return taken;
}

void text_free(struct text *text)
{
    if (text->secret && text->at)
        explicit_bzero(text->at, text->room);
    free(text->at);
    *text = (struct text){0};
}

void text_wipe(struct text *text)
{
    text->secret = true;
    text_free(text);
}

/* Length of the well-formed sequence that begins at bytes, 0 if there is none (RFC 3629, 4). */
static size_t utf8_sequence(const unsigned char *bytes, size_t left)
{
    unsigned char first = bytes[0];
    if (first < 0x80)
        return 1;
    size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || length > left)
        return 0;
    unsigned char low = 0x80, high = 0xBF; /* the range of the second byte */
    if (first == 0xE0)
        low = 0xA0;
    else if (first == 0xED)
        high = 0x9F;
    else if (first == 0xF0)
        low = 0x90;
    else if (first == 0xF4)
        high = 0x8F;
    if (bytes[1] < low || bytes[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if (bytes[i] < 0x80 || bytes[i] > 0xBF)
            return 0;
    return length;
}

bool utf8_valid(const char *bytes, size_t length, size_t *bad)
{
    for (size_t i = 0; i < length;) {
        uint64_t eight;
        if (i + sizeof eight <= length) { /* as a rule all of them are ASCII */
            memcpy(&eight, bytes + i, sizeof eight);
            if (!(eight & 0x8080808080808080)) {
                i += sizeof eight;
                continue;
            }
        }
        size_t step = utf8_sequence((const unsigned char *)bytes + i, length - i);
        if (!step) {
            if (bad)
                *bad = i;
            return false;
        }
        i += step;
    }
    return true;
}

size_t utf8_length(const char *bytes, size_t length)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += ((unsigned char)bytes[i] & 0xC0) != 0x80;
    return count;
}

void find_place(const char *bytes, size_t offset, size_t *line, size_t *column)
{
    size_t start = 0;
    *line = 1;
    for (size_t i = 0; i < offset; i++) {
        if (bytes[i] == '\n') {
            ++*line;
            start = i + 1;
        }
    }
    *column = utf8_length(bytes + start, offset - start) + 1;
}

bool begins_with(const char *string, const char *part)
{
    return strncmp(string, part, strlen(part)) == 0;
}

bool ends_with(const char *string, const char *part)
{
    size_t length = strlen(string), tail = strlen(part);
    return length >= tail && memcmp(string + length - tail, part, tail) == 0;
}

enum { LONGEST_WORD = 64 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The restricted Damerau-Levenshtein distance. Row i of its matrix needs the two rows before it
 * only, so rows[i % 3] holds row i. */
size_t edit_distance(const char *one, const char *other)
{
    size_t m = strlen(one), n = strlen(other);
    if (m > LONGEST_WORD || n > LONGEST_WORD)
        return SIZE_MAX;
    size_t rows[3][LONGEST_WORD + 1];
    for (size_t j = 0; j <= n; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= m; i++) {
        size_t *now = rows[i % 3], *before = rows[(i + 2) % 3], *earlier = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t replaced = before[j - 1] + (one[i - 1] != other[j - 1]);
            now[j] = least(replaced, least(before[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1])
                now[j] = least(now[j], earlier[j - 2] + 1);
        }
    }
    return rows[m % 3][n];
}

const char *nearest_word(const char *word, const char *const *words, size_t count)
{
    const char *nearest = NULL;
    size_t allowed = strlen(word) <= 3 ? 1 : strlen(word) <= 7 ? 2 : 3;
    for (size_t i = 0; i < count; i++) {
        size_t distance = edit_distance(word, words[i]);
        if (distance <= allowed) {
            nearest = words[i];
            allowed = distance ? distance - 1 : 0;
            if (!distance)
                break;
        }
    }
    return nearest;
}
