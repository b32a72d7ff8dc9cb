/* Two ways out. To the broker: libmosquitto's own thread and queue, of which we count what is not
 * acknowledged. To the web and by mail: a few threads that share one queue, each with one request
 * at a time, three tries with growing pauses (the developer guide's "HTTP action retry logic"). */
#include "delivery.h"
#include "common/base/paths.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "mail.h"

#include <errno.h>
#include <mosquitto.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    MOST_WAITING = 10000,  /* deliveries, and */
    MOST_BYTES = 16 << 20, /* bytes of their bodies, that wait at most */
    WORKERS = 4,
    TRIES = 3,
    LARGEST_ANSWER = 16384,
    SECONDS_FOR_A_REQUEST = 15,
    SECONDS_FOR_A_MAIL = 30
};

struct list {
    struct delivery *first, **end;
    size_t count, bytes;
};

struct delivery_queue {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct list prepared; /* the engine's: not yet committed */
    struct list waiting;  /* for the workers */
    struct list failed;   /* back to the engine */
    pthread_t workers[WORKERS];
    size_t started, busy;
    bool stop;
    uint64_t sent, lost;
    /* The broker. */
    struct mosquitto *broker;
    int port;
    struct delivery *on_the_way; /* published and not acknowledged; mid is in qos */
    size_t on_the_way_count;
};

/* --- lists --- */

static void append(struct list *list, struct delivery *delivery)
{
    delivery->next = NULL;
    *(list->first ? list->end : &list->first) = delivery;
    list->end = &delivery->next;
    list->count++;
    list->bytes += delivery->length;
}

static struct delivery *take_first(struct list *list)
{
    struct delivery *first = list->first;
    if (!first)
        return NULL;
    list->first = first->next;
    list->count--;
    list->bytes -= first->length;
    return first;
}

static void free_list(struct list *list)
{
    struct delivery *delivery;
    while ((delivery = take_first(list)))
        delivery_free(delivery);
}

struct delivery *delivery_new(enum delivery_kind kind, const char *target, const char *headers,
                              const void *body, size_t length)
{
    struct delivery *delivery = calloc(1, sizeof *delivery);
    if (!delivery)
        return NULL;
    *delivery = (struct delivery){.kind = kind,
                                  .target = strdup(target),
                                  .headers = strdup(headers),
                                  .body = malloc(length + 1),
                                  .length = length};
    if (!delivery->target || !delivery->headers || !delivery->body) {
        delivery_free(delivery);
        return NULL;
    }
    memcpy(delivery->body, body, length);
    delivery->body[length] = '\0';
    return delivery;
}

void delivery_free(struct delivery *delivery)
{
    if (!delivery)
        return;
    free(delivery->target);
    free(delivery->headers);
    free(delivery->body);
    free(delivery->rule);
    free(delivery->action);
    free(delivery->resource);
    free(delivery->topic);
    free(delivery->client_id);
    free(delivery->payload);
    free(delivery);
}

/* --- outcomes; the lock is held --- */

static void note_failed(struct delivery_queue *queue, struct delivery *delivery, const char *why)
{
    snprintf(delivery->why, sizeof delivery->why, "%s", why);
    queue->lost++;
    if (queue->failed.count < MOST_WAITING && !delivery->error) {
        append(&queue->failed, delivery);
        return;
    }
    log_line("rule %s: %s to %s failed: %s", delivery->rule, delivery->action, delivery->target,
             why);
    delivery_free(delivery);
}

static void note_sent(struct delivery_queue *queue, struct delivery *delivery)
{
    queue->sent++;
    delivery_free(delivery);
}

/* --- the broker --- */

static struct delivery *take_from_the_way(struct delivery_queue *queue, int mid)
{
    for (struct delivery **at = &queue->on_the_way; *at; at = &(*at)->next) {
        struct delivery *found = *at;
        if (found->qos != mid)
            continue;
        *at = found->next;
        queue->on_the_way_count--;
        return found;
    }
    return NULL;
}

static void on_publish(struct mosquitto *broker, void *context, int mid)
{
    struct delivery_queue *queue = context;
    (void)broker;
    pthread_mutex_lock(&queue->mutex);
    struct delivery *delivery = take_from_the_way(queue, mid);
    if (delivery)
        note_sent(queue, delivery);
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->mutex);
}

/* Connects when there is something to say for the first time; from then on libmosquitto sees to it
 * that it stays so. */
static int connect_to_broker(struct delivery_queue *queue)
{
    sigset_t all, before;
    mosquitto_lib_init();
    struct mosquitto *broker = mosquitto_new("sensorhub", true, queue);
    if (!broker)
        return MOSQ_ERR_NOMEM;
    int code =
        mosquitto_tls_set(broker, AUTHORITY_CERTIFICATE, NULL, HUB_CERTIFICATE, HUB_KEY, NULL);
    mosquitto_publish_callback_set(broker, on_publish);
    mosquitto_reconnect_delay_set(broker, 1, 10, true);
    if (!code)
        code = mosquitto_connect_async(broker, "localhost", queue->port, 60);
    if (!code || code == MOSQ_ERR_ERRNO) /* not there just now: it will be tried again */ {
        sigfillset(&all); /* signals are for the main thread */
        pthread_sigmask(SIG_BLOCK, &all, &before);
        code = mosquitto_loop_start(broker);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    if (code)
        mosquitto_destroy(broker);
    else
        queue->broker = broker;
    return code;
}

/* Of another thread's on_publish() the lock keeps away until the delivery is on its way. */
static void publish(struct delivery_queue *queue, struct delivery *delivery)
{
    int mid = 0, code = queue->broker ? MOSQ_ERR_SUCCESS : connect_to_broker(queue);
    int qos = delivery->qos;
    pthread_mutex_lock(&queue->mutex);
    bool full = queue->on_the_way_count >= MOST_WAITING;
    if (!code && full)
        code = MOSQ_ERR_OVERSIZE_PACKET;
    if (!code)
        code = mosquitto_publish(queue->broker, &mid, delivery->target, (int)delivery->length,
                                 delivery->body, qos, false);
    if (code) {
        note_failed(queue, delivery,
                    full             ? "too many messages wait for the broker"
                    : !queue->broker ? "no way to the broker: is " HUB_CERTIFICATE " there?"
                                     : mosquitto_strerror(code));
    } else {
        delivery->qos = mid;
        delivery->next = queue->on_the_way;
        queue->on_the_way = delivery;
        queue->on_the_way_count++;
    }
    pthread_mutex_unlock(&queue->mutex);
}

/* --- the web --- */

static size_t count_answer(char *bytes, size_t size, size_t count, void *context)
{
    size_t *taken = context;
    (void)bytes;
    *taken += size * count;
    return *taken > LARGEST_ANSWER ? 0 : size * count;
}

static struct curl_slist *make_headers(const char *lines)
{
    struct curl_slist *list = NULL;
    while (*lines) {
        size_t length = strcspn(lines, "\n");
        char *line = strndup(lines, length);
        struct curl_slist *grown = line ? curl.slist_append(list, line) : NULL;
        free(line);
        if (!grown) {
            curl.slist_free_all(list);
            return NULL;
        }
        list = grown;
        lines += length + (lines[length] == '\n');
    }
    return list;
}

/* One try; *again: another may have more luck. */
static bool post_once(CURL *easy, const struct delivery *delivery, bool *again, char *why,
                      size_t room)
{
    size_t taken = 0;
    long code = 0;
    struct curl_slist *headers = make_headers(delivery->headers);
    curl.easy_reset(easy);
    curl.easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl.easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl.easy_setopt(easy, CURLOPT_TIMEOUT, (long)SECONDS_FOR_A_REQUEST);
    curl.easy_setopt(easy, CURLOPT_URL, delivery->target);
    curl.easy_setopt(easy, CURLOPT_POST, 1L);
    curl.easy_setopt(easy, CURLOPT_POSTFIELDS, delivery->body);
    curl.easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)delivery->length);
    curl.easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl.easy_setopt(easy, CURLOPT_WRITEFUNCTION, count_answer);
    curl.easy_setopt(easy, CURLOPT_WRITEDATA, &taken);
    CURLcode result = curl.easy_perform(easy);
    curl.easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &code);
    curl.slist_free_all(headers);
    bool done = result == CURLE_OK && code >= 200 && code < 300;
    *again = result != CURLE_OK ? result != CURLE_WRITE_ERROR && result != CURLE_URL_MALFORMAT &&
                                      result != CURLE_UNSUPPORTED_PROTOCOL
                                : code == 429 || code >= 500;
    if (result != CURLE_OK)
        snprintf(why, room, "%s", curl.easy_strerror(result));
    else
        snprintf(why, room, "the answer was %ld", code);
    return done;
}

/* Sleeps; false when it is time to stop. */
static bool wait_before_again(struct delivery_queue *queue, int seconds)
{
    const struct timespec until = clock_deadline(seconds);
    pthread_mutex_lock(&queue->mutex);
    while (!queue->stop &&
           pthread_cond_timedwait(&queue->changed, &queue->mutex, &until) != ETIMEDOUT)
        ;
    bool stop = queue->stop;
    pthread_mutex_unlock(&queue->mutex);
    return !stop;
}

static bool deliver(struct delivery_queue *queue, CURL *easy, const struct delivery *delivery,
                    char *why, size_t room)
{
    bool again = true, done = false;
    for (int i = 0; i < TRIES && again && !done; i++) {
        if (i && !wait_before_again(queue, i))
            break;
        if (delivery->kind == DELIVER_MAIL)
            done = mail_send(easy, delivery->target, delivery->headers, delivery->body,
                             delivery->length, SECONDS_FOR_A_MAIL, why, room);
        else
            done = post_once(easy, delivery, &again, why, room);
    }
    return done;
}

/* libcurl is loaded when there is something to deliver for the first time. False with the reason in
 * why. */
static bool prepare_handle(CURL **easy, char *why, size_t room)
{
    struct error error = {0};
    if (!*easy && libcurl_load(&error) == FINE)
        *easy = curl.easy_init();
    snprintf(why, room, "%s", error.status ? text_string(&error.message) : "out of memory");
    error_free(&error);
    return *easy;
}

static void *work(void *context)
{
    struct delivery_queue *queue = context;
    CURL *easy = NULL;
    pthread_mutex_lock(&queue->mutex);
    while (!queue->stop) {
        char why[160];
        struct delivery *delivery = take_first(&queue->waiting);
        if (!delivery) {
            pthread_cond_wait(&queue->changed, &queue->mutex);
            continue;
        }
        queue->busy++;
        pthread_mutex_unlock(&queue->mutex);
        bool done = prepare_handle(&easy, why, sizeof why) &&
                    deliver(queue, easy, delivery, why, sizeof why);
        pthread_mutex_lock(&queue->mutex);
        queue->busy--;
        if (done)
            note_sent(queue, delivery);
        else
            note_failed(queue, delivery, why);
        pthread_cond_broadcast(&queue->changed);
    }
    pthread_mutex_unlock(&queue->mutex);
    if (easy)
        curl.easy_cleanup(easy);
    return NULL;
}

/* --- the engine's side --- */

void delivery_queue_prepare(struct delivery_queue *queue, struct delivery *delivery)
{
    append(&queue->prepared, delivery);
}

void delivery_queue_rollback(struct delivery_queue *queue)
{
    free_list(&queue->prepared);
}

static void enqueue(struct delivery_queue *queue, struct delivery *delivery)
{
    pthread_mutex_lock(&queue->mutex);
    if (queue->waiting.count < MOST_WAITING &&
        queue->waiting.bytes + delivery->length <= MOST_BYTES)
        append(&queue->waiting, delivery);
    else
        note_failed(queue, delivery, "too many deliveries wait");
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->mutex);
}

void delivery_queue_commit(struct delivery_queue *queue)
{
    struct delivery *delivery;
    while ((delivery = take_first(&queue->prepared))) {
        if (delivery->kind == DELIVER_MQTT)
            publish(queue, delivery);
        else
            enqueue(queue, delivery);
    }
}

struct delivery *delivery_queue_take_failed(struct delivery_queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    struct delivery *delivery = take_first(&queue->failed);
    pthread_mutex_unlock(&queue->mutex);
    return delivery;
}

struct delivery_counts delivery_queue_count(struct delivery_queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    struct delivery_counts counts = {.sent = queue->sent,
                                     .failed = queue->lost,
                                     .returned = queue->failed.count,
                                     .waiting = queue->waiting.count + queue->busy +
                                                queue->on_the_way_count};
    pthread_mutex_unlock(&queue->mutex);
    return counts;
}

/* --- beginning and end --- */

enum status delivery_queue_start(int mqtt_port, struct delivery_queue **made, struct error *error)
{
    struct delivery_queue *queue = calloc(1, sizeof *queue);
    pthread_condattr_t attributes;
    if (!queue)
        return fail_memory(error);
    pthread_mutex_init(&queue->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&queue->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    queue->port = mqtt_port;
    *made = queue;
    for (; queue->started < WORKERS; queue->started++) {
        int failed = pthread_create(&queue->workers[queue->started], NULL, work, queue);
        if (failed) {
            errno = failed;
            return fail_errno(error, "cannot start a thread");
        }
    }
    return FINE;
}

void delivery_queue_wait(struct delivery_queue *queue, double seconds)
{
    double end = clock_monotonic() + seconds;
    while (delivery_queue_count(queue).waiting && clock_monotonic() < end) {
        const struct timespec moment = {0, 20000000};
        nanosleep(&moment, NULL);
    }
}

void delivery_queue_stop(struct delivery_queue *queue)
{
    if (!queue)
        return;
    struct delivery_counts counts = delivery_queue_count(queue);
    if (counts.waiting)
        log_line("%zu deliveries were not made", counts.waiting);
    pthread_mutex_lock(&queue->mutex);
    queue->stop = true;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->mutex);
    for (size_t i = 0; i < queue->started; i++)
        pthread_join(queue->workers[i], NULL);
    if (queue->broker) {
        mosquitto_disconnect(queue->broker);
        mosquitto_loop_stop(queue->broker, true);
        mosquitto_destroy(queue->broker);
        mosquitto_lib_cleanup();
    }
    while (queue->on_the_way) {
        struct delivery *delivery = queue->on_the_way;
        queue->on_the_way = delivery->next;
        delivery_free(delivery);
    }
    free_list(&queue->prepared);
    free_list(&queue->waiting);
    for (struct delivery *at = queue->failed.first; at; at = at->next)
        log_line("rule %s: %s to %s failed: %s", at->rule, at->action, at->target, at->why);
    free_list(&queue->failed);
    pthread_cond_destroy(&queue->changed);
    pthread_mutex_destroy(&queue->mutex);
    free(queue);
}
