/* The names of a server in its certificate.
 *
 * An IPv4 address is written twice: as an iPAddress, where it belongs, and as a dNSName. mbedTLS
 * before 3.5 compares dNSNames only (x509_crt.c, x509_crt_check_san()), so without the second one
 * many boards could not connect to a server by its address. */
#include "pki_internal.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

enum { LARGEST_ADDRESS = 16 /* bytes, of IPv6 */ };

/* Reads an IPv4 or IPv6 address; returns its length in bytes, or 0 when it is none. */
static size_t address_read(const char *name, unsigned char bytes[LARGEST_ADDRESS])
{
    if (inet_pton(AF_INET, name, bytes) == 1)
        return 4;
    return inet_pton(AF_INET6, name, bytes) == 1 ? LARGEST_ADDRESS : 0;
}

/* kind: GEN_DNS or GEN_IPADD */
static bool name_add(GENERAL_NAMES *list, int kind, const void *bytes, size_t length)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_STRING *value =
        ASN1_STRING_type_new(kind == GEN_DNS ? V_ASN1_IA5STRING : V_ASN1_OCTET_STRING);
    bool added = name && value && ASN1_STRING_set(value, bytes, (int)length) &&
                 sk_GENERAL_NAME_push(list, name) > 0;
    if (added) {
        GENERAL_NAME_set0_value(name, kind, value);
        return true;
    }
    GENERAL_NAME_free(name);
    ASN1_STRING_free(value);
    return false;
}

static bool server_name_add(GENERAL_NAMES *list, const char *name)
{
    unsigned char address[LARGEST_ADDRESS];
    size_t length = address_read(name, address);
    return (length == 0 || name_add(list, GEN_IPADD, address, length)) &&
           (length == LARGEST_ADDRESS || name_add(list, GEN_DNS, name, strlen(name)));
}

bool server_put_names(const char *const *names, size_t count, X509 *certificate)
{
    GENERAL_NAMES *list = sk_GENERAL_NAME_new_null();
    bool fine = list != NULL;
    for (size_t i = 0; i < count && fine; i++)
        fine = server_name_add(list, names[i]);
    fine = fine &&
           X509_add1_ext_i2d(certificate, NID_subject_alt_name, list, 0, X509V3_ADD_DEFAULT) == 1;
    GENERAL_NAMES_free(list);
    return fine;
}

static bool has_name(X509 *certificate, const char *name)
{
    unsigned char address[LARGEST_ADDRESS];
    size_t length = address_read(name, address);
    return length ? X509_check_ip(certificate, address, length, 0) == 1
                  : X509_check_host(certificate, name, 0, 0, NULL) == 1;
}

bool server_fits(const struct authority *authority, X509 *certificate, EVP_PKEY *key,
                 const char *const *names, size_t count, double seconds)
{
    time_t end = 0;
    bool fits = X509_check_private_key(certificate, key) == 1 &&
                X509_verify(certificate, authority->key) == 1 &&
                certificate_time(X509_get0_notAfter(certificate), &end) &&
                difftime(end, time(NULL)) > seconds;
    for (size_t i = 0; i < count && fits; i++)
        fits = has_name(certificate, names[i]);
    ERR_clear_error(); /* empties OpenSSL's error queue: a name that does not match adds to it */
    return fits;
}
