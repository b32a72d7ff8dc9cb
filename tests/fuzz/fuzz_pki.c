/* Any bytes where PEM, a key, a certificate, a signing request or a revocation list is expected.
 * Only a message may come of it, or something that reads back as itself. */
#include "generator/pki/pki.h"
#include "workplace.h"

#include <openssl/err.h>

static const char serial[] = "0102030405060708090A0B0C0D0E0F10";

static struct authority authority;

static void check_status(enum status status, const struct error *error)
{
    must_hold(!status || (error->status == status && error->message.length));
    must_hold(!ERR_peek_error()); /* nothing left behind for the next one to stumble on */
}

static void try_pem(const char *bytes, size_t size)
{
    static const char *const labels[] = {"CERTIFICATE", "CERTIFICATE REQUEST", "X509 CRL"};
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
        struct text der = {0}, pem = {0}, again = {0};
        struct error error = {0};
        enum status status = pem_to_der(labels[i], bytes, size, &der, &error);
        check_status(status, &error);
        if (!status) {
            der_to_pem(labels[i], text_string(&der), der.length, &pem);
            must_hold(!pem_to_der(labels[i], pem.at, pem.length, &again, &error));
            must_hold(again.length == der.length &&
                      !memcmp(text_string(&again), text_string(&der), der.length));
        }
        text_free(&der);
        text_free(&pem);
        text_free(&again);
        error_free(&error);
    }
}

static void try_key(const char *bytes, size_t size)
{
    struct error error = {0};
    EVP_PKEY *key = NULL;
    struct secret pem = secret_copy(bytes, size);
    check_status(key_from_pem(&pem, &key, &error), &error);
    EVP_PKEY_free(key);
    secret_free(&pem);
    error_free(&error);
}

static void try_certificate(const char *bytes, size_t size)
{
    struct error error = {0};
    struct certificate_facts facts;
    enum status status = certificate_read(bytes, size, &facts, &error);
    check_status(status, &error);
    must_hold(status || (strlen(facts.fingerprint) == 64 && strlen(facts.serial) >= 2));
    error_free(&error);
}

static void try_request(const char *bytes, size_t size)
{
    struct error error = {0};
    struct text certificate = {0};
    struct certificate_facts facts;
    enum status status = authority_sign(&authority, bytes, size, serial, 1, &certificate, &error);
    check_status(status, &error);
    if (!status) {
        must_hold(!certificate_read(certificate.at, certificate.length, &facts, &error));
        must_hold(strcmp(facts.serial, serial) == 0);
    }
    text_free(&certificate);
    error_free(&error);
}

static void try_list(const char *bytes, size_t size)
{
    const char *const serials[] = {serial};
    struct error error = {0};
    struct text pem = {0}, list = {0};
    der_to_pem("X509 CRL", bytes, size, &pem);
    check_status(authority_revoke(&authority, pem.at, pem.length, serials, 1, &list, NULL, &error),
                 &error);
    text_free(&pem);
    text_free(&list);
    error_free(&error);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    const char *bytes = (const char *)input;
    struct error error = {0};
    struct text der = {0};
    if (!authority.key)
        must_hold(!authority_make("fuzz", 1, &authority, &error));
    try_pem(bytes, size);
    try_key(bytes, size);
    try_certificate(bytes, size);
    try_request(bytes, size);
    try_list(bytes, size);
    /* Behind the armour, for inputs that have it. */
    if (!pem_to_der("CERTIFICATE REQUEST", bytes, size, &der, &error))
        try_request(text_string(&der), der.length);
    text_free(&der);
    error_free(&error);
    return 0;
}
