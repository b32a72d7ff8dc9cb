/* Encoding is OpenSSL's. Its decoder (EVP_DecodeBlock) skips white space, takes padding for zeros,
 * and does not look at the unused bits, so decoding is done here. */
#include "base64.h"

#include <openssl/evp.h>
#include <stdint.h>

/* A multiple of 3 bytes, so that only the last block is padded; EVP_EncodeBlock() takes an int. */
enum { BLOCK = 3 << 20 };

size_t base64_encoded_length(size_t length)
{
    return length / 3 * 4 + (length % 3 ? 4 : 0);
}

size_t base64_decoded_length(size_t length)
{
    return length / 4 * 3;
}

void base64_encode(const void *bytes, size_t length, char *characters)
{
    const unsigned char *from = bytes;
    unsigned char *to = (unsigned char *)characters;
    *to = '\0';
    for (size_t some; length; from += some, length -= some) {
        some = length < BLOCK ? length : BLOCK;
        to += EVP_EncodeBlock(to, from, (int)some);
    }
}

/* The six bits that a character stands for; -1 when it is not of the alphabet. */
static int sextet(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool base64_decode(const char *characters, size_t length, void *bytes, size_t *count)
{
    unsigned char *to = bytes;
    unsigned held = 0, bits = 0; /* read, and not yet written: that many of the lowest bits */
    *count = 0;
    if (length % 4 != 0)
        return false;
    for (int i = 0; i < 2 && length && characters[length - 1] == '='; i++)
        length--;
    for (size_t i = 0; i < length; i++) {
        int value = sextet(characters[i]);
        if (value < 0)
            return false;
        held = (held << 6 | (unsigned)value) & 0xFFFF;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            *to++ = (unsigned char)(held >> bits);
            ++*count;
        }
    }
    return (held & ((1U << bits) - 1)) == 0;
}
