/* Who a connection is: what its certificate says. The certificate was signed by the local authority
 * (the broker's TLS has checked that), so what is in it is what create put there: the thing's name
 * (CN), its type (OU), a serial number. */
#ifndef HUB_PLUGIN_IDENTITY_H
#define HUB_PLUGIN_IDENTITY_H

#include "common/base/valid.h"

#include <openssl/x509.h>
#include <stdbool.h>

struct identity {
    char thing[65];
    char type[65];
    char serial[41];    /* upper-case hexadecimal */
    char principal[65]; /* SHA-256 of the certificate, lower-case hexadecimal: AWS's id of one */
    bool service;
};

/* False, with why (static text), when it names no thing. */
bool identity_read(X509 *certificate, struct identity *identity, const char **why);

#endif
