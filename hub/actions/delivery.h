/* Deliveries: what actions send to the broker, to web servers and by mail. Threads of the queue
 * send them, so that a slow receiver does not hold up the readings.
 *
 *   delivery_queue_add       the delivery belongs to the batch that is being processed
 *   delivery_queue_commit    the batch is committed: its deliveries are sent
 *   delivery_queue_rollback  the batch is not committed: its deliveries are dropped
 *
 * The queue is bounded. A delivery that finds no room in it fails at once. A delivery that failed
 * is kept for delivery_queue_take_failed(), so that the rule's error action gets it. */
#ifndef HUB_ACTIONS_DELIVERY_H
#define HUB_ACTIONS_DELIVERY_H

#include "common/base/error.h"
#include "common/rule/rule.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum delivery_kind { DELIVER_MQTT, DELIVER_WEB, DELIVER_MAIL };

struct delivery {
    enum delivery_kind kind;
    char *target;  /* topic, URL or mail address */
    char *headers; /* DELIVER_WEB: lines, each ending in \n; DELIVER_MAIL: the subject */
    char *body;    /* length bytes, and a NUL behind them */
    size_t length;
    int qos; /* DELIVER_MQTT */

    /* Copies of its origin. */
    char *rule, *action, *resource;
    bool error;
    char *topic, *client_id, *payload;
    size_t payload_length;
    int64_t time; /* when the message was accepted: milliseconds since 1970 */

    char why[160];         /* why it failed */
    int message_id;        /* libmosquitto's, while it waits for the broker's acknowledgement */
    struct delivery *next; /* in the list that it is in */
};

/* Which action made it, for which message. */
struct delivery_origin {
    const char *rule;     /* the rule's name */
    const char *action;   /* the action's name in the rule */
    const char *resource; /* the action's resource */
    bool error;           /* it is an error action: its failure is only logged */
    const struct rule_message *message;
};

/* A new delivery, to be freed by the caller until delivery_queue_add() takes it. The strings and
 * the body are copied. NULL: out of memory. */
struct delivery *delivery_new(enum delivery_kind kind, const char *target, const char *headers,
                              const void *body, size_t length);

/* Copies the origin; false: out of memory. */
bool delivery_set_origin(struct delivery *delivery, const struct delivery_origin *origin);
void delivery_free(struct delivery *delivery);

struct delivery_queue;

/* mqtt_port: of the broker on this machine; the system's own certificate is shown to it. On failure
 * *made may be set all the same, and is to be stopped. */
enum status delivery_queue_start(int mqtt_port, struct delivery_queue **made, struct error *error);

/* Waits until nothing is being sent, at most `seconds`. */
void delivery_queue_wait(struct delivery_queue *queue, double seconds);

/* Ends the threads and frees the queue. Deliveries that were not sent, and failed ones that were
 * not taken, are logged. queue may be NULL. */
void delivery_queue_stop(struct delivery_queue *queue);

/* See the head of this file. delivery_queue_add() takes the delivery over. */
void delivery_queue_add(struct delivery_queue *queue, struct delivery *delivery);
void delivery_queue_commit(struct delivery_queue *queue);
void delivery_queue_rollback(struct delivery_queue *queue);

/* The next failed delivery, to be freed by the caller; NULL: there is none. */
struct delivery *delivery_queue_take_failed(struct delivery_queue *queue);

struct delivery_counts {
    uint64_t sent, failed; /* since the queue was started */
    size_t returned;       /* failed deliveries that were not taken yet */
    size_t waiting;        /* queued, or being sent */
};
struct delivery_counts delivery_queue_count(struct delivery_queue *queue);

#endif
