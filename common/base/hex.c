#include "hex.h"

static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";

static void write_digits(const unsigned char *bytes, size_t length, const char *alphabet,
                         char *digits)
{
    for (size_t i = 0; i < length; i++) {
        *digits++ = alphabet[bytes[i] >> 4];
        *digits++ = alphabet[bytes[i] & 15];
    }
    *digits = '\0';
}

void hex_lower(const void *bytes, size_t length, char *digits)
{
    write_digits(bytes, length, lower, digits);
}

void hex_upper(const void *bytes, size_t length, char *digits)
{
    write_digits(bytes, length, upper, digits);
}

void hex_number(uint64_t number, size_t count, char *digits)
{
    for (size_t i = count; i-- > 0; number >>= 4)
        digits[i] = lower[number & 15];
}
