/* Keys, certificates, signing requests and revocation lists, through OpenSSL's interfaces.
 *
 * Keys are made on this machine for either target; certificates are signed here only by the local
 * authority. Binary forms are DER, text forms PEM (RFC 7468). The caller frees what it gets: keys
 * with EVP_PKEY_free(), certificates with X509_free(), texts with text_free(), secrets with
 * secret_free(). Functions that take a `struct text *` append to it, and only when they succeed.
 * Errors are REFUSED, with OpenSSL's reason, unless stated. Nothing here prints or writes files. */
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

/* How a board's TLS library wants the private key: axTLS (ESP8266) takes PKCS#1 only, mbedTLS takes
 * all three. */
enum key_encoding { KEY_PKCS1 /* RSA: RFC 8017, A.1.2 */, KEY_SEC1 /* EC: RFC 5915 */, KEY_PKCS8 };

enum { KEY_DIGEST_TEXT = 65 /* bytes: SHA-256 in hexadecimal digits, and a NUL */ };

/* "rsa-2048" / "ec-p256", "pkcs1" / "sec1" / "pkcs8"; false when there is no such name. */
bool key_algorithm_named(const char *name, enum key_algorithm *algorithm);
bool key_encoding_named(const char *name, enum key_encoding *encoding);
const char *key_algorithm_title(enum key_algorithm algorithm); /* "RSA-2048", "EC P-256" */

enum status key_make(enum key_algorithm algorithm, EVP_PKEY **key, struct error *error);

/* SHA-256 of the public key (SubjectPublicKeyInfo, DER) in lower-case hexadecimal. */
enum status key_digest(EVP_PKEY *key, char digest[KEY_DIGEST_TEXT], struct error *error);

/* PKCS#8, unencrypted. */
enum status key_to_pem(EVP_PKEY *key, struct secret *pem, struct error *error);

/* REFUSED where a key of this algorithm has no such encoding. */
enum status key_to_der(EVP_PKEY *key, enum key_encoding encoding, struct secret *der,
                       struct error *error);

/* WRONG_INPUT unless the PEM holds an unencrypted private key, either RSA or EC P-256. */
enum status key_from_pem(const struct secret *pem, EVP_PKEY **key, struct error *error);

/* The same from a file, which the message names; also WRONG_INPUT when it is missing. */
enum status key_read(const char *path, EVP_PKEY **key, struct error *error);

/* --- digests (openssl.c) --- */

/* SHA-256 of the bytes in lower-case hexadecimal and a NUL. */
enum status openssl_sha256(const void *bytes, size_t length, char hexadecimal[65],
                           struct error *error);

/* --- serial numbers (serial.c) --- */

enum {
    SERIAL_BYTES = 16,                    /* of those that are made here */
    LONGEST_SERIAL = 20,                  /* bytes, of anybody's (RFC 5280, 4.1.2.2) */
    SERIAL_TEXT = 2 * LONGEST_SERIAL + 1, /* room for one in hexadecimal digits, and a NUL */
};

/* A new serial number: 128 random bits, of which the first eight are not all zero. */
enum status serial_make(char serial[SERIAL_TEXT], struct error *error);

/* --- whom a certificate names (subject.c) --- */

/* The distinguished name that a request asks for and a certificate has, and the key that belongs to
 * it. Each text is 1 to 64 bytes of UTF-8; another one is WRONG_INPUT wherever it is used. */
struct certificate_subject {
    EVP_PKEY *key;    /* private and public */
    const char *unit; /* OU: the type of a thing, or what a program does; NULL: none */
    const char *name; /* CN: the name of the thing, system or program */
    const char *mark; /* serialNumber: hexadecimal digits by which an enrolment is found again in an
                         account (SERIAL_TEXT); NULL: none */
};

/* --- certificate signing requests (request.c) --- */

/* A certificate signing request (RFC 2986) for an authority elsewhere, signed with the subject's
 * key and SHA-256. PEM. */
enum status request_make(const struct certificate_subject *subject, struct text *pem,
                         struct error *error);

/* --- certificates (certificate.c) --- */

/* What is shown and recorded of a certificate. */
struct certificate_facts {
    char serial[SERIAL_TEXT]; /* upper-case hexadecimal without separators, as openssl prints it */
    char fingerprint[65];     /* SHA-256 of the DER, lower-case hexadecimal */
    time_t not_before, not_after; /* UTC, seconds since 1970 */
};

/* The first certificate of a PEM text; WRONG_INPUT when there is none, or it is broken. */
enum status certificate_from_pem(const char *pem, size_t length, X509 **certificate,
                                 struct error *error);

/* The same from a file, which the message names; also WRONG_INPUT when it is missing. */
enum status certificate_read(const char *path, X509 **certificate, struct error *error);

enum status certificate_to_pem(const X509 *certificate, struct text *pem, struct error *error);
enum status certificate_to_der(const X509 *certificate, struct text *der, struct error *error);

/* WRONG_INPUT where its serial number or its dates are none that RFC 5280 allows. */
enum status certificate_describe(const X509 *certificate, struct certificate_facts *facts,
                                 struct error *error);

/* The serialNumber in its subject (certificate_subject.mark); false when there is none. */
bool certificate_mark(const X509 *certificate, char mark[SERIAL_TEXT]);

/* key_digest() of the key that a certificate is for. */
enum status certificate_key_digest(const X509 *certificate, char digest[KEY_DIGEST_TEXT],
                                   struct error *error);

/* --- the local authority (authority.c) --- */

struct authority {
    EVP_PKEY *key;
    X509 *certificate;
};

void authority_free(struct authority *authority); /* {0} is fine */

/* A new authority: RSA-2048 and SHA-256 (axTLS knows nothing else), CN=common_name, CA with path
 * length 0, usage keyCertSign and cRLSign, valid from an hour before now for years. WRONG_INPUT
 * where the name is none that a subject can have, or years is below 1. */
enum status authority_make(const char *common_name, int years, struct authority *made,
                           struct error *error);

/* WRONG_INPUT when key and certificate do not belong together, or the certificate is not that of an
 * authority. The functions below are for authorities that passed this. */
enum status authority_check(const struct authority *authority, struct error *error);

/* REFUSED where this machine's clock is before the authority's first day, or past its last one. */
enum status authority_check_valid(const struct authority *authority, struct error *error);

/* A certificate for a client: CA:FALSE, usage digitalSignature, extended usage clientAuth only,
 * subject and authority key identifiers; valid from an hour before now for years, and never past
 * the authority's own end. serial: hexadecimal digits of 1 to LONGEST_SERIAL whole bytes, not zero
 * (WRONG_INPUT). Errors of authority_check_valid(). */
enum status authority_sign(const struct authority *authority,
                           const struct certificate_subject *subject, const char *serial, int years,
                           X509 **certificate, struct error *error);

/* As authority_sign(), for a server of these names (at least one; DNS names, IPv4 and IPv6
 * addresses): usage digitalSignature and keyEncipherment, extended usage serverAuth only. */
enum status authority_sign_server(const struct authority *authority,
                                  const struct certificate_subject *subject, const char *serial,
                                  int years, const char *const *names, size_t count,
                                  X509 **certificate, struct error *error);

/* --- a server's names (server.c) --- */

/* Whether a certificate is of this key, signed by the authority, good for as many seconds more, and
 * one of a server of all these names. */
bool server_fits(const struct authority *authority, X509 *certificate, EVP_PKEY *key,
                 const char *const *names, size_t count, double seconds);

/* --- the authority's revocation list (revocation.c; RFC 5280, 5) --- */

/* A list is PEM and valid as long as the authority. It has each serial once, without a reason
 * (which says "unspecified"), and a number that is higher than that of every list before it. */

/* A list of these serials (there may be none) that follows on no other: for a new authority, and in
 * the place of a list that was lost. Its number is the milliseconds since 1970, so it is also above
 * the number of the lost one. */
enum status revocation_begin(const struct authority *authority, const char *const *serials,
                             size_t count, struct text *pem, struct error *error);

/* The old list and these serials besides; its number is one higher than the old one's. *added
 * counts the serials that the old list did not have. WRONG_INPUT when the old list is broken, has
 * no number or is signed by another authority. */
enum status revocation_extend(const struct authority *authority, const char *old_pem, size_t length,
                              const char *const *serials, size_t count, struct text *pem,
                              size_t *added, struct error *error);

/* Calls listed() with each serial of a list, in the list's order and as certificate_facts have it.
 * WRONG_INPUT as revocation_extend(). */
enum status revocation_each(const struct authority *authority, const char *pem, size_t length,
                            void (*listed)(void *context, const char *serial), void *context,
                            struct error *error);

#endif
