/* Certificate signing requests (RFC 2986). */
#include "pki_internal.h"

#include <openssl/pem.h>

static enum status request_write(X509_REQ *request, EVP_PKEY *key, struct text *pem,
                                 struct error *error)
{
    BIO *memory = BIO_new(BIO_s_mem());
    enum status status = FINE;
    if (memory && X509_REQ_set_version(request, X509_REQ_VERSION_1) &&
        X509_REQ_set_pubkey(request, key) && X509_REQ_sign(request, key, EVP_sha256()) > 0 &&
        PEM_write_bio_X509_REQ(memory, request))
        openssl_take(memory, pem);
    else
        status = openssl_fail(error, REFUSED, "cannot make a signing request");
    BIO_free(memory);
    return status;
}

enum status request_make(const struct certificate_subject *subject, struct text *pem,
                         struct error *error)
{
    X509_REQ *request = X509_REQ_new();
    enum status status = request ? subject_put(subject, X509_REQ_get_subject_name(request), error)
                                 : openssl_fail(error, REFUSED, "cannot make a signing request");
    if (!status)
        status = request_write(request, subject->key, pem, error);
    X509_REQ_free(request);
    return status;
}
