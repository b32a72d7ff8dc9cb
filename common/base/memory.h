/* Memory for a program that may exit when there is none.
 *
 * When sensorforge is out of memory, it reports that and ends with exit code 3. Everything on disk
 * is written whole or not at all, so the same command can be run again. A long-running program does
 * not use these functions where it works on messages. */
#ifndef COMMON_BASE_MEMORY_H
#define COMMON_BASE_MEMORY_H

#include <stddef.h>

/* Says "out of memory" and ends the program with exit code 3. */
_Noreturn void out_of_memory(void);

/* Zeroed memory. The caller frees with free(). Never returns NULL. */
void *must_alloc(size_t size);

/* An array of count items of size bytes, zeroed; an overflowing product ends the program too. */
void *must_array(size_t count, size_t size);

/* As realloc(); the grown part is not zeroed. Never returns NULL. */
void *must_realloc(void *memory, size_t size);

/* Makes room for one more item: doubles *room when count has reached it. Returns the (moved) array.
 */
void *must_grow(void *array, size_t count, size_t *room, size_t size);

/* A copy of a string, or of the first length bytes at bytes with a NUL behind them. */
char *must_copy(const char *string);
char *must_copy_bytes(const char *bytes, size_t length);

/* Frees *string and puts a copy of text in its place (NULL: nothing). text may be part of
 * *string. */
void must_replace(char **string, const char *text);

/* A formatted string that the caller frees. */
char *must_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* As free() and realloc(), but memory that is given back is overwritten first: for libraries that
 * may hold secrets. */
void free_wiped(void *memory);
void *must_move_wiped(void *memory, size_t size);

/* Frees what a variable holds when the variable goes out of scope: `owned char *path = ...;`.
 * Used wherever a function has more than one way out, instead of a ladder of labels. */
#define owned __attribute__((cleanup(free_owned)))
void free_owned(void *variable);

#endif
