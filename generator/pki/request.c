#include "pki_internal.h"

#include <string.h>

enum { LONGEST_NAME = 64, FEWEST_RSA_BITS = 2048 };

/* Object identifiers id-at-commonName, id-at-serialNumber and id-at-organizationalUnitName (RFC
 * 5280, A.1). */
static const unsigned char common_name[] = {0x55, 0x04, 0x03};
static const unsigned char serial_number[] = {0x55, 0x04, 0x05};
static const unsigned char organizational_unit[] = {0x55, 0x04, 0x0B};

/* One RelativeDistinguishedName of one attribute. The limits are ub-common-name and
 * ub-organizational-unit-name of RFC 5280, A.1, counted in bytes to be safe with small parsers. */
static enum status attribute_add(struct text *der, const unsigned char type[3],
                                 unsigned char string, const char *value, struct error *error)
{
    size_t length = strlen(value), begin = der->length;
    if (length < 1 || length > LONGEST_NAME)
        return fail(error, WRONG_INPUT, "\"%s\" has %zu bytes; a certificate takes 1 to %d", value,
                    length, LONGEST_NAME);
    if (!utf8_valid(value, length, NULL))
        return fail(error, WRONG_INPUT, "a name in a certificate must be UTF-8");
    der_add(der, DER_OBJECT, type, 3);
    der_add(der, string, value, length);
    der_wrap(der, begin, DER_SEQUENCE);
    der_wrap(der, begin, DER_SET);
    return FINE;
}

enum status name_add(struct text *der, const char *unit, const char *name, const char *mark,
                     struct error *error)
{
    size_t begin = der->length;
    enum status status;
    if (unit && (status = attribute_add(der, organizational_unit, DER_UTF8_STRING, unit, error)))
        return status;
    if ((status = attribute_add(der, common_name, DER_UTF8_STRING, name, error)))
        return status;
    if (mark && (status = attribute_add(der, serial_number, DER_PRINTABLE_STRING, mark, error)))
        return status;
    der_wrap(der, begin, DER_SEQUENCE);
    return FINE;
}

/* CertificationRequestInfo (RFC 2986, 4.1) without attributes. */
static enum status info_add(EVP_PKEY *key, const char *unit, const char *name, const char *mark,
                            struct text *der, struct error *error)
{
    size_t begin = der->length;
    enum status status;
    der_add_unsigned(der, NULL, 0); /* version v1(0) */
    if ((status = name_add(der, unit, name, mark, error)) ||
        (status = key_info_add(key, der, error)))
        return status;
    der_add(der, DER_CONSTRUCTED_0, NULL, 0);
    der_wrap(der, begin, DER_SEQUENCE);
    return FINE;
}

enum status request_make(EVP_PKEY *key, const char *unit, const char *name, const char *mark,
                         struct text *der, struct error *error)
{
    struct text made = {0};
    enum status status;
    if (!(status = info_add(key, unit, name, mark, &made, error)) &&
        !(status = key_seal(key, &made, 0, error)))
        text_add(der, made.at, made.length);
    text_free(&made);
    return status;
}

struct request_parts {
    struct der_view signed_part, subject, key_info, algorithm, signature;
};

/* CertificationRequest (RFC 2986, 4). Attributes are not looked at: nothing that a request wishes
 * for, beyond subject and key, gets into a certificate. */
static bool request_split(struct der_view der, struct request_parts *parts)
{
    struct der_view request, info, version, subject;
    return der_next(&der, DER_SEQUENCE, NULL, &request) && der.length == 0 &&
           der_next(&request, DER_SEQUENCE, &parts->signed_part, &info) &&
           der_next(&request, DER_SEQUENCE, &parts->algorithm, NULL) &&
           der_next_bits(&request, &parts->signature) && request.length == 0 &&
           der_next(&info, DER_INTEGER, NULL, &version) && version.length == 1 &&
           version.at[0] == 0 && der_next(&info, DER_SEQUENCE, &parts->subject, &subject) &&
           subject.length > 0 && der_next(&info, DER_SEQUENCE, &parts->key_info, NULL) &&
           der_next(&info, DER_CONSTRUCTED_0, NULL, NULL) && info.length == 0;
}

/* The subject goes into the certificate as it is, so it has to be a distinguished name to the last
 * byte. */
static bool subject_valid(struct der_view subject)
{
    const unsigned char *at = subject.at;
    X509_NAME *name = d2i_X509_NAME(NULL, &at, (long)subject.length);
    X509_NAME_free(name);
    return name && at == subject.at + subject.length;
}

static bool signature_valid(EVP_PKEY *key, const struct request_parts *parts)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool valid = context && EVP_DigestVerifyInit(context, NULL, digest_sha256(), NULL, key) > 0 &&
                 EVP_DigestVerify(context, parts->signature.at, parts->signature.length,
                                  parts->signed_part.at, parts->signed_part.length) == 1;
    EVP_MD_CTX_free(context);
    return valid;
}

static enum status key_check(EVP_PKEY *key, const struct request_parts *parts, struct error *error)
{
    struct der_view algorithm;
    enum status status = key_signature_algorithm(key, &algorithm, error);
    if (status)
        return status;
    if (EVP_PKEY_is_a(key, "RSA") && EVP_PKEY_get_bits(key) < FEWEST_RSA_BITS)
        return fail(error, WRONG_INPUT, "the signing request's RSA key is shorter than %d bits",
                    FEWEST_RSA_BITS);
    if (!der_equal(algorithm, parts->algorithm))
        return fail(error, WRONG_INPUT, "the signing request is not signed with SHA-256");
    if (!signature_valid(key, parts))
        return fail_openssl(error, WRONG_INPUT, "the signing request is not signed by its own key");
    return FINE;
}

static enum status parts_read(struct der_view der, struct request_parts *parts, struct error *error)
{
    if (request_split(der, parts) && subject_valid(parts->subject))
        return FINE;
    return fail_openssl(error, WRONG_INPUT, "the signing request is broken");
}

enum status request_read(struct der_view der, struct der_view *subject, struct der_view *key_info,
                         struct error *error)
{
    struct request_parts parts = {0};
    enum status status = parts_read(der, &parts, error);
    if (!status) {
        *subject = parts.subject;
        *key_info = parts.key_info;
    }
    return status;
}

enum status request_check(struct der_view der, struct der_view *subject, struct der_view *key_info,
                          struct error *error)
{
    struct request_parts parts = {0};
    EVP_PKEY *key = NULL;
    enum status status = parts_read(der, &parts, error);
    if (!status)
        status = key_info_read(parts.key_info, &key, error);
    if (!status && !(status = key_check(key, &parts, error))) {
        *subject = parts.subject;
        *key_info = parts.key_info;
    }
    EVP_PKEY_free(key);
    return status;
}
