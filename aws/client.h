/* Inside of the rooms that talk to AWS: what client.c, request.c, answer.c and credentials*.c
 * share. Nothing else includes it. */
#ifndef AWS_CLIENT_H
#define AWS_CLIENT_H

#include "aws.h"
#include "credentials.h"
#include "endpoint.h"
#include "http.h"
#include "limit.h"
#include "profile.h"
#include "sign.h"

enum { MOST_ATTEMPTS = 5, MOST_ATTEMPTS_THROTTLED = 10, MOST_ATTEMPTS_TO_REACH = 3 };

/* One call under way. */
struct aws_transfer {
    struct aws *aws;
    struct aws_call *call;
    const struct aws_service *service;
    char *operation, *method, *path, *query, *host;
    char **headers;    /* the request's own, NULL at the end */
    cJSON *body;       /* of one with secrets, so that messages are kept free of them */
    struct text bytes; /* the body as sent */
    char *wanted;      /* what a good answer has; NULL: may be empty */
    bool secret, anonymous;
    struct lane *lane;

    double due, started; /* seconds of the monotonic clock */
    bool clock_corrected, credentials_renewed;
    bool cancelled;
    struct aws_transfer *next; /* in its lane */

    struct http_exchange exchange;
    char *url;
    char *lines[32]; /* the header as sent */
    char *key_id;    /* that it was signed with */
};

/* Calls of one operation, in their order: where one must wait for a token, those behind it do, and
 * no other operation's. */
struct lane {
    char *name;          /* "iot CreateThing"; its reads have a lane, too */
    struct limit *limit; /* NULL: no limit (there are too many) */
    struct aws_transfer *first, *last;
    double due;
};

struct aws {
    struct aws_options options; /* its strings are copies */
    char *profile, *region, *certificates;
    bool fips;
    struct aws_profiles *profiles;
    bool borrowed; /* profiles and limits are another's: a client for the calls of credentials */
    bool forked;   /* a worker: there is nobody whom it may ask */
    bool distrusts_cache; /* AWS has refused credentials that may have come from there */
    const struct partition *partition;
    struct aws_credentials credentials;
    time_t renew_at;    /* 0: never */
    time_t clock_ahead; /* of AWS's clock, seconds, once that was found to matter */
    time_t clock_seen;  /* the same, as the last answer had it */

    struct http *http;
    struct limits *limits;
    struct lane **lanes;
    size_t lane_count, lane_room, next_lane;
    struct aws_transfer **sleeping; /* a heap: the first is due first */
    size_t sleeping_count, sleeping_room;
    struct aws_transfer **on_wire;
    size_t on_wire_count;
    struct known_endpoint *endpoints;
    size_t endpoint_count, endpoint_room;
    double backoff;  /* seconds */
    long timeout_ms; /* of one attempt */
    unsigned jitter; /* seed */
};

/* A client with these credentials (NULL: none) and all else of another, for calls of its own. */
enum status client_like(const struct aws *aws, const struct aws_credentials *credentials,
                        struct aws **made, struct error *error);

/* What the local clock would show if it were AWS's. */
time_t client_time(const struct aws *aws);

/* --- request.c --- */

/* The body as its protocol writes it, and the headers that this takes. */
void request_write(struct aws_transfer *transfer, const struct aws_request *request);

/* Fills transfer->url and lines for one attempt, signed now. */
enum status request_sign(struct aws_transfer *transfer, const struct endpoint *endpoint,
                         struct error *error);
void request_forget(struct aws_transfer *transfer); /* wipes url and lines */

/* --- answer.c --- */

enum verdict {
    DONE,            /* well or not */
    TRY_AGAIN,       /* after a back-off */
    TRY_SLOWER,      /* likewise; it was throttled */
    TRY_OTHER_CLOCK, /* at once, by AWS's clock */
    TRY_OTHER_KEYS,  /* at once, with credentials found anew */
};

/* Reads an answer (or that there is none) into the call. */
enum verdict answer_read(struct aws_transfer *transfer);

/* Appends what a service says, fit to be printed: one line, no control characters, not too long. */
void answer_clean(const char *said, struct text *out);

/* --- credentials*.c --- */

enum { RENEW_SECONDS = 300, FRESH_SECONDS = 900 };

/* The object that credential_process and the metadata services give; token: its name there. */
enum status credentials_of_json(const cJSON *object, const char *token, bool must_expire,
                                const char *source, struct aws_credentials *found,
                                struct error *error);

enum status credentials_of_process(const char *command, const char *source,
                                   struct aws_credentials *found, struct error *error);
enum status credentials_of_cli(const char *profile, const char *source,
                               struct aws_credentials *found, struct error *error);

/* The sessions of roles that the AWS CLI keeps in ~/.aws/cli/cache. */
struct cached_role {
    const char *arn, *external_id, *seconds, *mfa_serial;
    const char *session; /* as configured; all but arn may be NULL */
};

/* False where none is kept that is good for another FRESH_SECONDS of `now`. */
bool credentials_of_cache(const struct cached_role *role, time_t now, const char *source,
                          struct aws_credentials *found);

/* Keeps AssumeRole's result there. */
enum status credentials_to_cache(const struct cached_role *role, const cJSON *result,
                                 struct error *error);

/* found->key_id stays NULL where there is no such place. */
enum status credentials_of_container(const struct aws *aws, struct aws_credentials *found,
                                     struct error *error);
enum status credentials_of_instance(const struct aws *aws, struct aws_credentials *found,
                                    struct error *error);

#endif
