/* Functions of the message that a rule runs on. */
#include "function.h"
#include "common/base/base64.h"
#include "common/base/hex.h"

#include <string.h>

static struct rule_value string_of(const char *string)
{
    return string ? rule_string(string, strlen(string)) : rule_undefined();
}

void function_accountid(struct rule_call *call)
{
    *call->result = string_of(call->message->account);
}

void function_clientid(struct rule_call *call)
{
    const char *client = call->message->client_id;
    *call->result = string_of(client ? client : "n/a");
}

void function_principal(struct rule_call *call)
{
    *call->result = string_of(call->message->principal);
}

void function_traceid(struct rule_call *call)
{
    *call->result = string_of(call->message->trace_id);
}

void function_timestamp(struct rule_call *call)
{
    *call->result = rule_int(call->message->time);
}

void function_sql_version(struct rule_call *call)
{
    *call->result = string_of(rule_version_name(call->version));
}

void function_sourceip(struct rule_call *call)
{
    *call->result = string_of(call->message->source_ip);
    if (!call->message->source_ip)
        call->missing = "the address of the client";
}

/* --- MQTT 5 --- */

static const struct rule_mqtt_header *header_of(struct rule_call *call)
{
    if (!call->message->header)
        call->missing = "the MQTT 5 header of the message";
    return call->message->header;
}

static struct rule_value base64_of(struct rule_call *call, const void *bytes, size_t length)
{
    char *made = bytes ? rule_take(call->memory, base64_encoded_length(length) + 1) : NULL;
    if (!made)
        return rule_undefined();
    base64_encode(bytes, length, made);
    return rule_string(made, base64_encoded_length(length));
}

static bool is_called(const struct rule_value *name, const char *wanted)
{
    return name->kind == RULE_STRING && name->string.length == strlen(wanted) &&
           memcmp(name->string.at, wanted, name->string.length) == 0;
}

void function_get_mqtt_property(struct rule_call *call)
{
    const struct rule_value *name = call->arguments[0];
    const struct rule_mqtt_header *header = header_of(call);
    if (!header)
        return;
    if (is_called(name, "content_type"))
        *call->result = string_of(header->content_type);
    else if (is_called(name, "response_topic"))
        *call->result = string_of(header->response_topic);
    else if (is_called(name, "format_indicator"))
        *call->result = string_of(header->is_utf8 ? "UTF8_DATA" : "UNSPECIFIED_BYTES");
    else if (is_called(name, "correlation_data"))
        *call->result = base64_of(call, header->correlation_data, header->correlation_length);
}

/* {"key": "value"} for each property. */
static struct rule_value all_properties(struct rule_call *call,
                                        const struct rule_mqtt_header *header)
{
    size_t count = header->user_property_count;
    struct rule_value *items = rule_take(call->memory, count * sizeof *items);
    struct rule_member *members = rule_take(call->memory, count * sizeof *members);
    if (!items || !members)
        return rule_undefined();
    for (size_t i = 0; i < count; i++) {
        const struct rule_user_property *property = &header->user_properties[i];
        members[i] =
            (struct rule_member){property->key, strlen(property->key), string_of(property->value)};
        items[i] = rule_object(call->memory, &members[i], 1);
    }
    return rule_array(items, count);
}

/* The values of all properties with that key. */
static struct rule_value values_of(struct rule_call *call, const struct rule_mqtt_header *header,
                                   const struct rule_value *key)
{
    size_t count = 0;
    struct rule_value *items = rule_take(call->memory, header->user_property_count * sizeof *items);
    for (size_t i = 0; items && i < header->user_property_count; i++)
        if (is_called(key, header->user_properties[i].key))
            items[count++] = string_of(header->user_properties[i].value);
    return count ? rule_array(items, count) : rule_undefined();
}

/* The guide does not say what comes without an argument of a message without properties; an array
 * that is empty fits the one of a message that has some. */
void function_get_user_properties(struct rule_call *call)
{
    struct rule_value key;
    const struct rule_mqtt_header *header = header_of(call);
    if (!header)
        return;
    if (!call->count)
        *call->result = all_properties(call, header);
    else if (rule_string_argument(call, 0, &key))
        *call->result = values_of(call, header, &key);
}

/* --- topic() --- */

/* In Basic Ingest the prefix $aws/rules/<rule>/ is not part of the topic. */
static const char *seen_topic(const char *topic)
{
    size_t length;
    const char *name = rule_ingest(topic, &length);
    if (!name)
        return topic;
    return name[length] ? name + length + 1 : "";
}

static struct rule_value segment(const char *topic, int64_t number)
{
    while (--number > 0 && topic) {
        topic = strchr(topic, '/');
        if (topic)
            topic++;
    }
    return topic ? rule_string(topic, strcspn(topic, "/")) : rule_undefined();
}

void function_topic(struct rule_call *call)
{
    const char *topic = seen_topic(call->message->topic);
    int64_t number;
    if (!call->count)
        *call->result = string_of(topic);
    else if (rule_to_int(call->arguments[0], RULE_HALF_UP, &number) && number > 0)
        *call->result = segment(topic, number);
}

/* --- newuuid() --- */

/* A random UUID (RFC 9562, version 4). */
void function_newuuid(struct rule_call *call)
{
    enum { UUID_LENGTH = 36 };
    const struct rule_message *message = call->message;
    char *made = message->random ? rule_take(call->memory, UUID_LENGTH) : NULL;
    if (!made)
        return;
    uint64_t halves[2];
    for (size_t i = 0; i < 2; i++)
        halves[i] = message->random(message->random_context);
    halves[0] = (halves[0] & ~(uint64_t)0xF000) | 0x4000;
    halves[1] = (halves[1] & ~((uint64_t)3 << 62)) | (uint64_t)1 << 63;
    hex_number(halves[0] >> 32, 8, made);
    hex_number(halves[0] >> 16, 4, made + 9);
    hex_number(halves[0], 4, made + 14);
    hex_number(halves[1] >> 48, 4, made + 19);
    hex_number(halves[1], 12, made + 24);
    made[8] = made[13] = made[18] = made[23] = '-';
    *call->result = rule_string(made, UUID_LENGTH);
}
