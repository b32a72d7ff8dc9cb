#include "credentials.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/memory.h"

#include <stdlib.h>
#include <string.h>

void credentials_free(struct aws_credentials *credentials)
{
    free(credentials->key_id);
    free(credentials->source);
    secret_free(&credentials->secret_key);
    secret_free(&credentials->token);
    *credentials = (struct aws_credentials){0};
}

static struct secret copy_secret(const struct secret *secret)
{
    return secret->at ? secret_copy(secret->at, secret->length) : (struct secret){0};
}

struct aws_credentials credentials_copy(const struct aws_credentials *credentials)
{
    return (struct aws_credentials){.key_id = must_copy(credentials->key_id),
                                    .secret_key = copy_secret(&credentials->secret_key),
                                    .token = copy_secret(&credentials->token),
                                    .expires = credentials->expires,
                                    .source = must_copy(credentials->source)};
}

bool credentials_read_time(const char *text, time_t *seconds)
{
    int64_t milliseconds;
    bool read = clock_read(text, &milliseconds) && milliseconds >= 0;
    if (read)
        *seconds = (time_t)(milliseconds / 1000);
    return read;
}

enum status credentials_read(const cJSON *object, const char *token, bool must_expire,
                             const char *source, struct aws_credentials *found, struct error *error)
{
    const char *id = json_string(object, "AccessKeyId", "");
    const char *key = json_string(object, "SecretAccessKey", "");
    const char *given = json_string(object, token, NULL);
    const char *ends = json_string(object, "Expiration", NULL);
    const char *missing = !*id                    ? "AccessKeyId"
                          : !*key                 ? "SecretAccessKey"
                          : must_expire && !given ? token
                          : must_expire && !ends  ? "Expiration"
                                                  : NULL;
    time_t expires = 0;
    if (missing)
        return fail(error, REFUSED, "%s gave no credentials: %s is missing", source, missing);
    if (ends && !credentials_read_time(ends, &expires))
        return fail(error, REFUSED,
                    "%s gave credentials whose Expiration is no time like 2026-11-21T10:12:00Z",
                    source);
    *found = (struct aws_credentials){.key_id = must_copy(id),
                                      .secret_key = secret_copy(key, strlen(key)),
                                      .token = given && *given ? secret_copy(given, strlen(given))
                                                               : (struct secret){0},
                                      .expires = expires,
                                      .source = must_copy(source)};
    return FINE;
}
