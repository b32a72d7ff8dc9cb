/* The local authority: its own certificate, and the certificates that it signs.
 *
 * All three kinds of certificate are made by one function, sign(). They differ in what a struct
 * content says. */
#include "pki_internal.h"

#include "common/base/clock.h"

#include <openssl/ec.h>
#include <openssl/x509v3.h>
#include <string.h>

enum {
    BACKDATED = 60 * 60, /* seconds: the clock of a board may be behind the clock of this machine */
    LAST_YEAR = 9999     /* that a certificate can express (RFC 5280, 4.1.2.5.2) */
};

void authority_free(struct authority *authority)
{
    EVP_PKEY_free(authority->key);
    X509_free(authority->certificate);
    *authority = (struct authority){0};
}

/* --- one certificate --- */

/* An extension (RFC 5280, 4.2.1). */
struct extension {
    int number;        /* OpenSSL's NID */
    const char *value; /* as in x509v3_config(5); NULL at the end of a list */
};

static const struct extension authority_extensions[] = {
    {NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
    {NID_key_usage, "critical,keyCertSign,cRLSign"},
    {0, NULL}};

static const struct extension client_extensions[] = {{NID_basic_constraints, "critical,CA:FALSE"},
                                                     {NID_key_usage, "critical,digitalSignature"},
                                                     {NID_ext_key_usage, "clientAuth"},
                                                     {0, NULL}};

/* keyEncipherment is for the ESP8266: its TLS library has no key exchange but RSA. */
static const struct extension server_extensions[] = {
    {NID_basic_constraints, "critical,CA:FALSE"},
    {NID_key_usage, "critical,digitalSignature,keyEncipherment"},
    {NID_ext_key_usage, "serverAuth"},
    {0, NULL}};

/* At the end of every certificate. The order matters: the second one copies the first one of the
 * issuer, and an authority is its own issuer. */
static const struct extension key_identifiers[] = {{NID_subject_key_identifier, "hash"},
                                                   {NID_authority_key_identifier, "keyid:always"},
                                                   {0, NULL}};

/* What differs between certificates. */
struct content {
    const struct certificate_subject *subject;
    const char *serial;                 /* hexadecimal digits */
    time_t not_before, not_after;       /* seconds since 1970 */
    const struct extension *extensions; /* before the key identifiers */
    const char *const *names;           /* of a server; name_count of them, 0 for a client */
    size_t name_count;
};

/* Writes the public key into the certificate.
 *
 * X509_set_pubkey() of OpenSSL 3.0 encodes the key and decodes it again, and looks up encoder and
 * decoder for each call. That takes 170 us; the signature takes 250 us, and everything else in a
 * certificate 20 us. So an EC key is written from its parts, the curve and the point (RFC 5480,
 * 2). The curve is P-256: key_make() and key_from_pem() give no other. X509_get0_pubkey() has no
 * key for a certificate that was made in this way, until it is written and read again. */
static bool public_key_put(EVP_PKEY *key, X509 *certificate)
{
    if (!EVP_PKEY_is_a(key, "EC"))
        return X509_set_pubkey(certificate, key);
    unsigned char *point = NULL;
    size_t length = EVP_PKEY_get1_encoded_public_key(key, &point);
    if (length && X509_PUBKEY_set0_param(X509_get_X509_PUBKEY(certificate),
                                         OBJ_nid2obj(NID_X9_62_id_ecPublicKey), V_ASN1_OBJECT,
                                         OBJ_nid2obj(NID_X9_62_prime256v1), point, (int)length))
        return true;
    OPENSSL_free(point);
    return false;
}

static bool extensions_put(const struct extension *list, X509 *issuer, X509 *certificate)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    for (; list->value; list++) {
        X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, list->number, list->value);
        bool added = extension && X509_add_ext(certificate, extension, -1);
        X509_EXTENSION_free(extension);
        if (!added)
            return false;
    }
    return true;
}

static enum status serial_put(const char *text, X509 *certificate, struct error *error)
{
    ASN1_INTEGER *serial = NULL;
    enum status status = serial_from_text(text, &serial, error);
    if (!status && !X509_set_serialNumber(certificate, serial))
        status = openssl_fail(error, REFUSED, "cannot number a certificate");
    ASN1_INTEGER_free(serial);
    return status;
}

/* Writes everything that cannot be WRONG_INPUT. */
static bool content_put(const struct content *content, X509 *issuer, X509 *certificate)
{
    return X509_set_version(certificate, X509_VERSION_3) &&
           X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) &&
           ASN1_TIME_set(X509_getm_notBefore(certificate), content->not_before) &&
           ASN1_TIME_set(X509_getm_notAfter(certificate), content->not_after) &&
           public_key_put(content->subject->key, certificate) &&
           extensions_put(content->extensions, issuer, certificate) &&
           (!content->name_count ||
            server_put_names(content->names, content->name_count, certificate)) &&
           extensions_put(key_identifiers, issuer, certificate);
}

/* Makes and signs a certificate. Where the authority has no certificate yet, this is the one: its
 * issuer is itself. */
static enum status sign(const struct authority *authority, const struct content *content,
                        X509 **certificate, struct error *error)
{
    X509 *made = X509_new();
    if (!made)
        return openssl_fail(error, REFUSED, "cannot make a certificate");
    X509 *issuer = authority->certificate ? authority->certificate : made;
    enum status status = serial_put(content->serial, made, error);
    if (!status)
        status = subject_put(content->subject, X509_get_subject_name(made), error);
    if (!status &&
        (!content_put(content, issuer, made) || X509_sign(made, authority->key, EVP_sha256()) <= 0))
        status = openssl_fail(error, REFUSED, "cannot make a certificate");
    if (status)
        X509_free(made);
    else
        *certificate = made;
    return status;
}

/* --- dates --- */

/* Sets the dates: from an hour ago to the same day in so many years, in LAST_YEAR at the latest. */
static enum status validity_plan(int years, struct content *content, struct error *error)
{
    time_t now = time(NULL);
    struct tm end;
    if (years < 1)
        return fail(error, WRONG_INPUT, "a certificate is valid for at least 1 year, not %d",
                    years);
    gmtime_r(&now, &end);
    int most = LAST_YEAR - 1900 - end.tm_year;
    end.tm_year += years < most ? years : most;
    content->not_before = now - BACKDATED;
    content->not_after = timegm(&end);
    return FINE;
}

static enum status validity_read(const struct authority *authority, time_t *begin, time_t *end,
                                 struct error *error)
{
    if (!certificate_time(X509_get0_notBefore(authority->certificate), begin) ||
        !certificate_time(X509_get0_notAfter(authority->certificate), end))
        return openssl_fail(error, REFUSED, "the dates of the authority's certificate are broken");
    return FINE;
}

enum status authority_check_valid(const struct authority *authority, struct error *error)
{
    time_t begin = 0, end = 0, now = time(NULL);
    char limit[CLOCK_TEXT], clock[CLOCK_TEXT];
    enum status status = validity_read(authority, &begin, &end, error);
    if (status || (begin <= now && now < end))
        return status;
    clock_write(now < begin ? begin : end, limit);
    clock_write(now, clock);
    fail(error, REFUSED, "the authority's certificate %s %s, and this machine's clock says %s",
         now < begin ? "is valid from" : "expired at", limit, clock);
    return advise(error, "check the clock of this machine: date -u");
}

/* --- the authority itself --- */

static enum status self_sign(EVP_PKEY *key, const char *common_name, int years, X509 **certificate,
                             struct error *error)
{
    char serial[SERIAL_TEXT];
    const struct authority self = {.key = key};
    const struct certificate_subject subject = {.key = key, .name = common_name};
    struct content content = {
        .subject = &subject, .serial = serial, .extensions = authority_extensions};
    enum status status = serial_make(serial, error);
    if (!status)
        status = validity_plan(years, &content, error);
    return status ? status : sign(&self, &content, certificate, error);
}

enum status authority_make(const char *common_name, int years, struct authority *made,
                           struct error *error)
{
    struct authority fresh = {0};
    enum status status = key_make(KEY_RSA_2048, &fresh.key, error);
    if (!status)
        status = self_sign(fresh.key, common_name, years, &fresh.certificate, error);
    if (status)
        authority_free(&fresh);
    else
        *made = fresh;
    return status;
}

enum status authority_check(const struct authority *authority, struct error *error)
{
    if (X509_check_private_key(authority->certificate, authority->key) != 1)
        return openssl_fail(error, WRONG_INPUT,
                            "the authority's key and certificate do not belong together");
    if (X509_check_ca(authority->certificate) != 1 ||
        !X509_get0_subject_key_id(authority->certificate))
        return openssl_fail(error, WRONG_INPUT, "the certificate is not that of an authority");
    return FINE;
}

/* --- signing --- */

/* Signs a certificate that ends no later than the authority's. Beyond that day no server accepts
 * it, and its own date would hide this. */
static enum status sign_within(const struct authority *authority, struct content *content,
                               int years, X509 **certificate, struct error *error)
{
    time_t begin = 0, end = 0;
    enum status status = authority_check_valid(authority, error);
    if (!status)
        status = validity_read(authority, &begin, &end, error);
    if (!status)
        status = validity_plan(years, content, error);
    if (status)
        return status;
    if (content->not_after > end)
        content->not_after = end;
    return sign(authority, content, certificate, error);
}

enum status authority_sign(const struct authority *authority,
                           const struct certificate_subject *subject, const char *serial, int years,
                           X509 **certificate, struct error *error)
{
    struct content content = {
        .subject = subject, .serial = serial, .extensions = client_extensions};
    return sign_within(authority, &content, years, certificate, error);
}

enum status authority_sign_server(const struct authority *authority,
                                  const struct certificate_subject *subject, const char *serial,
                                  int years, const char *const *names, size_t count,
                                  X509 **certificate, struct error *error)
{
    struct content content = {.subject = subject,
                              .serial = serial,
                              .extensions = server_extensions,
                              .names = names,
                              .name_count = count};
    return sign_within(authority, &content, years, certificate, error);
}

bool authority_issued(const struct authority *authority, X509 *certificate)
{
    const ASN1_OCTET_STRING *named = X509_get0_authority_key_id(certificate);
    const ASN1_OCTET_STRING *own = X509_get0_subject_key_id(authority->certificate);
    return named && own && ASN1_OCTET_STRING_cmp(named, own) == 0;
}
