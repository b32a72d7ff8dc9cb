/* Base64 (RFC 4648, section 4: the standard alphabet, with padding). */
#ifndef COMMON_BASE_BASE64_H
#define COMMON_BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>

/* How many characters stand for length bytes, and at most how many bytes for length characters. */
size_t base64_encoded_length(size_t length);
size_t base64_decoded_length(size_t length);

/* Writes base64_encoded_length(length) characters and a NUL. */
void base64_encode(const void *bytes, size_t length, char *characters);

/* Writes at most base64_decoded_length(length) bytes; *count says how many. False when the
 * characters are not base64: one of another alphabet, a line break, padding that is missing or in
 * the middle, or bits of the last character that stand for nothing and are not 0. So bytes have one
 * spelling only. */
bool base64_decode(const char *characters, size_t length, void *bytes, size_t *count);

#endif
