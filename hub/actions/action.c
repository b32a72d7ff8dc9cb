#include "action.h"
#include "common/base/text.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* --- failures --- */

/* "timestream" -> "TimestreamAction", as the developer guide's "S3Action". */
static void add_action_name(struct buffer *out, const struct action *action)
{
    char first = (char)toupper((unsigned char)*action->name);
    buffer_add(out, "\"", 1);
    buffer_add(out, &first, 1);
    buffer_add_string(out, action->name + 1);
    buffer_add_string(out, "Action\"");
}

void failure_add(struct buffer *failures, const struct action *action, const char *format, ...)
{
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (length >= (int)sizeof message)
        length = (int)sizeof message - 1;
    buffer_add_string(failures, failures->length ? ",{\"failedAction\":" : "{\"failedAction\":");
    if (action)
        add_action_name(failures, action);
    else
        buffer_add_string(failures, "\"RuleExecution\"");
    buffer_add_string(failures, ",\"failedResource\":");
    buffer_add_json(failures, action ? action->resource : "",
                    action ? strlen(action->resource) : 0);
    buffer_add_string(failures, ",\"errorMessage\":");
    buffer_add_json(failures, message, length < 0 ? 0 : (size_t)length);
    buffer_add_string(failures, "}");
}

void error_document(const struct rule_message *message, const char *rule,
                    const struct buffer *failures, struct buffer *out)
{
    const char *trace = message->trace_id ? message->trace_id : "";
    const char *client = message->client_id ? message->client_id : "";
    buffer_add_string(out, "{\"ruleName\":");
    buffer_add_json(out, rule, strlen(rule));
    buffer_add_string(out, ",\"topic\":");
    buffer_add_json(out, message->topic, strlen(message->topic));
    buffer_add_string(out, ",\"cloudwatchTraceId\":");
    buffer_add_json(out, trace, strlen(trace));
    buffer_add_string(out, ",\"clientId\":");
    buffer_add_json(out, client, strlen(client));
    buffer_add_string(out, ",\"base64OriginalPayload\":\"");
    buffer_add_base64(out, message->payload, message->payload_length);
    buffer_add_string(out, "\",\"failures\":[");
    buffer_add(out, failures->at, failures->length);
    buffer_add_string(out, "]}");
    if (failures->failed)
        out->failed = true;
}

/* --- running --- */

bool run_template(const struct action *action, const struct work *work,
                  const struct rule_template *template, struct rule_result *text)
{
    enum rule_outcome outcome = rule_template_run(template, work->scratch, text);
    if (outcome == RULE_SELECTED)
        return true;
    if (outcome == RULE_REFUSED)
        failure_add(work->failures, action, "%s() needs %s, which is not on this machine",
                    text->function, text->service);
    else
        failure_add(work->failures, action, "The message needs too much memory");
    return false;
}

/* A log holds text: what is none is kept as a JSON string, its wrong bytes replaced. */
static enum status run_logs(struct action *action, struct work *work, struct error *error)
{
    struct buffer text = {0};
    enum status status = FINE;
    bool plain =
        !memchr(work->payload, '\0', work->length) && utf8_valid(work->payload, work->length, NULL);
    if (plain)
        return store_put_log(work->store, work->message->time, action->resource, work->payload,
                             work->length, error);
    buffer_add_json(&text, work->payload, work->length);
    if (text.failed)
        status = fail_memory(error);
    else
        status = store_put_log(work->store, work->message->time, action->resource, text.at,
                               text.length, error);
    buffer_free(&text);
    return status;
}

enum status action_run(struct action *action, struct work *work, struct error *error)
{
    if (action->why_not) {
        failure_add(work->failures, action, "It cannot run here: %s", action->why_not);
        return FINE;
    }
    if (action->kind <= ACTION_DYNAMODB && !action->table) {
        failure_add(work->failures, action, "It cannot run now: %s",
                    action->trouble ? action->trouble : "it has no table");
        return FINE;
    }
    switch (action->kind) {
    case ACTION_TIMESTREAM:
        return run_timestream(action, work, error);
    case ACTION_DYNAMODB:
        return run_dynamodb(action, work, error);
    case ACTION_LOGS:
        return run_logs(action, work, error);
    default:
        return run_delivery(action, work, error);
    }
}
