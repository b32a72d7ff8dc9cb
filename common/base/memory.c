#include "memory.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void out_of_memory(void)
{
    static const char message[] = "error: out of memory\n";
    fwrite(message, 1, sizeof message - 1, stderr);
    exit(3);
}

void *must_alloc(size_t size)
{
    void *memory = calloc(1, size ? size : 1);
    if (!memory)
        out_of_memory();
    return memory;
}

void *must_array(size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size)
        out_of_memory();
    return must_alloc(count * size);
}

void *must_realloc(void *memory, size_t size)
{
    void *moved = realloc(memory, size ? size : 1);
    if (!moved)
        out_of_memory();
    return moved;
}

void *must_grow(void *array, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return array;
    size_t wanted = *room ? *room * 2 : 8;
    if (wanted > SIZE_MAX / size)
        out_of_memory();
    *room = wanted;
    return must_realloc(array, wanted * size);
}

void free_wiped(void *memory)
{
    if (memory)
        explicit_bzero(memory, malloc_usable_size(memory));
    free(memory);
}

void *must_move_wiped(void *memory, size_t size)
{
    void *moved = must_alloc(size);
    if (memory) {
        size_t held = malloc_usable_size(memory);
        memcpy(moved, memory, held < size ? held : size);
        free_wiped(memory);
    }
    return moved;
}

char *must_copy_bytes(const char *bytes, size_t length)
{
    char *copy = must_alloc(length + 1);
    if (length)
        memcpy(copy, bytes, length);
    return copy;
}

char *must_copy(const char *string)
{
    return must_copy_bytes(string, strlen(string));
}

void must_replace(char **string, const char *text)
{
    char *copy = text ? must_copy(text) : NULL;
    free(*string);
    *string = copy;
}

char *must_format(const char *format, ...)
{
    char *made = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&made, format, arguments);
    va_end(arguments);
    if (length < 0)
        out_of_memory();
    return made;
}

void free_owned(void *variable)
{
    void *memory;
    memcpy(&memory, variable, sizeof memory);
    free(memory);
}
