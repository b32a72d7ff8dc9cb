/* Signature Version 4 (IAM user guide, "Create a signed AWS API request"), over OpenSSL's HMAC.
 *
 * The path is escaped once more in the canonical request (all services but S3), query parameters
 * are sorted by their escaped names, then values. libcurl's own signer does neither (7.88). */
#ifndef AWS_SIGN_H
#define AWS_SIGN_H

#include "common/base/error.h"
#include "common/base/secret.h"
#include "common/base/text.h"

#include <stddef.h>
#include <time.h>

struct sign_request {
    const char *method;
    const char *path;           /* as on the wire: "/things/a%3Ab" */
    const char *query;          /* as on the wire, without "?"; "" for none */
    const char *const *headers; /* "Host: ...", those that are signed, in any order; NULL at the
                                   end. X-Amz-Date is added here */
    const void *body;
    size_t length;
};

struct sign_scope {
    const char *region, *service;
    const char *key_id;
    const struct secret *secret_key;
    time_t time;
};

/* Appends the canonical request, the string to sign and the value of the header Authorization;
 * canonical and to_sign may be NULL (tests look at them). date: of the header X-Amz-Date. */
enum status sign(const struct sign_request *request, const struct sign_scope *scope, char date[17],
                 struct text *canonical, struct text *to_sign, struct text *authorization,
                 struct error *error);

#endif
