/* Any bytes where a key, a certificate or a revocation list is expected, as they are and as what is
 * inside a PEM text. Only a message may come of it, or something that can be written and read
 * again. */
#include "generator/pki/pki.h"
#include "workplace.h"

#include <openssl/err.h>
#include <openssl/pem.h>

static const char serial[] = "0102030405060708090A0B0C0D0E0F10";

static struct authority authority;

static void check_status(enum status status, const struct error *error)
{
    must_hold(!status || (error->status == status && error->message.length));
    must_hold(!ERR_peek_error()); /* nothing left behind for the next one to stumble on */
}

static void try_key(const char *bytes, size_t size)
{
    struct error error = {0};
    EVP_PKEY *key = NULL;
    struct secret pem = secret_copy(bytes, size), again = {0};
    enum status status = key_from_pem(&pem, &key, &error);
    check_status(status, &error);
    must_hold(status || !key_to_pem(key, &again, &error));
    EVP_PKEY_free(key);
    secret_free(&pem);
    secret_free(&again);
    error_free(&error);
}

static void try_certificate(const char *bytes, size_t size)
{
    static const char *const names[] = {"localhost", "127.0.0.1"};
    struct error error = {0};
    struct certificate_facts facts;
    struct text pem = {0};
    X509 *certificate = NULL, *again = NULL;
    char mark[SERIAL_TEXT], digest[KEY_DIGEST_TEXT];
    enum status status = certificate_from_pem(bytes, size, &certificate, &error);
    check_status(status, &error);
    if (!status) {
        status = certificate_describe(certificate, &facts, &error);
        check_status(status, &error);
        must_hold(status || (strlen(facts.fingerprint) == 64 && strlen(facts.serial) >= 2));
        must_hold(!certificate_mark(certificate, mark) || strlen(mark) == 2 * SERIAL_BYTES);
        check_status(certificate_key_digest(certificate, digest, &error), &error);
        must_hold(!server_fits(&authority, certificate, authority.key, names, 2, 0));
        must_hold(!certificate_to_pem(certificate, &pem, &error));
        must_hold(!certificate_from_pem(pem.at, pem.length, &again, &error));
    }
    text_free(&pem);
    X509_free(certificate);
    X509_free(again);
    error_free(&error);
}

static void count(void *context, const char *listed)
{
    size_t *entries = context;
    must_hold(strlen(listed) >= 2);
    ++*entries;
}

/* Before its signature is looked at the list is read, and these bytes are signed by nobody. */
static void try_list(const char *bytes, size_t size)
{
    const char *const serials[] = {serial};
    struct error error = {0};
    struct text list = {0};
    size_t entries = 0, added = 0;
    check_status(revocation_each(&authority, bytes, size, count, &entries, &error), &error);
    must_hold(revocation_extend(&authority, bytes, size, serials, 1, &list, &added, &error));
    check_status(error.status, &error);
    text_free(&list);
    error_free(&error);
}

/* The bytes as what a PEM text with this label has between its lines. */
static void try_inside(const char *label, const uint8_t *bytes, size_t size,
                       void (*attempt)(const char *bytes, size_t size))
{
    BIO *memory = BIO_new(BIO_s_mem());
    char *pem;
    must_hold(memory && PEM_write_bio(memory, label, "", bytes, (long)size) > 0);
    long length = BIO_get_mem_data(memory, &pem);
    attempt(pem, (size_t)length);
    BIO_free(memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    const char *bytes = (const char *)input;
    struct error error = {0};
    if (!authority.key)
        must_hold(!authority_make("fuzz", 1, &authority, &error));
    try_key(bytes, size);
    try_certificate(bytes, size);
    try_list(bytes, size);
    if (!size) /* no block of PEM is empty */
        return 0;
    try_inside("PRIVATE KEY", input, size, try_key);
    try_inside("CERTIFICATE", input, size, try_certificate);
    try_inside("X509 CRL", input, size, try_list);
    return 0;
}
