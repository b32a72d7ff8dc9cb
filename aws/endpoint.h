/* Where a service is: its host by partition and region, or what overrides it.
 *
 * Overrides, in the SDKs' order: AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, `<service> =
 * endpoint_url` in the `services` section that the profile names, the profile's endpoint_url;
 * AWS_IGNORE_CONFIGURED_ENDPOINT_URLS or ignore_configured_endpoint_urls switches them off
 * (AWS SDKs and tools reference guide, "Service-specific endpoints"). */
#ifndef AWS_ENDPOINT_H
#define AWS_ENDPOINT_H

#include "aws.h"
#include "profile.h"

struct partition {
    const char *prefix; /* of its regions' names; "" for all others */
    const char *name, *suffix;
    const char *global_region; /* that global services' requests are signed for */
    const char *global_hosts;  /* the part of their hosts after the service */
};

const struct partition *partition_of(const char *region);

/* Whether a name can be a region, and so a part of a host name. */
bool region_is_sane(const char *region);

struct endpoint {
    char *root;         /* "https://iot.eu-west-1.amazonaws.com", no "/" at its end */
    char *host;         /* for the header Host: with the port where it is not the scheme's own */
    char *path;         /* what a configured URL has before each path: "" or "/mock" */
    const char *region; /* of the signature; the caller's, or static */
    bool overridden;
};

struct endpoint_facts {
    const char *region, *profile;
    const struct aws_profiles *profiles;
    bool fips;
};

/* host: an endpoint that was discovered (Timestream), or NULL. WRONG_INPUT when what is configured
 * is not a URL. */
enum status endpoint_find(const struct endpoint_facts *facts, const struct aws_service *service,
                          const char *host, struct endpoint *endpoint, struct error *error);
void endpoint_free(struct endpoint *endpoint);

/* A variable of the environment that is set and not empty, else NULL. */
const char *environment(const char *name);

/* As the SDKs read a switch: "true" in any case. */
bool says_true(const char *value);

#endif
