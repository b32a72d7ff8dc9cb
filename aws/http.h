/* HTTP exchanges, many at once over connections that are kept open, by libcurl's multi interface. It
 * knows nothing of AWS.
 *
 * Certificates are checked, redirects are not followed, cookies are not kept. Proxies are those of
 * the environment, as libcurl reads them (HTTPS_PROXY, NO_PROXY). An answer is at most 16 MB, its
 * header 64 KB. */
#ifndef AWS_HTTP_H
#define AWS_HTTP_H

#include "common/base/error.h"
#include "libcurl.h"

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

struct http;

enum http_result {
    HTTP_ANSWERED,    /* a whole answer, with any status */
    HTTP_UNREACHABLE, /* no connection: the request was not carried out */
    HTTP_UNTRUSTED,   /* the server's certificate cannot be verified: likewise */
    HTTP_BROKEN,      /* no answer, or a truncated one: the request may have been carried out */
    HTTP_TOO_LARGE,   /* the answer is beyond the limits: likewise */
};

struct http_exchange {
    /* The request. What it points to must stay valid until the exchange has ended. */
    const char *method, *url;
    const char *const *headers; /* "Name: value", NULL at the end */
    const void *body;
    size_t length;
    long connect_ms, total_ms; /* the longest time to connect, and altogether */
    const char *certificates;  /* a file of certificate authorities to trust; NULL: the system's */
    bool direct;               /* not through a proxy */
    bool weighs;               /* only to know chain_bytes: the server is not verified */
    void *owner;               /* the caller's */

    /* The answer: */
    enum http_result result;
    int status;
    /* How often the request was sent, or begun to be: libcurl sends it again by itself when the
     * server has closed a connection that was kept open. */
    unsigned sent;
    bool timed_out;
    /* With weighs: of the server's certificates, as TLS sends them in one message (RFC 5246, 7.4.2). 0: none came. */
    size_t chain_bytes;
    struct text answer;         /* the body; wiped and freed by http_free() */
    struct text fields;         /* the header, as it came; freed by http_free() */
    char said[CURL_ERROR_SIZE]; /* what went wrong, in libcurl's words */

    CURL *easy;
    struct curl_slist *lines;
};

enum status http_open(size_t in_flight, struct http **http, struct error *error);
void http_close(struct http *http);   /* drops exchanges under way; NULL is fine */
void http_abandon(struct http *http); /* in a forked child: touches no connection of the parent */

void http_start(struct http *http, struct http_exchange *exchange);
void http_cancel(struct http *http, struct http_exchange *exchange);

/* Sends and receives what can be, after waiting at most so long until something can. */
void http_poll(struct http *http, int milliseconds);

/* An exchange that has ended and was not returned before; NULL when there is none. */
struct http_exchange *http_ended(struct http *http);

/* One exchange from beginning to end, over a connection of its own. */
enum status http_exchange_now(struct http_exchange *exchange, struct error *error);

/* The value of a field of the answer's header ("" when there is none), freed by the caller. */
char *http_field(const struct http_exchange *exchange, const char *name);

/* The Date of the answer's header; -1 when there is none that can be read. */
time_t http_date(const struct http_exchange *exchange);

void http_free(struct http_exchange *exchange);

#endif
