/* The names of a server in its certificate, and whether one that is there still fits.
 *
 * An IPv4 address goes in twice: as an iPAddress, where it belongs, and as a dNSName, the only kind
 * of name that mbedTLS compares before 3.5 (x509_crt.c, x509_crt_check_san()), and so the only one
 * by which many a board knows the machine that it was told to connect to by address. */
#include "pki_internal.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

enum { LARGEST_ADDRESS = 16 /* bytes, of IPv6 */ };

/* The bytes of an address; 0 for a name. */
static size_t address_read(const char *name, unsigned char bytes[LARGEST_ADDRESS])
{
    if (inet_pton(AF_INET, name, bytes) == 1)
        return 4;
    return inet_pton(AF_INET6, name, bytes) == 1 ? LARGEST_ADDRESS : 0;
}

void names_add(struct text *der, const char *const *names, size_t count)
{
    size_t begin = der->length;
    for (size_t i = 0; i < count; i++) {
        unsigned char address[LARGEST_ADDRESS];
        size_t length = address_read(names[i], address);
        if (length)
            der_add(der, DER_IMPLICIT_7, address, length);
        if (length != LARGEST_ADDRESS)
            der_add(der, DER_IMPLICIT_2, names[i], strlen(names[i]));
    }
    der_wrap(der, begin, DER_SEQUENCE);
}

static bool has_name(X509 *certificate, const char *name)
{
    unsigned char address[LARGEST_ADDRESS];
    size_t length = address_read(name, address);
    return length ? X509_check_ip(certificate, address, length, 0) == 1
                  : X509_check_host(certificate, name, 0, 0, NULL) == 1;
}

bool certificate_serves(const struct authority *authority, const char *der, size_t length,
                        EVP_PKEY *key, const char *const *names, size_t count, double seconds)
{
    const unsigned char *at = (const unsigned char *)der;
    X509 *certificate = d2i_X509(NULL, &at, (long)length);
    EVP_PKEY *signer = X509_get0_pubkey(authority->certificate);
    time_t end = 0;
    bool fits = certificate && X509_check_private_key(certificate, key) == 1 &&
                X509_verify(certificate, signer) == 1 &&
                time_read(X509_get0_notAfter(certificate), &end) &&
                difftime(end, time(NULL)) > seconds;
    for (size_t i = 0; i < count && fits; i++)
        fits = has_name(certificate, names[i]);
    X509_free(certificate);
    ERR_clear_error(); /* why it does not is nobody's next error */
    return fits;
}
