#include "identity.h"
#include "common/base/hex.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

/* Reads a value of the subject. It must be there exactly once, and have no NUL. */
static bool subject_value(const X509_NAME *subject, int nid, char value[65])
{
    int at = X509_NAME_get_index_by_NID(subject, nid, -1);
    if (at < 0 || X509_NAME_get_index_by_NID(subject, nid, at) >= 0)
        return false;
    unsigned char *text = NULL;
    const ASN1_STRING *held = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
    int length = ASN1_STRING_to_UTF8(&text, held);
    bool fine = length > 0 && length <= 64 && strlen((const char *)text) == (size_t)length;
    if (fine)
        memcpy(value, text, (size_t)length + 1);
    OPENSSL_free(text);
    return fine;
}

static bool serial_read(const X509 *certificate, char serial[41])
{
    const ASN1_INTEGER *number = X509_get0_serialNumber(certificate);
    if (!number || number->length < 1 || number->length > 20)
        return false;
    hex_upper(number->data, (size_t)number->length, serial);
    return true;
}

/* Fetched once. X509_digest() with EVP_sha256() searches the providers for each connection. */
static const EVP_MD *sha256(void)
{
    static EVP_MD *found;
    if (!found)
        found = EVP_MD_fetch(NULL, "SHA256", NULL);
    return found ? found : EVP_sha256();
}

bool identity_read(X509 *certificate, struct identity *identity, const char **why)
{
    const X509_NAME *subject = X509_get_subject_name(certificate);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    *identity = (struct identity){0};
    *why = NULL;
    if (!subject_value(subject, NID_commonName, identity->thing) ||
        !subject_value(subject, NID_organizationalUnitName, identity->type))
        *why = "its certificate does not name a thing and its type";
    else if (!serial_read(certificate, identity->serial))
        *why = "its certificate has no serial number";
    else if (!X509_digest(certificate, sha256(), digest, &length) || length != 32)
        *why = "its certificate cannot be hashed";
    else
        hex_lower(digest, length, identity->principal);
    identity->service = strcmp(identity->type, SERVICE_UNIT) == 0;
    /* A policy variable is not escaped in a pattern: a name with "*" would match anything. */
    if (!*why && (!valid_thing_name(identity->thing) ||
                  (!identity->service && !valid_type_name(identity->type))))
        *why = "its certificate has a name that no thing can have";
    return !*why;
}
