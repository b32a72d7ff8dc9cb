/* Writes a call as an HTTP request, as botocore/serialize.py does it for each protocol. */
#include "client.h"
#include "common/base/json.h"
#include "common/base/memory.h"

#include <stdlib.h>
#include <string.h>

void aws_escape_bytes(const char *bytes, size_t length, struct text *out)
{
    static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                     "0123456789-._~";
    for (const char *at = bytes; at < bytes + length; at++) {
        if (*at && strchr(unreserved, *at))
            text_add_char(out, *at);
        else
            text_add_format(out, "%%%02X", (unsigned char)*at);
    }
}

void aws_escape(const char *string, struct text *out)
{
    aws_escape_bytes(string, strlen(string), out);
}

/* --- the query protocol --- */

static void add_parameter(const char *name, const char *value, struct text *out)
{
    text_add_string(out, out->length ? "&" : "");
    aws_escape(name, out);
    text_add_char(out, '=');
    aws_escape(value, out);
}

static void add_value(const char *name, const cJSON *value, struct text *out);

static void add_members(const char *name, const cJSON *array, struct text *out)
{
    size_t number = 0;
    if (!array->child)
        add_parameter(name, "", out); /* how an empty list is written */
    for (const cJSON *item = array->child; item; item = item->next) {
        owned char *member = must_format("%s.member.%zu", name, ++number);
        add_value(member, item, out);
    }
}

static void add_value(const char *name, const cJSON *value, struct text *out)
{
    char digits[32];
    if (cJSON_IsString(value)) {
        add_parameter(name, value->valuestring, out);
    } else if (cJSON_IsNumber(value)) {
        json_format_number(value->valuedouble, digits);
        add_parameter(name, digits, out);
    } else if (cJSON_IsBool(value)) {
        add_parameter(name, cJSON_IsTrue(value) ? "true" : "false", out);
    } else if (cJSON_IsArray(value)) {
        add_members(name, value, out);
    } else {
        for (const cJSON *item = value->child; item; item = item->next) {
            owned char *inner = must_format("%s.%s", name, item->string);
            add_value(inner, item, out);
        }
    }
}

static void write_query(const struct aws_request *request, struct text *out)
{
    add_parameter("Action", request->operation, out);
    add_parameter("Version", request->service->version, out);
    for (const cJSON *item = request->body ? request->body->child : NULL; item; item = item->next)
        add_value(item->string, item, out);
}

/* --- the body --- */

static char *content_type(const struct aws_request *request)
{
    switch (request->service->protocol) {
    case AWS_QUERY:
        return must_copy("Content-Type: application/x-www-form-urlencoded; charset=utf-8");
    case AWS_JSON:
        return must_format("Content-Type: application/x-amz-json-%s", request->service->json);
    case AWS_REST_JSON:
        break;
    }
    return request->body ? must_copy("Content-Type: application/json") : NULL;
}

static void add_line(struct aws_transfer *transfer, size_t *count, size_t *room, char *line)
{
    transfer->headers = must_grow(transfer->headers, *count + 1, room, sizeof(char *));
    transfer->headers[(*count)++] = line;
    transfer->headers[*count] = NULL;
}

void request_write(struct aws_transfer *transfer, const struct aws_request *request)
{
    size_t count = 0, room = 0;
    char *type = content_type(request);
    if (type)
        add_line(transfer, &count, &room, type);
    if (request->service->protocol == AWS_JSON)
        add_line(transfer, &count, &room,
                 must_format("X-Amz-Target: %s.%s", request->service->target, request->operation));
    for (size_t i = 0; request->headers && request->headers[i]; i++)
        add_line(transfer, &count, &room, must_copy(request->headers[i]));
    transfer->bytes.secret = request->secret;
    if (request->service->protocol == AWS_QUERY)
        write_query(request, &transfer->bytes);
    else if (request->body)
        json_compact(request->body, &transfer->bytes);
    else if (request->service->protocol == AWS_JSON)
        text_add_string(&transfer->bytes, "{}");
}

/* --- one attempt --- */

void request_forget(struct aws_transfer *transfer)
{
    for (size_t i = 0; transfer->lines[i]; i++) {
        explicit_bzero(transfer->lines[i], strlen(transfer->lines[i]));
        free(transfer->lines[i]);
        transfer->lines[i] = NULL;
    }
    free(transfer->url);
    transfer->url = NULL;
}

static enum status add_signature(struct aws_transfer *transfer, const struct endpoint *endpoint,
                                 const char *path, size_t count, struct error *error)
{
    const struct aws *aws = transfer->aws;
    struct text authorization = {0};
    char date[17];
    if (aws->credentials.token.at)
        transfer->lines[count++] =
            must_format("X-Amz-Security-Token: %s", aws->credentials.token.at);
    enum status status = sign(&(struct sign_request){transfer->method, path, transfer->query,
                                                     (const char *const *)transfer->lines,
                                                     transfer->bytes.at, transfer->bytes.length},
                              &(struct sign_scope){endpoint->region, transfer->service->name,
                                                   aws->credentials.key_id,
                                                   &aws->credentials.secret_key, client_time(aws)},
                              date, NULL, NULL, &authorization, error);
    if (!status) {
        transfer->lines[count++] = must_format("X-Amz-Date: %s", date);
        transfer->lines[count++] = must_format("Authorization: %s", text_string(&authorization));
    }
    text_free(&authorization);
    return status;
}

enum status request_sign(struct aws_transfer *transfer, const struct endpoint *endpoint,
                         struct error *error)
{
    size_t count = 0;
    enum status status = FINE;
    request_forget(transfer);
    owned char *path = must_format("%s%s", endpoint->path, transfer->path);
    transfer->url =
        must_format("%s%s%s%s", endpoint->root, path, *transfer->query ? "?" : "", transfer->query);
    transfer->lines[count++] = must_format("Host: %s", endpoint->host);
    for (size_t i = 0; transfer->headers && transfer->headers[i]; i++)
        transfer->lines[count++] = must_copy(transfer->headers[i]);
    if (!transfer->anonymous) {
        status = add_signature(transfer, endpoint, path, count, error);
        while (transfer->lines[count])
            count++;
    }
    /* Last and not signed: a proxy may change it. */
    transfer->lines[count] = must_copy("User-Agent: sensorforge/" VERSION);
    return status;
}
