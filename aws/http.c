#include "http.h"
#include "common/base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LARGEST_ANSWER = 16 << 20, LARGEST_HEADER = 64 << 10 };

struct http {
    CURLM *multi;
    CURL **idle; /* handles of exchanges that have ended; making one takes long */
    size_t idle_count, idle_room;
    struct http_exchange **running;
    size_t running_count, running_room;
};

enum status http_open(size_t in_flight, struct http **http, struct error *error)
{
    *http = NULL;
    enum status status = libcurl_load(error);
    if (status)
        return status;
    CURLM *multi = curl.multi_init();
    if (!multi)
        return fail(error, REFUSED, "libcurl cannot begin");
    curl.multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)in_flight);
    *http = must_alloc(sizeof **http);
    (*http)->multi = multi;
    return FINE;
}

/* --- what libcurl calls --- */

static size_t take_answer(char *bytes, size_t size, size_t count, void *context)
{
    struct http_exchange *exchange = context;
    if (exchange->answer.length + size * count > LARGEST_ANSWER) {
        exchange->result = HTTP_TOO_LARGE;
        return 0;
    }
    text_add(&exchange->answer, bytes, size * count);
    return size * count;
}

static size_t take_field(char *bytes, size_t size, size_t count, void *context)
{
    struct http_exchange *exchange = context;
    size_t length = size * count;
    if (length >= 5 && memcmp(bytes, "HTTP/", 5) == 0)
        text_clear(&exchange->fields); /* they were those of "100 Continue", or of a proxy */
    if (exchange->fields.length + length > LARGEST_HEADER) {
        exchange->result = HTTP_TOO_LARGE;
        return 0;
    }
    text_add(&exchange->fields, bytes, length);
    return length;
}

/* libcurl is connected and about to send the request. */
static int count_sending(void *context, char *to, char *from, int to_port, int from_port)
{
    (void)to, (void)from, (void)to_port, (void)from_port;
    ((struct http_exchange *)context)->sent++;
    return CURL_PREREQFUNC_OK;
}

/* --- one exchange --- */

static void set_method(CURL *easy, const struct http_exchange *exchange)
{
    bool has_body = exchange->length || strcmp(exchange->method, "POST") == 0 ||
                    strcmp(exchange->method, "PUT") == 0 || strcmp(exchange->method, "PATCH") == 0;
    if (has_body) {
        curl.easy_setopt(easy, CURLOPT_POST, 1L);
        curl.easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)exchange->length);
        curl.easy_setopt(easy, CURLOPT_POSTFIELDS, exchange->length ? exchange->body : "");
    }
    curl.easy_setopt(easy, CURLOPT_CUSTOMREQUEST, exchange->method);
}

static void set_headers(CURL *easy, struct http_exchange *exchange)
{
    struct curl_slist *lines = curl.slist_append(NULL, "Expect:");
    bool typed = false;
    for (size_t i = 0; exchange->headers && exchange->headers[i]; i++) {
        typed = typed || strncasecmp(exchange->headers[i], "Content-Type:", 13) == 0;
        lines = curl.slist_append(lines, exchange->headers[i]);
    }
    if (!typed)
        lines = curl.slist_append(lines, "Content-Type:"); /* libcurl would call it a form */
    exchange->lines = lines;
    curl.easy_setopt(easy, CURLOPT_HTTPHEADER, lines);
}

static void set_connection(CURL *easy, const struct http_exchange *exchange)
{
    curl.easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl.easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl.easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl.easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, exchange->connect_ms);
    curl.easy_setopt(easy, CURLOPT_TIMEOUT_MS, exchange->total_ms);
    curl.easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl.easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    if (exchange->certificates)
        curl.easy_setopt(easy, CURLOPT_CAINFO, exchange->certificates);
    if (exchange->direct)
        curl.easy_setopt(easy, CURLOPT_PROXY, "");
    if (exchange->weighs) {
        curl.easy_setopt(easy, CURLOPT_CERTINFO, 1L);
        curl.easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl.easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
}

static void set_callbacks(CURL *easy, struct http_exchange *exchange)
{
    curl.easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->said);
    curl.easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_answer);
    curl.easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
    curl.easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_field);
    curl.easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
    curl.easy_setopt(easy, CURLOPT_PREREQFUNCTION, count_sending);
    curl.easy_setopt(easy, CURLOPT_PREREQDATA, exchange);
    curl.easy_setopt(easy, CURLOPT_PRIVATE, exchange);
}

void http_start(struct http *http, struct http_exchange *exchange)
{
    CURL *easy = http->idle_count ? http->idle[--http->idle_count] : curl.easy_init();
    if (!easy)
        out_of_memory();
    exchange->easy = easy;
    exchange->result = HTTP_ANSWERED;
    exchange->status = 0;
    exchange->sent = 0;
    exchange->timed_out = false;
    exchange->said[0] = '\0';
    exchange->answer.secret = true; /* it may hold keys */
    curl.easy_setopt(easy, CURLOPT_URL, exchange->url);
    set_method(easy, exchange);
    set_headers(easy, exchange);
    set_connection(easy, exchange);
    set_callbacks(easy, exchange);
    curl.multi_add_handle(http->multi, easy);
    http->running =
        must_grow(http->running, http->running_count, &http->running_room, sizeof *http->running);
    http->running[http->running_count++] = exchange;
}

/* The lines hold a session token. libcurl's own copies cannot be wiped. */
static void free_lines(struct http_exchange *exchange)
{
    for (struct curl_slist *line = exchange->lines; line; line = line->next)
        explicit_bzero(line->data, strlen(line->data));
    curl.slist_free_all(exchange->lines);
    exchange->lines = NULL;
}

static void forget_running(struct http *http, const struct http_exchange *exchange)
{
    for (size_t i = 0; i < http->running_count; i++) {
        if (http->running[i] == exchange) {
            http->running[i] = http->running[--http->running_count];
            return;
        }
    }
}

static void let_go(struct http *http, struct http_exchange *exchange)
{
    forget_running(http, exchange);
    curl.multi_remove_handle(http->multi, exchange->easy);
    curl.easy_reset(exchange->easy);
    http->idle = must_grow(http->idle, http->idle_count, &http->idle_room, sizeof *http->idle);
    http->idle[http->idle_count++] = exchange->easy;
    exchange->easy = NULL;
    free_lines(exchange);
}

void http_cancel(struct http *http, struct http_exchange *exchange)
{
    if (exchange->easy)
        let_go(http, exchange);
}

/* --- many --- */

void http_poll(struct http *http, int milliseconds)
{
    int running;
    if (milliseconds > 0)
        curl.multi_poll(http->multi, NULL, 0, milliseconds, NULL);
    curl.multi_perform(http->multi, &running);
}

static bool has_field(const struct http_exchange *exchange, const char *name)
{
    owned char *value = http_field(exchange, name);
    return *value;
}

/* libcurl accepts a header that is truncated, and takes the end of the connection for the end of an
 * answer that has no length. */
static bool is_whole(const struct http_exchange *exchange)
{
    const char *fields = text_string(&exchange->fields);
    bool ended = strstr(fields, "\n\r\n") || strstr(fields, "\n\n");
    return ended &&
           (exchange->answer.length || exchange->status == 204 ||
            has_field(exchange, "Content-Length") || has_field(exchange, "Transfer-Encoding"));
}

static enum http_result result_of(CURLcode code, const struct http_exchange *exchange)
{
    if (exchange->result == HTTP_TOO_LARGE)
        return HTTP_TOO_LARGE;
    if (code == CURLE_OK)
        return is_whole(exchange) ? HTTP_ANSWERED : HTTP_BROKEN;
    if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE)
        return HTTP_UNTRUSTED;
    return exchange->sent ? HTTP_BROKEN : HTTP_UNREACHABLE;
}

/* --- the server's certificates --- */

/* Bytes of what stands in base64 between the first two lines of a PEM text. */
static size_t der_length(const char *pem)
{
    const char *at = strstr(pem, "-----BEGIN CERTIFICATE-----");
    size_t letters = 0;
    for (at = at ? strchr(at, '\n') : NULL; at && *at && *at != '-'; at++)
        letters += *at != '\n' && *at != '\r' && *at != '=';
    return letters * 6 / 8;
}

/* A message of type and length, the length of the list, and a length before each certificate. */
static size_t chain_length(CURL *easy)
{
    enum { MESSAGE_HEADER = 4, LENGTH = 3 };
    struct curl_certinfo *chain = NULL;
    size_t bytes = MESSAGE_HEADER + LENGTH;
    if (curl.easy_getinfo(easy, CURLINFO_CERTINFO, &chain) || !chain || chain->num_of_certs <= 0)
        return 0;
    for (int i = 0; i < chain->num_of_certs; i++) {
        for (struct curl_slist *line = chain->certinfo[i]; line; line = line->next) {
            if (strncmp(line->data, "Cert:", 5) == 0)
                bytes += LENGTH + der_length(line->data);
        }
    }
    return bytes;
}

struct http_exchange *http_ended(struct http *http)
{
    int left;
    CURLMsg *message = curl.multi_info_read(http->multi, &left);
    if (!message)
        return NULL;
    struct http_exchange *exchange;
    long status = 0;
    CURLcode code =
        message->data.result; /* the message is not valid any more when the handle is removed */
    curl.easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &exchange);
    curl.easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
    exchange->status = (int)status;
    exchange->timed_out = code == CURLE_OPERATION_TIMEDOUT;
    exchange->result = result_of(code, exchange);
    exchange->chain_bytes = exchange->weighs ? chain_length(message->easy_handle) : 0;
    if (!exchange->said[0])
        strncat(exchange->said, code ? curl.easy_strerror(code) : "the answer breaks off",
                sizeof exchange->said - 1);
    let_go(http, exchange);
    return exchange;
}

enum status http_exchange_now(struct http_exchange *exchange, struct error *error)
{
    struct http *http = NULL;
    enum status status = http_open(1, &http, error);
    if (!http)
        return status;
    http_start(http, exchange);
    for (http_poll(http, 0); !http_ended(http);)
        http_poll(http, 1000);
    http_close(http);
    return FINE;
}

char *http_field(const struct http_exchange *exchange, const char *name)
{
    size_t length = strlen(name);
    const char *line = text_string(&exchange->fields);
    for (; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        if (strncasecmp(line, name, length) != 0 || line[length] != ':')
            continue;
        const char *value = line + length + 1;
        value += strspn(value, " \t");
        size_t end = strcspn(value, "\r\n");
        while (end && (value[end - 1] == ' ' || value[end - 1] == '\t'))
            end--;
        return must_copy_bytes(value, end);
    }
    return must_copy("");
}

time_t http_date(const struct http_exchange *exchange)
{
    owned char *date = http_field(exchange, "Date");
    return *date ? curl.getdate(date, NULL) : -1;
}

void http_free(struct http_exchange *exchange)
{
    text_wipe(&exchange->answer);
    text_free(&exchange->fields);
}

void http_close(struct http *http)
{
    if (!http)
        return;
    while (http->running_count)
        let_go(http, http->running[0]);
    for (size_t i = 0; i < http->idle_count; i++)
        curl.easy_cleanup(http->idle[i]);
    curl.multi_cleanup(http->multi);
    free(http->idle);
    free(http->running);
    free(http);
}

/* Closing the connections would send TLS alerts on sockets that the parent still uses. So they stay
 * open until the child ends, and reachable, so that a leak checker does not report them. */
void http_abandon(struct http *http)
{
    static struct http *abandoned[8];
    for (size_t i = 0; i < http->running_count; i++) {
        http->running[i]->easy = NULL;
        free_lines(http->running[i]);
    }
    for (size_t i = 0; i < sizeof abandoned / sizeof *abandoned; i++) {
        if (!abandoned[i]) {
            abandoned[i] = http;
            return;
        }
    }
}
