/* Keys: made and read by OpenSSL, written by hand.
 *
 * OpenSSL 3.0 writes a key through a chain of encoders that it looks up by name for each call: 160
 * to 400 microseconds, as much as the authority's signature and ten times the making of an EC key.
 * The two kinds of key that things have are fixed layouts of a few numbers, so the numbers are
 * asked for and laid out here; the tests compare every layout with OpenSSL's, byte for byte.
 * Reading the public key of a request has the same cost and the same cure.
 *
 * Private numbers are laid out in memory that has its full size from the start and is wiped. */
#include "pki_internal.h"

#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <string.h>

enum { EC_POINT_BYTES = 65, EC_SCALAR_BYTES = 32, LARGEST_DIGEST_SIGNATURE = 2048 };

/* AlgorithmIdentifier { rsaEncryption, NULL } (RFC 8017, A.1). */
static const unsigned char rsa_algorithm[] = {0x30, 0x0D, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86,
                                              0xF7, 0x0D, 0x01, 0x01, 0x01, 0x05, 0x00};

/* AlgorithmIdentifier { id-ecPublicKey, prime256v1 } (RFC 5480, 2.1.1); the curve is its tail. */
static const unsigned char ec_algorithm[] = {0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48,
                                             0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A,
                                             0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07};
enum { EC_CURVE_OFFSET = 11 };

/* sha256WithRSAEncryption (RFC 4055, 5) and ecdsa-with-SHA256 (RFC 5758, 3.2). */
static const unsigned char rsa_signature[] = {0x30, 0x0D, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86,
                                              0xF7, 0x0D, 0x01, 0x01, 0x0B, 0x05, 0x00};
static const unsigned char ec_signature[] = {0x30, 0x0A, 0x06, 0x08, 0x2A, 0x86,
                                             0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02};

static const struct {
    const char *name, *title;
} algorithms[] = {
    [KEY_RSA_2048] = {"rsa-2048", "RSA-2048"},
    [KEY_EC_P256] = {"ec-p256", "EC P-256"},
};

static const char *const encodings[] = {
    [KEY_PKCS1] = "pkcs1",
    [KEY_SEC1] = "sec1",
    [KEY_PKCS8] = "pkcs8",
};

bool key_algorithm_named(const char *name, enum key_algorithm *algorithm)
{
    for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++)
        if (strcmp(name, algorithms[i].name) == 0) {
            *algorithm = (enum key_algorithm)i;
            return true;
        }
    return false;
}

bool key_encoding_named(const char *name, enum key_encoding *encoding)
{
    for (size_t i = 0; i < sizeof encodings / sizeof *encodings; i++)
        if (strcmp(name, encodings[i]) == 0) {
            *encoding = (enum key_encoding)i;
            return true;
        }
    return false;
}

const char *key_algorithm_title(enum key_algorithm algorithm)
{
    return algorithms[algorithm].title;
}

/* The domain parameters of P-256 without a key, looked up once and never changed. */
static EVP_PKEY *p256_parameters(void)
{
    static EVP_PKEY *parameters;
    if (parameters)
        return parameters;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    if (context && EVP_PKEY_paramgen_init(context) > 0 &&
        EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1) > 0)
        EVP_PKEY_paramgen(context, &parameters);
    EVP_PKEY_CTX_free(context);
    return parameters;
}

static EVP_PKEY *p256_make(void)
{
    EVP_PKEY *key = NULL, *parameters = p256_parameters();
    EVP_PKEY_CTX *context = parameters ? EVP_PKEY_CTX_new_from_pkey(NULL, parameters, NULL) : NULL;
    if (context && EVP_PKEY_keygen_init(context) > 0)
        EVP_PKEY_keygen(context, &key);
    EVP_PKEY_CTX_free(context);
    return key;
}

enum status key_make(enum key_algorithm algorithm, EVP_PKEY **key, struct error *error)
{
    EVP_PKEY *made = algorithm == KEY_EC_P256 ? p256_make() : EVP_RSA_gen(2048);
    if (!made)
        return fail_openssl(error, REFUSED, "cannot make an %s key",
                            key_algorithm_title(algorithm));
    *key = made;
    return FINE;
}

/* RSA of any length, or EC on the one curve; anything else is REFUSED. */
static enum status key_algorithm_of(EVP_PKEY *key, enum key_algorithm *algorithm,
                                    struct error *error)
{
    char curve[32];
    if (EVP_PKEY_is_a(key, "RSA")) {
        *algorithm = KEY_RSA_2048;
        return FINE;
    }
    if (EVP_PKEY_is_a(key, "EC") &&
        EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, curve, sizeof curve,
                                       NULL) &&
        strcmp(curve, SN_X9_62_prime256v1) == 0) {
        *algorithm = KEY_EC_P256;
        return FINE;
    }
    return fail_openssl(error, REFUSED, "the key is neither RSA nor EC P-256");
}

static enum status number_add(EVP_PKEY *key, const char *parameter, struct text *der,
                              struct error *error)
{
    unsigned char bytes[OPENSSL_RSA_MAX_MODULUS_BITS / 8];
    BIGNUM *number = NULL;
    enum status status = FINE;
    if (EVP_PKEY_get_bn_param(key, parameter, &number) &&
        BN_num_bytes(number) <= (int)sizeof bytes) {
        int length = BN_bn2bin(number, bytes);
        der_add_unsigned(der, bytes, (size_t)length);
        OPENSSL_cleanse(bytes, (size_t)length);
    } else {
        status = fail_openssl(error, REFUSED, "cannot read \"%s\" of the key", parameter);
    }
    BN_clear_free(number);
    return status;
}

/* The uncompressed point of an EC key (RFC 5480, 2.2), which is all that TLS knows. */
static enum status point_read(EVP_PKEY *key, unsigned char point[EC_POINT_BYTES],
                              struct error *error)
{
    size_t length = 0;
    if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, EC_POINT_BYTES,
                                        &length) &&
        length == EC_POINT_BYTES)
        return FINE;
    return fail_openssl(error, REFUSED, "cannot read the public point of the key");
}

/* RSAPublicKey (RFC 8017, A.1.1). */
static enum status rsa_public_add(EVP_PKEY *key, struct text *der, struct error *error)
{
    size_t begin = der->length;
    enum status status;
    if ((status = number_add(key, OSSL_PKEY_PARAM_RSA_N, der, error)) ||
        (status = number_add(key, OSSL_PKEY_PARAM_RSA_E, der, error)))
        return status;
    der_wrap(der, begin, DER_SEQUENCE);
    return FINE;
}

static enum status rsa_info_add(EVP_PKEY *key, struct text *der, struct error *error)
{
    struct text numbers = {0};
    enum status status = rsa_public_add(key, &numbers, error);
    if (!status) {
        size_t begin = der->length;
        text_add(der, rsa_algorithm, sizeof rsa_algorithm);
        der_add_bits(der, numbers.at, numbers.length);
        der_wrap(der, begin, DER_SEQUENCE);
    }
    text_free(&numbers);
    return status;
}

static enum status ec_info_add(EVP_PKEY *key, struct text *der, struct error *error)
{
    unsigned char point[EC_POINT_BYTES];
    enum status status = point_read(key, point, error);
    if (status)
        return status;
    size_t begin = der->length;
    text_add(der, ec_algorithm, sizeof ec_algorithm);
    der_add_bits(der, point, sizeof point);
    der_wrap(der, begin, DER_SEQUENCE);
    return FINE;
}

enum status key_info_add(EVP_PKEY *key, struct text *der, struct error *error)
{
    enum key_algorithm algorithm = KEY_RSA_2048;
    enum status status = key_algorithm_of(key, &algorithm, error);
    if (status)
        return status;
    return algorithm == KEY_EC_P256 ? ec_info_add(key, der, error) : rsa_info_add(key, der, error);
}

/* RSAPrivateKey (RFC 8017, A.1.2). */
static enum status rsa_private_add(EVP_PKEY *key, struct text *der, struct error *error)
{
    static const char *const numbers[] = {
        OSSL_PKEY_PARAM_RSA_N,         OSSL_PKEY_PARAM_RSA_E,
        OSSL_PKEY_PARAM_RSA_D,         OSSL_PKEY_PARAM_RSA_FACTOR1,
        OSSL_PKEY_PARAM_RSA_FACTOR2,   OSSL_PKEY_PARAM_RSA_EXPONENT1,
        OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
    };
    size_t begin = der->length;
    der_add_unsigned(der, NULL, 0); /* version two-prime(0) */
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        enum status status = number_add(key, numbers[i], der, error);
        if (status)
            return status;
    }
    der_wrap(der, begin, DER_SEQUENCE);
    return FINE;
}

/* ECPrivateKey (RFC 5915, 3). The curve stands in it only where nothing around it names the curve,
 * as OpenSSL does it and RFC 5958 allows. */
static void ec_private_lay_out(const unsigned char scalar[EC_SCALAR_BYTES],
                               const unsigned char point[EC_POINT_BYTES], bool with_curve,
                               struct text *der)
{
    size_t begin = der->length;
    der_add_unsigned(der, (const unsigned char[]){1}, 1);
    der_add(der, DER_OCTET_STRING, scalar, EC_SCALAR_BYTES);
    if (with_curve)
        der_add(der, DER_CONSTRUCTED_0, ec_algorithm + EC_CURVE_OFFSET,
                sizeof ec_algorithm - EC_CURVE_OFFSET);
    size_t public = der->length;
    der_add_bits(der, point, EC_POINT_BYTES);
    der_wrap(der, public, DER_CONSTRUCTED_1);
    der_wrap(der, begin, DER_SEQUENCE);
}

static enum status ec_private_add(EVP_PKEY *key, bool with_curve, struct text *der,
                                  struct error *error)
{
    unsigned char scalar[EC_SCALAR_BYTES], point[EC_POINT_BYTES];
    BIGNUM *number = NULL;
    enum status status = point_read(key, point, error);
    if (status)
        return status;
    if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &number) &&
        BN_bn2binpad(number, scalar, sizeof scalar) == sizeof scalar)
        ec_private_lay_out(scalar, point, with_curve, der);
    else
        status = fail_openssl(error, REFUSED, "cannot read the private number of the key");
    OPENSSL_cleanse(scalar, sizeof scalar);
    BN_clear_free(number);
    return status;
}

/* PrivateKeyInfo (RFC 5208, 5): the layout of the algorithm's own, in an envelope. */
static enum status pkcs8_add(EVP_PKEY *key, enum key_algorithm algorithm, struct text *der,
                             struct error *error)
{
    bool ec = algorithm == KEY_EC_P256;
    size_t begin = der->length;
    der_add_unsigned(der, NULL, 0); /* version v1(0) */
    if (ec)
        text_add(der, ec_algorithm, sizeof ec_algorithm);
    else
        text_add(der, rsa_algorithm, sizeof rsa_algorithm);
    size_t inner = der->length;
    enum status status =
        ec ? ec_private_add(key, false, der, error) : rsa_private_add(key, der, error);
    if (status)
        return status;
    der_wrap(der, inner, DER_OCTET_STRING);
    der_wrap(der, begin, DER_SEQUENCE);
    return FINE;
}

static enum status private_add(EVP_PKEY *key, enum key_encoding encoding, struct text *der,
                               struct error *error)
{
    enum key_algorithm algorithm = KEY_RSA_2048;
    enum status status = key_algorithm_of(key, &algorithm, error);
    if (status)
        return status;
    /* The room for all of it, so that no copy is left behind: n and d of full size, five numbers of
     * half the size, and the heads. */
    text_reserve(der, 5 * (size_t)EVP_PKEY_get_size(key) + 256);
    if (encoding == KEY_PKCS8)
        return pkcs8_add(key, algorithm, der, error);
    if (encoding == KEY_PKCS1 && algorithm == KEY_RSA_2048)
        return rsa_private_add(key, der, error);
    if (encoding == KEY_SEC1 && algorithm == KEY_EC_P256)
        return ec_private_add(key, true, der, error);
    return fail(error, REFUSED, "an %s key has no form \"%s\"", key_algorithm_title(algorithm),
                encodings[encoding]);
}

enum status key_to_der(EVP_PKEY *key, enum key_encoding encoding, struct secret *der,
                       struct error *error)
{
    struct text bytes = {0};
    enum status status = private_add(key, encoding, &bytes, error);
    if (!status)
        *der = secret_copy(text_string(&bytes), bytes.length);
    text_wipe(&bytes);
    return status;
}

enum status key_to_pem(EVP_PKEY *key, struct secret *pem, struct error *error)
{
    secret_owned struct secret der = {0};
    struct text lines = {0};
    enum status status = key_to_der(key, KEY_PKCS8, &der, error);
    if (status)
        return status;
    der_to_pem("PRIVATE KEY", der.at, der.length, &lines);
    *pem = secret_copy(text_string(&lines), lines.length);
    text_wipe(&lines);
    return FINE;
}

/* An encrypted key is an error here; without this, OpenSSL would ask the terminal for a password.
 */
static int no_password(char *buffer, int size, int writing, void *data)
{
    (void)buffer, (void)size, (void)writing, (void)data;
    return -1;
}

enum status key_from_pem(const struct secret *pem, EVP_PKEY **key, struct error *error)
{
    if (!pem->at || pem->length > INT_MAX)
        return fail(error, WRONG_INPUT, "there is no private key");
    BIO *reader = BIO_new_mem_buf(pem->at, (int)pem->length); /* reads in place, copies nothing */
    EVP_PKEY *read = reader ? PEM_read_bio_PrivateKey(reader, NULL, no_password, NULL) : NULL;
    BIO_free(reader);
    if (!read)
        return fail_openssl(error, WRONG_INPUT, "there is no private key that can be read");
    *key = read;
    return FINE;
}

/* The key of a point on P-256. Copying the parameters is three times quicker than building a key
 * from its parts, which looks the curve up by name. NULL when the point is not on the curve. */
static EVP_PKEY *p256_from_point(struct der_view point)
{
    EVP_PKEY *parameters = p256_parameters();
    EVP_PKEY *key = parameters ? EVP_PKEY_dup(parameters) : NULL;
    if (key && EVP_PKEY_set1_encoded_public_key(key, point.at, point.length) > 0)
        return key;
    EVP_PKEY_free(key);
    return NULL;
}

/* The point of an info that says EC P-256; uncompressed, or it is left to OpenSSL. */
static bool p256_point(struct der_view info, struct der_view *point)
{
    struct der_view parts, algorithm;
    struct der_view wanted = {ec_algorithm, sizeof ec_algorithm};
    return der_next(&info, DER_SEQUENCE, NULL, &parts) && info.length == 0 &&
           der_next(&parts, DER_SEQUENCE, &algorithm, NULL) && der_equal(algorithm, wanted) &&
           der_next_bits(&parts, point) && parts.length == 0 && point->length == EC_POINT_BYTES;
}

enum status key_info_read(struct der_view info, EVP_PKEY **key, struct error *error)
{
    struct der_view point;
    const unsigned char *at = info.at;
    enum key_algorithm algorithm = KEY_RSA_2048;
    EVP_PKEY *read = p256_point(info, &point) ? p256_from_point(point)
                                              : d2i_PUBKEY(NULL, &at, (long)info.length);
    if (!read)
        return fail_openssl(error, WRONG_INPUT, "the public key is broken");
    if (key_algorithm_of(read, &algorithm, error)) {
        EVP_PKEY_free(read);
        return error->status = WRONG_INPUT;
    }
    *key = read;
    return FINE;
}

enum status key_signature_algorithm(EVP_PKEY *key, struct der_view *algorithm, struct error *error)
{
    enum key_algorithm kind = KEY_RSA_2048;
    enum status status = key_algorithm_of(key, &kind, error);
    if (status)
        return status;
    *algorithm = kind == KEY_EC_P256 ? (struct der_view){ec_signature, sizeof ec_signature}
                                     : (struct der_view){rsa_signature, sizeof rsa_signature};
    return FINE;
}

enum status key_seal(EVP_PKEY *key, struct text *der, size_t begin, struct error *error)
{
    unsigned char signature[LARGEST_DIGEST_SIGNATURE];
    size_t length = sizeof signature;
    struct der_view algorithm;
    enum status status = key_signature_algorithm(key, &algorithm, error);
    if (status)
        return status;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context && EVP_DigestSignInit(context, NULL, digest_sha256(), NULL, key) > 0 &&
        EVP_DigestSign(context, signature, &length, (const unsigned char *)der->at + begin,
                       der->length - begin) > 0) {
        der_add_view(der, algorithm);
        der_add_bits(der, signature, length);
        der_wrap(der, begin, DER_SEQUENCE);
    } else {
        status = fail_openssl(error, REFUSED, "cannot sign");
    }
    EVP_MD_CTX_free(context);
    return status;
}
