/* Keys, requests, certificates and revocation lists, judged by OpenSSL's own readers, by its
 * verification, and by the openssl command. */
#include "common/base/clock.h"
#include "common/base/memory.h"
#include "generator/pki/pki.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/encoder.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HOUR = 3600, DAY = 24 * HOUR };

static const char some_serial[] = "F00102030405060708090A0B0C0D0E0F";

/* Made once: RSA keys take a tenth of a second each. */
static struct authority authority, other_authority;
static EVP_PKEY *rsa_key, *ec_key;
static struct error error;

static int set_up(void **state)
{
    (void)state;
    return authority_make("Sensorforge test", 20, &authority, &error) ||
           authority_make("Sensorforge test", 20, &other_authority, &error) ||
           key_make(KEY_RSA_2048, &rsa_key, &error) || key_make(KEY_EC_P256, &ec_key, &error);
}

static int tear_down(void **state)
{
    (void)state;
    authority_free(&authority);
    authority_free(&other_authority);
    EVP_PKEY_free(rsa_key);
    EVP_PKEY_free(ec_key);
    error_free(&error);
    return 0;
}

/* Each failure must have a message and leave nothing in OpenSSL's queue for the next one. */
static void assert_failed(enum status wanted, enum status status)
{
    assert_int_equal(status, wanted);
    assert_int_equal(error.status, wanted);
    assert_true(error.message.length > 0);
    assert_int_equal(ERR_peek_error(), 0);
}

static const struct certificate_subject *subject_of(EVP_PKEY *key)
{
    static struct certificate_subject subject;
    subject = (struct certificate_subject){.key = key, .unit = "esp8266temp", .name = "kitchen"};
    return &subject;
}

/* As others get it: written and read again. */
static X509 *published(X509 *made)
{
    struct text der = {0};
    assert_int_equal(certificate_to_der(made, &der, &error), FINE);
    const unsigned char *at = (const unsigned char *)der.at;
    X509 *certificate = d2i_X509(NULL, &at, (long)der.length);
    assert_non_null(certificate);
    assert_ptr_equal(at, der.at + der.length);
    text_free(&der);
    X509_free(made);
    return certificate;
}

static X509 *sign_with(const struct authority *by, EVP_PKEY *key, const char *serial, int years)
{
    X509 *made = NULL;
    assert_int_equal(authority_sign(by, subject_of(key), serial, years, &made, &error), FINE);
    return published(made);
}

static time_t time_of(const ASN1_TIME *time)
{
    struct tm parts;
    assert_int_equal(ASN1_TIME_to_tm(time, &parts), 1);
    return timegm(&parts);
}

/* --- keys --- */

static void names_of_algorithms_and_encodings(void **state)
{
    (void)state;
    enum key_algorithm algorithm;
    enum key_encoding encoding;
    assert_true(key_algorithm_named("rsa-2048", &algorithm) && algorithm == KEY_RSA_2048);
    assert_true(key_algorithm_named("ec-p256", &algorithm) && algorithm == KEY_EC_P256);
    assert_false(key_algorithm_named("RSA-2048", &algorithm));
    assert_true(key_encoding_named("pkcs1", &encoding) && encoding == KEY_PKCS1);
    assert_true(key_encoding_named("sec1", &encoding) && encoding == KEY_SEC1);
    assert_true(key_encoding_named("pkcs8", &encoding) && encoding == KEY_PKCS8);
    assert_false(key_encoding_named("", &encoding));
    assert_string_equal(key_algorithm_title(KEY_RSA_2048), "RSA-2048");
    assert_string_equal(key_algorithm_title(KEY_EC_P256), "EC P-256");
}

static void assert_key_like_openssl(EVP_PKEY *key, enum key_encoding encoding,
                                    const char *structure)
{
    unsigned char *wanted = NULL;
    size_t length = 0;
    secret_owned struct secret der = {0};
    OSSL_ENCODER_CTX *context =
        OSSL_ENCODER_CTX_new_for_pkey(key, EVP_PKEY_KEYPAIR, "DER", structure, NULL);
    assert_int_equal(OSSL_ENCODER_to_data(context, &wanted, &length), 1);
    OSSL_ENCODER_CTX_free(context);
    assert_int_equal(key_to_der(key, encoding, &der, &error), FINE);
    assert_int_equal(der.length, length);
    assert_memory_equal(der.at, wanted, length);
    OPENSSL_clear_free(wanted, length);
}

static void each_encoding_is_the_one_that_its_name_says(void **state)
{
    (void)state;
    assert_key_like_openssl(rsa_key, KEY_PKCS1, "type-specific");
    assert_key_like_openssl(rsa_key, KEY_PKCS8, "PrivateKeyInfo");
    assert_key_like_openssl(ec_key, KEY_SEC1, "type-specific");
    assert_key_like_openssl(ec_key, KEY_PKCS8, "PrivateKeyInfo");
}

/* RFC 8017, A.1.2: the version is followed by the modulus, not by an AlgorithmIdentifier. */
static void pkcs1_has_no_algorithm_identifier(void **state)
{
    (void)state;
    secret_owned struct secret der = {0};
    assert_int_equal(key_to_der(rsa_key, KEY_PKCS1, &der, &error), FINE);
    const unsigned char head[] = {0x30, 0x82}, after[] = {0x02, 0x01, 0x00, 0x02, 0x82, 0x01, 0x01};
    assert_memory_equal(der.at, head, sizeof head);
    assert_memory_equal(der.at + 4, after, sizeof after);
    BIGNUM *modulus = NULL, *found = BN_bin2bn((unsigned char *)der.at + 11, 257, NULL);
    assert_true(EVP_PKEY_get_bn_param(rsa_key, OSSL_PKEY_PARAM_RSA_N, &modulus));
    assert_int_equal(BN_cmp(modulus, found), 0);
    BN_free(modulus);
    BN_free(found);
}

/* RFC 5915, 3: version 1, the number, [0] the curve. */
static void sec1_names_its_curve(void **state)
{
    (void)state;
    secret_owned struct secret der = {0};
    assert_int_equal(key_to_der(ec_key, KEY_SEC1, &der, &error), FINE);
    const unsigned char head[] = {0x30, 0x77, 0x02, 0x01, 0x01, 0x04, 0x20};
    const unsigned char curve[] = {0xA0, 0x0A, 0x06, 0x08, 0x2A, 0x86,
                                   0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07};
    assert_int_equal(der.length, 121);
    assert_memory_equal(der.at, head, sizeof head);
    assert_memory_equal(der.at + 39, curve, sizeof curve);
}

static void keys_have_no_form_of_another_algorithm(void **state)
{
    (void)state;
    struct secret der = {0};
    assert_failed(REFUSED, key_to_der(rsa_key, KEY_SEC1, &der, &error));
    assert_failed(REFUSED, key_to_der(ec_key, KEY_PKCS1, &der, &error));
    assert_null(der.at);
}

static void keys_survive_pem(void **state)
{
    (void)state;
    EVP_PKEY *keys[] = {rsa_key, ec_key};
    for (size_t i = 0; i < 2; i++) {
        secret_owned struct secret pem = {0};
        EVP_PKEY *read = NULL;
        assert_int_equal(key_to_pem(keys[i], &pem, &error), FINE);
        assert_memory_equal(pem.at, "-----BEGIN PRIVATE KEY-----\n", 28);
        assert_int_equal(key_from_pem(&pem, &read, &error), FINE);
        assert_int_equal(EVP_PKEY_eq(keys[i], read), 1);
        assert_key_like_openssl(read, KEY_PKCS8, "PrivateKeyInfo");
        EVP_PKEY_free(read);
    }
}

static char *key_pem_by_openssl(EVP_PKEY *key, const char *password, bool public)
{
    BIO *memory = BIO_new(BIO_s_mem());
    char *bytes;
    if (public)
        assert_int_equal(PEM_write_bio_PUBKEY(memory, key), 1);
    else
        assert_int_equal(PEM_write_bio_PKCS8PrivateKey(memory, key,
                                                       password ? EVP_aes_128_cbc() : NULL,
                                                       password, password ? 6 : 0, NULL, NULL),
                         1);
    long length = BIO_get_mem_data(memory, &bytes);
    char *copy = must_copy_bytes(bytes, (size_t)length);
    BIO_free(memory);
    return copy;
}

static void assert_no_key(const char *pem)
{
    struct secret secret = {(char *)(uintptr_t)pem, strlen(pem)};
    EVP_PKEY *key = NULL;
    assert_failed(WRONG_INPUT, key_from_pem(&secret, &key, &error));
    assert_null(key);
}

static void what_is_no_private_key_is_refused(void **state)
{
    (void)state;
    owned char *encrypted = key_pem_by_openssl(ec_key, "secret", false);
    owned char *public = key_pem_by_openssl(ec_key, NULL, true);
    owned char *broken = key_pem_by_openssl(ec_key, NULL, false);
    broken[60] = '*';
    EVP_PKEY *p384 = EVP_EC_gen("P-384"), *ed25519 = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    owned char *of_p384 = key_pem_by_openssl(p384, NULL, false);
    owned char *of_ed25519 = key_pem_by_openssl(ed25519, NULL, false);
    owned char *cut = key_pem_by_openssl(ec_key, NULL, false);
    cut[strlen(cut) / 2] = '\0';
    assert_no_key("");
    assert_no_key("nonsense");
    assert_no_key("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    assert_no_key(encrypted); /* and must not ask the terminal */
    assert_no_key(public);
    assert_no_key(broken);
    assert_no_key(cut);
    assert_no_key(of_p384); /* no board of ours was tried with one */
    assert_no_key(of_ed25519);
    EVP_PKEY_free(p384);
    EVP_PKEY_free(ed25519);
    struct secret none = {0};
    EVP_PKEY *key = NULL;
    assert_failed(WRONG_INPUT, key_from_pem(&none, &key, &error));
}

/* Workers are processes: what was looked up before a fork must work after it, and the children
 * must not draw the same random numbers. */
static void children_make_different_keys(void **state)
{
    (void)state;
    struct secret from[2] = {{0}, {0}};
    for (size_t i = 0; i < 2; i++) {
        int ends[2];
        char bytes[256];
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        if (child == 0) {
            EVP_PKEY *key = NULL;
            struct secret der = {0};
            bool fine = !key_make(KEY_EC_P256, &key, &error) &&
                        !key_to_der(key, KEY_SEC1, &der, &error) &&
                        write(ends[1], der.at, der.length) == (ssize_t)der.length;
            _exit(!fine);
        }
        close(ends[1]);
        ssize_t length = read(ends[0], bytes, sizeof bytes);
        close(ends[0]);
        int result;
        waitpid(child, &result, 0);
        assert_int_equal(result, 0);
        assert_int_equal(length, 121);
        from[i] = secret_copy(bytes, (size_t)length);
    }
    assert_memory_not_equal(from[0].at, from[1].at, from[0].length);
    secret_free(&from[0]);
    secret_free(&from[1]);
}

static void digest_is_that_of_the_certificates_key(void **state)
{
    (void)state;
    EVP_PKEY *keys[] = {rsa_key, ec_key};
    char of_key[2][KEY_DIGEST_TEXT], of_certificate[KEY_DIGEST_TEXT];
    for (size_t i = 0; i < 2; i++) {
        X509 *made = NULL, *read = sign_with(&authority, keys[i], some_serial, 1);
        assert_int_equal(
            authority_sign(&authority, subject_of(keys[i]), some_serial, 1, &made, &error), FINE);
        assert_int_equal(key_digest(keys[i], of_key[i], &error), FINE);
        assert_int_equal(certificate_key_digest(made, of_certificate, &error), FINE);
        assert_string_equal(of_certificate, of_key[i]);
        assert_int_equal(certificate_key_digest(read, of_certificate, &error), FINE);
        assert_string_equal(of_certificate, of_key[i]);
        X509_free(made);
        X509_free(read);
    }
    assert_string_not_equal(of_key[0], of_key[1]);
}

/* --- requests --- */

static void assert_name(const X509_NAME *name, const char *unit, const char *common)
{
    char text[80];
    assert_int_equal(X509_NAME_entry_count(name), 2);
    X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, 1);
    assert_int_equal(ASN1_STRING_type(X509_NAME_ENTRY_get_data(entry)), V_ASN1_UTF8STRING);
    assert_true(X509_NAME_get_text_by_NID(name, NID_organizationalUnitName, text, 80) >= 0);
    assert_string_equal(text, unit);
    assert_true(X509_NAME_get_text_by_NID(name, NID_commonName, text, 80) >= 0);
    assert_string_equal(text, common);
}

static struct text request_of(EVP_PKEY *key, const char *mark)
{
    struct certificate_subject subject = *subject_of(key);
    struct text pem = {0};
    subject.mark = mark;
    assert_int_equal(request_make(&subject, &pem, &error), FINE);
    return pem;
}

static X509_REQ *request_read(const struct text *pem)
{
    BIO *memory = BIO_new_mem_buf(pem->at, (int)pem->length);
    X509_REQ *request = PEM_read_bio_X509_REQ(memory, NULL, NULL, NULL);
    BIO_free(memory);
    assert_non_null(request);
    return request;
}

static void requests_are_read_and_verified_by_openssl(void **state)
{
    (void)state;
    EVP_PKEY *keys[] = {rsa_key, ec_key};
    for (size_t i = 0; i < 2; i++) {
        struct text pem = request_of(keys[i], NULL);
        X509_REQ *request = request_read(&pem);
        assert_int_equal(X509_REQ_verify(request, keys[i]), 1);
        assert_int_equal(EVP_PKEY_eq(X509_REQ_get0_pubkey(request), keys[i]), 1);
        assert_int_equal(X509_REQ_get_version(request), X509_REQ_VERSION_1);
        assert_int_equal(X509_REQ_get_signature_nid(request),
                         i ? NID_ecdsa_with_SHA256 : NID_sha256WithRSAEncryption);
        assert_name(X509_REQ_get_subject_name(request), "esp8266temp", "kitchen");
        X509_REQ_free(request);
        text_free(&pem);
    }
}

/* What an account gives back is a certificate with the subject of the request. */
static void marks_survive(void **state)
{
    (void)state;
    char found[SERIAL_TEXT];
    struct certificate_subject subject = *subject_of(ec_key);
    X509 *plain = sign_with(&authority, ec_key, some_serial, 1), *marked = NULL;
    struct text pem = request_of(ec_key, some_serial);
    X509_REQ *request = request_read(&pem);
    const X509_NAME *name = X509_REQ_get_subject_name(request);
    X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, 2);
    assert_int_equal(X509_NAME_entry_count(name), 3);
    assert_int_equal(OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry)), NID_serialNumber);
    assert_int_equal(ASN1_STRING_type(X509_NAME_ENTRY_get_data(entry)), V_ASN1_PRINTABLESTRING);
    subject.mark = some_serial;
    assert_int_equal(authority_sign(&authority, &subject, "01", 1, &marked, &error), FINE);
    assert_int_equal(
        X509_NAME_cmp(X509_get_subject_name(marked), X509_REQ_get_subject_name(request)), 0);
    assert_true(certificate_mark(marked, found));
    assert_string_equal(found, some_serial);
    assert_false(certificate_mark(plain, found));
    X509_REQ_free(request);
    X509_free(marked);
    X509_free(plain);
    text_free(&pem);
}

static void names_have_limits(void **state)
{
    (void)state;
    char longest[65], longer[66];
    memset(longest, 'n', sizeof longest);
    memset(longer, 'n', sizeof longer);
    longest[64] = longer[65] = '\0';
    struct text pem = {0};
    X509 *certificate = NULL;
    const struct certificate_subject good = {ec_key, longest, longest, NULL};
    assert_int_equal(request_make(&good, &pem, &error), FINE);
    text_clear(&pem);
    const struct certificate_subject bad[] = {
        {ec_key, "unit", longer, NULL}, {ec_key, longer, "name", NULL},
        {ec_key, "unit", "", NULL},     {ec_key, "", "name", NULL},
        {ec_key, "unit", "\xFF", NULL}, {ec_key, "\xFF", "name", NULL},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_failed(WRONG_INPUT, request_make(&bad[i], &pem, &error));
        assert_failed(WRONG_INPUT,
                      authority_sign(&authority, &bad[i], some_serial, 1, &certificate, &error));
    }
    struct authority made = {0};
    assert_failed(WRONG_INPUT, authority_make(longer, 1, &made, &error));
    assert_null(made.key);
    assert_null(certificate);
    assert_int_equal(pem.length, 0);
    text_free(&pem);
}

/* A public key on its own cannot sign: OpenSSL's reason is in the message. */
static void failures_carry_openssls_reason(void **state)
{
    (void)state;
    owned char *pem = key_pem_by_openssl(ec_key, NULL, true);
    BIO *memory = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *public = PEM_read_bio_PUBKEY(memory, NULL, NULL, NULL);
    struct text request = {0};
    assert_failed(REFUSED, request_make(subject_of(public), &request, &error));
    assert_true(begins_with(text_string(&error.message), "cannot make a signing request: "));
    assert_int_equal(request.length, 0);
    BIO_free(memory);
    EVP_PKEY_free(public);
}

/* --- certificates --- */

static int verify(X509 *root, X509 *certificate, X509_CRL *list, time_t at)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    assert_int_equal(X509_STORE_add_cert(store, root), 1);
    if (list)
        assert_int_equal(X509_STORE_add_crl(store, list), 1);
    assert_int_equal(X509_STORE_CTX_init(context, store, certificate, NULL), 1);
    X509_VERIFY_PARAM *rules = X509_STORE_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_flags(rules,
                                X509_V_FLAG_X509_STRICT | (list ? X509_V_FLAG_CRL_CHECK : 0));
    X509_VERIFY_PARAM_set_purpose(rules, X509_PURPOSE_SSL_CLIENT);
    X509_VERIFY_PARAM_set_time(rules, at);
    X509_verify_cert(context);
    int result = X509_STORE_CTX_get_error(context);
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    ERR_clear_error();
    return result;
}

static void assert_critical(X509 *certificate, int extension, bool critical)
{
    int place = X509_get_ext_by_NID(certificate, extension, -1);
    assert_true(place >= 0);
    assert_int_equal(X509_get_ext_by_NID(certificate, extension, place), -1); /* once only */
    assert_int_equal(X509_EXTENSION_get_critical(X509_get_ext(certificate, place)), critical);
}

static void assert_key_id_by_openssl(X509 *certificate)
{
    const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(certificate);
    unsigned char wanted[20];
    unsigned length;
    assert_int_equal(X509_pubkey_digest(certificate, EVP_sha1(), wanted, &length), 1);
    assert_int_equal(ASN1_STRING_length(id), 20);
    assert_memory_equal(ASN1_STRING_get0_data(id), wanted, 20);
}

static void authority_has_the_extensions_of_an_authority(void **state)
{
    (void)state;
    X509 *certificate = authority.certificate;
    assert_int_equal(X509_get_version(certificate), X509_VERSION_3);
    assert_int_equal(X509_get_ext_count(certificate), 4);
    assert_int_equal(X509_get_signature_nid(certificate), NID_sha256WithRSAEncryption);
    assert_int_equal(EVP_PKEY_get_bits(authority.key), 2048);
    assert_int_equal(X509_check_ca(certificate), 1);
    assert_int_equal(X509_get_pathlen(certificate), 0);
    assert_int_equal(X509_get_key_usage(certificate), KU_KEY_CERT_SIGN | KU_CRL_SIGN);
    assert_critical(certificate, NID_basic_constraints, true);
    assert_critical(certificate, NID_key_usage, true);
    assert_key_id_by_openssl(certificate);
    assert_int_equal(X509_verify(certificate, authority.key), 1);
    assert_true(X509_self_signed(certificate, 1));
    char name[80];
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, 80);
    assert_string_equal(name, "Sensorforge test");
}

static void thing_has_the_extensions_of_a_client(void **state)
{
    (void)state;
    EVP_PKEY *keys[] = {rsa_key, ec_key};
    for (size_t i = 0; i < 2; i++) {
        X509 *certificate = sign_with(&authority, keys[i], some_serial, 1);
        assert_int_equal(X509_get_version(certificate), X509_VERSION_3);
        assert_int_equal(X509_get_ext_count(certificate), 5);
        assert_int_equal(X509_check_ca(certificate), 0);
        assert_int_equal(X509_get_key_usage(certificate), KU_DIGITAL_SIGNATURE);
        assert_int_equal(X509_get_extended_key_usage(certificate), XKU_SSL_CLIENT);
        assert_critical(certificate, NID_basic_constraints, true);
        assert_critical(certificate, NID_key_usage, true);
        assert_critical(certificate, NID_ext_key_usage, false);
        assert_critical(certificate, NID_subject_key_identifier, false);
        assert_critical(certificate, NID_authority_key_identifier, false);
        assert_key_id_by_openssl(certificate);
        assert_int_equal(ASN1_OCTET_STRING_cmp(X509_get0_authority_key_id(certificate),
                                               X509_get0_subject_key_id(authority.certificate)),
                         0);
        assert_int_equal(X509_get_signature_nid(certificate), NID_sha256WithRSAEncryption);
        assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(certificate), keys[i]), 1);
        assert_name(X509_get_subject_name(certificate), "esp8266temp", "kitchen");
        assert_int_equal(X509_NAME_cmp(X509_get_issuer_name(certificate),
                                       X509_get_subject_name(authority.certificate)),
                         0);
        X509_free(certificate);
    }
}

static void chain_verifies_with_its_own_authority_only(void **state)
{
    (void)state;
    time_t now = time(NULL);
    X509 *certificate = sign_with(&authority, ec_key, some_serial, 1);
    assert_int_equal(verify(authority.certificate, certificate, NULL, now), X509_V_OK);
    assert_int_equal(verify(authority.certificate, certificate, NULL, now - 2 * HOUR),
                     X509_V_ERR_CERT_NOT_YET_VALID);
    assert_int_equal(verify(authority.certificate, certificate, NULL, now + 367 * DAY),
                     X509_V_ERR_CERT_HAS_EXPIRED);
    assert_true(authority_issued(&authority, certificate));
    /* The same name, another key. */
    assert_int_not_equal(verify(other_authority.certificate, certificate, NULL, now), X509_V_OK);
    assert_false(authority_issued(&other_authority, certificate));
    X509_free(certificate);
}

static void validity_begins_an_hour_ago_and_ends_with_the_authority(void **state)
{
    (void)state;
    time_t now = time(NULL);
    X509 *one = sign_with(&authority, ec_key, some_serial, 1);
    X509 *many = sign_with(&authority, ec_key, some_serial, 1000000000);
    time_t begin = time_of(X509_get0_notBefore(one)), end = time_of(X509_get0_notAfter(one));
    assert_true(begin >= now - HOUR && begin <= now - HOUR + 60);
    assert_true(end >= now + 365 * DAY && end <= now + 366 * DAY + 60);
    assert_int_equal(time_of(X509_get0_notAfter(many)),
                     time_of(X509_get0_notAfter(authority.certificate)));
    X509_free(one);
    X509_free(many);
}

/* Up to 2049 as UTCTime, after it as GeneralizedTime (RFC 5280, 4.1.2.5). */
static void far_years_are_written(void **state)
{
    (void)state;
    struct authority far = {0}, last = {0};
    assert_int_equal(authority_make("far", 100, &far, &error), FINE);
    assert_int_equal(ASN1_STRING_type(X509_get0_notBefore(far.certificate)), V_ASN1_UTCTIME);
    assert_int_equal(ASN1_STRING_type(X509_get0_notAfter(far.certificate)), V_ASN1_GENERALIZEDTIME);
    X509 *certificate = sign_with(&far, ec_key, some_serial, 90);
    assert_int_equal(ASN1_STRING_type(X509_get0_notAfter(certificate)), V_ASN1_GENERALIZEDTIME);
    assert_int_equal(verify(far.certificate, certificate, NULL, time(NULL)), X509_V_OK);
    assert_int_equal(authority_make("last", 1000000, &last, &error), FINE);
    assert_true(time_of(X509_get0_notAfter(last.certificate)) <= 253402300799); /* end of 9999 */
    assert_failed(WRONG_INPUT, authority_make("none", 0, &last, &error));
    X509_free(certificate);
    authority_free(&far);
    authority_free(&last);
}

static void assert_serial(const char *serial)
{
    X509 *certificate = sign_with(&authority, ec_key, serial, 1);
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
    struct certificate_facts facts;
    char *printed = BN_bn2hex(number);
    assert_string_equal(printed, serial);
    assert_int_equal(certificate_describe(certificate, &facts, &error), FINE);
    assert_string_equal(facts.serial, serial);
    OPENSSL_free(printed);
    BN_free(number);
    X509_free(certificate);
}

static void serials_survive(void **state)
{
    (void)state;
    assert_serial("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"); /* top bit set: must stay positive */
    assert_serial("80000000000000000000000000000000");
    assert_serial("7F0102030405060708090A0B0C0D0E0F");
    assert_serial("01");
    assert_serial("7F0102030405060708090A0B0C0D0E0F10111213"); /* 20 bytes */
}

static void wrong_serials_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",     "00",    "0000",
        "1",    "XY",    "-1",
        "0x01", "01:02", "7F0102030405060708090A0B0C0D0E0F1011121314"};
    X509 *certificate = NULL;
    struct text list = {0};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_failed(WRONG_INPUT, authority_sign(&authority, subject_of(ec_key), bad[i], 1,
                                                  &certificate, &error));
        assert_failed(WRONG_INPUT, revocation_begin(&authority, &bad[i], 1, &list, &error));
        assert_null(certificate);
        assert_int_equal(list.length, 0);
    }
}

static void serials_are_random(void **state)
{
    (void)state;
    char one[SERIAL_TEXT], other[SERIAL_TEXT];
    for (int i = 0; i < 2000; i++) {
        assert_int_equal(serial_make(one, &error), FINE);
        assert_int_equal(serial_make(other, &error), FINE);
        assert_string_not_equal(one, other);
        assert_int_equal(strspn(one, "0123456789ABCDEF"), 2 * SERIAL_BYTES);
        assert_false(begins_with(one, "00")); /* openssl would print 30 digits */
    }
}

static void facts_are_those_of_openssl(void **state)
{
    (void)state;
    struct certificate_facts facts;
    unsigned char digest[32];
    char hex[65];
    X509 *certificate = sign_with(&authority, ec_key, some_serial, 1);
    assert_int_equal(certificate_describe(certificate, &facts, &error), FINE);
    assert_int_equal(X509_digest(certificate, EVP_sha256(), digest, NULL), 1);
    for (int i = 0; i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    assert_string_equal(facts.fingerprint, hex);
    assert_string_equal(facts.serial, some_serial);
    assert_int_equal(facts.not_before, time_of(X509_get0_notBefore(certificate)));
    assert_int_equal(facts.not_after, time_of(X509_get0_notAfter(certificate)));
    X509_free(certificate);
}

/* One that was just made says the same as when it is read again. */
static void facts_do_not_depend_on_reading(void **state)
{
    (void)state;
    struct certificate_facts made_facts, read_facts;
    X509 *made = NULL;
    assert_int_equal(authority_sign(&authority, subject_of(ec_key), some_serial, 1, &made, &error),
                     FINE);
    assert_int_equal(certificate_describe(made, &made_facts, &error), FINE);
    X509 *read = published(made);
    assert_int_equal(certificate_describe(read, &read_facts, &error), FINE);
    assert_string_equal(made_facts.fingerprint, read_facts.fingerprint);
    assert_string_equal(made_facts.serial, read_facts.serial);
    assert_int_equal(made_facts.not_after, read_facts.not_after);
    X509_free(read);
}

static void serials_that_cannot_be_are_refused(void **state)
{
    (void)state;
    struct certificate_facts facts;
    X509 *certificate = sign_with(&authority, ec_key, some_serial, 1);
    ASN1_INTEGER *serial = X509_get_serialNumber(certificate);
    assert_int_equal(ASN1_INTEGER_set_int64(serial, -5), 1);
    assert_failed(WRONG_INPUT, certificate_describe(certificate, &facts, &error));
    BIGNUM *large = NULL;
    assert_int_equal(BN_hex2bn(&large, "7F0102030405060708090A0B0C0D0E0F1011121314"), 42);
    assert_non_null(BN_to_ASN1_INTEGER(large, serial));
    assert_failed(WRONG_INPUT, certificate_describe(certificate, &facts, &error));
    BN_free(large);
    X509_free(certificate);
}

static void assert_no_certificate(const char *pem, size_t length)
{
    X509 *certificate = NULL;
    assert_failed(WRONG_INPUT, certificate_from_pem(pem, length, &certificate, &error));
    assert_true(begins_with(text_string(&error.message), "there is no certificate"));
    assert_null(certificate);
}

static void what_is_no_certificate_is_refused(void **state)
{
    (void)state;
    struct text pem = {0}, request = request_of(ec_key, NULL);
    X509 *certificate = NULL;
    assert_no_certificate(NULL, 0);
    assert_no_certificate("", 0);
    assert_no_certificate("nonsense", 8);
    assert_no_certificate(request.at, request.length);
    assert_int_equal(certificate_to_pem(authority.certificate, &pem, &error), FINE);
    size_t last_line = strlen("-----END CERTIFICATE-----\n");
    for (size_t length = 0; length < pem.length - 1; length++) {
        owned char *cut = must_copy_bytes(pem.at, length);
        assert_no_certificate(cut, length);
    }
    assert_int_equal(certificate_from_pem(pem.at, pem.length - 1, &certificate, &error), FINE);
    X509_free(certificate);
    for (size_t i = 28; i < pem.length - last_line; i += 97) { /* some other byte of the base64 */
        char before = pem.at[i];
        pem.at[i] = '*';
        assert_no_certificate(pem.at, pem.length);
        pem.at[i] = before;
    }
    text_free(&pem);
    text_free(&request);
}

/* The text around it, Windows' ends of lines, and more that follows do no harm. */
static void certificates_are_found_in_their_text(void **state)
{
    (void)state;
    struct text pem = {0}, windows = {0}, around = {0}, again = {0};
    X509 *certificate = NULL;
    assert_int_equal(certificate_to_pem(authority.certificate, &pem, &error), FINE);
    for (size_t i = 0; i < pem.length; i++)
        text_add(&windows, pem.at[i] == '\n' ? "\r\n" : pem.at + i, pem.at[i] == '\n' ? 2 : 1);
    text_add_string(&around, "subject=CN = Sensorforge test\n\n");
    text_add(&around, pem.at, pem.length);
    text_add_string(&around, "-----BEGIN CERTIFICATE-----\nnonsense\n");
    const struct text *const texts[] = {&pem, &windows, &around};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_int_equal(certificate_from_pem(texts[i]->at, texts[i]->length, &certificate, &error),
                         FINE);
        assert_int_equal(X509_cmp(certificate, authority.certificate), 0);
        X509_free(certificate);
    }
    assert_int_equal(certificate_to_pem(authority.certificate, &again, &error), FINE);
    assert_string_equal(again.at, pem.at);
    text_free(&pem);
    text_free(&windows);
    text_free(&around);
    text_free(&again);
}

/* --- the authority --- */

static void authority_is_loaded_again(void **state)
{
    (void)state;
    secret_owned struct secret key = {0};
    struct text pem = {0};
    struct authority loaded = {0};
    assert_int_equal(key_to_pem(authority.key, &key, &error), FINE);
    assert_int_equal(certificate_to_pem(authority.certificate, &pem, &error), FINE);
    assert_int_equal(key_from_pem(&key, &loaded.key, &error), FINE);
    assert_int_equal(certificate_from_pem(pem.at, pem.length, &loaded.certificate, &error), FINE);
    assert_int_equal(authority_check(&loaded, &error), FINE);
    assert_int_equal(X509_cmp(loaded.certificate, authority.certificate), 0);
    X509 *certificate = sign_with(&loaded, ec_key, some_serial, 1);
    assert_int_equal(verify(authority.certificate, certificate, NULL, time(NULL)), X509_V_OK);
    X509_free(certificate);
    text_free(&pem);
    authority_free(&loaded);
}

static void authority_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    X509 *of_thing = sign_with(&authority, rsa_key, some_serial, 1);
    const struct authority bad[] = {
        {other_authority.key, authority.certificate}, /* another RSA key */
        {ec_key, authority.certificate},              /* a key of another kind */
        {rsa_key, of_thing},                          /* belong together, but make no authority */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_failed(WRONG_INPUT, authority_check(&bad[i], &error));
    X509_free(of_thing);
}

static void files_are_named_in_messages(void **state)
{
    (void)state;
    EVP_PKEY *key = NULL;
    X509 *certificate = NULL;
    assert_failed(WRONG_INPUT, key_read("Makefile", &key, &error));
    assert_true(begins_with(text_string(&error.message), "Makefile: there is no private key"));
    assert_failed(WRONG_INPUT, certificate_read("Makefile", &certificate, &error));
    assert_true(begins_with(text_string(&error.message), "Makefile: there is no certificate"));
    assert_failed(WRONG_INPUT, key_read("no such file", &key, &error));
    assert_failed(WRONG_INPUT, certificate_read("no such file", &certificate, &error));
    assert_null(key);
    assert_null(certificate);
}

/* An authority with other dates, signed again as it would have been then. */
static struct authority authority_of_days(long begin, long end)
{
    struct authority other = {authority.key, X509_dup(authority.certificate)};
    X509_gmtime_adj(X509_getm_notBefore(other.certificate), begin * DAY);
    X509_gmtime_adj(X509_getm_notAfter(other.certificate), end * DAY);
    assert_true(X509_sign(other.certificate, authority.key, EVP_sha256()) > 0);
    return other;
}

static void assert_signs_nothing(const struct authority *by, const char *why)
{
    const char *const names[] = {"localhost"};
    X509 *certificate = NULL;
    assert_failed(REFUSED, authority_check_valid(by, &error));
    assert_non_null(strstr(text_string(&error.message), why));
    assert_non_null(strstr(text_string(&error.message), "this machine's clock says 20"));
    assert_non_null(strstr(text_string(&error.advice), "date -u"));
    assert_failed(REFUSED,
                  authority_sign(by, subject_of(ec_key), some_serial, 1, &certificate, &error));
    assert_failed(REFUSED, authority_sign_server(by, subject_of(ec_key), some_serial, 1, names, 1,
                                                 &certificate, &error));
    assert_null(certificate);
}

static void authority_signs_within_its_own_dates_only(void **state)
{
    (void)state;
    struct authority expired = authority_of_days(-20, -1), early = authority_of_days(1, 20);
    struct authority short_lived = authority_of_days(-1, 1);
    assert_signs_nothing(&expired, "expired at 20");
    assert_signs_nothing(&early, "is valid from 20");
    assert_int_equal(authority_check_valid(&authority, &error), FINE);
    assert_int_equal(authority_check_valid(&short_lived, &error), FINE);
    X509 *certificate = sign_with(&short_lived, ec_key, some_serial, 10);
    assert_int_equal(time_of(X509_get0_notAfter(certificate)),
                     time_of(X509_get0_notAfter(short_lived.certificate)));
    X509_free(certificate);
    X509_free(expired.certificate);
    X509_free(early.certificate);
    X509_free(short_lived.certificate);
}

/* --- revocation --- */

static X509_CRL *list_of(const struct text *pem)
{
    BIO *memory = BIO_new_mem_buf(pem->at, (int)pem->length);
    X509_CRL *list = PEM_read_bio_X509_CRL(memory, NULL, NULL, NULL);
    BIO_free(memory);
    assert_non_null(list);
    return list;
}

static struct text list_begin(const char *const *serials, size_t count)
{
    struct text pem = {0};
    assert_int_equal(revocation_begin(&authority, serials, count, &pem, &error), FINE);
    return pem;
}

static struct text list_grow(const struct text *old, const char *const *serials, size_t count,
                             size_t wanted)
{
    struct text pem = {0};
    size_t added = 99;
    assert_int_equal(
        revocation_extend(&authority, old->at, old->length, serials, count, &pem, &added, &error),
        FINE);
    assert_int_equal(added, wanted);
    return pem;
}

static int64_t number_of(const struct text *pem)
{
    int64_t number = 0;
    X509_CRL *list = list_of(pem);
    ASN1_INTEGER *found = X509_CRL_get_ext_d2i(list, NID_crl_number, NULL, NULL);
    assert_non_null(found);
    assert_int_equal(ASN1_INTEGER_get_int64(&number, found), 1);
    ASN1_INTEGER_free(found);
    X509_CRL_free(list);
    return number;
}

static void assert_list(const struct text *pem, int64_t number, int entries)
{
    X509_CRL *list = list_of(pem);
    assert_int_equal(number_of(pem), number);
    assert_int_equal(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(list)) < 0
                         ? 0
                         : sk_X509_REVOKED_num(X509_CRL_get_REVOKED(list)),
                     entries);
    assert_int_equal(X509_CRL_get_ext_count(list), 2);
    assert_int_equal(X509_CRL_verify(list, authority.key), 1);
    assert_int_equal(time_of(X509_CRL_get0_nextUpdate(list)),
                     time_of(X509_get0_notAfter(authority.certificate)));
    X509_CRL_free(list);
}

static void list_grows_and_counts(void **state)
{
    (void)state;
    const char *const serials[] = {some_serial, "01", "FF", some_serial, "01"};
    int64_t before = clock_milliseconds();
    struct text empty = list_begin(NULL, 0);
    int64_t number = number_of(&empty);
    assert_true(number >= before && number <= clock_milliseconds());
    assert_list(&empty, number, 0);
    struct text one = list_grow(&empty, serials, 1, 1);
    assert_list(&one, number + 1, 1);
    struct text again = list_grow(&one, serials, 1, 0); /* twice adds nothing */
    assert_list(&again, number + 2, 1);
    struct text more = list_grow(&again, serials, 5, 2); /* each once */
    assert_list(&more, number + 3, 3);
    struct text direct = list_begin(serials, 5);
    assert_list(&direct, number_of(&direct), 3);
    text_free(&empty);
    text_free(&one);
    text_free(&again);
    text_free(&more);
    text_free(&direct);
}

static void entries_give_no_reason(void **state)
{
    (void)state;
    const char *serial = some_serial;
    struct text pem = list_begin(&serial, 1);
    X509_CRL *list = list_of(&pem);
    X509_REVOKED *entry = sk_X509_REVOKED_value(X509_CRL_get_REVOKED(list), 0);
    assert_null(X509_REVOKED_get0_extensions(entry));
    assert_int_equal(X509_CRL_get_version(list), X509_CRL_VERSION_2);
    X509_CRL_free(list);
    text_free(&pem);
}

static void revoked_certificate_is_refused_by_a_server(void **state)
{
    (void)state;
    const char *const serials[] = {some_serial};
    X509 *bad = sign_with(&authority, ec_key, some_serial, 1);
    X509 *good = sign_with(&authority, ec_key, "F00102030405060708090A0B0C0D0E10", 1);
    struct text before = list_begin(NULL, 0), after = list_grow(&before, serials, 1, 1);
    X509_CRL *empty = list_of(&before), *list = list_of(&after);
    time_t now = time(NULL);
    assert_int_equal(verify(authority.certificate, bad, empty, now), X509_V_OK);
    assert_int_equal(verify(authority.certificate, bad, list, now), X509_V_ERR_CERT_REVOKED);
    assert_int_equal(verify(authority.certificate, good, list, now), X509_V_OK);
    X509_CRL_free(empty);
    X509_CRL_free(list);
    text_free(&before);
    text_free(&after);
    X509_free(bad);
    X509_free(good);
}

static void long_lists_work(void **state)
{
    (void)state;
    enum { MANY = 3000 };
    char(*names)[33] = must_array(MANY, sizeof *names);
    const char **serials = must_array(MANY, sizeof *serials);
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(serial_make(names[i], &error), FINE);
        serials[i] = names[i];
    }
    struct text half = list_begin(serials, MANY / 2);
    struct text all = list_grow(&half, serials, MANY, MANY / 2);
    assert_list(&all, number_of(&half) + 1, MANY);
    text_free(&half);
    text_free(&all);
    free(serials);
    free(names);
}

static void count_serial(void *context, const char *serial)
{
    size_t *count = context;
    assert_true(strlen(serial) > 0);
    ++*count;
}

static void assert_list_refused(const struct authority *by, const char *pem, size_t length)
{
    const char *serial = some_serial;
    struct text made = {0};
    size_t added = 7;
    assert_failed(WRONG_INPUT,
                  revocation_extend(by, pem, length, &serial, 1, &made, &added, &error));
    assert_int_equal(made.length, 0);
    assert_int_equal(added, 7);
    assert_failed(WRONG_INPUT, revocation_each(by, pem, length, count_serial, &added, &error));
    assert_int_equal(added, 7);
}

static void broken_and_foreign_lists_are_refused(void **state)
{
    (void)state;
    const char *serial = some_serial;
    struct text pem = list_begin(&serial, 1);
    assert_list_refused(&other_authority, pem.at, pem.length); /* the same name, another key */
    assert_list_refused(&authority, NULL, 0);
    assert_list_refused(&authority, "nonsense", 8);
    assert_list_refused(&authority, pem.at, pem.length - 40);
    pem.at[pem.length / 2] = pem.at[pem.length / 2] == 'A' ? 'B' : 'A';
    assert_list_refused(&authority, pem.at, pem.length);
    text_free(&pem);
}

static X509_CRL *list_by_hand(void)
{
    ASN1_TIME *now = ASN1_TIME_set(NULL, time(NULL));
    X509_CRL *list = X509_CRL_new();
    assert_true(X509_CRL_set_version(list, X509_CRL_VERSION_2) &&
                X509_CRL_set_issuer_name(list, X509_get_subject_name(authority.certificate)) &&
                X509_CRL_set1_lastUpdate(list, now) && X509_CRL_set1_nextUpdate(list, now));
    ASN1_TIME_free(now);
    return list;
}

static struct text list_sign(X509_CRL *list)
{
    BIO *memory = BIO_new(BIO_s_mem());
    char *bytes;
    struct text pem = {0};
    assert_true(X509_CRL_sign(list, authority.key, EVP_sha256()) > 0);
    assert_int_equal(PEM_write_bio_X509_CRL(memory, list), 1);
    long length = BIO_get_mem_data(memory, &bytes);
    text_add(&pem, bytes, (size_t)length);
    BIO_free(memory);
    X509_CRL_free(list);
    return pem;
}

/* The next one could not have a higher number. */
static void a_list_without_a_number_is_refused(void **state)
{
    (void)state;
    const char *serial = some_serial;
    struct text pem = list_sign(list_by_hand()), made = {0};
    size_t added = 7;
    assert_failed(WRONG_INPUT, revocation_extend(&authority, pem.at, pem.length, &serial, 1, &made,
                                                 &added, &error));
    assert_string_equal(text_string(&error.message), "the revocation list has no number");
    assert_int_equal(made.length, 0);
    text_free(&pem);
}

/* As another program may have written it: one serial twice, which adds no third. */
static void a_list_with_duplicates_still_works(void **state)
{
    (void)state;
    const char *const serials[] = {"0A", "0B"};
    ASN1_INTEGER *number = ASN1_INTEGER_new();
    ASN1_TIME *now = ASN1_TIME_set(NULL, time(NULL));
    X509_CRL *list = list_by_hand();
    assert_int_equal(ASN1_INTEGER_set(number, 10), 1);
    for (int i = 0; i < 2; i++) {
        X509_REVOKED *entry = X509_REVOKED_new();
        assert_true(X509_REVOKED_set_serialNumber(entry, number) &&
                    X509_REVOKED_set_revocationDate(entry, now) &&
                    X509_CRL_add0_revoked(list, entry));
    }
    assert_int_equal(X509_CRL_add1_ext_i2d(list, NID_crl_number, number, 0, 0), 1);
    struct text pem = list_sign(list);
    struct text more = list_grow(&pem, serials, 2, 1);
    assert_int_equal(number_of(&more), 11);
    size_t count = 0;
    assert_int_equal(
        revocation_each(&authority, more.at, more.length, count_serial, &count, &error), FINE);
    assert_int_equal(count, 3);
    ASN1_INTEGER_free(number);
    ASN1_TIME_free(now);
    text_free(&pem);
    text_free(&more);
}

static void join_serial(void *context, const char *serial)
{
    struct text *joined = context;
    text_add_format(joined, "%s ", serial);
}

/* Lost, and made again from what is known: the same serials, and a higher number. */
static void a_lost_list_is_made_again(void **state)
{
    (void)state;
    const char *const serials[] = {"FF", "01", "0102"};
    struct text empty = list_begin(NULL, 0), lost = list_grow(&empty, serials, 3, 3);
    struct text known = {0}, joined = {0};
    assert_int_equal(revocation_each(&authority, lost.at, lost.length, join_serial, &known, &error),
                     FINE);
    assert_string_equal(text_string(&known), "01 FF 0102 ");
    usleep(5000); /* the lost one was numbered one millisecond ahead */
    struct text again = list_begin(serials, 3);
    assert_true(number_of(&again) > number_of(&lost));
    assert_int_equal(
        revocation_each(&authority, again.at, again.length, join_serial, &joined, &error), FINE);
    assert_string_equal(text_string(&joined), text_string(&known));
    assert_int_equal(
        revocation_each(&authority, empty.at, empty.length, join_serial, &known, &error), FINE);
    assert_string_equal(text_string(&joined), text_string(&known));
    text_free(&empty);
    text_free(&lost);
    text_free(&known);
    text_free(&joined);
    text_free(&again);
}

/* --- the openssl command --- */

/* What "openssl <arguments>" prints with pem on its standard input, freed by the caller. */
static char *openssl_says(const char *arguments, const struct text *pem)
{
    char path[] = "/tmp/sensorforge-pki-XXXXXX", bytes[1 << 14];
    int file = mkstemp(path);
    assert_int_equal(write(file, pem->at, pem->length), pem->length);
    close(file);
    owned char *command = must_format("openssl %s <%s 2>&1", arguments, path);
    FILE *output = popen(command, "r");
    assert_non_null(output);
    size_t length = fread(bytes, 1, sizeof bytes, output);
    assert_int_equal(pclose(output), 0);
    unlink(path);
    return must_copy_bytes(bytes, length);
}

static void requests_are_taken_by_the_command(void **state)
{
    (void)state;
    EVP_PKEY *keys[] = {rsa_key, ec_key};
    for (size_t i = 0; i < 2; i++) {
        struct text pem = request_of(keys[i], some_serial);
        owned char *said = openssl_says("req -verify -noout -text -nameopt RFC2253,-dn_rev", &pem);
        assert_non_null(strstr(said, "verify OK"));
        assert_non_null(
            strstr(said, "Subject: OU=esp8266temp,CN=kitchen,serialNumber=F00102030405"));
        assert_non_null(strstr(said, i ? "NIST CURVE: P-256" : "Public-Key: (2048 bit)"));
        assert_non_null(strstr(said, i ? "Signature Algorithm: ecdsa-with-SHA256"
                                       : "Signature Algorithm: sha256WithRSAEncryption"));
        text_free(&pem);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_algorithms_and_encodings),
        cmocka_unit_test(each_encoding_is_the_one_that_its_name_says),
        cmocka_unit_test(pkcs1_has_no_algorithm_identifier),
        cmocka_unit_test(sec1_names_its_curve),
        cmocka_unit_test(keys_have_no_form_of_another_algorithm),
        cmocka_unit_test(keys_survive_pem),
        cmocka_unit_test(what_is_no_private_key_is_refused),
        cmocka_unit_test(children_make_different_keys),
        cmocka_unit_test(digest_is_that_of_the_certificates_key),
        cmocka_unit_test(requests_are_read_and_verified_by_openssl),
        cmocka_unit_test(marks_survive),
        cmocka_unit_test(names_have_limits),
        cmocka_unit_test(failures_carry_openssls_reason),
        cmocka_unit_test(authority_has_the_extensions_of_an_authority),
        cmocka_unit_test(thing_has_the_extensions_of_a_client),
        cmocka_unit_test(chain_verifies_with_its_own_authority_only),
        cmocka_unit_test(validity_begins_an_hour_ago_and_ends_with_the_authority),
        cmocka_unit_test(far_years_are_written),
        cmocka_unit_test(serials_survive),
        cmocka_unit_test(wrong_serials_are_refused),
        cmocka_unit_test(serials_are_random),
        cmocka_unit_test(facts_are_those_of_openssl),
        cmocka_unit_test(facts_do_not_depend_on_reading),
        cmocka_unit_test(serials_that_cannot_be_are_refused),
        cmocka_unit_test(what_is_no_certificate_is_refused),
        cmocka_unit_test(certificates_are_found_in_their_text),
        cmocka_unit_test(authority_is_loaded_again),
        cmocka_unit_test(authority_that_does_not_fit_is_refused),
        cmocka_unit_test(files_are_named_in_messages),
        cmocka_unit_test(authority_signs_within_its_own_dates_only),
        cmocka_unit_test(list_grows_and_counts),
        cmocka_unit_test(entries_give_no_reason),
        cmocka_unit_test(revoked_certificate_is_refused_by_a_server),
        cmocka_unit_test(long_lists_work),
        cmocka_unit_test(broken_and_foreign_lists_are_refused),
        cmocka_unit_test(a_list_without_a_number_is_refused),
        cmocka_unit_test(a_list_with_duplicates_still_works),
        cmocka_unit_test(a_lost_list_is_made_again),
        cmocka_unit_test(requests_are_taken_by_the_command),
    };
    return cmocka_run_group_tests_name("pki", tests, set_up, tear_down);
}
