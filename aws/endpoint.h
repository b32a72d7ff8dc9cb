/* Where a service is: its host by partition and region, or what overrides it.
 *
 * Overrides, in the SDKs' order: AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, `<service> =
 * endpoint_url` in the `services` section that the profile names, the profile's endpoint_url;
 * AWS_IGNORE_CONFIGURED_ENDPOINT_URLS or ignore_configured_endpoint_urls switches them off
 * (AWS SDKs and tools reference guide, "Service-specific endpoints"). */
#ifndef AWS_ENDPOINT_H
#define AWS_ENDPOINT_H

#include "settings.h"

struct endpoint {
    char *root;         /* "https://iot.eu-west-1.amazonaws.com", no "/" at its end */
    char *host;         /* for the header Host: with the port where it is not the scheme's own */
    char *path;         /* what a configured URL has before each path: "" or "/mock" */
    const char *region; /* of the signature; the caller's, or static */
    bool overridden;
};

/* host: an endpoint that was discovered (Timestream), or NULL. WRONG_INPUT when what is configured
 * is not a URL. */
enum status endpoint_find(const struct aws_settings *settings, const struct aws_service *service,
                          const char *host, struct endpoint *endpoint, struct error *error);
void endpoint_free(struct endpoint *endpoint);

#endif
