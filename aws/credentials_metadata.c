/* Credentials of the machine that this runs on: a container's (ECS, EKS) or an instance's (EC2).
 * botocore/utils.py (ContainerMetadataFetcher, InstanceMetadataFetcher) and the EC2 user guide,
 * "Use the Instance Metadata Service": of that only version 2, whose token cannot be had through a
 * proxy or by a request that someone else made us send. */
#include "http.h"
#include "printable.h"
#include "sources.h"
#include "url.h"
#include "common/base/files.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/memory.h"

#include <arpa/inet.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { CONTAINER_MS = 2000, CONTAINER_ATTEMPTS = 3, LARGEST_TOKEN = 64 << 10 };

static enum status get(const char *method, const char *url, const char *const *headers, long ms,
                       const char *certificates, struct http_exchange *exchange,
                       struct error *error)
{
    *exchange = (struct http_exchange){.method = method,
                                       .url = url,
                                       .headers = headers,
                                       .connect_ms = ms,
                                       .total_ms = ms,
                                       .certificates = certificates,
                                       .direct = true};
    return http_exchange_now(exchange, error);
}

static bool is_well(const struct http_exchange *exchange)
{
    return exchange->result == HTTP_ANSWERED && exchange->status == 200 && exchange->answer.length;
}

static enum status read_keys(const struct text *answer, const char *source,
                             struct aws_credentials *found, struct error *error)
{
    cJSON *object;
    struct error ignored = {0};
    enum status status =
        json_parse("answer", text_string(answer), answer->length, &object, &ignored);
    error_free(&ignored);
    if (status)
        return fail(error, REFUSED, "%s did not answer JSON", source);
    status = credentials_read(object, "Token", true, source, found, error);
    json_wipe(object);
    return status;
}

/* --- container --- */

static bool is_loopback(const char *host)
{
    unsigned char address[16], loopback[16] = {[15] = 1};
    if (inet_pton(AF_INET, host, address) == 1)
        return address[0] == 127;
    return inet_pton(AF_INET6, host, address) == 1 && memcmp(address, loopback, 16) == 0;
}

static bool is_container_host(const char *host)
{
    static const char *const known[] = {"169.254.170.2", "169.254.170.23", "fd00:ec2::23",
                                        "localhost"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(host, known[i]) == 0)
            return true;
    return is_loopback(host);
}

/* Without TLS only this machine and the addresses of ECS and EKS are asked: the request carries a
 * token that is worth as much as the credentials. */
static bool is_safe(const struct url *url)
{
    if (strcmp(url->scheme, "https") == 0)
        return true;
    const char *start = url->host + (*url->host == '[');
    owned char *address = must_copy_bytes(start, strcspn(start, "]"));
    return strcmp(url->scheme, "http") == 0 && is_container_host(address);
}

static enum status check_container_url(const char *text, struct error *error)
{
    struct url url;
    bool valid;
    enum status status = url_read(text, &url, &valid, error);
    bool safe = valid && is_safe(&url);
    url_free(&url);
    if (status || safe)
        return status;
    struct text shown = {0};
    printable_add(text, &shown);
    fail(error, WRONG_INPUT,
         "AWS_CONTAINER_CREDENTIALS_FULL_URI (%s) is neither https nor an address of this machine",
         text_string(&shown));
    text_free(&shown);
    return advise(error, "credentials are not fetched over a network without encryption");
}

/* "Authorization: ..."; {0} when there is no token. The file is read each time, because the token in it
 * is renewed. */
static enum status authorization(struct secret *line, struct error *error)
{
    const char *path = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    const char *given = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    secret_owned struct secret read = {0};
    static const char name[] = "Authorization: ";
    enum status status = path ? read_secret(path, LARGEST_TOKEN, &read, error) : FINE;
    const char *token = path ? read.at : given;
    if (status || !token)
        return status;
    if (strpbrk(token, "\r\n"))
        return fail(error, WRONG_INPUT, "the token in %s has more than one line",
                    path ? path : "AWS_CONTAINER_AUTHORIZATION_TOKEN");
    line->length = sizeof name - 1 + strlen(token);
    line->at = must_alloc(line->length + 1);
    memcpy(line->at, name, sizeof name - 1);
    memcpy(line->at + sizeof name - 1, token, strlen(token));
    return FINE;
}

static enum status ask_container(const struct aws_settings *settings, const char *url,
                                 struct aws_credentials *found, struct error *error)
{
    secret_owned struct secret line = {0};
    enum status status = authorization(&line, error);
    const char *headers[] = {"Accept: application/json", line.at, NULL};
    bool answered = false;
    for (int i = 0; i < CONTAINER_ATTEMPTS && !status && !answered; i++) {
        struct http_exchange exchange;
        if (i)
            clock_sleep(2 * settings->backoff);
        status = get("GET", url, headers, CONTAINER_MS, settings->certificates, &exchange, error);
        answered = !status && is_well(&exchange);
        if (answered)
            status = read_keys(&exchange.answer, "container", found, error);
        http_free(&exchange);
    }
    if (status || answered)
        return status;
    fail(error, REFUSED, "the container's endpoint for credentials gives none");
    return advise(error, "see AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and _FULL_URI");
}

enum status credentials_of_container(const struct aws_settings *settings,
                                     struct aws_credentials *found, struct error *error)
{
    const char *relative = environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = environment("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    if (!relative && !full)
        return FINE;
    owned char *url = relative ? must_format("http://169.254.170.2%s", relative) : must_copy(full);
    enum status status = check_container_url(url, error);
    if (status)
        return status;
    return ask_container(settings, url, found, error);
}

/* --- instance --- */

static const char *instance_root(const struct aws_settings *settings)
{
    const char *root = environment("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    const char *mode = environment("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
    if (!root)
        root = profile_setting(settings->profiles, settings->profile,
                               "ec2_metadata_service_endpoint", NULL);
    if (!mode)
        mode = profile_setting(settings->profiles, settings->profile,
                               "ec2_metadata_service_endpoint_mode", NULL);
    if (root && *root)
        return root;
    return mode && strcasecmp(mode, "ipv6") == 0 ? "http://[fd00:ec2::254]"
                                                 : "http://169.254.169.254";
}

static long instance_ms(void)
{
    const char *seconds = environment("AWS_METADATA_SERVICE_TIMEOUT");
    double asked = seconds ? strtod(seconds, NULL) : 1;
    return asked > 0 && asked <= 60 ? (long)ceil(asked * 1000) : 1000;
}

/* The first line of an answer, for a header or a path; "" when the answer is not a good one. */
static char *word_of(const struct http_exchange *exchange)
{
    const char *answer = text_string(&exchange->answer);
    size_t length = strcspn(answer, "\r\n");
    return is_well(exchange) ? must_copy_bytes(answer, length) : must_copy("");
}

static enum status ask_instance(const struct aws_settings *settings, const char *root,
                                const char *token, struct aws_credentials *found,
                                struct error *error)
{
    struct http_exchange exchange;
    owned char *line = must_format("X-aws-ec2-metadata-token: %s", token);
    const char *headers[] = {line, NULL};
    owned char *list = must_format("%s/latest/meta-data/iam/security-credentials/", root);
    enum status status =
        get("GET", list, headers, instance_ms(), settings->certificates, &exchange, error);
    owned char *role = word_of(&exchange);
    http_free(&exchange);
    if (status || !*role)
        return status;
    owned char *url = must_format("%s%s", list, role);
    status = get("GET", url, headers, instance_ms(), settings->certificates, &exchange, error);
    if (!status && is_well(&exchange))
        status = read_keys(&exchange.answer, "instance role", found, error);
    http_free(&exchange);
    return status;
}

/* When nobody listens at the address, this machine is no instance of EC2: that is no error. */
enum status credentials_of_instance(const struct aws_settings *settings,
                                    struct aws_credentials *found, struct error *error)
{
    static const char *const headers[] = {"X-aws-ec2-metadata-token-ttl-seconds: 21600", NULL};
    struct http_exchange exchange;
    if (says_true(environment("AWS_EC2_METADATA_DISABLED")))
        return FINE;
    owned char *root = must_copy(instance_root(settings));
    for (size_t end = strlen(root); end && root[end - 1] == '/'; end--)
        root[end - 1] = '\0';
    owned char *url = must_format("%s/latest/api/token", root);
    enum status status =
        get("PUT", url, headers, instance_ms(), settings->certificates, &exchange, error);
    owned char *token = word_of(&exchange);
    http_free(&exchange);
    if (!status && *token)
        status = ask_instance(settings, root, token, found, error);
    explicit_bzero(token, strlen(token));
    return status;
}
