/* The key and the certificate of a thing as PEM files, key.pem and cert.pem in its folder; during a
 * rotation also next-key.pem and next-cert.pem. */
#ifndef GENERATOR_THING_PEM_H
#define GENERATOR_THING_PEM_H

#include "common/base/files.h"
#include "generator/pki/pki.h"

#include <openssl/evp.h>

/* Reads the key from the file, or makes a new one where there is no file. A new key is not
 * written. */
enum status pem_find_key(enum key_algorithm algorithm, const char *path, EVP_PKEY **key,
                         struct error *error);

/* Reads the certificate in the file; freed with X509_free(). *certificate is NULL where it has
 * another serial number than this one. WRONG_INPUT when the file holds none. */
enum status pem_read_certificate(const char *path, const char *serial, X509 **certificate,
                                 struct error *error);

/* Stages both files, in this order: the key, then the certificate. */
enum status pem_stage(struct batch *batch, const char *key_path, EVP_PKEY *key,
                      const char *certificate_path, const X509 *certificate, struct error *error);

#endif
