/* The distinguished name of a certificate. */
#include "pki_internal.h"

#include <string.h>

/* Bytes. RFC 5280, A.1 (ub-common-name and others) counts characters, but the parsers of small TLS
 * libraries count bytes. */
enum { LONGEST_NAME = 64 };

static enum status attribute_put(X509_NAME *name, int attribute, const char *value,
                                 struct error *error)
{
    size_t length = strlen(value);
    if (length < 1 || length > LONGEST_NAME)
        return fail(error, WRONG_INPUT, "\"%s\" has %zu bytes; a certificate takes 1 to %d", value,
                    length, LONGEST_NAME);
    if (X509_NAME_add_entry_by_NID(name, attribute, MBSTRING_UTF8, (const unsigned char *)value,
                                   (int)length, -1, 0) != 1)
        return openssl_fail(error, WRONG_INPUT, "a name in a certificate must be UTF-8");
    return FINE;
}

enum status subject_put(const struct certificate_subject *subject, X509_NAME *name,
                        struct error *error)
{
    enum status status = FINE;
    if (subject->unit)
        status = attribute_put(name, NID_organizationalUnitName, subject->unit, error);
    if (!status)
        status = attribute_put(name, NID_commonName, subject->name, error);
    if (!status && subject->mark)
        status = attribute_put(name, NID_serialNumber, subject->mark, error);
    return status;
}
