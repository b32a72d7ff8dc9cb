/* What the files of this folder share of OpenSSL: its error queue, memory BIOs, SHA-256. */
#include "pki_internal.h"

#include "common/base/hex.h"

#include <limits.h>
#include <openssl/err.h>

enum status openssl_fail(struct error *error, enum status status, const char *format, ...)
{
    unsigned long code = ERR_get_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    ERR_clear_error();
    va_list arguments;
    va_start(arguments, format);
    failv(error, status, format, arguments);
    va_end(arguments);
    if (reason)
        text_add_format(&error->message, ": %s", reason);
    else if (code)
        text_add_format(&error->message, ": OpenSSL error %08lX", code);
    return status;
}

BIO *openssl_reader(const char *bytes, size_t length)
{
    return bytes && length <= INT_MAX ? BIO_new_mem_buf(bytes, (int)length) : NULL;
}

int openssl_no_password(char *buffer, int size, int writing, void *data)
{
    (void)buffer, (void)size, (void)writing, (void)data;
    return -1;
}

void openssl_take(BIO *memory, struct text *text)
{
    char *bytes;
    long length = BIO_get_mem_data(memory, &bytes);
    text_add(text, bytes, (size_t)length);
}

enum status openssl_sha256(const void *bytes, size_t length, char hexadecimal[65],
                           struct error *error)
{
    unsigned char digest[32];
    if (EVP_Digest(bytes, length, digest, NULL, EVP_sha256(), NULL) != 1)
        return openssl_fail(error, REFUSED, "cannot take a SHA-256 digest");
    hex_lower(digest, sizeof digest, hexadecimal);
    return FINE;
}
