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

/* Makes a new key, freed with EVP_PKEY_free(). */
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

/* Makes a serial number of 128 random bits. Its first byte is not zero, so that every program
 * prints it with 32 digits. */
enum status serial_make(char serial[SERIAL_TEXT], struct error *error);

/* --- subjects (subject.c) --- */

/* The distinguished name in a certificate or in a request, and the key that belongs to it. Each
 * text has 1 to 64 bytes of UTF-8; functions that take a subject return WRONG_INPUT otherwise. */
struct certificate_subject {
    EVP_PKEY *key;    /* the private key; the certificate gets its public part */
    const char *unit; /* OU: the type of the thing, or the role of a program; may be NULL */
    const char *name; /* CN: the name of the thing, the system or the program */
    const char *mark; /* serialNumber: a serial_make() by which an enrolment is found again where
                         another authority chooses the serial numbers; may be NULL */
};

/* --- certificate signing requests (request.c) --- */

/* Makes a request (RFC 2986) for another authority, signed with the subject's key and SHA-256. */
enum status request_make(const struct certificate_subject *subject, struct text *pem,
                         struct error *error);

/* --- certificates (certificate.c) --- */

/* What is shown and recorded of a certificate. */
struct certificate_facts {
    char serial[SERIAL_TEXT]; /* upper-case hexadecimal without separators, as openssl prints it */
    char fingerprint[65];     /* SHA-256 of the DER, lower-case hexadecimal */
    time_t not_before, not_after; /* UTC, seconds since 1970 */
};

/* Reads the first certificate of a PEM text. WRONG_INPUT when there is none, or it is broken. */
enum status certificate_from_pem(const char *pem, size_t length, X509 **certificate,
                                 struct error *error);

/* The same from a file, which the message names; also WRONG_INPUT when it is missing. */
enum status certificate_read(const char *path, X509 **certificate, struct error *error);

/* Add the certificate to the end of a text. */
enum status certificate_to_pem(const X509 *certificate, struct text *pem, struct error *error);
enum status certificate_to_der(const X509 *certificate, struct text *der, struct error *error);

/* WRONG_INPUT when its serial number or its dates are not as RFC 5280 demands. */
enum status certificate_describe(const X509 *certificate, struct certificate_facts *facts,
                                 struct error *error);

/* Copies certificate_subject.mark from the certificate's subject. False when it has none. */
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

/* Makes an authority: RSA-2048 and SHA-256 (axTLS has nothing else), CN=common_name, CA with path
 * length 0, usage keyCertSign and cRLSign, valid from an hour ago for years. WRONG_INPUT when
 * the name cannot be that of a subject, or years is below 1. */
enum status authority_make(const char *common_name, int years, struct authority *made,
                           struct error *error);

/* WRONG_INPUT when key and certificate do not belong together, or the certificate is not that of an
 * authority. The functions below are for authorities that passed this. */
enum status authority_check(const struct authority *authority, struct error *error);

/* REFUSED when the authority is not valid yet, or not any more, by the clock of this machine. The
 * message says both times. */
enum status authority_check_valid(const struct authority *authority, struct error *error);

/* Makes a certificate for a client: CA:FALSE, usage digitalSignature, extended usage clientAuth,
 * subject and authority key identifiers. It is valid from an hour ago for years, but not longer
 * than the authority. serial: hexadecimal digits of 1 to LONGEST_SERIAL whole bytes, not zero;
 * otherwise WRONG_INPUT. Errors also of authority_check_valid(). */
enum status authority_sign(const struct authority *authority,
                           const struct certificate_subject *subject, const char *serial, int years,
                           X509 **certificate, struct error *error);

/* As authority_sign(), but for a server with these names (at least one; DNS names, IPv4 and IPv6
 * addresses): usage digitalSignature and keyEncipherment, extended usage serverAuth. */
enum status authority_sign_server(const struct authority *authority,
                                  const struct certificate_subject *subject, const char *serial,
                                  int years, const char *const *names, size_t count,
                                  X509 **certificate, struct error *error);

/* Whether the certificate names this authority's key as the one that signed it (RFC 5280, 4.2.1.1). The
 * signature is not looked at. */
bool authority_issued(const struct authority *authority, X509 *certificate);

/* --- a server's names (server.c) --- */

/* Whether the certificate is for this key, was signed by the authority, is valid for so many
 * seconds more, and has all these names (there may be none). */
bool server_fits(const struct authority *authority, X509 *certificate, EVP_PKEY *key,
                 const char *const *names, size_t count, double seconds);

/* --- the authority's revocation list (revocation.c; RFC 5280, 5) --- */

/* A list is valid as long as the authority. It holds each serial once, without a reason (which
 * means "unspecified"). Its number is higher than the number of every list before it. */

/* Makes the first list of an authority, or one in the place of a list that was lost, with these
 * serials (there may be none). Its number is the time in milliseconds since 1970. The lost list had
 * a lower one: it began at an earlier time, and no list is made in less than a millisecond. */
enum status revocation_begin(const struct authority *authority, const char *const *serials,
                             size_t count, struct text *pem, struct error *error);

/* Makes a list with the serials of the old one and these, and the next number. *added counts the
 * serials that the old list did not have. WRONG_INPUT when the old list is broken, has no number or
 * was not signed by this authority. */
enum status revocation_extend(const struct authority *authority, const char *old_pem, size_t length,
                              const char *const *serials, size_t count, struct text *pem,
                              size_t *added, struct error *error);

/* Calls listed() for each serial of a list, in the order of the list. A serial is written as in
 * struct certificate_facts. Errors as revocation_extend(). */
enum status revocation_each(const struct authority *authority, const char *pem, size_t length,
                            void (*listed)(void *context, const char *serial), void *context,
                            struct error *error);

#endif
