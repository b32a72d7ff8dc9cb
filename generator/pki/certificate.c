/* Reading and writing certificates (RFC 5280, 4.1), of any authority. */
#include "pki_internal.h"

#include "common/base/files.h"

#include <openssl/pem.h>
#include <string.h>

/* --- PEM and DER --- */

enum status certificate_from_pem(const char *pem, size_t length, X509 **certificate,
                                 struct error *error)
{
    BIO *reader = openssl_reader(pem, length);
    X509 *read = reader ? PEM_read_bio_X509(reader, NULL, openssl_no_password, NULL) : NULL;
    BIO_free(reader);
    if (!read)
        return openssl_fail(error, WRONG_INPUT, "there is no certificate that can be read");
    *certificate = read;
    return FINE;
}

enum status certificate_read(const char *path, X509 **certificate, struct error *error)
{
    struct text pem = {0};
    enum status status = read_file(path, LARGEST_PEM, &pem, error);
    if (!status &&
        (status = certificate_from_pem(text_string(&pem), pem.length, certificate, error)))
        error_in(error, path);
    text_free(&pem);
    return status;
}

enum status certificate_to_pem(const X509 *certificate, struct text *pem, struct error *error)
{
    BIO *memory = BIO_new(BIO_s_mem());
    enum status status = FINE;
    if (memory && PEM_write_bio_X509(memory, certificate))
        openssl_take(memory, pem);
    else
        status = openssl_fail(error, REFUSED, "cannot write a certificate");
    BIO_free(memory);
    return status;
}

enum status certificate_to_der(const X509 *certificate, struct text *der, struct error *error)
{
    unsigned char *bytes = NULL;
    int length = i2d_X509(certificate, &bytes);
    if (length <= 0)
        return openssl_fail(error, REFUSED, "cannot write a certificate");
    text_add(der, bytes, (size_t)length);
    OPENSSL_free(bytes);
    return FINE;
}

/* --- what is in them --- */

bool certificate_time(const ASN1_TIME *from, time_t *time)
{
    struct tm parts;
    if (!from || ASN1_TIME_to_tm(from, &parts) != 1)
        return false;
    *time = timegm(&parts);
    return true;
}

enum status certificate_describe(const X509 *certificate, struct certificate_facts *facts,
                                 struct error *error)
{
    struct text der = {0};
    if (!serial_to_text(X509_get0_serialNumber(certificate), facts->serial) ||
        !certificate_time(X509_get0_notBefore(certificate), &facts->not_before) ||
        !certificate_time(X509_get0_notAfter(certificate), &facts->not_after))
        return openssl_fail(error, WRONG_INPUT,
                            "the certificate's serial number or dates cannot be read");
    enum status status = certificate_to_der(certificate, &der, error);
    if (!status)
        status = openssl_sha256(text_string(&der), der.length, facts->fingerprint, error);
    text_free(&der);
    return status;
}

bool certificate_mark(const X509 *certificate, char mark[SERIAL_TEXT])
{
    int length = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_serialNumber,
                                           mark, SERIAL_TEXT);
    return length == 2 * SERIAL_BYTES;
}

enum status certificate_key_digest(const X509 *certificate, char digest[KEY_DIGEST_TEXT],
                                   struct error *error)
{
    unsigned char *der = NULL;
    int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
    if (length <= 0)
        return openssl_fail(error, REFUSED, "cannot write the public key of a certificate");
    enum status status = openssl_sha256(der, (size_t)length, digest, error);
    OPENSSL_free(der);
    return status;
}
