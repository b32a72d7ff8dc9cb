/* Shared by the files of this folder; not for other rooms. */
#ifndef GENERATOR_PKI_PKI_INTERNAL_H
#define GENERATOR_PKI_PKI_INTERNAL_H

#include "pki.h"

enum { LARGEST_PEM = 1 << 16 /* bytes of a file with a key or a certificate */ };

/* --- OpenSSL (openssl.c) --- */

/* As fail(), with ": " and OpenSSL's first reason behind the message where it gave one. Empties
 * OpenSSL's queue of errors, so that the next failure does not report this one. */
enum status openssl_fail(struct error *error, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A BIO that reads these bytes where they are; NULL when there are none or too many. */
BIO *openssl_reader(const char *bytes, size_t length);

/* A pem_password_cb that gives no password, so that encrypted PEM cannot be read. Without a
 * callback OpenSSL asks for a password on the terminal. */
int openssl_no_password(char *buffer, int size, int writing, void *data);

/* Appends what was written into a memory BIO. */
void openssl_take(BIO *memory, struct text *text);

/* --- subjects (subject.c) --- */

/* Writes the subject's distinguished name into an empty one. */
enum status subject_put(const struct certificate_subject *subject, X509_NAME *name,
                        struct error *error);

/* --- serial numbers (serial.c) --- */

/* Reads hexadecimal digits; freed with ASN1_INTEGER_free(). WRONG_INPUT unless they are whole
 * bytes, at most LONGEST_SERIAL, and not zero. */
enum status serial_from_text(const char *text, ASN1_INTEGER **serial, struct error *error);

/* Writes a number as upper-case hexadecimal digits. False when it is negative or too long. */
bool serial_to_text(const ASN1_INTEGER *serial, char text[SERIAL_TEXT]);

/* --- times (certificate.c) --- */

/* Seconds since 1970. False when it is no time. */
bool certificate_time(const ASN1_TIME *from, time_t *time);

/* --- a server's names (server.c) --- */

/* Adds the extension subjectAltName (RFC 5280, 4.2.1.6) with these names and addresses. False when
 * OpenSSL refuses. */
bool server_put_names(const char *const *names, size_t count, X509 *certificate);

#endif
