/* Two ways out:
 *
 *   broker     libmosquitto has a thread and a queue of its own. Here is the list of messages that
 *              the broker has not acknowledged yet.
 *   web, mail  a few threads share one queue. Each sends one delivery at a time, with up to three
 *              tries (developer guide, "HTTP action retry logic").
 */
#include "delivery.h"
#include "common/base/paths.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "mail.h"
#include "web.h"

#include <errno.h>
#include <mosquitto.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    MOST_WAITING = 10000,  /* deliveries in a list */
    MOST_BYTES = 16 << 20, /* of the bodies in the queue */
    WORKERS = 4,
    TRIES = 3 /* attempts, with a pause of one second after the first, two after the second */
};

static const double request_seconds = 15, mail_seconds = 30; /* timeouts */

struct list {
    struct delivery *first, **end; /* end: where the next one is linked; unused in an empty list */
    size_t count, bytes;           /* bytes: of the bodies */
};

struct delivery_queue {
    struct list added; /* by the batch that is processed; only the engine's thread uses it */

    pthread_mutex_t mutex; /* guards all that follows */
    pthread_cond_t changed;
    struct list waiting; /* for a worker */
    struct list failed;  /* for delivery_queue_take_failed() */
    pthread_t workers[WORKERS];
    size_t started, busy; /* workers that run; workers that are sending */
    bool stop;            /* the workers shall end */
    uint64_t sent_count, failed_count;
    struct log_limit failure_lines;

    struct mosquitto *broker; /* NULL until the first message to the broker */
    int port;
    struct delivery *unacknowledged; /* published messages, linked by next */
    size_t unacknowledged_count;
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

/* --- deliveries --- */

static char *copy(const char *bytes, size_t length)
{
    char *made = malloc(length + 1);
    if (made) {
        memcpy(made, bytes, length);
        made[length] = '\0';
    }
    return made;
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
                                  .body = copy(body, length),
                                  .length = length};
    if (delivery->target && delivery->headers && delivery->body)
        return delivery;
    delivery_free(delivery);
    return NULL;
}

bool delivery_set_origin(struct delivery *delivery, const struct delivery_origin *origin)
{
    const struct rule_message *message = origin->message;
    delivery->rule = strdup(origin->rule);
    delivery->action = strdup(origin->action);
    delivery->resource = strdup(origin->resource);
    delivery->error = origin->error;
    delivery->topic = strdup(message->topic);
    delivery->client_id = strdup(message->client_id);
    delivery->payload = copy(message->payload, message->payload_length);
    delivery->payload_length = message->payload_length;
    delivery->time = message->time;
    return delivery->rule && delivery->action && delivery->resource && delivery->topic &&
           delivery->client_id && delivery->payload;
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

/* --- outcomes; the mutex is held --- */

static void log_failed(struct delivery_queue *queue, const struct delivery *delivery)
{
    if (!log_allows(&queue->failure_lines))
        return;
    log_line("rule %s: %s to %s failed: %s", delivery->rule, delivery->action, delivery->target,
             delivery->why);
}

/* Takes the delivery. */
static void note_failed(struct delivery_queue *queue, struct delivery *delivery, const char *why)
{
    snprintf(delivery->why, sizeof delivery->why, "%s", why);
    queue->failed_count++;
    if (queue->failed.count < MOST_WAITING && !delivery->error) {
        append(&queue->failed, delivery);
        return;
    }
    log_failed(queue, delivery);
    delivery_free(delivery);
}

/* Takes the delivery. */
static void note_sent(struct delivery_queue *queue, struct delivery *delivery)
{
    queue->sent_count++;
    delivery_free(delivery);
}

/* --- the broker --- */

static struct delivery *take_unacknowledged(struct delivery_queue *queue, int message_id)
{
    for (struct delivery **at = &queue->unacknowledged; *at; at = &(*at)->next) {
        struct delivery *found = *at;
        if (found->message_id != message_id)
            continue;
        *at = found->next;
        queue->unacknowledged_count--;
        return found;
    }
    return NULL;
}

/* libmosquitto's thread: the broker has acknowledged the message, or it is sent with QoS 0. */
static void on_publish(struct mosquitto *broker, void *context, int message_id)
{
    struct delivery_queue *queue = context;
    (void)broker;
    pthread_mutex_lock(&queue->mutex);
    struct delivery *delivery = take_unacknowledged(queue, message_id);
    if (delivery)
        note_sent(queue, delivery);
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->mutex);
}

/* Signals stay with the main thread. */
static int start_loop(struct mosquitto *broker)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int code = mosquitto_loop_start(broker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

/* Called for the first message. From then on libmosquitto keeps the connection: a broker that
 * cannot be reached now (MOSQ_ERR_ERRNO) is tried again by its thread. */
static void connect_to_broker(struct delivery_queue *queue)
{
    mosquitto_lib_init();
    struct mosquitto *broker = mosquitto_new("sensorhub", true, queue);
    if (!broker)
        return;
    int code =
        mosquitto_tls_set(broker, AUTHORITY_CERTIFICATE, NULL, HUB_CERTIFICATE, HUB_KEY, NULL);
    mosquitto_publish_callback_set(broker, on_publish);
    mosquitto_reconnect_delay_set(broker, 1, 10, true);
    if (!code)
        code = mosquitto_connect_async(broker, "localhost", queue->port, 60);
    if (!code || code == MOSQ_ERR_ERRNO)
        code = start_loop(broker);
    if (code)
        mosquitto_destroy(broker);
    else
        queue->broker = broker;
}

/* The mutex is held over mosquitto_publish() and until the delivery is in the list: on_publish()
 * may be called before mosquitto_publish() returns, and must find it there. */
static void publish(struct delivery_queue *queue, struct delivery *delivery)
{
    int code;
    if (!queue->broker)
        connect_to_broker(queue);
    pthread_mutex_lock(&queue->mutex);
    if (!queue->broker) {
        note_failed(queue, delivery, "cannot connect to the broker: is " HUB_CERTIFICATE " there?");
    } else if (queue->unacknowledged_count >= MOST_WAITING) {
        note_failed(queue, delivery, "too many messages wait for the broker");
    } else if ((code = mosquitto_publish(queue->broker, &delivery->message_id, delivery->target,
                                         (int)delivery->length, delivery->body, delivery->qos,
                                         false))) {
        note_failed(queue, delivery, mosquitto_strerror(code));
    } else {
        delivery->next = queue->unacknowledged;
        queue->unacknowledged = delivery;
        queue->unacknowledged_count++;
    }
    pthread_mutex_unlock(&queue->mutex);
}

/* --- the web and mail --- */

/* False when the queue is stopped meanwhile. */
static bool wait_before_retry(struct delivery_queue *queue, int seconds)
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
        if (i && !wait_before_retry(queue, i))
            break;
        if (delivery->kind == DELIVER_MAIL)
            done = mail_send(easy, delivery->target, delivery->headers, delivery->body,
                             delivery->length, mail_seconds, why, room);
        else
            done = web_post(easy, delivery->target, delivery->headers, delivery->body,
                            delivery->length, request_seconds, &again, why, room);
    }
    return done;
}

/* Loads libcurl when there is something to send for the first time. False, with the reason in why:
 * there is no handle. */
static bool prepare_handle(CURL **easy, char *why, size_t room)
{
    struct error error = {0};
    if (!*easy && libcurl_load(&error) == FINE)
        *easy = curl.easy_init();
    snprintf(why, room, "%s", error.status ? text_string(&error.message) : "out of memory");
    error_free(&error);
    return *easy;
}

static void *run_worker(void *context)
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

void delivery_queue_add(struct delivery_queue *queue, struct delivery *delivery)
{
    append(&queue->added, delivery);
}

void delivery_queue_rollback(struct delivery_queue *queue)
{
    free_list(&queue->added);
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
    while ((delivery = take_first(&queue->added))) {
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
    log_tell_left_out(&queue->failure_lines, "failed deliveries");
    struct delivery_counts counts = {.sent = queue->sent_count,
                                     .failed = queue->failed_count,
                                     .returned = queue->failed.count,
                                     .waiting = queue->waiting.count + queue->busy +
                                                queue->unacknowledged_count};
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
        int failed = pthread_create(&queue->workers[queue->started], NULL, run_worker, queue);
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
    while (delivery_queue_count(queue).waiting && clock_monotonic() < end)
        clock_sleep(0.02);
}

static void disconnect(struct mosquitto *broker)
{
    mosquitto_disconnect(broker);
    mosquitto_loop_stop(broker, true);
    mosquitto_destroy(broker);
    mosquitto_lib_cleanup();
}

void delivery_queue_stop(struct delivery_queue *queue)
{
    if (!queue)
        return;
    struct delivery_counts counts = delivery_queue_count(queue);
    if (counts.waiting)
        log_line("%zu deliveries were not sent", counts.waiting);
    pthread_mutex_lock(&queue->mutex);
    queue->stop = true;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->mutex);
    for (size_t i = 0; i < queue->started; i++)
        pthread_join(queue->workers[i], NULL);
    if (queue->broker)
        disconnect(queue->broker);
    while (queue->unacknowledged) {
        struct delivery *delivery = queue->unacknowledged;
        queue->unacknowledged = delivery->next;
        delivery_free(delivery);
    }
    free_list(&queue->added);
    free_list(&queue->waiting);
    for (const struct delivery *at = queue->failed.first; at; at = at->next)
        log_failed(queue, at);
    log_tell_left_out(&queue->failure_lines, "failed deliveries");
    free_list(&queue->failed);
    pthread_cond_destroy(&queue->changed);
    pthread_mutex_destroy(&queue->mutex);
    free(queue);
}
