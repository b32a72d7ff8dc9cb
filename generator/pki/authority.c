#include "pki_internal.h"

#include <openssl/x509v3.h>

static const char certificate_label[] = "CERTIFICATE";

enum { BACKDATED = 60 * 60 /* seconds; a board's clock may be behind ours */, LAST_YEAR = 9999 };

void authority_free(struct authority *authority)
{
    EVP_PKEY_free(authority->key);
    X509_free(authority->certificate);
    *authority = (struct authority){0};
}

/* From an hour before now to the same day in so many years, at most in the last year that a
 * certificate can express (RFC 5280, 4.1.2.5.2). */
static enum status validity_plan(int years, struct certificate_plan *plan, struct error *error)
{
    time_t now = time(NULL);
    struct tm end;
    if (years < 1)
        return fail(error, WRONG_INPUT, "a certificate is valid for at least 1 year, not %d",
                    years);
    gmtime_r(&now, &end);
    int most = LAST_YEAR - 1900 - end.tm_year;
    end.tm_year += years < most ? years : most;
    plan->not_before = now - BACKDATED;
    plan->not_after = timegm(&end);
    return FINE;
}

static enum status self_sign(EVP_PKEY *key, const char *common_name, int years, struct text *der,
                             struct error *error)
{
    char serial[2 * SERIAL_BYTES + 1];
    struct text name = {0}, info = {0};
    struct certificate_plan plan = {.serial = serial, .authority = true};
    enum status status;
    if (!(status = name_add(&name, NULL, common_name, NULL, error)) &&
        !(status = key_info_add(key, &info, error)) && !(status = serial_make(serial, error)) &&
        !(status = validity_plan(years, &plan, error))) {
        plan.issuer = plan.subject = der_view_of(&name);
        plan.key_info = der_view_of(&info);
        status = certificate_build(&plan, key, der, error);
    }
    text_free(&name);
    text_free(&info);
    return status;
}

static enum status certificate_open(const struct text *der, X509 **certificate, struct error *error)
{
    const unsigned char *at = (const unsigned char *)der->at, *begin = at;
    X509 *read = at ? d2i_X509(NULL, &at, (long)der->length) : NULL;
    if (!read || at != begin + der->length) {
        X509_free(read);
        return fail_openssl(error, WRONG_INPUT, "the authority's certificate is broken");
    }
    *certificate = read;
    return FINE;
}

enum status authority_make(const char *common_name, int years, struct authority *made,
                           struct error *error)
{
    struct authority fresh = {0};
    struct text der = {0};
    enum status status;
    if (!(status = key_make(KEY_RSA_2048, &fresh.key, error)) &&
        !(status = self_sign(fresh.key, common_name, years, &der, error)))
        status = certificate_open(&der, &fresh.certificate, error);
    text_free(&der);
    if (status)
        authority_free(&fresh);
    else
        *made = fresh;
    return status;
}

/* What the rest of this file relies on. */
static enum status authority_check(const struct authority *authority, struct error *error)
{
    struct der_view algorithm;
    if (X509_check_private_key(authority->certificate, authority->key) != 1)
        return fail_openssl(error, WRONG_INPUT,
                            "the authority's key and certificate do not belong together");
    if (X509_check_ca(authority->certificate) != 1 ||
        !X509_get0_subject_key_id(authority->certificate))
        return fail_openssl(error, WRONG_INPUT, "the certificate is not that of an authority");
    if (key_signature_algorithm(authority->key, &algorithm, error))
        return error->status = WRONG_INPUT;
    return FINE;
}

enum status authority_load(const struct secret *key_pem, const char *certificate_pem, size_t length,
                           struct authority *loaded, struct error *error)
{
    struct authority fresh = {0};
    struct text der = {0};
    enum status status;
    if (!(status = key_from_pem(key_pem, &fresh.key, error)) &&
        !(status = pem_to_der(certificate_label, certificate_pem, length, &der, error)) &&
        !(status = certificate_open(&der, &fresh.certificate, error)))
        status = authority_check(&fresh, error);
    text_free(&der);
    if (status)
        authority_free(&fresh);
    else
        *loaded = fresh;
    return status;
}

enum status authority_certificate_der(const struct authority *authority, struct text *der,
                                      struct error *error)
{
    unsigned char *bytes = NULL;
    int length = i2d_X509(authority->certificate, &bytes);
    if (length < 0)
        return fail_openssl(error, REFUSED, "cannot write the authority's certificate");
    text_add(der, bytes, (size_t)length);
    OPENSSL_free(bytes);
    return FINE;
}

enum status authority_certificate_pem(const struct authority *authority, struct text *pem,
                                      struct error *error)
{
    struct text der = {0};
    enum status status = authority_certificate_der(authority, &der, error);
    if (!status)
        der_to_pem(certificate_label, der.at, der.length, pem);
    text_free(&der);
    return status;
}

/* Name and key identifier as the authority's certificate has them; both point into it, where
 * OpenSSL keeps them ready. */
static enum status issuer_plan(const struct authority *authority, struct certificate_plan *plan,
                               struct error *error)
{
    const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(authority->certificate);
    const X509_NAME *name = X509_get_subject_name(authority->certificate);
    if (!id || X509_NAME_get0_der(name, &plan->issuer.at, &plan->issuer.length) != 1)
        return fail_openssl(error, REFUSED, "the authority's certificate names no authority");
    plan->authority_key_id.at = ASN1_STRING_get0_data(id);
    plan->authority_key_id.length = (size_t)ASN1_STRING_length(id);
    return FINE;
}

/* A thing's certificate that outlived its authority would be refused by every server anyway, and
 * would hide the day on which that begins. */
static enum status validity_limit(const struct authority *authority, struct certificate_plan *plan,
                                  struct error *error)
{
    time_t end;
    if (!time_read(X509_get0_notAfter(authority->certificate), &end))
        return fail_openssl(error, REFUSED, "the authority's certificate has no end");
    if (end <= time(NULL))
        return fail(error, REFUSED, "the authority's own certificate has expired");
    if (plan->not_after > end)
        plan->not_after = end;
    return FINE;
}

/* plan has serial, subject and key already. */
static enum status plan_sign(const struct authority *authority, struct certificate_plan *plan,
                             int years, struct text *certificate_der, struct error *error)
{
    enum status status;
    if ((status = issuer_plan(authority, plan, error)) ||
        (status = validity_plan(years, plan, error)) ||
        (status = validity_limit(authority, plan, error)))
        return status;
    return certificate_build(plan, authority->key, certificate_der, error);
}

enum status authority_sign(const struct authority *authority, const char *request_der,
                           size_t length, const char *serial, int years,
                           struct text *certificate_der, struct error *error)
{
    struct certificate_plan plan = {.serial = serial};
    struct der_view request = {(const unsigned char *)request_der, length};
    enum status status = request_check(request, &plan.subject, &plan.key_info, error);
    return status ? status : plan_sign(authority, &plan, years, certificate_der, error);
}

enum status authority_sign_own(const struct authority *authority, const char *request_der,
                               size_t length, const char *serial, int years,
                               struct text *certificate_der, struct error *error)
{
    struct certificate_plan plan = {.serial = serial};
    struct der_view request = {(const unsigned char *)request_der, length};
    enum status status = request_read(request, &plan.subject, &plan.key_info, error);
    return status ? status : plan_sign(authority, &plan, years, certificate_der, error);
}

enum status authority_sign_server(const struct authority *authority, const char *request_der,
                                  size_t length, const char *serial, int years,
                                  const char *const *names, size_t count,
                                  struct text *certificate_der, struct error *error)
{
    struct text list = {0};
    struct certificate_plan plan = {.serial = serial};
    struct der_view request = {(const unsigned char *)request_der, length};
    enum status status = request_read(request, &plan.subject, &plan.key_info, error);
    names_add(&list, names, count);
    plan.names = der_view_of(&list);
    if (!status)
        status = plan_sign(authority, &plan, years, certificate_der, error);
    text_free(&list);
    return status;
}
