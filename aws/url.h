/* A URL in its parts, as libcurl understands it: what is checked here is what libcurl will do. */
#ifndef AWS_URL_H
#define AWS_URL_H

#include "common/base/error.h"

#include <stdbool.h>

/* A part that the URL does not have is "". */
struct url {
    char *scheme, *user, *host; /* the host of an IPv6 address has its brackets */
    char *port, *path, *query, *fragment;
};

/* *valid tells whether it is one. REFUSED when libcurl cannot be loaded. What it fills is freed by
 * url_free(), in all cases. */
enum status url_read(const char *text, struct url *url, bool *valid, struct error *error);
void url_free(struct url *url);

#endif
