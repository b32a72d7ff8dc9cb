/* Couriers send what leaves this machine's database: messages to the broker, requests to the web,
 * mail. They work in threads of their own, so that a slow receiver never holds up a reading.
 *
 * Deliveries are prepared while a batch is worked on, and handed over when it is committed; those
 * of a batch that was not are dropped. The queue is bounded: what finds no room has failed at once.
 * A delivery that has failed comes back with its message, for the rule's error action. */
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
    char *target;  /* topic, URL or address */
    char *headers; /* of DELIVER_WEB: lines, each ending in \n; of DELIVER_MAIL: the subject */
    char *body;
    size_t length;
    int qos;

    /* Where it came from, for the error action. */
    char *rule;   /* its name */
    char *action; /* as AWS calls it */
    char *resource;
    bool error; /* it is itself what an error action sends */
    char *topic, *client_id, *payload;
    size_t payload_length;
    int64_t time;
    char why[160]; /* what went wrong, once it failed */
    struct delivery *next;
};

struct delivery_queue;

/* mqtt_port: of the broker on this machine, to which the service's certificate is shown. */
enum status delivery_queue_start(int mqtt_port, struct delivery_queue **made, struct error *error);

/* Waits at most so long for what is under way. */
void delivery_queue_wait(struct delivery_queue *queue, double seconds);

/* What is still under way, or failed and was not fetched, is said in the log. */
void delivery_queue_stop(struct delivery_queue *queue);

/* A delivery of this message; NULL without memory. The strings are copied. */
struct delivery *delivery_new(enum delivery_kind kind, const char *target, const char *headers,
                              const void *body, size_t length);
void delivery_free(struct delivery *delivery);

void delivery_queue_prepare(struct delivery_queue *queue, struct delivery *delivery);
void delivery_queue_commit(struct delivery_queue *queue);   /* the batch is committed */
void delivery_queue_rollback(struct delivery_queue *queue); /* it was not */

/* The next one that failed, to be freed by the caller; NULL when there is none. */
struct delivery *delivery_queue_take_failed(struct delivery_queue *queue);

struct delivery_counts {
    uint64_t sent, failed;
    size_t returned; /* that failed and were not fetched yet */
    size_t waiting;
};
struct delivery_counts delivery_queue_count(struct delivery_queue *queue);

#endif
