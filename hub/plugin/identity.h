/* The identity of a connection, read from its certificate. The broker's TLS has verified that the
 * local authority signed it. So it has what `create` put into it: the name of the thing (CN), its
 * type (OU) and a serial number. */
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
    bool service;       /* it is the system's own client, not a thing */
};

/* False, with the reason in *why (static text): the certificate does not name a thing. */
bool identity_read(X509 *certificate, struct identity *identity, const char **why);

#endif
