#include "failure.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void add_json_string(struct buffer *out, const char *string)
{
    buffer_add_json(out, string, strlen(string));
}

/* "timestream" -> "TimestreamAction", as the guide's "S3Action". */
static void add_action_name(struct buffer *out, const char *action)
{
    char first = (char)toupper((unsigned char)*action);
    buffer_add(out, "\"", 1);
    buffer_add(out, &first, 1);
    buffer_add_string(out, action + 1);
    buffer_add_string(out, "Action\"");
}

void failure_add(struct buffer *failures, const char *action, const char *resource,
                 const char *format, ...)
{
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    buffer_add_string(failures, failures->length ? ",{\"failedAction\":" : "{\"failedAction\":");
    if (action)
        add_action_name(failures, action);
    else
        buffer_add_string(failures, "\"RuleExecution\"");
    buffer_add_string(failures, ",\"failedResource\":");
    add_json_string(failures, resource);
    buffer_add_string(failures, ",\"errorMessage\":");
    add_json_string(failures, message);
    buffer_add_string(failures, "}");
}

void failure_document(const struct rule_message *message, const char *rule,
                      const struct buffer *failures, struct buffer *out)
{
    buffer_add_string(out, "{\"ruleName\":");
    add_json_string(out, rule);
    buffer_add_string(out, ",\"topic\":");
    add_json_string(out, message->topic);
    buffer_add_string(out, ",\"cloudwatchTraceId\":");
    add_json_string(out, message->trace_id ? message->trace_id : "");
    buffer_add_string(out, ",\"clientId\":");
    add_json_string(out, message->client_id ? message->client_id : "");
    buffer_add_string(out, ",\"base64OriginalPayload\":\"");
    buffer_add_base64(out, message->payload, message->payload_length);
    buffer_add_string(out, "\",\"failures\":[");
    buffer_add(out, failures->at, failures->length);
    buffer_add_string(out, "]}");
    if (failures->failed)
        out->failed = true;
}
