/* Inside of the client: what client.c, request.c and answer.c share, and how one is made. */
#ifndef AWS_CLIENT_H
#define AWS_CLIENT_H

#include "aws.h"
#include "credentials.h"
#include "endpoint.h"
#include "http.h"
#include "limit.h"
#include "settings.h"
#include "sign.h"

enum { MOST_ATTEMPTS = 5, MOST_ATTEMPTS_THROTTLED = 10, MOST_ATTEMPTS_TO_REACH = 3 };

/* A call from aws_submit() to its end. */
struct aws_transfer {
    struct aws *aws;
    struct aws_call *call;
    const struct aws_service *service;
    char *operation, *method, *path, *query, *host;
    char **headers;    /* beside those that every request has; NULL at the end */
    cJSON *body;       /* of a request with secrets: messages are kept free of them; else NULL */
    struct text bytes; /* the body as sent */
    char *wanted;      /* see struct aws_request */
    bool secret, anonymous;
    struct queue *queue;

    double due;     /* when it leaves the heap of delayed calls; seconds of the monotonic clock */
    double started; /* when its last attempt was sent; likewise */
    bool clock_corrected, credentials_renewed; /* each is done once */
    bool cancelled;                            /* the call was given up: call is NULL */
    struct aws_transfer *next;                 /* in its queue */

    struct http_exchange exchange;
    char *url;
    char *lines[32]; /* the header as sent */
    char *key_id;    /* that the last attempt was signed with */
};

/* Calls of one operation, in the order in which they were due. When the first one has to wait for a
 * token, so do those behind it, but no call of another operation. */
struct queue {
    char *name;          /* "iot CreateThing" */
    struct limit *limit; /* NULL: there is none (see limit_of()) */
    struct aws_transfer *first, *last;
    double due; /* no call starts before: when there is a token again */
};

struct aws {
    const struct aws_settings *settings;
    struct aws_settings *own_settings; /* the same, where this client frees them and the limits */
    struct limits *limits;
    struct credentials_provider *provider; /* NULL: the credentials stay as they were given */
    struct aws_credentials credentials;    /* that calls are signed with */
    time_t renew_at;    /* by AWS's clock: when the provider is asked again; 0: never */
    time_t clock_ahead; /* seconds that AWS's clock is ahead, which signatures take into account;
                           0 until one was refused for its time */
    time_t clock_seen;  /* seconds that AWS's clock was ahead in the last answer */
    unsigned jitter;    /* state of rand_r() */

    size_t in_flight; /* at most so many calls on the wire */
    struct http *http;
    struct aws_transfer **on_wire;
    size_t on_wire_count;
    struct aws_transfer **delayed; /* a binary heap: the first is due first */
    size_t delayed_count, delayed_room;
    struct queue **queues; /* of calls that may go as soon as there is a token and a free place */
    size_t queue_count, queue_room;
    size_t next_queue;                /* that has its turn */
    struct known_endpoint *endpoints; /* of the services that were called */
    size_t endpoint_count, endpoint_room;
};

/* A client whose provider has given credentials. It takes over settings, limits and provider, also
 * when it fails. *aws is closed with aws_close(). */
enum status client_open(struct aws_settings *settings, struct limits *limits,
                        struct credentials_provider *provider, struct aws **aws,
                        struct error *error);

/* A client for one call after the other, with credentials that stay as they are (copied; NULL: for
 * calls that are not signed). settings and limits are the caller's, and outlive it. clock_ahead:
 * seconds of AWS's clock. */
enum status client_open_for_one(const struct aws_settings *settings, struct limits *limits,
                                const struct aws_credentials *credentials, time_t clock_ahead,
                                struct aws **aws, struct error *error);

/* Now, by AWS's clock. */
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
    DONE,                   /* well or not */
    RETRY,                  /* after a back-off */
    RETRY_SLOWER,           /* likewise; it was throttled */
    RETRY_WITH_CLOCK,       /* at once, by AWS's clock */
    RETRY_WITH_CREDENTIALS, /* at once, with credentials found anew */
};

/* Reads an answer (or that there is none) into the call. */
enum verdict answer_read(struct aws_transfer *transfer);

#endif
