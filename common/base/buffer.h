/* Bytes that grow, for a long-running program.
 *
 * A text (text.h) ends the program when there is no memory; a buffer does not. A buffer that could
 * not grow is marked as failed: it keeps its bytes and ignores what is added until it is cleared.
 * So many additions need one check of `failed` at their end. `struct buffer b = {0}` is empty. */
#ifndef COMMON_BASE_BUFFER_H
#define COMMON_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct buffer {
    char *at;      /* length bytes and a NUL; NULL until something is added */
    size_t length; /* bytes, without the NUL */
    size_t room;   /* bytes allocated */
    bool failed;   /* out of memory since the last buffer_clear() */
};

/* Each of these adds a copy to the end. */
void buffer_add(struct buffer *buffer, const void *bytes, size_t length);
void buffer_add_string(struct buffer *buffer, const char *string);

/* Adds a JSON string with its quotes. Each byte that is not UTF-8 becomes U+FFFD. */
void buffer_add_json(struct buffer *buffer, const char *bytes, size_t length);
void buffer_add_base64(struct buffer *buffer, const void *bytes, size_t length);

/* The bytes as a C string, "" when there are none; valid until the next change. */
const char *buffer_string(const struct buffer *buffer);

/* Removes the bytes and the mark `failed`; keeps the memory. */
void buffer_clear(struct buffer *buffer);
void buffer_free(struct buffer *buffer);

#endif
