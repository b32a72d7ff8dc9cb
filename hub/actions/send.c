/* Actions that send: republish to the broker, http to the web, sns to those whom local.notify of
 * system.yaml names for the topic. Here they are prepared; couriers send them. */
#include "common/base/json.h"
#include "common/base/text.h"
#include "action.h"

#include <mosquitto.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LONGEST_TARGET = 2048 };

/* --- preparing --- */

static char *copy(const char *bytes, size_t length)
{
    char *made = malloc(length + 1);
    if (made) {
        memcpy(made, bytes, length);
        made[length] = '\0';
    }
    return made;
}

static enum status prepare(const struct action *action, struct work *work,
                           struct delivery *delivery, struct error *error)
{
    const struct rule_message *message = work->message;
    if (!delivery)
        return fail_memory(error);
    delivery->rule = strdup(work->rule->name);
    delivery->action = strdup(action->name);
    delivery->resource = strdup(action->resource);
    delivery->topic = strdup(message->topic);
    delivery->client_id = strdup(message->client_id);
    delivery->payload = copy(message->payload, message->payload_length);
    delivery->payload_length = message->payload_length;
    delivery->time = message->time;
    delivery->error = work->error;
    if (!delivery->rule || !delivery->action || !delivery->resource || !delivery->topic ||
        !delivery->client_id || !delivery->payload) {
        delivery_free(delivery);
        return fail_memory(error);
    }
    delivery_queue_prepare(work->deliveries, delivery);
    return FINE;
}

/* The text of the action's target, without control characters in it. */
static bool read_target(const struct action *action, const struct work *work,
                        char target[LONGEST_TARGET])
{
    struct rule_result text;
    if (!run_template(action, work, action->target, &text))
        return false;
    bool plain = text.length > 0 && text.length < LONGEST_TARGET;
    for (size_t i = 0; i < text.length && plain; i++)
        plain = (unsigned char)text.bytes[i] >= 0x20 && text.bytes[i] != 0x7f;
    if (!plain) {
        failure_add(work->failures, action, "\"%.*s\" is no place to send to",
                    (int)(text.length < 64 ? text.length : 64), text.bytes);
        return false;
    }
    memcpy(target, text.bytes, text.length);
    target[text.length] = '\0';
    return true;
}

/* --- republish --- */

static enum status republish(const struct action *action, struct work *work, struct error *error)
{
    char target[LONGEST_TARGET];
    if (!read_target(action, work, target))
        return FINE;
    const char *topic = begins_with(target, "$$") ? target + 1 : target;
    if (mosquitto_pub_topic_check(topic) != MOSQ_ERR_SUCCESS ||
        !utf8_valid(topic, strlen(topic), NULL)) {
        failure_add(work->failures, action, "\"%.64s\" is not a topic to publish to", topic);
        return FINE;
    }
    struct delivery *delivery = delivery_new(DELIVER_MQTT, topic, "", work->payload, work->length);
    if (delivery)
        delivery->qos = action->qos;
    return prepare(action, work, delivery, error);
}

/* --- http --- */

/* What a rule makes of a message stays below the place that the operator wrote down:
 * https://example.com allows https://example.com/x, and not https://example.com.evil.org. */
static bool is_below(const char *url, const struct rule_result *allowed)
{
    size_t length = allowed->length;
    if (strncmp(url, allowed->bytes, length) != 0)
        return false;
    return url[length] == '\0' || allowed->bytes[length - 1] == '/' ||
           strchr("/?#", url[length]) != NULL;
}

static bool add_headers(const struct action *action, const struct work *work,
                        struct buffer *headers)
{
    bool typed = false;
    for (size_t i = 0; i < action->pair_count; i++) {
        const struct pair *pair = &action->pairs[i];
        struct rule_result text;
        if (!run_template(action, work, pair->value, &text))
            return false;
        for (size_t k = 0; k < text.length; k++) {
            if ((unsigned char)text.bytes[k] < 0x20) {
                failure_add(work->failures, action, "The header %s has a control character",
                            pair->name);
                return false;
            }
        }
        typed |= strcasecmp(pair->name, "content-type") == 0;
        buffer_add_string(headers, pair->name);
        buffer_add_string(headers, ": ");
        buffer_add(headers, text.bytes, text.length);
        buffer_add_string(headers, "\n");
    }
    if (!typed)
        buffer_add_string(headers, work->raw ? "content-type: application/octet-stream\n"
                                             : "content-type: application/json\n");
    return true;
}

static enum status post(const struct action *action, struct work *work, struct error *error)
{
    char target[LONGEST_TARGET];
    struct rule_result allowed;
    struct buffer headers = {0};
    enum status status = FINE;
    if (!read_target(action, work, target))
        return FINE;
    if (action->allowed && (!run_template(action, work, action->allowed, &allowed) ||
                            !allowed.length || !is_below(target, &allowed))) {
        failure_add(work->failures, action, "\"%.128s\" is not below confirmationUrl", target);
        return FINE;
    }
    if (add_headers(action, work, &headers))
        status = headers.failed ? fail_memory(error)
                                : prepare(action, work,
                                          delivery_new(DELIVER_WEB, target, buffer_string(&headers),
                                                       work->payload, work->length),
                                          error);
    buffer_free(&headers);
    return status;
}

/* --- sns --- */

const cJSON *notify_targets(const cJSON *notify, const char *arn)
{
    const char *name = strrchr(arn, ':');
    const cJSON *targets = json_get(notify, name ? name + 1 : arn);
    return cJSON_GetArraySize(targets) ? targets : NULL;
}

/* messageFormat JSON: {"default": "...", "email": "...", "https": "..."} (Publish, MessageStructure
 * of the Amazon SNS API). NULL when there is no such text. */
static const char *structured_text(const cJSON *message, const char *protocol)
{
    const char *text = json_string(message, protocol, NULL);
    return text ? text : json_string(message, "default", NULL);
}

/* As SNS posts to an https subscription, without its signature. */
static void wrap(const char *arn, const char *text, size_t length, struct buffer *out)
{
    buffer_add_string(out, "{\"Type\":\"Notification\",\"TopicArn\":");
    buffer_add_json(out, arn, strlen(arn));
    buffer_add_string(out, ",\"Message\":");
    buffer_add_json(out, text, length);
    buffer_add_string(out, "}");
}

static enum status notify_one(const struct action *action, struct work *work, const char *arn,
                              const char *target, const char *text, size_t length,
                              struct error *error)
{
    const char *name = strrchr(arn, ':');
    struct buffer made = {0};
    struct delivery *delivery = NULL;
    if (begins_with(target, "mailto:")) {
        buffer_add_string(&made, "Sensorforge: ");
        buffer_add_string(&made, name ? name + 1 : arn);
        if (!made.failed)
            delivery =
                delivery_new(DELIVER_MAIL, target + strlen("mailto:"), made.at, text, length);
    } else {
        wrap(arn, text, length, &made);
        if (!made.failed)
            delivery = delivery_new(DELIVER_WEB, target,
                                    "content-type: text/plain; charset=UTF-8\n"
                                    "x-amz-sns-message-type: Notification\n",
                                    made.at, made.length);
    }
    buffer_free(&made);
    return prepare(action, work, delivery, error);
}

static enum status notify(const struct action *action, struct work *work, struct error *error)
{
    char arn[LONGEST_TARGET];
    if (!read_target(action, work, arn))
        return FINE;
    const cJSON *target, *targets = notify_targets(work->notify, arn);
    cJSON *message = action->structured ? cJSON_ParseWithLength(work->payload, work->length) : NULL;
    enum status status = FINE;
    if (!targets)
        failure_add(work->failures, action, "local.notify of system.yaml has no entry for it");
    cJSON_ArrayForEach(target, targets)
    {
        const char *where = target->valuestring, *text = work->payload;
        size_t length = work->length;
        const char *protocol = begins_with(where, "mailto:")  ? "email"
                               : begins_with(where, "https:") ? "https"
                                                              : "http";
        if (status)
            break;
        if (action->structured) {
            text = structured_text(message, protocol);
            length = text ? strlen(text) : 0;
        }
        if (text)
            status = notify_one(action, work, arn, where, text, length, error);
        else
            failure_add(work->failures, action, "The message has no text called \"default\"");
    }
    cJSON_Delete(message);
    return status;
}

enum status run_delivery(struct action *action, struct work *work, struct error *error)
{
    if (!work->deliveries) {
        failure_add(work->failures, action, "Nothing is sent from here");
        return FINE;
    }
    switch (action->kind) {
    case ACTION_REPUBLISH:
        return republish(action, work, error);
    case ACTION_HTTP:
        return post(action, work, error);
    default:
        return notify(action, work, error);
    }
}
