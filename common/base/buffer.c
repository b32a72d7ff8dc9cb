#include "buffer.h"
#include "base64.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool make_room(struct buffer *buffer, size_t more)
{
    if (buffer->failed)
        return false;
    if (more < buffer->room - buffer->length)
        return true;
    size_t wanted = 2 * (buffer->length + more) + 64;
    char *grown = wanted > more ? realloc(buffer->at, wanted) : NULL;
    if (!grown) {
        buffer->failed = true;
        return false;
    }
    buffer->at = grown;
    buffer->room = wanted;
    return true;
}

void buffer_add(struct buffer *buffer, const void *bytes, size_t length)
{
    if (!make_room(buffer, length))
        return;
    if (length)
        memcpy(buffer->at + buffer->length, bytes, length);
    buffer->length += length;
    buffer->at[buffer->length] = '\0';
}

void buffer_add_string(struct buffer *buffer, const char *string)
{
    buffer_add(buffer, string, strlen(string));
}

/* bytes are valid UTF-8. */
static void add_escaped(struct buffer *buffer, const char *bytes, size_t length)
{
    size_t from = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)bytes[i];
        char escape[8];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        buffer_add(buffer, bytes + from, i - from);
        if (c == '"' || c == '\\')
            snprintf(escape, sizeof escape, "\\%c", c);
        else
            snprintf(escape, sizeof escape, "\\u%04x", c);
        buffer_add_string(buffer, escape);
        from = i + 1;
    }
    buffer_add(buffer, bytes + from, length - from);
}

void buffer_add_json(struct buffer *buffer, const char *bytes, size_t length)
{
    size_t bad = 0;
    buffer_add(buffer, "\"", 1);
    while (!utf8_valid(bytes, length, &bad)) {
        add_escaped(buffer, bytes, bad);
        buffer_add_string(buffer, "\xef\xbf\xbd");
        bytes += bad + 1;
        length -= bad + 1;
    }
    add_escaped(buffer, bytes, length);
    buffer_add(buffer, "\"", 1);
}

void buffer_add_base64(struct buffer *buffer, const void *bytes, size_t length)
{
    size_t encoded = base64_encoded_length(length);
    if (!make_room(buffer, encoded))
        return;
    base64_encode(bytes, length, buffer->at + buffer->length);
    buffer->length += encoded;
}

const char *buffer_string(const struct buffer *buffer)
{
    return buffer->at ? buffer->at : "";
}

void buffer_clear(struct buffer *buffer)
{
    buffer->length = 0;
    buffer->failed = false;
    if (buffer->at)
        *buffer->at = '\0';
}

void buffer_free(struct buffer *buffer)
{
    free(buffer->at);
    *buffer = (struct buffer){0};
}
