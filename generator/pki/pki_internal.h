/* What the files of this folder share and nobody else needs. */
#ifndef GENERATOR_PKI_PKI_INTERNAL_H
#define GENERATOR_PKI_PKI_INTERNAL_H

#include "der.h"
#include "pki.h"

/* --- OpenSSL (openssl.c) --- */

/* As fail(), with ": " and OpenSSL's first reason behind the message, if it gave one; empties its
 * queue, so that the next failure does not report this one. */
enum status fail_openssl(struct error *error, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Digests, looked up once in the life of the process: a look-up by name in OpenSSL 3.0 takes locks
 * and compares strings. Immutable, so they survive fork(). NULL when the library has none. */
const EVP_MD *digest_sha256(void);
const EVP_MD *digest_sha1(void); /* for key identifiers only */

/* --- keys (key.c) --- */

/* Appends the SubjectPublicKeyInfo (RFC 5280, 4.1.2.7). */
enum status key_info_add(EVP_PKEY *key, struct text *der, struct error *error);

/* The key in a SubjectPublicKeyInfo; WRONG_INPUT unless it is RSA or EC P-256. */
enum status key_info_read(struct der_view info, EVP_PKEY **key, struct error *error);

/* The AlgorithmIdentifier of this key's signatures with SHA-256 (RFC 4055, 5; RFC 5758, 3.2). */
enum status key_signature_algorithm(EVP_PKEY *key, struct der_view *algorithm, struct error *error);

/* Signs what der holds from offset begin, appends algorithm and signature, and makes one SEQUENCE
 * of the three: the frame that requests and certificates have in common. */
enum status key_seal(EVP_PKEY *key, struct text *der, size_t begin, struct error *error);

/* --- requests (request.c) --- */

/* Appends the distinguished name OU=unit, CN=name; no OU when unit is NULL. WRONG_INPUT when one of
 * them is empty, longer than 64 bytes or no UTF-8. */
enum status name_add(struct text *der, const char *unit, const char *name, const char *mark,
                     struct error *error);

/* Subject and SubjectPublicKeyInfo of a request that is well formed, as views into der; else
 * WRONG_INPUT. request_check() also wants it to be signed by its own key, long enough and with
 * SHA-256. */
enum status request_read(struct der_view der, struct der_view *subject, struct der_view *key_info,
                         struct error *error);
enum status request_check(struct der_view der, struct der_view *subject, struct der_view *key_info,
                          struct error *error);

/* --- certificates (certificate.c, server.c) --- */

enum { LONGEST_SERIAL = 20 /* bytes; RFC 5280, 4.1.2.2 */ };

/* The bytes of a serial number in hexadecimal; WRONG_INPUT unless it is whole bytes, not zero and
 * at most LONGEST_SERIAL of them. */
enum status serial_read(const char *serial, unsigned char bytes[LONGEST_SERIAL], size_t *length,
                        struct error *error);

bool time_read(const ASN1_TIME *from, time_t *time);

/* All that tells one certificate from another. */
struct certificate_plan {
    const char *serial;
    struct der_view issuer, subject;  /* distinguished names */
    struct der_view key_info;         /* SubjectPublicKeyInfo */
    struct der_view authority_key_id; /* no bytes: the same as its own, for a self-signed one */
    struct der_view names;            /* of a server (GeneralNames); no bytes: it is for a client */
    time_t not_before, not_after;
    bool authority; /* may sign certificates and revocation lists */
};

/* Appends GeneralNames (RFC 5280, 4.2.1.6) with these DNS names and addresses. */
void names_add(struct text *der, const char *const *names, size_t count);

enum status certificate_build(const struct certificate_plan *plan, EVP_PKEY *signer,
                              struct text *der, struct error *error);

#endif
