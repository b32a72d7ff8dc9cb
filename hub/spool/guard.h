/* Writing through a mapping of a file. When the disk fails, or somebody truncates the file, the kernel sends
 * SIGBUS. While guard_copy() runs, a handler makes an error of it; at any other time the signal does
 * what it did before. */
#ifndef HUB_SPOOL_GUARD_H
#define HUB_SPOOL_GUARD_H

#include <stdbool.h>
#include <stddef.h>

/* Installs the handler, or puts the one before it back; calls are counted. Not from several threads at
 * once. */
void guard_begin(void);
void guard_end(void);

/* Copies into a mapping. The first four bytes are written last, and readers in other processes see
 * the others before them. to is a multiple of four, length at least four. False: the file does not take
 * the bytes; some of them may be there. */
bool guard_copy(void *to, const void *from, size_t length);

#endif
