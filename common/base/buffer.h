/* Bytes that grow, for a program that does not end when there is no memory: a buffer that could not
 * grow has failed, keeps what it had, and takes nothing more until it is cleared. */
#ifndef COMMON_BASE_BUFFER_H
#define COMMON_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct buffer {
    char *at; /* length bytes, and a NUL behind them; NULL while it never was written to */
    size_t length, room;
    bool failed;
};

void buffer_add(struct buffer *buffer, const void *bytes, size_t length);
void buffer_add_string(struct buffer *buffer, const char *string);

/* A JSON string, with its quotes. Bytes that are no UTF-8 become U+FFFD. */
void buffer_add_json(struct buffer *buffer, const char *bytes, size_t length);
void buffer_add_base64(struct buffer *buffer, const void *bytes, size_t length);

const char *buffer_string(const struct buffer *buffer);
void buffer_clear(struct buffer *buffer); /* keeps the room */
void buffer_free(struct buffer *buffer);

#endif
