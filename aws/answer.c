/* Reads an answer: the service's error code, whether the call is retried, and the message for a
 * person.
 *
 * Which codes are retried is the SDKs' standard mode (botocore/retries/standard.py). What a service
 * says is printed only after cleaning, and without secrets: when a signature is wrong, AWS sends back
 * all that should have been signed, the session token included. */
#include "client.h"
#include "printable.h"
#include "xml.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/paths.h"

#include <stdlib.h>
#include <string.h>

enum { SKEW_SECONDS = 300 };

/* The error that a service answered with. */
struct service_error {
    char *code;
    struct text message; /* cleaned by printable_add() */
};

static bool one_of(const char *code, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(code, *list) == 0)
            return true;
    return false;
}

static const char *const throttled[] = {"Throttling",
                                        "ThrottlingException",
                                        "ThrottledException",
                                        "RequestThrottledException",
                                        "TooManyRequestsException",
                                        "ProvisionedThroughputExceededException",
                                        "TransactionInProgressException",
                                        "RequestLimitExceeded",
                                        "BandwidthLimitExceeded",
                                        "RequestThrottled",
                                        "SlowDown",
                                        "PriorRequestNotComplete",
                                        "EC2ThrottledException",
                                        NULL};

/* LimitExceededException is a rate in some services and a quota in others. So the call is retried,
 * but the rate of calls stays as it is. */
static const char *const transient[] = {"RequestTimeout", "RequestTimeoutException",
                                        "LimitExceededException", NULL};

static const char *const expired[] = {"ExpiredToken", "ExpiredTokenException",
                                      "TokenRefreshRequired", NULL};

static const char *const skewed[] = {"RequestTimeTooSkewed",
                                     "RequestExpired",
                                     "RequestInTheFuture",
                                     "SignatureDoesNotMatch",
                                     "InvalidSignatureException",
                                     "AuthFailure",
                                     NULL};

static const char *const wrong_signature[] = {"SignatureDoesNotMatch", "InvalidSignatureException",
                                              "IncompleteSignature", "IncompleteSignatureException",
                                              NULL};

static const char *const unknown_key[] = {"InvalidClientTokenId",
                                          "UnrecognizedClientException",
                                          "InvalidAccessKeyId",
                                          "AuthFailure",
                                          "MissingAuthenticationToken",
                                          "MissingAuthenticationTokenException",
                                          NULL};

static const char *const denied[] = {"AccessDenied",
                                     "AccessDeniedException",
                                     "UnauthorizedException",
                                     "UnauthorizedOperation",
                                     "NotAuthorized",
                                     "ForbiddenException",
                                     NULL};

static const char *const over_quota[] = {"LimitExceeded", "LimitExceededException",
                                         "ServiceQuotaExceededException", "QuotaExceeded", NULL};

/* --- secrets --- */

static void hide(char *message, const char *secret)
{
    size_t length = secret ? strlen(secret) : 0;
    if (length < 4)
        return;
    for (char *found; (found = strstr(message, secret)); message = found + length)
        memset(found, '*', length);
}

static void hide_strings(char *message, const cJSON *value)
{
    for (; value; value = value->next) {
        if (cJSON_IsString(value))
            hide(message, value->valuestring);
        hide_strings(message, value->child);
    }
}

static void take_message(const struct aws_transfer *transfer, const char *said,
                         struct service_error *fault)
{
    const struct aws_credentials *credentials = &transfer->aws->credentials;
    owned char *message = must_copy(said ? said : "");
    char *request = strstr(message, "The Canonical String");
    if (request)
        *request = '\0';
    hide(message, credentials->secret_key.at);
    hide(message, credentials->token.at);
    hide_strings(message, transfer->body);
    printable_add(message, &fault->message);
}

/* --- errors --- */

/* "com.amazon.coral#ThrottlingException:http://..." is "ThrottlingException". */
static char *bare_code(const char *code)
{
    size_t length = strcspn(code, ":");
    const char *mark = memrchr(code, '#', length);
    struct text clean = {0};
    owned char *part = mark ? must_copy_bytes(mark + 1, length - (size_t)(mark + 1 - code))
                            : must_copy_bytes(code, length);
    printable_add(part, &clean);
    return text_take(&clean);
}

static const char *first_string(const cJSON *object, const char *const *names)
{
    for (; *names; names++) {
        const char *found = json_string(object, *names, NULL);
        if (found && *found)
            return found;
    }
    return NULL;
}

static void read_json_error(const struct aws_transfer *transfer, const cJSON *body,
                            struct service_error *fault)
{
    static const char *const codes[] = {"__type", "code", "Code", NULL};
    static const char *const messages[] = {"message", "Message", "errorMessage", NULL};
    owned char *header = http_field(&transfer->exchange, "x-amzn-ErrorType");
    const char *code = *header ? header : first_string(body, codes);
    if (code)
        fault->code = bare_code(code);
    take_message(transfer, first_string(body, messages), fault);
}

/* <ErrorResponse><Error><Code>..., or <Response><Errors><Error><Code>... */
static void read_xml_error(const struct aws_transfer *transfer, const cJSON *body,
                           struct service_error *fault)
{
    const cJSON *outer = json_get(body, "Errors");
    const cJSON *inner = json_get(outer ? outer : body, "Error");
    const char *code = json_string(inner, "Code", NULL);
    if (code)
        fault->code = bare_code(code);
    take_message(transfer, json_string(inner, "Message", NULL), fault);
}

static void take_request_id(struct aws_transfer *transfer, const cJSON *body)
{
    static const char *const fields[] = {"x-amzn-RequestId", "x-amz-request-id", NULL};
    struct text clean = {0};
    for (const char *const *field = fields; *field && !clean.length; field++) {
        owned char *value = http_field(&transfer->exchange, *field);
        printable_add(value, &clean);
    }
    if (!clean.length) {
        const cJSON *metadata = json_get(body, "ResponseMetadata");
        printable_add(json_string(metadata ? metadata : body, "RequestId", ""), &clean);
    }
    char *id = transfer->call->request_id;
    id[0] = '\0';
    strncat(id, text_string(&clean), sizeof transfer->call->request_id - 1);
    text_free(&clean);
}

/* --- what a person is told --- */

static void add_request_id(struct aws_call *call)
{
    if (call->request_id[0])
        text_add_format(&call->error.message, " (request %s)", call->request_id);
}

static void report(struct aws_transfer *transfer, const struct service_error *fault,
                   const char *how)
{
    struct aws_call *call = transfer->call;
    fail(&call->error, REFUSED, "AWS %s %s %s: %s%s%s", how, transfer->service->name,
         transfer->operation, fault->code, fault->message.length ? ": " : "",
         text_string(&fault->message));
    add_request_id(call);
}

static bool profile_has(const struct aws_settings *settings, const char *key)
{
    return profile_setting(settings->profiles, settings->profile, key, NULL) != NULL;
}

/* Where the credentials came from: "the environment", "profile "home"". */
static const char *source_of(const struct aws_transfer *transfer)
{
    const char *source = transfer->aws->credentials.source;
    if (transfer->anonymous || !source)
        return "the web identity's token";
    return strcmp(source, "environment") == 0 ? "the environment" : source;
}

static void advise_new_login(const struct aws_transfer *transfer, struct error *error)
{
    const struct aws_settings *settings = transfer->aws->settings;
    const char *source = source_of(transfer);
    if (strcmp(source, "the environment") == 0)
        advise(error, "set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN anew, "
                      "then run the same command");
    else if (profile_has(settings, "sso_session") || profile_has(settings, "sso_start_url"))
        advise(error, "sign in again (aws sso login --profile %s), then run the same command",
               settings->profile);
    else if (profile_has(settings, "login_session"))
        advise(error, "sign in again (aws login --profile %s), then run the same command",
               settings->profile);
    else
        advise(error, "renew the credentials (%s), then run the same command", source);
}

static void report_credentials(struct aws_transfer *transfer, const struct service_error *fault)
{
    struct error *error = &transfer->call->error;
    fail(error, REFUSED, "AWS refused the credentials of %s: %s", source_of(transfer), fault->code);
    add_request_id(transfer->call);
    if (one_of(fault->code, expired)) {
        advise_new_login(transfer, error);
    } else if (one_of(fault->code, wrong_signature)) {
        advise(error, "the secret access key is not the one of this access key id: check both");
    } else {
        advise(error,
               "AWS does not know this access key: it was deleted or is inactive, its session "
               "token is missing,");
        advise(error, "or region %s is not switched on in the account",
               transfer->aws->settings->region);
    }
}

static void report_skew(struct aws_transfer *transfer, const struct service_error *fault)
{
    report(transfer, fault, "refused");
    advise(&transfer->call->error,
           "the clock of this machine is wrong: set it (timedatectl set-ntp true)");
}

/* The action in "... is not authorized to perform: iot:CreateThing on ...", else the operation. */
static char *missing_action(const struct aws_transfer *transfer, const struct service_error *fault)
{
    static const char mark[] = "to perform: ";
    const char *found = strstr(text_string(&fault->message), mark);
    size_t length = found
                        ? strspn(found + sizeof mark - 1, "abcdefghijklmnopqrstuvwxyz"
                                                          "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:*-")
                        : 0;
    if (length)
        return must_copy_bytes(found + sizeof mark - 1, length);
    const struct aws_service *service = transfer->service;
    return must_format("%s:%s", service->prefix ? service->prefix : service->name,
                       transfer->operation);
}

static void report_denied(struct aws_transfer *transfer, const struct service_error *fault)
{
    owned char *action = missing_action(transfer, fault);
    report(transfer, fault, "refused");
    advise(&transfer->call->error,
           "the credentials (%s) need the permission %s; docs/aws.md has the "
           "least policy that is enough",
           source_of(transfer), action);
}

/* The credential scope of a signature has the region in it: AWS refuses one that it does not have. */
static bool is_wrong_region(const struct service_error *fault)
{
    return strstr(text_string(&fault->message), "scoped to a valid region") != NULL;
}

static void report_region(struct aws_transfer *transfer, const struct service_error *fault)
{
    report(transfer, fault, "refused");
    advise(&transfer->call->error,
           "is \"%s\" the region that you mean? See `region` under `aws` in " SYSTEM_FILE,
           transfer->aws->settings->region);
}

static void report_service_error(struct aws_transfer *transfer, const struct service_error *fault,
                                 bool clock_is_wrong)
{
    struct error *error = &transfer->call->error;
    const char *code = fault->code;
    if (clock_is_wrong)
        report_skew(transfer, fault);
    else if (is_wrong_region(fault))
        report_region(transfer, fault);
    else if (one_of(code, expired) || one_of(code, wrong_signature) || one_of(code, unknown_key))
        report_credentials(transfer, fault);
    else if (one_of(code, denied))
        report_denied(transfer, fault);
    else
        report(transfer, fault, transfer->call->http_status >= 500 ? "failed at" : "refused");
    if (one_of(code, throttled) || transfer->call->http_status == 429)
        advise(error, "it was asked too often, also after slowing down: lower requests_per_second "
                      "in " SYSTEM_FILE ",\n"
                      "or look who else calls AWS in this account, then run the same command");
    else if (one_of(code, over_quota))
        advise(error,
               "a quota of the account is used up: remove what is not needed, or ask for more "
               "(Service Quotas in the console)");
    else if (transfer->call->http_status >= 500)
        advise(error,
               "run the same command again; if it stays so, see https://health.aws.amazon.com");
}

/* --- reading --- */

/* Notes how far the clocks differ, in whole seconds. */
static void compare_clocks(const struct aws_transfer *transfer)
{
    time_t theirs = http_date(&transfer->exchange);
    if (theirs != -1)
        transfer->aws->clock_seen = theirs - time(NULL);
}

static bool far(time_t seconds)
{
    return seconds > SKEW_SECONDS || seconds < -SKEW_SECONDS;
}

static enum verdict classify(struct aws_transfer *transfer, const struct service_error *fault,
                             bool *clock_is_wrong)
{
    const char *code = fault->code;
    int status = transfer->call->http_status;
    time_t skew = transfer->aws->clock_seen;
    *clock_is_wrong = one_of(code, skewed) && far(skew - transfer->aws->clock_ahead);
    if (*clock_is_wrong && !transfer->clock_corrected) {
        transfer->aws->clock_ahead = skew;
        return RETRY_WITH_CLOCK;
    }
    *clock_is_wrong = *clock_is_wrong || strcmp(code, "RequestTimeTooSkewed") == 0;
    if (one_of(code, expired) && !transfer->credentials_renewed && !transfer->anonymous)
        return RETRY_WITH_CREDENTIALS;
    if (one_of(code, throttled) || status == 429)
        return RETRY_SLOWER;
    if (one_of(code, transient) || status == 500 || status == 502 || status == 503 || status == 504)
        return RETRY;
    return DONE;
}

static cJSON *read_body(const struct aws_transfer *transfer)
{
    const struct text *bytes = &transfer->exchange.answer;
    struct error ignored = {0};
    cJSON *body = NULL;
    if (!bytes->length)
        return json_object();
    if (transfer->service->protocol == AWS_QUERY)
        xml_read(bytes->at, bytes->length, &body, &ignored);
    else
        json_parse("answer", bytes->at, bytes->length, &body, &ignored);
    error_free(&ignored);
    if (body && !cJSON_IsObject(body)) {
        json_wipe(body);
        body = NULL;
    }
    return body;
}

static const char *host_of(const struct aws_transfer *transfer)
{
    return transfer->lines[0] ? transfer->lines[0] + strlen("Host: ") : "AWS";
}

static enum verdict no_answer(struct aws_transfer *transfer, const char *what)
{
    struct aws_call *call = transfer->call;
    call->uncertain = true;
    strcpy(call->code, "NoAnswer");
    fail(&call->error, REFUSED, "no answer from %s to %s %s: %s", host_of(transfer),
         transfer->service->name, transfer->operation, what);
    advise(&call->error, "check the network, then run the same command");
    return RETRY;
}

static enum verdict unreachable(struct aws_transfer *transfer)
{
    struct aws_call *call = transfer->call;
    struct text said = {0};
    printable_add(transfer->exchange.said, &said);
    strcpy(call->code, "NoAnswer");
    fail(&call->error, REFUSED, "cannot reach %s: %s", host_of(transfer), text_string(&said));
    advise(&call->error, "check the network, the proxy (HTTPS_PROXY) and the region (%s)",
           transfer->aws->settings->region);
    text_free(&said);
    return RETRY;
}

static enum verdict untrusted(struct aws_transfer *transfer)
{
    struct aws_call *call = transfer->call;
    struct text said = {0};
    printable_add(transfer->exchange.said, &said);
    strcpy(call->code, "NoAnswer");
    fail(&call->error, REFUSED, "%s cannot be trusted: %s", host_of(transfer), text_string(&said));
    advise(&call->error, "behind a proxy that looks into TLS, set AWS_CA_BUNDLE to the file of its "
                         "authority");
    text_free(&said);
    return DONE;
}

static enum verdict broken(struct aws_transfer *transfer)
{
    if (transfer->exchange.timed_out)
        return no_answer(transfer, "it took too long");
    struct text said = {0};
    printable_add(transfer->exchange.said, &said);
    enum verdict verdict = no_answer(transfer, text_string(&said));
    text_free(&said);
    return verdict;
}

static bool is_missing(const cJSON *body, const char *name)
{
    const cJSON *member = json_get(body, name);
    return !member || cJSON_IsNull(member) ||
           (cJSON_IsString(member) && !*cJSON_GetStringValue(member));
}

/* The first of the wanted members that the answer does not have, freed by the caller; NULL when it
 * has all of them. */
static char *missing_member(const struct aws_transfer *transfer, const cJSON *body)
{
    const char *word = transfer->wanted ? transfer->wanted : "";
    for (size_t length; (length = strcspn(word, " "));
         word += length + strspn(word + length, " ")) {
        char *name = must_copy_bytes(word, length);
        if (is_missing(body, name))
            return name;
        free(name);
    }
    return NULL;
}

static enum verdict incomplete(struct aws_transfer *transfer, const char *missing)
{
    struct aws_call *call = transfer->call;
    call->uncertain = true;
    strcpy(call->code, "NoAnswer");
    fail(&call->error, REFUSED, "%s answered %s %s without %s", host_of(transfer),
         transfer->service->name, transfer->operation, missing);
    add_request_id(call);
    advise(&call->error, "AWS does not do this: is there a portal or a proxy in between? Then run "
                         "the same command again");
    return RETRY;
}

static enum verdict read_success(struct aws_transfer *transfer)
{
    struct aws_call *call = transfer->call;
    cJSON *body = read_body(transfer);
    if (!body)
        return no_answer(transfer, "what came is not what this service answers");
    take_request_id(transfer, body);
    owned char *missing = missing_member(transfer, body);
    if (missing) {
        json_wipe(body);
        return incomplete(transfer, missing);
    }
    call->code[0] = '\0';
    call->answer = body;
    return DONE;
}

/* A redirect is not followed: AWS sends none, so it comes from a captive portal or a wrong endpoint. */
static enum verdict read_service_error(struct aws_transfer *transfer)
{
    struct aws_call *call = transfer->call;
    struct service_error fault = {0};
    bool clock_is_wrong;
    cJSON *body = read_body(transfer);
    if (transfer->service->protocol == AWS_QUERY)
        read_xml_error(transfer, body, &fault);
    else
        read_json_error(transfer, body, &fault);
    if (!fault.code)
        fault.code = must_format("HTTP%d", call->http_status);
    take_request_id(transfer, body);
    call->code[0] = '\0';
    strncat(call->code, fault.code, sizeof call->code - 1);
    call->uncertain = call->uncertain || call->http_status >= 500;
    enum verdict verdict = classify(transfer, &fault, &clock_is_wrong);
    report_service_error(transfer, &fault, clock_is_wrong);
    if (call->http_status >= 300 && call->http_status < 400)
        advise(&call->error,
               "%s sends elsewhere, which AWS does not do: is there a portal or a proxy "
               "in between?",
               host_of(transfer));
    json_wipe(body);
    free(fault.code);
    text_free(&fault.message);
    return verdict;
}

enum verdict answer_read(struct aws_transfer *transfer)
{
    struct aws_call *call = transfer->call;
    const struct http_exchange *exchange = &transfer->exchange;
    json_wipe(call->answer);
    call->answer = NULL;
    error_free(&call->error);
    call->http_status = exchange->status;
    if (exchange->sent > 1) { /* libcurl has sent the request again by itself */
        call->attempts += exchange->sent - 1;
        call->uncertain = true;
    }
    switch (exchange->result) {
    case HTTP_UNREACHABLE:
        return unreachable(transfer);
    case HTTP_UNTRUSTED:
        return untrusted(transfer);
    case HTTP_BROKEN:
        return broken(transfer);
    case HTTP_TOO_LARGE:
        no_answer(transfer, "it is larger than 16 MB");
        return DONE;
    case HTTP_ANSWERED:
        compare_clocks(transfer);
        break;
    }
    return exchange->status >= 200 && exchange->status < 300 ? read_success(transfer)
                                                             : read_service_error(transfer);
}
