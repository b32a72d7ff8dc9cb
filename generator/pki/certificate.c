/* Certificates (RFC 5280, 4.1), laid out by hand.
 *
 * X509_set_pubkey(), X509_sign() and d2i_X509() of OpenSSL 3.0 each write or read the public key
 * through encoders that are looked up by name, and so cost as much again as the RSA signature,
 * which nothing can make cheaper. What goes into our certificates is fixed to the bit, and most of
 * it is constant. The tests read every certificate back with OpenSSL and verify it as a server
 * does. */
#include "pki_internal.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>

enum { KEY_ID_BYTES = 20, TYPICAL_CERTIFICATE = 1024 };

/* Extensions that are the same in every certificate of their kind (RFC 5280, 4.2.1):
 * the last number of id-ce (2.5.29.x), whether it is critical, the value. */
struct extension {
    unsigned char number;
    bool critical;
    struct der_view value;
};

#define VALUE(...)                                                                                 \
    {                                                                                              \
        (const unsigned char[]){__VA_ARGS__}, sizeof(const unsigned char[])                        \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

enum {
    SUBJECT_KEY_ID = 14,
    KEY_USAGE = 15,
    SUBJECT_ALTERNATIVE_NAME = 17,
    BASIC_CONSTRAINTS = 19,
    AUTHORITY_KEY_ID = 35,
    EXTENDED_KEY_USAGE = 37
};

static const struct extension thing_extensions[] = {
    {BASIC_CONSTRAINTS, true, VALUE(0x30, 0x00)},     /* CA:FALSE, which DER leaves out */
    {KEY_USAGE, true, VALUE(0x03, 0x02, 0x07, 0x80)}, /* digitalSignature(0) */
    {EXTENDED_KEY_USAGE, false,
     VALUE(0x30, 0x0A, 0x06, 0x08, 0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03,
           0x02)}, /* id-kp-clientAuth */
};

static const struct extension server_extensions[] = {
    {BASIC_CONSTRAINTS, true, VALUE(0x30, 0x00)},
    /* digitalSignature(0), keyEncipherment(2): an ESP8266 knows no other key exchange than RSA's */
    {KEY_USAGE, true, VALUE(0x03, 0x02, 0x05, 0xA0)},
    {EXTENDED_KEY_USAGE, false,
     VALUE(0x30, 0x0A, 0x06, 0x08, 0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03,
           0x01)}, /* id-kp-serverAuth */
};

static const struct extension authority_extensions[] = {
    {BASIC_CONSTRAINTS, true,
     VALUE(0x30, 0x06, 0x01, 0x01, 0xFF, 0x02, 0x01, 0x00)}, /* CA, path 0 */
    {KEY_USAGE, true, VALUE(0x03, 0x02, 0x01, 0x06)},        /* keyCertSign(5), cRLSign(6) */
};

enum status serial_make(char serial[2 * SERIAL_BYTES + 1], struct error *error)
{
    unsigned char bytes[SERIAL_BYTES];
    do { /* without a leading zero byte, which other programs would not print */
        if (RAND_bytes(bytes, sizeof bytes) != 1)
            return fail_openssl(error, REFUSED, "cannot make a random serial number");
    } while (bytes[0] == 0);
    for (size_t i = 0; i < sizeof bytes; i++) {
        serial[2 * i] = "0123456789ABCDEF"[bytes[i] >> 4];
        serial[2 * i + 1] = "0123456789ABCDEF"[bytes[i] & 15];
    }
    serial[2 * SERIAL_BYTES] = '\0';
    return FINE;
}

enum status serial_read(const char *serial, unsigned char bytes[LONGEST_SERIAL], size_t *length,
                        struct error *error)
{
    static const unsigned char zero[LONGEST_SERIAL];
    if (OPENSSL_hexstr2buf_ex(bytes, LONGEST_SERIAL, length, serial, '\0') != 1 ||
        memcmp(bytes, zero, *length) == 0)
        return fail_openssl(error, WRONG_INPUT, "\"%s\" is no serial number", serial);
    return FINE;
}

bool time_read(const ASN1_TIME *from, time_t *time)
{
    struct tm parts;
    if (!from || ASN1_TIME_to_tm(from, &parts) != 1)
        return false;
    *time = timegm(&parts);
    return true;
}

/* UTCTime up to 2049, GeneralizedTime after it (RFC 5280, 4.1.2.5), which OpenSSL knows. */
static bool time_add(struct text *der, time_t when)
{
    ASN1_TIME *time = ASN1_TIME_set(NULL, when);
    if (time)
        der_add(der, (enum der_tag)ASN1_STRING_type(time), ASN1_STRING_get0_data(time),
                (size_t)ASN1_STRING_length(time));
    ASN1_TIME_free(time);
    return time != NULL;
}

/* SHA-1 of the bits of the public key (RFC 5280, 4.2.1.2, method 1): a name, not a protection. */
static bool key_id_make(struct der_view key_info, unsigned char id[KEY_ID_BYTES])
{
    struct der_view parts, bits;
    return der_next(&key_info, DER_SEQUENCE, NULL, &parts) &&
           der_next(&parts, DER_SEQUENCE, NULL, NULL) && der_next_bits(&parts, &bits) &&
           digest_sha1() && EVP_Digest(bits.at, bits.length, id, NULL, digest_sha1(), NULL) == 1;
}

static void extension_add(struct text *der, const struct extension *extension)
{
    const unsigned char id[] = {0x55, 0x1D, extension->number}, yes = 0xFF;
    size_t begin = der->length;
    der_add(der, DER_OBJECT, id, sizeof id);
    if (extension->critical)
        der_add(der, DER_BOOLEAN, &yes, 1);
    der_add(der, DER_OCTET_STRING, extension->value.at, extension->value.length);
    der_wrap(der, begin, DER_SEQUENCE);
}

/* SubjectKeyIdentifier is an OCTET STRING, AuthorityKeyIdentifier a SEQUENCE of [0] (RFC 5280,
 * 4.2.1.1 and 4.2.1.2). */
static void key_ids_add(struct text *der, struct der_view own, struct der_view authority)
{
    struct text value = {0};
    der_add(&value, DER_OCTET_STRING, own.at, own.length);
    extension_add(der, &(struct extension){SUBJECT_KEY_ID, false, der_view_of(&value)});
    text_clear(&value);
    der_add(&value, DER_IMPLICIT_0, authority.at, authority.length);
    der_wrap(&value, 0, DER_SEQUENCE);
    extension_add(der, &(struct extension){AUTHORITY_KEY_ID, false, der_view_of(&value)});
    text_free(&value);
}

#define COUNT(list) (sizeof(list) / sizeof *(list))

static const struct extension *fixed_extensions(const struct certificate_plan *plan, size_t *count)
{
    if (plan->authority) {
        *count = COUNT(authority_extensions);
        return authority_extensions;
    }
    *count = plan->names.length ? COUNT(server_extensions) : COUNT(thing_extensions);
    return plan->names.length ? server_extensions : thing_extensions;
}

static bool extensions_add(struct text *der, const struct certificate_plan *plan)
{
    unsigned char id[KEY_ID_BYTES];
    if (!key_id_make(plan->key_info, id))
        return false;
    struct der_view own = {id, sizeof id};
    size_t count, begin = der->length;
    const struct extension *fixed = fixed_extensions(plan, &count);
    for (size_t i = 0; i < count; i++)
        extension_add(der, &fixed[i]);
    if (plan->names.length)
        extension_add(der, &(struct extension){SUBJECT_ALTERNATIVE_NAME, false, plan->names});
    key_ids_add(der, own, plan->authority_key_id.length ? plan->authority_key_id : own);
    der_wrap(der, begin, DER_SEQUENCE);
    der_wrap(der, begin, DER_CONSTRUCTED_3);
    return true;
}

static bool validity_add(struct text *der, const struct certificate_plan *plan)
{
    size_t begin = der->length;
    if (!time_add(der, plan->not_before) || !time_add(der, plan->not_after))
        return false;
    der_wrap(der, begin, DER_SEQUENCE);
    return true;
}

/* TBSCertificate (RFC 5280, 4.1.2). */
static enum status body_add(struct text *der, const struct certificate_plan *plan,
                            struct der_view algorithm, struct error *error)
{
    unsigned char serial[LONGEST_SERIAL];
    size_t length, begin = der->length;
    enum status status = serial_read(plan->serial, serial, &length, error);
    if (status)
        return status;
    der_add(der, DER_CONSTRUCTED_0, (const unsigned char[]){DER_INTEGER, 1, 2}, 3); /* v3(2) */
    der_add_unsigned(der, serial, length);
    der_add_view(der, algorithm);
    der_add_view(der, plan->issuer);
    if (!validity_add(der, plan))
        return fail_openssl(error, REFUSED, "cannot write the dates of the certificate");
    der_add_view(der, plan->subject);
    der_add_view(der, plan->key_info);
    if (!extensions_add(der, plan))
        return fail_openssl(error, REFUSED, "cannot write the extensions of the certificate");
    der_wrap(der, begin, DER_SEQUENCE);
    return FINE;
}

enum status certificate_build(const struct certificate_plan *plan, EVP_PKEY *signer,
                              struct text *der, struct error *error)
{
    struct text made = {0};
    struct der_view algorithm;
    enum status status;
    text_reserve(&made, TYPICAL_CERTIFICATE);
    if (!(status = key_signature_algorithm(signer, &algorithm, error)) &&
        !(status = body_add(&made, plan, algorithm, error)) &&
        !(status = key_seal(signer, &made, 0, error)))
        text_add(der, made.at, made.length);
    text_free(&made);
    return status;
}

/* Takes a Time off the front of *rest. */
static bool time_next(struct der_view *rest, time_t *when)
{
    const unsigned char *at = rest->at;
    ASN1_TIME *time = d2i_ASN1_TIME(NULL, &at, (long)rest->length);
    bool read = time_read(time, when);
    if (read)
        *rest = (struct der_view){at, rest->length - (size_t)(at - rest->at)};
    ASN1_TIME_free(time);
    return read;
}

static bool serial_next(struct der_view *rest, struct certificate_facts *facts)
{
    struct der_view serial;
    if (!der_next(rest, DER_INTEGER, NULL, &serial) || serial.length == 0 || serial.at[0] & 0x80)
        return false;
    if (serial.length > 1 && serial.at[0] == 0) /* only there to keep the number positive */
        serial = (struct der_view){serial.at + 1, serial.length - 1};
    return OPENSSL_buf2hexstr_ex(facts->serial, sizeof facts->serial, NULL, serial.at,
                                 serial.length, '\0') == 1;
}

/* As far into the certificate as the facts go, and the frame around the rest. */
static bool facts_read(struct der_view der, struct certificate_facts *facts)
{
    struct der_view certificate, body, validity, bits;
    return der_next(&der, DER_SEQUENCE, NULL, &certificate) && der.length == 0 &&
           der_next(&certificate, DER_SEQUENCE, NULL, &body) &&
           der_next(&certificate, DER_SEQUENCE, NULL, NULL) && der_next_bits(&certificate, &bits) &&
           certificate.length == 0 && der_next(&body, DER_CONSTRUCTED_0, NULL, NULL) &&
           serial_next(&body, facts) &&
           der_next(&body, DER_SEQUENCE, NULL, NULL) && /* signature algorithm */
           der_next(&body, DER_SEQUENCE, NULL, NULL) && /* issuer */
           der_next(&body, DER_SEQUENCE, NULL, &validity) &&
           time_next(&validity, &facts->not_before) && time_next(&validity, &facts->not_after) &&
           validity.length == 0 && der_next(&body, DER_SEQUENCE, NULL, NULL) && /* subject */
           der_next(&body, DER_SEQUENCE, NULL, NULL);                           /* public key */
}

enum status certificate_read(const char *der, size_t length, struct certificate_facts *facts,
                             struct error *error)
{
    struct der_view view = {(const unsigned char *)der, length};
    if (!facts_read(view, facts))
        return fail_openssl(error, WRONG_INPUT, "this is no certificate");
    return sha256_hex(der, length, facts->fingerprint, error);
}

bool certificate_mark(const char *der, size_t length, char mark[2 * SERIAL_BYTES + 1])
{
    const unsigned char *at = (const unsigned char *)der;
    X509 *certificate = d2i_X509(NULL, &at, (long)length);
    int found = certificate
                    ? X509_NAME_get_text_by_NID(X509_get_subject_name(certificate),
                                                NID_serialNumber, mark, 2 * SERIAL_BYTES + 1)
                    : -1;
    X509_free(certificate);
    return found == 2 * SERIAL_BYTES;
}

bool certificate_key(const char *der, size_t length, char digest[65])
{
    const unsigned char *at = (const unsigned char *)der;
    struct error error = {0};
    X509 *certificate = d2i_X509(NULL, &at, (long)length);
    EVP_PKEY *key = certificate ? X509_get0_pubkey(certificate) : NULL;
    bool found = key && !key_digest(key, digest, &error);
    X509_free(certificate);
    error_free(&error);
    return found;
}
