/* Whole answers and broken ones: a server of one connection sends what the test says, and closes. */
#include "workplace.h"

#include "aws/http.h"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

struct answer {
    const char *bytes;
    enum http_result result;
    int status;         /* of one that was answered */
    const char *answer; /* its body */
};

static int listen_here(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    *port = ntohs(address.sin_port);
    return listener;
}

/* In the child: reads the request to its empty line, sends the bytes, and closes. */
static _Noreturn void serve(int listener, const char *bytes, size_t length)
{
    char request[4096];
    size_t got = 0;
    int connection = accept(listener, NULL, NULL);
    alarm(20);
    for (ssize_t more; got < sizeof request && !memmem(request, got, "\r\n\r\n", 4) &&
                       (more = read(connection, request + got, sizeof request - got)) > 0;)
        got += (size_t)more;
    while (length) {
        ssize_t sent = write(connection, bytes, length);
        if (sent <= 0)
            break;
        bytes += sent;
        length -= (size_t)sent;
    }
    shutdown(connection, SHUT_WR);
    while (read(connection, request, sizeof request) > 0)
        ;
    _exit(0);
}

/* The exchange with a server that sends these bytes; its answer is freed by the caller. */
static struct http_exchange exchange_with(const char *bytes, size_t length)
{
    int port, listener = listen_here(&port);
    pid_t child = fork();
    if (child == 0)
        serve(listener, bytes, length);
    close(listener);
    owned char *url = must_format("http://127.0.0.1:%d/", port);
    struct http_exchange exchange = {
        .method = "GET", .url = url, .connect_ms = 5000, .total_ms = 10000, .direct = true};
    assert_fine(http_exchange_now(&exchange, &error));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    exchange.url = NULL;
    return exchange;
}

static void assert_answer(const struct answer *wanted)
{
    struct http_exchange exchange = exchange_with(wanted->bytes, strlen(wanted->bytes));
    if (exchange.result != wanted->result)
        fail_msg("%s: result %d (%s)", wanted->bytes, exchange.result, exchange.said);
    if (wanted->result == HTTP_ANSWERED) {
        assert_int_equal(exchange.status, wanted->status);
        assert_string_equal(text_string(&exchange.answer), wanted->answer);
    } else {
        assert_true(*exchange.said);
    }
    http_free(&exchange);
}

static void whole_answers(void **state)
{
    (void)state;
    static const struct answer answers[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", HTTP_ANSWERED, 200, "{}"},
        {"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}", HTTP_ANSWERED, 200, "{}"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", HTTP_ANSWERED, 200, ""},
        {"HTTP/1.1 204 No Content\r\n\r\n", HTTP_ANSWERED, 204, ""},
        {"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy", HTTP_ANSWERED, 503, "busy"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", HTTP_ANSWERED,
         200, "{}"},
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
         HTTP_ANSWERED, 200, "{}"},
        /* It ends where the connection does. */
        {"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}", HTTP_ANSWERED, 200, "{}"},
    };
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        assert_answer(&answers[i]);
}

static void broken_headers(void **state)
{
    (void)state;
    static const struct answer answers[] = {
        {"", HTTP_BROKEN, 0, NULL},
        {"HTTP/1.", HTTP_BROKEN, 0, NULL},
        {"HTTP/1.1 200 OK", HTTP_BROKEN, 0, NULL},
        {"HTTP/1.1 200 OK\r\n", HTTP_BROKEN, 0, NULL},
        {"HTTP/1.1 200 OK\r\nContent-Le", HTTP_BROKEN, 0, NULL},
        {"HTTP/1.1 200 OK\r\nContent-Length: 0", HTTP_BROKEN, 0, NULL},
        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", HTTP_BROKEN, 0, NULL},
        {"HTTP/1.1 204 No Content\r\n", HTTP_BROKEN, 0, NULL},
        {"HTTP/1.1 204 No Content\r\nDate: Sat, 21 Nov 2026 10:12:00 GMT\r\n", HTTP_BROKEN, 0,
         NULL},
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n", HTTP_BROKEN, 0, NULL},
    };
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        assert_answer(&answers[i]);
}

static void broken_bodies(void **state)
{
    (void)state;
    static const struct answer answers[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", HTTP_BROKEN, 0, NULL},
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{", HTTP_BROKEN, 0, NULL},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{", HTTP_BROKEN, 0, NULL},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", HTTP_BROKEN, 0, NULL},
        /* Neither a length nor a body: nothing tells that this is all of it. */
        {"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", HTTP_BROKEN, 0, NULL},
    };
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        assert_answer(&answers[i]);
}

static void too_large(void **state)
{
    (void)state;
    static const char head[] = "HTTP/1.1 200 OK\r\nX: ";
    size_t length = sizeof head - 1 + 80000;
    owned char *header = must_alloc(length + 1);
    memset(header, 'x', length);
    memcpy(header, head, sizeof head - 1);
    memcpy(header + length - 4, "\r\n\r\n", 4);
    struct http_exchange exchange = exchange_with(header, length);
    assert_int_equal(exchange.result, HTTP_TOO_LARGE);
    http_free(&exchange);
}

static void fields(void **state)
{
    (void)state;
    static const char bytes[] = "HTTP/1.1 200 OK\r\nDate: Sat, 21 Nov 2026 10:12:00 GMT\r\n"
                                "retry-after: \t 7 \r\nX-Empty:\r\nContent-Length: 0\r\n\r\n";
    struct http_exchange exchange = exchange_with(bytes, strlen(bytes));
    owned char *after = http_field(&exchange, "Retry-After"),
               *empty = http_field(&exchange, "X-Empty"), *none = http_field(&exchange, "X-None"),
               *part = http_field(&exchange, "Retry");
    assert_string_equal(after, "7");
    assert_string_equal(empty, "");
    assert_string_equal(none, "");
    assert_string_equal(part, "");
    assert_int_equal(http_date(&exchange), 1795255920);
    http_free(&exchange);
}

static void nobody_listens(void **state)
{
    (void)state;
    int port, listener = listen_here(&port);
    close(listener);
    owned char *url = must_format("http://127.0.0.1:%d/", port);
    struct http_exchange exchange = {
        .method = "GET", .url = url, .connect_ms = 5000, .total_ms = 10000, .direct = true};
    assert_fine(http_exchange_now(&exchange, &error));
    assert_int_equal(exchange.result, HTTP_UNREACHABLE);
    assert_int_equal(exchange.sent, 0);
    http_free(&exchange);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_answers), cmocka_unit_test(broken_headers),
        cmocka_unit_test(broken_bodies), cmocka_unit_test(too_large),
        cmocka_unit_test(fields),        cmocka_unit_test(nobody_listens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
