/* Each action checks its target, makes a delivery, and adds it to the queue. Nothing is sent before
 * the batch is committed. */
#include "send.h"
#include "common/base/memory.h"
#include "common/base/text.h"
#include "common/spec/system.h"

#include <mosquitto.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LONGEST_TARGET = 2048 /* bytes of a topic, URL or ARN, with the NUL */ };

/* --- compiling --- */

enum status send_compile_republish(const struct action_scope *scope, const cJSON *fields,
                                   struct action *action, struct error *error)
{
    const char *topic = json_string(fields, "topic", "");
    (void)scope;
    action->resource = must_copy(topic);
    action->qos = (int)json_number(fields, "qos", 0);
    if (action->qos != 0 && action->qos != 1)
        definition_refuse(action, "qos must be 0 or 1");
    return definition_template(action, "topic", topic, &action->target, error);
}

/* A URL with ${...} depends on what a thing sent. It is allowed only below confirmationUrl, which
 * the operator wrote. */
enum status send_compile_http(const struct action_scope *scope, const cJSON *fields,
                              struct action *action, struct error *error)
{
    const char *url = json_string(fields, "url", "");
    const char *confirmation = json_string(fields, "confirmationUrl", NULL);
    const cJSON *header;
    (void)scope;
    action->resource = must_copy(url);
    if (definition_is_template(url) && !confirmation)
        definition_refuse(action, "its url has ${...} in it, and there is no confirmationUrl");
    if (confirmation && definition_is_template(confirmation))
        definition_refuse(action, "its confirmationUrl has ${...} in it");
    if (json_get(fields, "auth"))
        definition_refuse(action, "auth (Signature Version 4) is for services of AWS");
    enum status status = definition_template(action, "url", url, &action->target, error);
    if (!status && confirmation)
        status =
            definition_template(action, "confirmationUrl", confirmation, &action->allowed, error);
    cJSON_ArrayForEach(header, json_get(fields, "headers"))
    {
        if (!status)
            status = definition_add_field(action, json_string(header, "key", ""),
                                          json_string(header, "value", ""), error);
    }
    return status;
}

/* The SNS topic of this ARN in local.notify; NULL when nobody is to be told. */
static const struct system_topic *find_topic(const struct system_topics *notify, const char *arn)
{
    const char *name = strrchr(arn, ':');
    const struct system_topic *topic = system_topic(notify, name ? name + 1 : arn);
    return topic && topic->count ? topic : NULL;
}

enum status send_compile_sns(const struct action_scope *scope, const cJSON *fields,
                             struct action *action, struct error *error)
{
    const char *arn = json_string(fields, "targetArn", "");
    action->resource = must_copy(arn);
    action->structured = strcmp(json_string(fields, "messageFormat", "RAW"), "JSON") == 0;
    if (!definition_is_template(arn) && !find_topic(scope->notify, arn))
        definition_refuse(action, "local.notify of system.yaml has no entry for %s", arn);
    return definition_template(action, "targetArn", arn, &action->target, error);
}

/* --- adding a delivery --- */

static enum status no_memory(struct delivery *delivery, struct error *error)
{
    delivery_free(delivery);
    return fail_memory(error);
}

/* Adds a delivery with its origin, which its error action needs should it fail. delivery may be
 * NULL: there was no memory for it. */
static enum status add_delivery(const struct action *action, struct work *work,
                                struct delivery *delivery, struct error *error)
{
    const struct delivery_origin origin = {.rule = work->rule,
                                           .action = action->name,
                                           .resource = action->resource,
                                           .error = work->error,
                                           .message = work->message};
    if (!delivery || !delivery_set_origin(delivery, &origin))
        return no_memory(delivery, error);
    delivery_queue_add(work->deliveries, delivery);
    return FINE;
}

/* Computes the action's target. False, and a failure is noted, when it is empty, too long or has
 * control characters. */
static bool read_target(const struct action *action, const struct work *work,
                        char target[LONGEST_TARGET])
{
    struct rule_result text;
    if (!work->deliveries) {
        work_fail(work, action, "Nothing is sent from here");
        return false;
    }
    if (!work_template(work, action, action->target, &text))
        return false;
    bool right = text.length > 0 && text.length < LONGEST_TARGET;
    for (size_t i = 0; i < text.length && right; i++)
        right = (unsigned char)text.bytes[i] >= 0x20 && text.bytes[i] != 0x7f;
    if (!right) {
        work_fail(work, action, "\"%.*s\" is not a target to send to",
                  (int)(text.length < 64 ? text.length : 64), text.bytes);
        return false;
    }
    memcpy(target, text.bytes, text.length);
    target[text.length] = '\0';
    return true;
}

/* --- republish --- */

enum status send_run_republish(struct action *action, struct work *work, struct error *error)
{
    char target[LONGEST_TARGET];
    if (!read_target(action, work, target))
        return FINE;
    /* The guide: a topic that begins with $ is written with $$. */
    const char *topic = begins_with(target, "$$") ? target + 1 : target;
    if (mosquitto_pub_topic_check(topic) != MOSQ_ERR_SUCCESS ||
        !utf8_valid(topic, strlen(topic), NULL)) {
        work_fail(work, action, "\"%.64s\" is not a topic to publish to", topic);
        return FINE;
    }
    struct delivery *delivery = delivery_new(DELIVER_MQTT, topic, "", work->payload, work->length);
    if (delivery)
        delivery->qos = action->qos;
    return add_delivery(action, work, delivery, error);
}

/* --- http --- */

/* https://example.com allows https://example.com/x, and not https://example.com.evil.org. */
static bool is_below(const char *url, const struct rule_result *allowed)
{
    size_t length = allowed->length;
    if (!length || strncmp(url, allowed->bytes, length) != 0)
        return false;
    return url[length] == '\0' || allowed->bytes[length - 1] == '/' ||
           strchr("/?#", url[length]) != NULL;
}

static bool is_allowed(const struct action *action, const struct work *work, const char *url)
{
    struct rule_result allowed;
    if (!action->allowed)
        return true;
    if (work_template(work, action, action->allowed, &allowed) && is_below(url, &allowed))
        return true;
    work_fail(work, action, "\"%.128s\" is not below confirmationUrl", url);
    return false;
}

/* A control character in a value would begin another header. */
static bool has_control_character(const struct rule_result *text)
{
    bool found = false;
    for (size_t i = 0; i < text->length && !found; i++)
        found = (unsigned char)text->bytes[i] < 0x20;
    return found;
}

static bool add_headers(const struct action *action, const struct work *work,
                        struct buffer *headers)
{
    bool typed = false;
    for (size_t i = 0; i < action->field_count; i++) {
        const struct action_field *field = &action->fields[i];
        struct rule_result text;
        if (!work_template(work, action, field->value, &text))
            return false;
        if (has_control_character(&text)) {
            work_fail(work, action, "The header %s has a control character", field->name);
            return false;
        }
        typed |= strcasecmp(field->name, "content-type") == 0;
        buffer_add_string(headers, field->name);
        buffer_add_string(headers, ": ");
        buffer_add(headers, text.bytes, text.length);
        buffer_add_string(headers, "\n");
    }
    if (!typed)
        buffer_add_string(headers, work->raw ? "content-type: application/octet-stream\n"
                                             : "content-type: application/json\n");
    return true;
}

enum status send_run_http(struct action *action, struct work *work, struct error *error)
{
    char target[LONGEST_TARGET];
    struct buffer headers = {0};
    enum status status = FINE;
    if (!read_target(action, work, target) || !is_allowed(action, work, target))
        return FINE;
    if (add_headers(action, work, &headers)) {
        struct delivery *delivery = headers.failed
                                        ? NULL
                                        : delivery_new(DELIVER_WEB, target, buffer_string(&headers),
                                                       work->payload, work->length);
        status = add_delivery(action, work, delivery, error);
    }
    buffer_free(&headers);
    return status;
}

/* --- sns --- */

/* messageFormat JSON: {"default": "...", "email": "...", "https": "..."} (Publish, MessageStructure
 * of the Amazon SNS API). NULL when there is no text for the protocol. */
static const char *structured_text(const cJSON *message, const char *protocol)
{
    const char *text = json_string(message, protocol, NULL);
    return text ? text : json_string(message, "default", NULL);
}

/* The body that SNS posts to an https subscription, without its signature. */
static void add_notification(const char *arn, const char *text, size_t length, struct buffer *out)
{
    buffer_add_string(out, "{\"Type\":\"Notification\",\"TopicArn\":");
    buffer_add_json(out, arn, strlen(arn));
    buffer_add_string(out, ",\"Message\":");
    buffer_add_json(out, text, length);
    buffer_add_string(out, "}");
}

static struct delivery *new_mail(const char *arn, const char *address, const char *text,
                                 size_t length)
{
    const char *name = strrchr(arn, ':');
    struct buffer subject = {0};
    struct delivery *delivery = NULL;
    buffer_add_string(&subject, "Sensorforge: ");
    buffer_add_string(&subject, name ? name + 1 : arn);
    if (!subject.failed)
        delivery = delivery_new(DELIVER_MAIL, address, subject.at, text, length);
    buffer_free(&subject);
    return delivery;
}

static struct delivery *new_post(const char *arn, const char *url, const char *text, size_t length)
{
    struct buffer body = {0};
    struct delivery *delivery = NULL;
    add_notification(arn, text, length, &body);
    if (!body.failed)
        delivery = delivery_new(DELIVER_WEB, url,
                                "content-type: text/plain; charset=UTF-8\n"
                                "x-amz-sns-message-type: Notification\n",
                                body.at, body.length);
    buffer_free(&body);
    return delivery;
}

/* message: the payload when the action is structured. */
static enum status notify(const struct action *action, struct work *work, const char *arn,
                          const char *address, const cJSON *message, struct error *error)
{
    bool mail = begins_with(address, "mailto:");
    const char *protocol = mail ? "email" : begins_with(address, "https:") ? "https" : "http";
    const char *text = work->payload;
    size_t length = work->length;
    if (action->structured) {
        text = structured_text(message, protocol);
        length = text ? strlen(text) : 0;
    }
    if (!text) {
        work_fail(work, action, "The message has no text called \"default\"");
        return FINE;
    }
    struct delivery *delivery = mail ? new_mail(arn, address + strlen("mailto:"), text, length)
                                     : new_post(arn, address, text, length);
    return add_delivery(action, work, delivery, error);
}

enum status send_run_sns(struct action *action, struct work *work, struct error *error)
{
    char arn[LONGEST_TARGET];
    if (!read_target(action, work, arn))
        return FINE;
    const struct system_topic *topic = find_topic(work->notify, arn);
    cJSON *message = action->structured ? cJSON_ParseWithLength(work->payload, work->length) : NULL;
    enum status status = FINE;
    if (!topic)
        work_fail(work, action, "local.notify of system.yaml has no entry for it");
    for (size_t i = 0; topic && i < topic->count && !status; i++)
        status = notify(action, work, arn, topic->addresses[i], message, error);
    cJSON_Delete(message);
    return status;
}
