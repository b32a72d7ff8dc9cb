/* HTTP as this program needs it: many exchanges at once over connections that are kept, through
 * libcurl's multi interface. It knows nothing of AWS; client.c does.
 *
 * Certificates are checked, redirects not followed, cookies not kept; proxies are those of the
 * environment, as libcurl reads them (HTTPS_PROXY, NO_PROXY). An answer is at most 16 MB. */
#ifndef AWS_HTTP_H
#define AWS_HTTP_H

#include "common/base/error.h"
#include "libcurl.h"

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

struct http;

enum http_result {
    HTTP_ANSWERED,    /* a whole answer, of whatever status */
    HTTP_UNREACHABLE, /* no connection: what was asked for has not happened */
    HTTP_UNTRUSTED,   /* the other's certificate is not one to trust; likewise */
    HTTP_BROKEN,      /* no answer, or half of one: what was asked for may have happened */
    HTTP_TOO_LARGE,   /* likewise */
};

struct http_exchange {
    /* The request, which must stay where it is until the end: */
    const char *method, *url;
    const char *const *headers; /* "Name: value", NULL at the end */
    const void *body;
    size_t length;
    long connect_ms, total_ms;
    const char *certificates; /* a file of authorities to trust; NULL: the system's */
    bool direct;              /* through no proxy */
    void *owner;              /* the caller's */

    /* The answer: */
    enum http_result result;
    int status;
    unsigned sent; /* times that the request was begun to be sent: libcurl sends it again by
                      itself when a kept connection turns out to be closed */
    bool timed_out;
    struct text answer;         /* these are freed, and wiped, by http_free() */
    struct text fields;         /* the header: "name: value\n", as it came */
    char said[CURL_ERROR_SIZE]; /* libcurl's words for what went wrong */

    CURL *easy;
    struct curl_slist *lines;
};

enum status http_open(size_t in_flight, struct http **http, struct error *error);
void http_close(struct http *http);   /* drops what is under way; NULL is fine */
void http_abandon(struct http *http); /* in a forked child: touches no connection of the parent */

void http_start(struct http *http, struct http_exchange *exchange);
void http_cancel(struct http *http, struct http_exchange *exchange);

/* Moves bytes, after waiting for some at most for so long. */
void http_move(struct http *http, int milliseconds);

/* One that has ended since, or NULL. */
struct http_exchange *http_ended(struct http *http);

/* One exchange from beginning to end, over a connection of its own. */
enum status http_exchange_now(struct http_exchange *exchange, struct error *error);

/* The value of a field of the answer's header ("" when there is none), freed by the caller. */
char *http_field(const struct http_exchange *exchange, const char *name);

/* The Date of the answer's header; -1 when there is none that can be read. */
time_t http_date(const struct http_exchange *exchange);

void http_free(struct http_exchange *exchange);

#endif
