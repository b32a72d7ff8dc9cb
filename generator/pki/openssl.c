#include "pki_internal.h"

#include <openssl/err.h>

enum status fail_openssl(struct error *error, enum status status, const char *format, ...)
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

const EVP_MD *digest_sha256(void)
{
    static EVP_MD *digest;
    if (!digest)
        digest = EVP_MD_fetch(NULL, "SHA2-256", NULL);
    return digest;
}

enum status sha256_hex(const void *bytes, size_t length, char hexadecimal[65], struct error *error)
{
    unsigned char digest[32];
    if (!digest_sha256() || EVP_Digest(bytes, length, digest, NULL, digest_sha256(), NULL) != 1)
        return fail_openssl(error, REFUSED, "cannot take a SHA-256 digest");
    for (size_t i = 0; i < sizeof digest; i++) {
        hexadecimal[2 * i] = "0123456789abcdef"[digest[i] >> 4];
        hexadecimal[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
    }
    hexadecimal[2 * sizeof digest] = '\0';
    return FINE;
}

const EVP_MD *digest_sha1(void)
{
    static EVP_MD *digest;
    if (!digest)
        digest = EVP_MD_fetch(NULL, "SHA1", NULL);
    return digest;
}

enum status key_digest(EVP_PKEY *key, char hexadecimal[65], struct error *error)
{
    unsigned char *der = NULL;
    int length = i2d_PUBKEY(key, &der);
    if (length <= 0)
        return fail_openssl(error, REFUSED, "a public key cannot be written");
    enum status status = sha256_hex(der, (size_t)length, hexadecimal, error);
    OPENSSL_free(der);
    return status;
}
