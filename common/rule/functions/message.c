/* Functions of the message that a rule runs on. */
#include "function.h"
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

/* --- topic() --- */

/* In Basic Ingest the prefix $aws/rules/<rule>/ is not part of the topic. */
static const char *seen_topic(const char *topic)
{
    static const char ingest[] = "$aws/rules/";
    if (strncmp(topic, ingest, strlen(ingest)) != 0)
        return topic;
    const char *slash = strchr(topic + strlen(ingest), '/');
    return slash ? slash + 1 : topic;
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
