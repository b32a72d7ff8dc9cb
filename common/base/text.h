/* A text that grows: bytes with their length, always followed by a NUL that is not counted.
 *
 * `struct text t = {0}` is the empty text and owns nothing. The function that declares a text frees
 * it; functions that take a text append to it and never free or shrink it. Out of memory ends the
 * program (memory.h); a buffer (buffer.h) is for code that has to go on. */
#ifndef COMMON_BASE_TEXT_H
#define COMMON_BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct text {
    char *at;      /* NULL while empty and never written to; use text_string() for a C string */
    size_t length; /* bytes, without the NUL */
    size_t room;   /* bytes allocated */
    bool secret;   /* the bytes are overwritten before their memory is freed, also when they move as
                      the text grows: for a text that holds a password or a key */
};

/* Each of these adds a copy to the end. */
void text_add(struct text *text, const void *bytes, size_t length);
void text_add_string(struct text *text, const char *string);
void text_add_char(struct text *text, char character);
void text_add_format(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void text_add_formatv(struct text *text, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));
void text_add_repeated(struct text *text, char character, size_t times);

/* The text as a C string ("" when empty); valid until the next change. */
const char *text_string(const struct text *text);

/* Removes the bytes, keeps the memory. */
void text_clear(struct text *text);

/* Hands the bytes over to the caller, who frees them (and overwrites those of a secret text
 * before); the text is empty afterwards. */
char *text_take(struct text *text);

void text_free(struct text *text);

/* Overwrites all that is allocated, then frees it, whether the text is marked as secret or not. A
 * text that was not marked may have left older copies of its bytes where it was before it grew. */
void text_wipe(struct text *text);

/* Makes room for so many bytes, the NUL included. */
void text_reserve(struct text *text, size_t room);

/* True when length bytes are well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms, at
 * most U+10FFFF); else *bad, if not NULL, is the offset of the first byte that is not. */
bool utf8_valid(const char *bytes, size_t length, size_t *bad);

/* How many code points length bytes of valid UTF-8 hold (columns on a terminal, nearly). */
size_t utf8_length(const char *bytes, size_t length);

/* Line and column of the byte at offset, both from 1; columns are code points. */
void find_place(const char *bytes, size_t offset, size_t *line, size_t *column);

/* True when string begins, or ends, with part. */
bool begins_with(const char *string, const char *part);
bool ends_with(const char *string, const char *part);

/* The number of edits (insert, delete, replace a byte, swap two neighbours) that make one word of
 * another, for "did you mean". SIZE_MAX when a word is longer than 64 bytes. */
size_t edit_distance(const char *one, const char *other);

/* The word of words (count of them) with the fewest edits to word. NULL when all need more than 1
 * edit (words of up to 3 bytes), 2 (up to 7) or 3. The result is one of words, not a copy. */
const char *nearest_word(const char *word, const char *const *words, size_t count);

#endif
