/* The life of a call: submitted, delayed (by its pause or a back-off), queued (for a token and a free
 * place), signed, on the wire, and then done or delayed again.
 *
 *   aws_submit() -> delayed -> queue of its operation -> on the wire -> answer_read() -> done()
 *                      ^                                                     |
 *                      +------------------- retry ---------------------------+
 *
 * Delayed calls are in a heap, ordered by the time at which they are due; those that are due are in
 * the queue of their operation. Each turn of the loop queues the calls that are due, starts what may
 * start, and moves bytes. The queues take turns, so that many calls of one operation do not hold up
 * the others. Neither a back-off nor an operation without tokens blocks anything else. A turn costs
 * time in proportion to the number of queues, not of calls.
 *
 * Nothing recurses: `done` is called from the loop, and may submit calls or run the loop itself. */
#include "client.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/paths.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CONNECT_MS = 10000, RENEW_SECONDS = 300 };

/* Seconds. */
static const double longest_backoff = 20, longest_retry_after = 60;

struct known_endpoint {
    const struct aws_service *service;
    char *host; /* that was discovered; NULL: the service's own */
    struct endpoint endpoint;
};

time_t client_time(const struct aws *aws)
{
    return time(NULL) + aws->clock_ahead;
}

/* --- delayed calls: a binary heap, the earliest first --- */

static void swap(struct aws_transfer **heap, size_t i, size_t j)
{
    struct aws_transfer *kept = heap[i];
    heap[i] = heap[j];
    heap[j] = kept;
}

static void delay(struct aws *aws, struct aws_transfer *transfer, double seconds)
{
    aws->delayed =
        must_grow(aws->delayed, aws->delayed_count, &aws->delayed_room, sizeof *aws->delayed);
    struct aws_transfer **heap = aws->delayed;
    size_t i = aws->delayed_count++;
    transfer->due = clock_monotonic() + seconds;
    heap[i] = transfer;
    for (; i && heap[i]->due < heap[(i - 1) / 2]->due; i = (i - 1) / 2)
        swap(heap, i, (i - 1) / 2);
}

static struct aws_transfer *take_delayed(struct aws *aws)
{
    struct aws_transfer **heap = aws->delayed, *first = heap[0];
    size_t count = --aws->delayed_count, i = 0, child;
    heap[0] = heap[count];
    for (; (child = 2 * i + 1) < count; i = child) {
        if (child + 1 < count && heap[child + 1]->due < heap[child]->due)
            child++;
        if (heap[i]->due <= heap[child]->due)
            break;
        swap(heap, i, child);
    }
    return first;
}

/* --- queues --- */

static struct queue *queue_of(struct aws *aws, const struct aws_service *service,
                              const char *operation, bool changes)
{
    owned char *name = must_format("%s %s", service->name, operation);
    for (size_t i = 0; i < aws->queue_count; i++)
        if (strcmp(aws->queues[i]->name, name) == 0)
            return aws->queues[i];
    struct queue *queue = must_alloc(sizeof *queue);
    aws->queues = must_grow(aws->queues, aws->queue_count, &aws->queue_room, sizeof *aws->queues);
    aws->queues[aws->queue_count++] = queue;
    queue->limit = limit_of(aws->limits, name, changes ? 1 : READS_FASTER);
    queue->name = must_copy(name);
    return queue;
}

static void enqueue(struct aws_transfer *transfer)
{
    struct queue *queue = transfer->queue;
    transfer->next = NULL;
    if (queue->last)
        queue->last->next = transfer;
    else
        queue->first = transfer;
    queue->last = transfer;
}

static struct aws_transfer *dequeue(struct queue *queue)
{
    struct aws_transfer *first = queue->first;
    queue->first = first->next;
    if (!queue->first)
        queue->last = NULL;
    return first;
}

/* --- calls --- */

static void free_transfer(struct aws_transfer *transfer)
{
    request_forget(transfer);
    for (size_t i = 0; transfer->headers && transfer->headers[i]; i++)
        free(transfer->headers[i]);
    free(transfer->headers);
    if (transfer->secret)
        json_wipe(transfer->body);
    text_wipe(&transfer->bytes);
    http_free(&transfer->exchange);
    free(transfer->operation);
    free(transfer->method);
    free(transfer->path);
    free(transfer->query);
    free(transfer->host);
    free(transfer->wanted);
    free(transfer->key_id);
    free(transfer);
}

void aws_submit(struct aws *aws, struct aws_call *call, const struct aws_request *request)
{
    struct aws_transfer *transfer = must_alloc(sizeof *transfer);
    aws_call_free(call);
    *transfer = (struct aws_transfer){
        .aws = aws,
        .call = call,
        .service = request->service,
        .operation = must_copy(request->operation),
        .method = must_copy(request->method ? request->method : "POST"),
        .path = must_copy(request->path ? request->path : "/"),
        .query = must_copy(request->query ? request->query : ""),
        .host = request->host ? must_copy(request->host) : NULL,
        .wanted = request->wanted ? must_copy(request->wanted) : NULL,
        .secret = request->secret,
        .anonymous = request->anonymous,
        .queue = queue_of(aws, request->service, request->operation, request->changes),
    };
    request_write(transfer, request);
    if (request->secret)
        transfer->body = request->body;
    else
        cJSON_Delete(request->body);
    call->transfer = transfer;
    delay(aws, transfer, call->pause);
}

/* A cancelled call's transfer stays in its queue and is freed when its turn comes. */
void aws_call_free(struct aws_call *call)
{
    if (call->transfer) {
        call->transfer->cancelled = true;
        call->transfer->call = NULL;
    }
    error_free(&call->error);
    json_wipe(call->answer);
    *call = (struct aws_call){.done = call->done, .context = call->context, .pause = call->pause};
}

bool aws_failed_with(const struct aws_call *call, const char *code)
{
    return call->error.status && strcmp(call->code, code) == 0;
}

static void end(struct aws_transfer *transfer)
{
    struct aws_call *call = transfer->call;
    free_transfer(transfer);
    if (!call)
        return;
    call->transfer = NULL;
    if (call->done)
        call->done(call, call->context);
}

/* One line for --verbose. wait: seconds until the next attempt; negative when there is none. */
static void log_attempt(struct aws_transfer *transfer, double wait, bool throttled)
{
    const struct aws_settings *settings = transfer->aws->settings;
    const struct aws_call *call = transfer->call;
    struct text line = {0};
    if (!settings->log)
        return;
    text_add_format(&line, "%s %s", transfer->service->name, transfer->operation);
    if (call->http_status)
        text_add_format(&line, " %d", call->http_status);
    if (call->code[0])
        text_add_format(&line, " %s", call->code);
    text_add_format(&line, " in %.0f ms", (clock_monotonic() - transfer->started) * 1000);
    if (wait >= 0)
        text_add_format(&line, ", again in %.1f s", wait);
    if (throttled && transfer->queue->limit)
        text_add_format(&line, ", now %.1f calls a second", limit_rate(transfer->queue->limit));
    settings->log(settings->log_context, text_string(&line));
    text_free(&line);
}

/* --- starting --- */

static enum status known_endpoint(struct aws *aws, const struct aws_transfer *transfer,
                                  const struct endpoint **endpoint, struct error *error)
{
    const char *host = transfer->host;
    for (size_t i = 0; i < aws->endpoint_count; i++) {
        const struct known_endpoint *known = &aws->endpoints[i];
        if (known->service == transfer->service && !known->host == !host &&
            (!host || strcmp(known->host, host) == 0)) {
            *endpoint = &known->endpoint;
            return FINE;
        }
    }
    aws->endpoints =
        must_grow(aws->endpoints, aws->endpoint_count, &aws->endpoint_room, sizeof *aws->endpoints);
    struct known_endpoint *known = &aws->endpoints[aws->endpoint_count];
    *known = (struct known_endpoint){transfer->service, host ? must_copy(host) : NULL, {0}};
    enum status status =
        endpoint_find(aws->settings, transfer->service, host, &known->endpoint, error);
    if (status) {
        endpoint_free(&known->endpoint);
        free(known->host);
        return status;
    }
    aws->endpoint_count++;
    *endpoint = &known->endpoint;
    return FINE;
}

/* Credentials are renewed five minutes before they expire. Where new ones have less than that left, the
 * provider is asked again after a minute, or when they expire. */
static void set_renewal(struct aws *aws)
{
    time_t expires = aws->credentials.expires, time = client_time(aws);
    aws->renew_at = expires ? expires - RENEW_SECONDS : 0;
    if (expires && aws->renew_at <= time)
        aws->renew_at = expires > time && expires < time + 60 ? expires : time + 60;
}

/* refused: AWS has refused the present ones. */
static enum status find_credentials(struct aws *aws, bool refused, struct error *error)
{
    const struct credentials_need need = {.clock_ahead = aws->clock_ahead, .refused = refused};
    struct aws_credentials found = {0};
    enum status status = aws->provider->find(aws->provider, &need, &found, error);
    if (status)
        return status;
    credentials_free(&aws->credentials);
    aws->credentials = found;
    set_renewal(aws);
    return FINE;
}

/* When no new credentials are found, the old ones are used until they expire. */
static enum status renew(struct aws *aws, struct error *error)
{
    time_t time = client_time(aws);
    struct error renewal = {0};
    enum status status = find_credentials(aws, false, &renewal);
    if (status && time < aws->credentials.expires) {
        aws->renew_at = time + 60 < aws->credentials.expires ? time + 60 : aws->credentials.expires;
        error_free(&renewal);
        return FINE;
    }
    if (status)
        *error = renewal;
    return status;
}

static enum status renew_credentials(struct aws *aws, struct error *error)
{
    if (!aws->renew_at || client_time(aws) < aws->renew_at)
        return FINE;
    return renew(aws, error);
}

/* A forked worker cannot ask for the code of an MFA device, so it begins with credentials that last. */
enum status aws_before_fork(struct aws *aws, struct error *error)
{
    time_t expires = aws->credentials.expires;
    if (!expires || client_time(aws) + FRESH_SECONDS <= expires)
        return FINE;
    return renew(aws, error);
}

static enum status start(struct aws *aws, struct aws_transfer *transfer, struct error *error)
{
    const struct endpoint *endpoint;
    struct http_exchange *exchange = &transfer->exchange;
    long timeout_ms = aws->settings->timeout_ms;
    enum status status = transfer->anonymous ? FINE : renew_credentials(aws, error);
    if (!status)
        status = known_endpoint(aws, transfer, &endpoint, error);
    if (!status)
        status = request_sign(transfer, endpoint, error);
    if (status)
        return status;
    free(transfer->key_id);
    transfer->key_id = transfer->anonymous ? NULL : must_copy(aws->credentials.key_id);
    http_free(exchange);
    *exchange =
        (struct http_exchange){.method = transfer->method,
                               .url = transfer->url,
                               .headers = (const char *const *)transfer->lines,
                               .body = transfer->bytes.at,
                               .length = transfer->bytes.length,
                               .connect_ms = CONNECT_MS < timeout_ms ? CONNECT_MS : timeout_ms,
                               .total_ms = timeout_ms,
                               .certificates = aws->settings->certificates,
                               .owner = transfer};
    transfer->call->attempts++;
    transfer->started = clock_monotonic();
    aws->on_wire[aws->on_wire_count++] = transfer;
    http_start(aws->http, exchange);
    return FINE;
}

/* The next queue whose first call may start now, in turn; NULL when there is none. */
static struct queue *ready_queue(struct aws *aws)
{
    double time = clock_monotonic();
    for (size_t i = 0; i < aws->queue_count; i++) {
        struct queue *queue = aws->queues[(aws->next_queue + i) % aws->queue_count];
        if (!queue->first || queue->due > time)
            continue;
        double wait = queue->limit && !queue->first->cancelled ? limit_take(queue->limit) : 0;
        queue->due = time + wait;
        if (wait > 0)
            continue;
        aws->next_queue = (aws->next_queue + i + 1) % aws->queue_count;
        return queue;
    }
    return NULL;
}

static void start_ready(struct aws *aws)
{
    struct queue *queue;
    while (aws->delayed_count && aws->delayed[0]->due <= clock_monotonic())
        enqueue(take_delayed(aws));
    while (aws->on_wire_count < aws->in_flight && (queue = ready_queue(aws))) {
        struct aws_transfer *transfer = dequeue(queue);
        if (!transfer->cancelled && start(aws, transfer, &transfer->call->error) == FINE)
            continue;
        end(transfer);
    }
}

/* --- ending --- */

/* Seconds until the retry: exponential with full jitter, or longer when the service asks for it. */
static double backoff(struct aws_transfer *transfer, bool throttled)
{
    struct aws *aws = transfer->aws;
    double base = aws->settings->backoff * (throttled ? 2 : 1);
    double most = base * pow(2, transfer->call->attempts - 1);
    most = most < longest_backoff ? most : longest_backoff;
    double wait = most * rand_r(&aws->jitter) / RAND_MAX;
    owned char *seconds = http_field(&transfer->exchange, "Retry-After");
    owned char *milliseconds = http_field(&transfer->exchange, "x-amz-retry-after");
    double asked = *milliseconds ? strtod(milliseconds, NULL) / 1000 : strtod(seconds, NULL);
    if (!(asked > wait))
        return wait;
    return asked < longest_retry_after ? asked : longest_retry_after;
}

static void retry(struct aws_transfer *transfer, double wait, bool throttled)
{
    struct aws_call *call = transfer->call;
    log_attempt(transfer, wait, throttled);
    error_free(&call->error);
    request_forget(transfer);
    delay(transfer->aws, transfer, wait);
}

/* True when there are other credentials now: the same key is as expired as before. When none are found,
 * the reason becomes the call's error. */
static bool renewed(struct aws_transfer *transfer)
{
    struct aws *aws = transfer->aws;
    struct error error = {0};
    transfer->credentials_renewed = true;
    if (strcmp(transfer->key_id, aws->credentials.key_id) != 0)
        return true; /* they were renewed for another call */
    if (!aws->provider)
        return false;
    if (find_credentials(aws, true, &error)) {
        error_free(&transfer->call->error);
        transfer->call->error = error;
        return false;
    }
    return strcmp(transfer->key_id, aws->credentials.key_id) != 0;
}

/* A throttled call was not carried out, so it is retried more often. */
static bool may_retry(const struct aws_transfer *transfer, bool throttled)
{
    bool reached = transfer->exchange.result != HTTP_UNREACHABLE;
    return transfer->call->attempts < (throttled ? MOST_ATTEMPTS_THROTTLED
                                       : reached ? MOST_ATTEMPTS
                                                 : MOST_ATTEMPTS_TO_REACH);
}

static void read_and_end(struct aws_transfer *transfer)
{
    struct aws *aws = transfer->aws;
    struct queue *queue = transfer->queue;
    enum verdict verdict = answer_read(transfer);
    if (queue->limit && verdict == RETRY_SLOWER)
        limit_was_throttled(aws->limits, queue->limit);
    if (queue->limit && !transfer->call->error.status)
        limit_went_well(aws->limits, queue->limit);
    if (verdict == RETRY_WITH_CLOCK)
        transfer->clock_corrected = true;
    bool at_once =
        verdict == RETRY_WITH_CLOCK || (verdict == RETRY_WITH_CREDENTIALS && renewed(transfer));
    bool throttled = verdict == RETRY_SLOWER;
    bool later = (verdict == RETRY || throttled) && may_retry(transfer, throttled);
    if (at_once || later) {
        retry(transfer, later ? backoff(transfer, throttled) : 0, throttled);
        return;
    }
    log_attempt(transfer, -1, throttled);
    end(transfer);
}

static void remove_on_wire(struct aws *aws, const struct aws_transfer *transfer)
{
    for (size_t i = 0; i < aws->on_wire_count; i++) {
        if (aws->on_wire[i] == transfer) {
            aws->on_wire[i] = aws->on_wire[--aws->on_wire_count];
            return;
        }
    }
}

static void take_answers(struct aws *aws)
{
    struct http_exchange *exchange;
    while ((exchange = http_ended(aws->http))) {
        struct aws_transfer *transfer = exchange->owner;
        remove_on_wire(aws, transfer);
        if (transfer->cancelled)
            end(transfer);
        else
            read_and_end(transfer);
    }
}

/* --- the loop --- */

/* Milliseconds until a call may start; at most a second. */
static int idle_time(const struct aws *aws)
{
    double time = clock_monotonic(), until = time + 1;
    if (aws->delayed_count && aws->delayed[0]->due < until)
        until = aws->delayed[0]->due;
    for (size_t i = 0; i < aws->queue_count && aws->on_wire_count < aws->in_flight; i++)
        if (aws->queues[i]->first && aws->queues[i]->due < until)
            until = aws->queues[i]->due;
    return until > time ? (int)((until - time) * 1000) + 1 : 0;
}

static void turn(struct aws *aws)
{
    start_ready(aws);
    http_poll(aws->http, 0);
    take_answers(aws);
    start_ready(aws);
    http_poll(aws->http, idle_time(aws));
    take_answers(aws);
}

static bool is_busy(const struct aws *aws)
{
    bool waiting = false;
    for (size_t i = 0; i < aws->queue_count && !waiting; i++)
        waiting = aws->queues[i]->first != NULL;
    return waiting || aws->delayed_count || aws->on_wire_count;
}

void aws_run(struct aws *aws)
{
    while (is_busy(aws))
        turn(aws);
}

enum status aws_finish(struct aws *aws, struct aws_call *call, struct error *error)
{
    while (call->transfer)
        turn(aws);
    if (error && call->error.status) {
        *error = call->error;
        call->error = (struct error){.status = error->status};
    }
    return call->error.status;
}

/* --- opening --- */

static struct aws *new_client(const struct aws_settings *settings, struct limits *limits,
                              size_t in_flight)
{
    struct aws *made = must_alloc(sizeof *made);
    *made = (struct aws){.settings = settings,
                         .limits = limits,
                         .in_flight = in_flight,
                         .on_wire = must_array(in_flight, sizeof *made->on_wire),
                         .jitter = (unsigned)time(NULL) ^ (unsigned)getpid() << 16};
    return made;
}

enum status client_open(struct aws_settings *settings, struct limits *limits,
                        struct credentials_provider *provider, struct aws **aws,
                        struct error *error)
{
    struct aws *made = new_client(settings, limits, settings->in_flight);
    made->own_settings = settings;
    made->provider = provider;
    enum status status = http_open(settings->in_flight, &made->http, error);
    if (!status)
        status = find_credentials(made, false, error);
    if (status) {
        aws_close(made);
        made = NULL;
    }
    *aws = made;
    return status;
}

enum status client_open_for_one(const struct aws_settings *settings, struct limits *limits,
                                const struct aws_credentials *credentials, time_t clock_ahead,
                                struct aws **aws, struct error *error)
{
    struct aws *made = new_client(settings, limits, 1);
    made->clock_ahead = clock_ahead;
    if (credentials)
        made->credentials = credentials_copy(credentials);
    enum status status = http_open(1, &made->http, error);
    if (status) {
        aws_close(made);
        made = NULL;
    }
    *aws = made;
    return status;
}

/* --- closing --- */

/* Frees the calls under way; their `done` is not called. */
static void drop_calls(struct aws *aws)
{
    for (size_t i = 0; i < aws->queue_count; i++)
        while (aws->queues[i]->first)
            delay(aws, dequeue(aws->queues[i]), 0);
    while (aws->on_wire_count) {
        struct aws_transfer *transfer = aws->on_wire[--aws->on_wire_count];
        http_cancel(aws->http, &transfer->exchange);
        delay(aws, transfer, 0);
    }
    while (aws->delayed_count) {
        struct aws_transfer *transfer = take_delayed(aws);
        if (transfer->call)
            transfer->call->transfer = NULL;
        free_transfer(transfer);
    }
}

void aws_after_fork(struct aws *aws)
{
    struct error error = {0};
    http_abandon(aws->http);
    drop_calls(aws);
    aws->jitter ^= (unsigned)getpid() << 16;
    if (aws->provider)
        aws->provider->after_fork(aws->provider);
    if (http_open(aws->in_flight, &aws->http, &error))
        out_of_memory();
}

static void free_found(struct aws *aws)
{
    for (size_t i = 0; i < aws->queue_count; i++) {
        free(aws->queues[i]->name);
        free(aws->queues[i]);
    }
    for (size_t i = 0; i < aws->endpoint_count; i++) {
        endpoint_free(&aws->endpoints[i].endpoint);
        free(aws->endpoints[i].host);
    }
    free(aws->queues);
    free(aws->endpoints);
    free(aws->delayed);
    free(aws->on_wire);
}

void aws_close(struct aws *aws)
{
    if (!aws)
        return;
    drop_calls(aws);
    http_close(aws->http);
    free_found(aws);
    credentials_free(&aws->credentials);
    if (aws->provider)
        aws->provider->close(aws->provider);
    if (aws->own_settings) {
        limits_close(aws->limits);
        settings_free(aws->own_settings);
    }
    free(aws);
}

/* --- asking --- */

const char *aws_region(const struct aws *aws)
{
    return aws->settings->region;
}

const char *aws_partition(const struct aws *aws)
{
    return aws->settings->partition->name;
}

const char *aws_profile(const struct aws *aws)
{
    return aws->settings->profile;
}

double aws_clock_ahead(const struct aws *aws)
{
    return (double)aws->clock_seen;
}

const char *aws_credentials_source(const struct aws *aws)
{
    return aws->credentials.source;
}
