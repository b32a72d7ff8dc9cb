/* Credentials, and what gives them: a table of functions, so that the client, which needs
 * credentials for each call, knows nothing of the places where they come from. chain.h has the
 * provider of a real account; a test may hand in one of its own. */
#ifndef AWS_CREDENTIALS_H
#define AWS_CREDENTIALS_H

#include "common/base/error.h"
#include "common/base/secret.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <time.h>

/* How long credentials last at least that are kept for other commands, or for forked workers. */
enum { FRESH_SECONDS = 900 };

struct aws_credentials {
    char *key_id; /* NULL: there are none */
    struct secret secret_key;
    struct secret token; /* of a session; {0} when there is none */
    time_t expires;      /* seconds since 1970; 0: never */
    char *source;        /* for messages: "environment", "profile "home"" */
};

void credentials_free(struct aws_credentials *credentials); /* wipes; {0} is fine */
struct aws_credentials credentials_copy(const struct aws_credentials *credentials);

/* What the client knows when it asks for credentials. */
struct credentials_need {
    time_t clock_ahead; /* seconds that AWS's clock is ahead of this machine's */
    bool refused;       /* AWS has refused the last ones: a cache that has them is out of date */
};

struct credentials_provider {
    /* Finds credentials: WRONG_INPUT when nothing is configured or it is wrong, REFUSED when a place
     * that is configured gives none. *found is freed by the caller with credentials_free(), and is
     * {0} after a failure. */
    enum status (*find)(struct credentials_provider *provider, const struct credentials_need *need,
                        struct aws_credentials *found, struct error *error);
    /* After fork(), in the child: from now on nobody is asked for a code. */
    void (*after_fork)(struct credentials_provider *provider);
    void (*close)(struct credentials_provider *provider);
};

/* Reads the object that credential_process, the metadata services and STS give. token: the name of
 * the session token in it. must_expire: token and Expiration have to be there. REFUSED when
 * something is missing; messages call it by its source. */
enum status credentials_read(const cJSON *object, const char *token, bool must_expire,
                             const char *source, struct aws_credentials *found,
                             struct error *error);

/* When credentials expire: a time such as 2026-11-21T10:12:00Z, in seconds since 1970. False when
 * it is none. */
bool credentials_read_time(const char *text, time_t *seconds);

#endif
