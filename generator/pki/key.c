/* Private keys: made, written and read by OpenSSL.
 *
 * OpenSSL 3.0 looks up its encoders for each call, which takes 50 us. A thing's key is written in
 * two forms, and making the thing takes about 850 us of CPU time. */
#include "pki_internal.h"

#include "common/base/files.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/encoder.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <string.h>

static const struct {
    const char *name, *title;
} algorithms[] = {
    [KEY_RSA_2048] = {"rsa-2048", "RSA-2048"},
    [KEY_EC_P256] = {"ec-p256", "EC P-256"},
};

/* structure: what OpenSSL calls the encoding. It has an encoder for RSA keys and PKCS1, and one for
 * EC keys and X9.62, but none for the opposite. */
static const struct {
    const char *name, *structure;
} encodings[] = {
    [KEY_PKCS1] = {"pkcs1", "PKCS1"},
    [KEY_SEC1] = {"sec1", "X9.62"},
    [KEY_PKCS8] = {"pkcs8", "PrivateKeyInfo"},
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
        if (strcmp(name, encodings[i].name) == 0) {
            *encoding = (enum key_encoding)i;
            return true;
        }
    return false;
}

const char *key_algorithm_title(enum key_algorithm algorithm)
{
    return algorithms[algorithm].title;
}

enum status key_make(enum key_algorithm algorithm, EVP_PKEY **key, struct error *error)
{
    EVP_PKEY *made = algorithm == KEY_EC_P256 ? EVP_EC_gen(SN_X9_62_prime256v1) : EVP_RSA_gen(2048);
    if (!made)
        return openssl_fail(error, REFUSED, "cannot make an %s key",
                            key_algorithm_title(algorithm));
    *key = made;
    return FINE;
}

enum status key_digest(EVP_PKEY *key, char digest[KEY_DIGEST_TEXT], struct error *error)
{
    unsigned char *der = NULL;
    int length = i2d_PUBKEY(key, &der);
    if (length <= 0)
        return openssl_fail(error, REFUSED, "cannot write a public key");
    enum status status = openssl_sha256(der, (size_t)length, digest, error);
    OPENSSL_free(der);
    return status;
}

/* OpenSSL overwrites what it frees of a key, except for one copy that its encoders to PKCS1 and
 * X9.62 make. */
enum status key_to_der(EVP_PKEY *key, enum key_encoding encoding, struct secret *der,
                       struct error *error)
{
    unsigned char *bytes = NULL;
    size_t length = 0;
    enum status status = FINE;
    OSSL_ENCODER_CTX *encoder = OSSL_ENCODER_CTX_new_for_pkey(key, EVP_PKEY_KEYPAIR, "DER",
                                                              encodings[encoding].structure, NULL);
    if (encoder && OSSL_ENCODER_CTX_get_num_encoders(encoder) > 0 &&
        OSSL_ENCODER_to_data(encoder, &bytes, &length))
        *der = secret_copy((char *)bytes, length);
    else
        status = openssl_fail(error, REFUSED, "cannot write an %s key as %s",
                              EVP_PKEY_get0_type_name(key), encodings[encoding].name);
    OPENSSL_clear_free(bytes, length);
    OSSL_ENCODER_CTX_free(encoder);
    return status;
}

/* A memory BIO overwrites its bytes before it frees them. */
enum status key_to_pem(EVP_PKEY *key, struct secret *pem, struct error *error)
{
    BIO *memory = BIO_new(BIO_s_mem());
    char *bytes;
    enum status status = FINE;
    if (memory && PEM_write_bio_PKCS8PrivateKey(memory, key, NULL, NULL, 0, NULL, NULL) == 1) {
        long length = BIO_get_mem_data(memory, &bytes);
        *pem = secret_copy(bytes, (size_t)length);
    } else {
        status = openssl_fail(error, REFUSED, "cannot write a private key");
    }
    BIO_free(memory);
    return status;
}

/* Whether it is a key such as key_make() makes, except for the length of an RSA key. */
static bool is_known_kind(const EVP_PKEY *key)
{
    char curve[32];
    return EVP_PKEY_is_a(key, "RSA") ||
           (EVP_PKEY_is_a(key, "EC") &&
            EVP_PKEY_get_group_name(key, curve, sizeof curve, NULL) == 1 &&
            strcmp(curve, SN_X9_62_prime256v1) == 0);
}

enum status key_from_pem(const struct secret *pem, EVP_PKEY **key, struct error *error)
{
    BIO *reader = openssl_reader(pem->at, pem->length);
    EVP_PKEY *read =
        reader ? PEM_read_bio_PrivateKey(reader, NULL, openssl_no_password, NULL) : NULL;
    BIO_free(reader);
    if (read && is_known_kind(read)) {
        *key = read;
        return FINE;
    }
    openssl_fail(error, WRONG_INPUT,
                 read ? "the private key is neither RSA nor EC P-256"
                      : "there is no private key that can be read");
    EVP_PKEY_free(read);
    return WRONG_INPUT;
}

enum status key_read(const char *path, EVP_PKEY **key, struct error *error)
{
    secret_owned struct secret pem = {0};
    enum status status = read_secret(path, LARGEST_PEM, &pem, error);
    if (status)
        return status;
    status = key_from_pem(&pem, key, error);
    return status ? error_in(error, path) : FINE;
}
