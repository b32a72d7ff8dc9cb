/* Keys, signing requests, certificates and revocation lists: one documented OpenSSL job a function.
 *
 * Keys and requests are made on this machine for either target; certificates are signed here only
 * by the local authority. Binary forms are DER, text forms PEM (RFC 7468). Secrets come back as
 * `struct secret`, the rest as `struct text`; the caller frees both. Errors are REFUSED with
 * OpenSSL's reason unless stated. Nothing here prints, reads or writes files. */
#ifndef GENERATOR_PKI_PKI_H
#define GENERATOR_PKI_PKI_H

#include "common/base/error.h"
#include "common/base/secret.h"
#include "common/base/text.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <time.h>

/* --- keys (key.c) --- */

enum key_algorithm { KEY_RSA_2048, KEY_EC_P256 };

/* How a board's TLS stack wants the key's DER: axTLS (ESP8266) takes PKCS#1 only; mbedTLS takes
 * all. */
enum key_encoding { KEY_PKCS1 /* RSA: RFC 8017, A.1.2 */, KEY_SEC1 /* EC: RFC 5915 */, KEY_PKCS8 };

/* "rsa-2048" / "ec-p256", "pkcs1" / "sec1" / "pkcs8"; false when there is no such name. */
bool key_algorithm_named(const char *name, enum key_algorithm *algorithm);
bool key_encoding_named(const char *name, enum key_encoding *encoding);
const char *key_algorithm_title(enum key_algorithm algorithm); /* "RSA-2048", "EC P-256" */

enum status key_make(enum key_algorithm algorithm, EVP_PKEY **key, struct error *error);
/* SHA-256 of the public key (SubjectPublicKeyInfo, DER) in lower-case hexadecimal and a NUL. */
enum status key_digest(EVP_PKEY *key, char hexadecimal[65], struct error *error);
enum status key_to_pem(EVP_PKEY *key, struct secret *pem,
                       struct error *error); /* PKCS#8, unencrypted */
enum status key_to_der(EVP_PKEY *key, enum key_encoding encoding, struct secret *der,
                       struct error *error);
/* WRONG_INPUT when the PEM holds no private key. The caller frees with EVP_PKEY_free(). */
enum status key_from_pem(const struct secret *pem, EVP_PKEY **key, struct error *error);

/* --- digests (openssl.c) --- */

/* SHA-256 of the bytes in lower-case hexadecimal and a NUL. */
enum status sha256_hex(const void *bytes, size_t length, char hexadecimal[65], struct error *error);

/* --- PEM <-> DER (encode.c) --- */

/* Base64 between the lines of RFC 7468; label is "CERTIFICATE", "CERTIFICATE REQUEST", "X509 CRL".
 */
void der_to_pem(const char *label, const char *der, size_t length, struct text *pem);
/* The bytes of the first block with this label; WRONG_INPUT when there is none or it is broken. */
enum status pem_to_der(const char *label, const char *pem, size_t length, struct text *der,
                       struct error *error);

/* --- certificate signing requests (request.c) --- */

/* Subject OU=unit, CN=name and, unless it is NULL, serialNumber=mark (hexadecimal digits); signed
 * with the key and SHA-256 (RFC 2986). DER out. WRONG_INPUT when a name is empty, longer than 64
 * bytes or not UTF-8. */
enum status request_make(EVP_PKEY *key, const char *unit, const char *name, const char *mark,
                         struct text *der, struct error *error);

/* --- certificates (certificate.c) --- */

enum { SERIAL_BYTES = 16 };

/* What a person wants to know of a certificate. */
struct certificate_facts {
    char serial[2 * 20 + 1];      /* hexadecimal, upper case, no separators, as openssl prints it;
                                     others' serials go up to 20 bytes (RFC 5280, 4.1.2.2) */
    char fingerprint[65];         /* SHA-256 of the DER, lower-case hexadecimal */
    time_t not_before, not_after; /* UTC, seconds since 1970 */
};

/* 128 random bits as SERIAL_BYTES*2 upper-case hexadecimal digits and a NUL; never zero. */
enum status serial_make(char serial[2 * SERIAL_BYTES + 1], struct error *error);

/* The subject's serialNumber: what request_make() was given as mark. False when there is none. */
bool certificate_mark(const char *der, size_t length, char mark[2 * SERIAL_BYTES + 1]);

/* The key_digest() of the key that a certificate is for; false when it cannot be read. */
bool certificate_key(const char *der, size_t length, char digest[65]);

/* WRONG_INPUT when der is no certificate. */
enum status certificate_read(const char *der, size_t length, struct certificate_facts *facts,
                             struct error *error);

/* --- the local authority (authority.c) --- */

struct authority {
    EVP_PKEY *key;
    X509 *certificate;
};

void authority_free(struct authority *authority); /* {0} is fine */

/* A new authority: RSA-2048, SHA-256 (axTLS knows nothing else), CN=common_name, CA with path
 * length 0, usage keyCertSign + cRLSign, valid from an hour before now for years. WRONG_INPUT as
 * request_make(). */
enum status authority_make(const char *common_name, int years, struct authority *made,
                           struct error *error);

/* From its two PEM files' contents; WRONG_INPUT when either is broken or they do not belong
 * together. */
enum status authority_load(const struct secret *key_pem, const char *certificate_pem, size_t length,
                           struct authority *loaded, struct error *error);

enum status authority_certificate_pem(const struct authority *authority, struct text *pem,
                                      struct error *error);
enum status authority_certificate_der(const struct authority *authority, struct text *der,
                                      struct error *error);

/* Checks the request's own signature and signs a client certificate for it: subject of the request,
 * CA:FALSE, usage digitalSignature, extended usage clientAuth only, subject and authority key
 * identifiers, given serial (from serial_make()), from an hour before now for years, never past the
 * authority's own end. WRONG_INPUT when the request is broken or not signed by its own key. DER
 * out. */
enum status authority_sign(const struct authority *authority, const char *request_der,
                           size_t length, const char *serial, int years,
                           struct text *certificate_der, struct error *error);

/* As authority_sign(), for a request that this very process has just made with request_make(): that
 * it is signed by its own key is not checked again, which would cost as much as half the
 * authority's signature. Never for a request that came from anywhere else. */
enum status authority_sign_own(const struct authority *authority, const char *request_der,
                               size_t length, const char *serial, int years,
                               struct text *certificate_der, struct error *error);

/* As authority_sign_own(), a certificate for a server of these names (at least one; DNS names, IPv4
 * and IPv6 addresses): usage digitalSignature and keyEncipherment, extended usage serverAuth only.
 */
enum status authority_sign_server(const struct authority *authority, const char *request_der,
                                  size_t length, const char *serial, int years,
                                  const char *const *names, size_t count,
                                  struct text *certificate_der, struct error *error);

/* Whether a certificate (DER) is of this key, signed by the authority, good for as many seconds
 * more, and, where there are names, a server's of all of them (server.c). */
bool certificate_serves(const struct authority *authority, const char *der, size_t length,
                        EVP_PKEY *key, const char *const *names, size_t count, double seconds);

/* A revocation list (RFC 5280, 5) with the serials of `old_pem` (may be empty: none) and those
 * given, each once, reason unspecified; its number one higher than the old one's; valid as long as
 * the authority. PEM out. *added (may be NULL) counts serials that were not in the old list.
 * WRONG_INPUT when the old list is broken or signed by another authority. */
enum status authority_revoke(const struct authority *authority, const char *old_pem, size_t length,
                             const char *const *serials, size_t count, struct text *pem,
                             size_t *added, struct error *error);

#endif
