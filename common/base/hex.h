/* Hexadecimal digits. */
#ifndef COMMON_BASE_HEX_H
#define COMMON_BASE_HEX_H

#include <stddef.h>
#include <stdint.h>

/* Writes two digits for each byte, and a NUL. */
void hex_lower(const void *bytes, size_t length, char *digits);
void hex_upper(const void *bytes, size_t length, char *digits);

/* Writes the lowest digits of a number, that many of them, in lower case and without a NUL. */
void hex_number(uint64_t number, size_t count, char *digits);

#endif
