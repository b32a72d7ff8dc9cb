/* Keys, requests, certificates and revocation lists, checked against OpenSSL's own readers: what is
 * laid out by hand in generator/pki/ must be, byte for byte, what the library would have written.
 */
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

static struct text request_of(EVP_PKEY *key)
{
    struct text der = {0};
    assert_int_equal(request_make(key, "esp8266temp", "kitchen", NULL, &der, &error), FINE);
    return der;
}

static X509 *parse(const struct text *der)
{
    const unsigned char *at = (const unsigned char *)der->at;
    X509 *certificate = d2i_X509(NULL, &at, (long)der->length);
    assert_non_null(certificate);
    assert_ptr_equal(at, der->at + der->length);
    return certificate;
}

static X509 *sign_with(const struct authority *by, EVP_PKEY *key, const char *serial, int years)
{
    struct text request = request_of(key), der = {0};
    assert_int_equal(authority_sign(by, request.at, request.length, serial, years, &der, &error),
                     FINE);
    X509 *certificate = parse(&der);
    text_free(&request);
    text_free(&der);
    return certificate;
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

/* Some numbers begin with a zero byte or a set bit, so one key of a kind would prove little. */
static void keys_are_laid_out_as_openssl_does_it(void **state)
{
    (void)state;
    assert_key_like_openssl(rsa_key, KEY_PKCS1, "type-specific");
    assert_key_like_openssl(rsa_key, KEY_PKCS8, "PrivateKeyInfo");
    for (int i = 0; i < 600; i++) {
        EVP_PKEY *key = NULL;
        assert_int_equal(key_make(KEY_EC_P256, &key, &error), FINE);
        assert_key_like_openssl(key, KEY_SEC1, "type-specific");
        assert_key_like_openssl(key, KEY_PKCS8, "PrivateKeyInfo");
        EVP_PKEY_free(key);
    }
}

static void rsa_keys_of_other_lengths_are_laid_out_too(void **state)
{
    (void)state;
    static const unsigned bits[] = {1024, 1031, 1536, 3072};
    for (size_t i = 0; i < sizeof bits / sizeof *bits; i++) {
        EVP_PKEY *key = EVP_RSA_gen(bits[i]);
        assert_key_like_openssl(key, KEY_PKCS1, "type-specific");
        assert_key_like_openssl(key, KEY_PKCS8, "PrivateKeyInfo");
        EVP_PKEY_free(key);
    }
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
    EVP_PKEY *p384 = EVP_EC_gen("P-384");
    assert_failed(REFUSED, key_to_der(p384, KEY_PKCS8, &der, &error));
    EVP_PKEY_free(p384);
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
    assert_no_key("");
    assert_no_key("nonsense");
    assert_no_key("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    assert_no_key(encrypted); /* and must not ask the terminal */
    assert_no_key(public);
    assert_no_key(broken);
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

/* --- PEM --- */

static void pem_round_trip(void **state)
{
    (void)state;
    char bytes[200];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(unsigned char)(i * 37 + 11);
    for (size_t length = 0; length <= sizeof bytes; length++) {
        struct text pem = {0}, der = {0};
        text_add_string(&der, "before"); /* what is there already stays */
        der_to_pem("X509 CRL", bytes, length, &pem);
        assert_int_equal(pem_to_der("X509 CRL", pem.at, pem.length, &der, &error), FINE);
        assert_int_equal(der.length, length + 6);
        assert_memory_equal(der.at, "before", 6);
        assert_memory_equal(der.at + 6, bytes, length);
        text_free(&pem);
        text_free(&der);
    }
}

static void pem_is_what_openssl_writes(void **state)
{
    (void)state;
    struct text pem = {0};
    BIO *memory = BIO_new(BIO_s_mem());
    char *wanted;
    assert_int_equal(PEM_write_bio_X509(memory, authority.certificate), 1);
    long length = BIO_get_mem_data(memory, &wanted);
    assert_int_equal(authority_certificate_pem(&authority, &pem, &error), FINE);
    assert_int_equal(pem.length, length);
    assert_memory_equal(pem.at, wanted, pem.length);
    BIO_free(memory);
    text_free(&pem);
}

static void pem_is_read_as_leniently_as_the_rfc_asks(void **state)
{
    (void)state;
    static const char *const good[] = {
        "-----BEGIN X-----\nAQID\n-----END X-----\n",
        "-----BEGIN X-----\nAQID\n-----END X-----",
        "-----BEGIN X-----\r\nAQID\r\n-----END X-----\r\n",
        "-----BEGIN X-----  \nAQ\nID \t\n\n-----END X-----\nand so on",
        "subject=kitchen\n-----BEGIN X-----\nAQID\n-----END X-----\n",
        "-----BEGIN Y-----\n!\n-----END Y-----\n-----BEGIN X-----\nAQID\n-----END X-----\n",
        "-----BEGIN X-----\nAQID\n-----END X-----\n-----BEGIN X-----\nAAAA\n-----END X-----\n",
        "see -----BEGIN X-----\n-----BEGIN X-----\nAQID\n-----END X-----\n",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct text der = {0};
        assert_int_equal(pem_to_der("X", good[i], strlen(good[i]), &der, &error), FINE);
        assert_int_equal(der.length, 3);
        assert_memory_equal(der.at, "\1\2\3", 3);
        text_free(&der);
    }
}

static void broken_pem_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "\n",
        "AQID",
        "-----BEGIN X-----",
        "-----BEGIN X-----\nAQID\n",
        "-----BEGIN X-----\nAQID\n-----END Y-----\n",
        "-----BEGIN X-----\nAQID-----END X-----\n",
        "-----BEGIN X-----AQID\n-----END X-----\n",
        " -----BEGIN X-----\nAQID\n-----END X-----\n",
        "-----BEGIN X-----\nAQID\n-----END X-----AQID\n",
        "-----BEGIN X-----\nAQI\n-----END X-----\n",   /* length */
        "-----BEGIN X-----\nAQ ID\n-----END X-----\n", /* white space inside a line */
        "-----BEGIN X-----\nAQ*D\n-----END X-----\n",
        "-----BEGIN X-----\nAQ-D\n-----END X-----\n",
        "-----BEGIN X-----\nAQ_D\n-----END X-----\n",
        "-----BEGIN X-----\nA===\n-----END X-----\n",
        "-----BEGIN X-----\n====\n-----END X-----\n",
        "-----BEGIN X-----\nAQ==AQID\n-----END X-----\n", /* padding in the middle */
        "-----BEGIN X-----\nAR==\n-----END X-----\n",     /* bits set that are not used */
        "-----BEGIN X-----\nAQJ=\n-----END X-----\n",
        "-----BEGIN X-----\nProc-Type: 4,ENCRYPTED\n\nAQID\n-----END X-----\n",
        "-----BEGIN X-----\nAQID\n-----BEGIN X-----\nAQID\n-----END X-----\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct text der = {0};
        assert_failed(WRONG_INPUT, pem_to_der("X", bad[i], strlen(bad[i]), &der, &error));
        assert_int_equal(der.length, 0);
        text_free(&der);
    }
    struct text der = {0};
    static const char nul[] = "-----BEGIN X-----\nAQ\0D\n-----END X-----\n";
    assert_failed(WRONG_INPUT, pem_to_der("X", nul, sizeof nul - 1, &der, &error));
    assert_failed(WRONG_INPUT, pem_to_der("X", NULL, 0, &der, &error));
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

static void requests_are_read_and_verified_by_openssl(void **state)
{
    (void)state;
    EVP_PKEY *keys[] = {rsa_key, ec_key};
    for (size_t i = 0; i < 2; i++) {
        struct text der = request_of(keys[i]);
        const unsigned char *at = (const unsigned char *)der.at;
        X509_REQ *request = d2i_X509_REQ(NULL, &at, (long)der.length);
        assert_non_null(request);
        assert_ptr_equal(at, der.at + der.length);
        assert_int_equal(X509_REQ_verify(request, keys[i]), 1);
        assert_int_equal(EVP_PKEY_eq(X509_REQ_get0_pubkey(request), keys[i]), 1);
        assert_int_equal(X509_REQ_get_version(request), X509_REQ_VERSION_1);
        assert_int_equal(X509_REQ_get_signature_nid(request),
                         i ? NID_ecdsa_with_SHA256 : NID_sha256WithRSAEncryption);
        assert_name(X509_REQ_get_subject_name(request), "esp8266temp", "kitchen");
        X509_REQ_free(request);
        text_free(&der);
    }
}

static void names_have_limits(void **state)
{
    (void)state;
    char name[66];
    memset(name, 'n', sizeof name);
    name[64] = '\0';
    struct text der = {0};
    assert_int_equal(request_make(ec_key, name, name, NULL, &der, &error), FINE);
    text_clear(&der);
    name[64] = 'n', name[65] = '\0';
    assert_failed(WRONG_INPUT, request_make(ec_key, "unit", name, NULL, &der, &error));
    assert_failed(WRONG_INPUT, request_make(ec_key, name, "name", NULL, &der, &error));
    assert_failed(WRONG_INPUT, request_make(ec_key, "unit", "", NULL, &der, &error));
    assert_failed(WRONG_INPUT, request_make(ec_key, "unit", "\xFF", NULL, &der, &error));
    struct authority made = {0};
    assert_failed(WRONG_INPUT, authority_make(name, 1, &made, &error));
    assert_null(made.key);
    assert_int_equal(der.length, 0);
    text_free(&der);
}

/* A public key on its own cannot sign: OpenSSL's reason is in the message. */
static void failures_carry_openssls_reason(void **state)
{
    (void)state;
    owned char *pem = key_pem_by_openssl(ec_key, NULL, true);
    BIO *memory = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *public = PEM_read_bio_PUBKEY(memory, NULL, NULL, NULL);
    struct text der = {0};
    assert_failed(REFUSED, request_make(public, "unit", "name", NULL, &der, &error));
    assert_true(begins_with(text_string(&error.message), "cannot sign: "));
    BIO_free(memory);
    EVP_PKEY_free(public);
}

static void assert_request_refused(const struct text *request)
{
    struct text der = {0};
    assert_failed(WRONG_INPUT, authority_sign(&authority, request->at, request->length, some_serial,
                                              1, &der, &error));
    assert_int_equal(der.length, 0);
}

/* Every single byte counts, and so does every missing one. */
static void tampered_requests_are_refused(void **state)
{
    (void)state;
    struct text request = request_of(ec_key);
    for (size_t i = 0; i < request.length; i++) {
        request.at[i] = (char)(request.at[i] ^ 1);
        assert_request_refused(&request);
        request.at[i] = (char)(request.at[i] ^ 1);
    }
    size_t length = request.length;
    for (request.length = 0; request.length < length; request.length++) {
        struct text cut = {must_copy_bytes(request.at, request.length), request.length, 0, false};
        assert_request_refused(&cut);
        text_free(&cut);
    }
    text_add_char(&request, '\0');
    assert_request_refused(&request);
    text_free(&request);
}

static void tampered_rsa_requests_are_refused(void **state)
{
    (void)state;
    struct text request = request_of(rsa_key);
    for (size_t i = 0; i < request.length; i++) {
        request.at[i] = (char)(request.at[i] ^ 1);
        assert_request_refused(&request);
        request.at[i] = (char)(request.at[i] ^ 1);
    }
    text_free(&request);
}

static struct text request_by_openssl(EVP_PKEY *key, const EVP_MD *digest, const char *name)
{
    X509_REQ *request = X509_REQ_new();
    unsigned char *bytes = NULL;
    if (name)
        assert_int_equal(X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(request), "CN",
                                                    MBSTRING_UTF8, (const unsigned char *)name, -1,
                                                    -1, 0),
                         1);
    assert_int_equal(X509_REQ_set_pubkey(request, key), 1);
    assert_true(X509_REQ_sign(request, key, digest) > 0);
    int length = i2d_X509_REQ(request, &bytes);
    struct text der = {0};
    text_add(&der, bytes, (size_t)length);
    OPENSSL_free(bytes);
    X509_REQ_free(request);
    return der;
}

static void requests_of_others_are_signed(void **state)
{
    (void)state;
    EVP_PKEY *keys[] = {rsa_key, ec_key};
    for (size_t i = 0; i < 2; i++) {
        struct text request = request_by_openssl(keys[i], EVP_sha256(), "kitchen"), der = {0};
        assert_int_equal(
            authority_sign(&authority, request.at, request.length, some_serial, 1, &der, &error),
            FINE);
        text_free(&request);
        text_free(&der);
    }
}

static void weak_and_strange_requests_are_refused(void **state)
{
    (void)state;
    EVP_PKEY *weak = EVP_RSA_gen(1024), *p384 = EVP_EC_gen("P-384");
    EVP_PKEY *ed25519 = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    struct text requests[] = {
        request_by_openssl(weak, EVP_sha256(), "kitchen"),
        request_by_openssl(p384, EVP_sha256(), "kitchen"),
        request_by_openssl(ed25519, NULL, "kitchen"),
        request_by_openssl(rsa_key, EVP_sha512(), "kitchen"),
        request_by_openssl(ec_key, EVP_sha256(), NULL), /* no subject */
    };
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        assert_request_refused(&requests[i]);
        text_free(&requests[i]);
    }
    EVP_PKEY_free(weak);
    EVP_PKEY_free(p384);
    EVP_PKEY_free(ed25519);
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

/* Reading and writing with OpenSSL gives the same bytes, so ours are DER and not only BER. */
static void certificates_are_der(void **state)
{
    (void)state;
    X509 *certificates[] = {X509_dup(authority.certificate),
                            sign_with(&authority, ec_key, some_serial, 1)};
    for (size_t i = 0; i < 2; i++) {
        unsigned char *before = NULL, *after = NULL;
        int length = i2d_X509(certificates[i], &before);
        X509 *copy = X509_dup(certificates[i]);
        int again = i2d_re_X509_tbs(copy, &after);
        X509_free(copy);
        assert_true(again > 0 && again < length);
        assert_memory_equal(before + 4, after, (size_t)again);
        OPENSSL_free(before);
        OPENSSL_free(after);
        X509_free(certificates[i]);
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
    /* The same name, another key. */
    assert_int_not_equal(verify(other_authority.certificate, certificate, NULL, now), X509_V_OK);
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
    unsigned char *der = NULL;
    int length = i2d_X509(certificate, &der);
    char *printed = BN_bn2hex(number);
    assert_string_equal(printed, serial);
    assert_int_equal(certificate_read((char *)der, (size_t)length, &facts, &error), FINE);
    assert_string_equal(facts.serial, serial);
    OPENSSL_free(printed);
    OPENSSL_free(der);
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
    struct text request = request_of(ec_key), der = {0};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_failed(WRONG_INPUT, authority_sign(&authority, request.at, request.length, bad[i], 1,
                                                  &der, &error));
        assert_failed(WRONG_INPUT,
                      authority_revoke(&authority, NULL, 0, &bad[i], 1, &der, NULL, &error));
        assert_int_equal(der.length, 0);
    }
    text_free(&request);
}

static void serials_are_random(void **state)
{
    (void)state;
    char one[2 * SERIAL_BYTES + 1], other[2 * SERIAL_BYTES + 1];
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
    struct text der = {0};
    struct certificate_facts facts;
    unsigned char digest[32];
    char hex[65];
    assert_int_equal(authority_certificate_der(&authority, &der, &error), FINE);
    assert_int_equal(certificate_read(der.at, der.length, &facts, &error), FINE);
    assert_int_equal(X509_digest(authority.certificate, EVP_sha256(), digest, NULL), 1);
    for (int i = 0; i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    assert_string_equal(facts.fingerprint, hex);
    assert_int_equal(facts.not_before, time_of(X509_get0_notBefore(authority.certificate)));
    assert_int_equal(facts.not_after, time_of(X509_get0_notAfter(authority.certificate)));
    text_free(&der);
}

static void what_is_no_certificate_is_refused(void **state)
{
    (void)state;
    struct text der = {0}, request = request_of(ec_key);
    struct certificate_facts facts;
    assert_failed(WRONG_INPUT, certificate_read("", 0, &facts, &error));
    assert_failed(WRONG_INPUT, certificate_read("nonsense", 8, &facts, &error));
    assert_failed(WRONG_INPUT, certificate_read(request.at, request.length, &facts, &error));
    assert_int_equal(authority_certificate_der(&authority, &der, &error), FINE);
    for (size_t length = 0; length < der.length; length++) {
        owned char *cut = must_copy_bytes(der.at, length);
        assert_failed(WRONG_INPUT, certificate_read(cut, length, &facts, &error));
    }
    text_add_char(&der, '\0');
    assert_failed(WRONG_INPUT, certificate_read(der.at, der.length, &facts, &error));
    text_free(&der);
    text_free(&request);
}

/* --- the authority --- */

static void authority_is_loaded_again(void **state)
{
    (void)state;
    secret_owned struct secret key = {0};
    struct text pem = {0};
    struct authority loaded = {0};
    assert_int_equal(key_to_pem(authority.key, &key, &error), FINE);
    assert_int_equal(authority_certificate_pem(&authority, &pem, &error), FINE);
    assert_int_equal(authority_load(&key, pem.at, pem.length, &loaded, &error), FINE);
    assert_int_equal(X509_cmp(loaded.certificate, authority.certificate), 0);
    X509 *certificate = sign_with(&loaded, ec_key, some_serial, 1);
    assert_int_equal(verify(authority.certificate, certificate, NULL, time(NULL)), X509_V_OK);
    X509_free(certificate);
    text_free(&pem);
    authority_free(&loaded);
}

static void assert_not_loaded(EVP_PKEY *key, const struct text *pem)
{
    secret_owned struct secret key_pem = {0};
    struct authority loaded = {0};
    assert_int_equal(key_to_pem(key, &key_pem, &error), FINE);
    assert_failed(WRONG_INPUT, authority_load(&key_pem, pem->at, pem->length, &loaded, &error));
    assert_null(loaded.key);
    assert_null(loaded.certificate);
}

static void authority_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    struct text pem = {0};
    assert_not_loaded(authority.key, &pem);
    assert_int_equal(authority_certificate_pem(&authority, &pem, &error), FINE);
    assert_not_loaded(other_authority.key, &pem); /* another RSA key */
    assert_not_loaded(ec_key, &pem);              /* a key of another kind */
    pem.at[pem.length / 2] = '*';
    assert_not_loaded(authority.key, &pem);
    text_clear(&pem);
    der_to_pem("CERTIFICATE", "nonsense", 8, &pem);
    assert_not_loaded(authority.key, &pem);
    text_free(&pem);
}

/* A thing's own certificate and key fit each other, but make no authority. */
static void thing_is_no_authority(void **state)
{
    (void)state;
    X509 *certificate = sign_with(&authority, rsa_key, some_serial, 1);
    unsigned char *der = NULL;
    int length = i2d_X509(certificate, &der);
    struct text pem = {0};
    der_to_pem("CERTIFICATE", (char *)der, (size_t)length, &pem);
    assert_not_loaded(rsa_key, &pem);
    text_free(&pem);
    OPENSSL_free(der);
    X509_free(certificate);
}

/* Its end is moved into the past, which breaks its own signature, but nobody looks at that. */
static void expired_authority_signs_nothing(void **state)
{
    (void)state;
    struct authority expired = {authority.key, X509_dup(authority.certificate)};
    struct text request = request_of(ec_key), der = {0};
    X509_gmtime_adj(X509_getm_notAfter(expired.certificate), -DAY);
    assert_failed(REFUSED, authority_sign(&expired, request.at, request.length, some_serial, 1,
                                          &der, &error));
    X509_free(expired.certificate);
    text_free(&request);
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

static struct text list_grow(const struct text *old, const char *const *serials, size_t count,
                             size_t wanted)
{
    struct text pem = {0};
    size_t added = 99;
    assert_int_equal(authority_revoke(&authority, old ? old->at : NULL, old ? old->length : 0,
                                      serials, count, &pem, &added, &error),
                     FINE);
    assert_int_equal(added, wanted);
    return pem;
}

static void assert_list(const struct text *pem, long number, int entries)
{
    X509_CRL *list = list_of(pem);
    ASN1_INTEGER *found = X509_CRL_get_ext_d2i(list, NID_crl_number, NULL, NULL);
    assert_non_null(found);
    assert_int_equal(ASN1_INTEGER_get(found), number);
    assert_int_equal(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(list)) < 0
                         ? 0
                         : sk_X509_REVOKED_num(X509_CRL_get_REVOKED(list)),
                     entries);
    assert_int_equal(X509_CRL_get_ext_count(list), 2);
    assert_int_equal(X509_CRL_verify(list, authority.key), 1);
    assert_int_equal(time_of(X509_CRL_get0_nextUpdate(list)),
                     time_of(X509_get0_notAfter(authority.certificate)));
    ASN1_INTEGER_free(found);
    X509_CRL_free(list);
}

static void list_grows_and_counts(void **state)
{
    (void)state;
    const char *const serials[] = {some_serial, "01", "FF", some_serial, "01"};
    struct text empty = list_grow(NULL, NULL, 0, 0);
    assert_list(&empty, 1, 0);
    struct text one = list_grow(&empty, serials, 1, 1);
    assert_list(&one, 2, 1);
    struct text again = list_grow(&one, serials, 1, 0); /* twice adds nothing */
    assert_list(&again, 3, 1);
    struct text more = list_grow(&again, serials, 5, 2); /* each once */
    assert_list(&more, 4, 3);
    struct text direct = list_grow(NULL, serials, 5, 3);
    assert_list(&direct, 1, 3);
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
    struct text pem = list_grow(NULL, &serial, 1, 1);
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
    struct text before = list_grow(NULL, NULL, 0, 0), after = list_grow(&before, serials, 1, 1);
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
    struct text half = list_grow(NULL, serials, MANY / 2, MANY / 2);
    struct text all = list_grow(&half, serials, MANY, MANY / 2);
    assert_list(&all, 2, MANY);
    text_free(&half);
    text_free(&all);
    free(serials);
    free(names);
}

static void assert_list_refused(const struct authority *by, const char *pem, size_t length)
{
    const char *serial = some_serial;
    struct text made = {0};
    size_t added = 7;
    assert_failed(WRONG_INPUT,
                  authority_revoke(by, pem, length, &serial, 1, &made, &added, &error));
    assert_int_equal(made.length, 0);
    assert_int_equal(added, 7);
}

static void broken_and_foreign_lists_are_refused(void **state)
{
    (void)state;
    const char *serial = some_serial;
    struct text pem = list_grow(NULL, &serial, 1, 1), nonsense = {0};
    assert_list_refused(&other_authority, pem.at, pem.length); /* the same name, another key */
    assert_list_refused(&authority, "nonsense", 8);
    assert_list_refused(&authority, pem.at, pem.length - 40);
    pem.at[pem.length / 2] = pem.at[pem.length / 2] == 'A' ? 'B' : 'A';
    assert_list_refused(&authority, pem.at, pem.length);
    der_to_pem("X509 CRL", "nonsense", 8, &nonsense);
    assert_list_refused(&authority, nonsense.at, nonsense.length);
    text_free(&pem);
    text_free(&nonsense);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_algorithms_and_encodings),
        cmocka_unit_test(keys_are_laid_out_as_openssl_does_it),
        cmocka_unit_test(rsa_keys_of_other_lengths_are_laid_out_too),
        cmocka_unit_test(pkcs1_has_no_algorithm_identifier),
        cmocka_unit_test(sec1_names_its_curve),
        cmocka_unit_test(keys_have_no_form_of_another_algorithm),
        cmocka_unit_test(keys_survive_pem),
        cmocka_unit_test(what_is_no_private_key_is_refused),
        cmocka_unit_test(children_make_different_keys),
        cmocka_unit_test(pem_round_trip),
        cmocka_unit_test(pem_is_what_openssl_writes),
        cmocka_unit_test(pem_is_read_as_leniently_as_the_rfc_asks),
        cmocka_unit_test(broken_pem_is_refused),
        cmocka_unit_test(requests_are_read_and_verified_by_openssl),
        cmocka_unit_test(names_have_limits),
        cmocka_unit_test(failures_carry_openssls_reason),
        cmocka_unit_test(tampered_requests_are_refused),
        cmocka_unit_test(tampered_rsa_requests_are_refused),
        cmocka_unit_test(requests_of_others_are_signed),
        cmocka_unit_test(weak_and_strange_requests_are_refused),
        cmocka_unit_test(authority_has_the_extensions_of_an_authority),
        cmocka_unit_test(thing_has_the_extensions_of_a_client),
        cmocka_unit_test(certificates_are_der),
        cmocka_unit_test(chain_verifies_with_its_own_authority_only),
        cmocka_unit_test(validity_begins_an_hour_ago_and_ends_with_the_authority),
        cmocka_unit_test(far_years_are_written),
        cmocka_unit_test(serials_survive),
        cmocka_unit_test(wrong_serials_are_refused),
        cmocka_unit_test(serials_are_random),
        cmocka_unit_test(facts_are_those_of_openssl),
        cmocka_unit_test(what_is_no_certificate_is_refused),
        cmocka_unit_test(authority_is_loaded_again),
        cmocka_unit_test(authority_that_does_not_fit_is_refused),
        cmocka_unit_test(thing_is_no_authority),
        cmocka_unit_test(expired_authority_signs_nothing),
        cmocka_unit_test(list_grows_and_counts),
        cmocka_unit_test(entries_give_no_reason),
        cmocka_unit_test(revoked_certificate_is_refused_by_a_server),
        cmocka_unit_test(long_lists_work),
        cmocka_unit_test(broken_and_foreign_lists_are_refused),
    };
    return cmocka_run_group_tests_name("pki", tests, set_up, tear_down);
}
