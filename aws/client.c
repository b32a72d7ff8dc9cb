/* The life of a call: submitted, waiting (for its pause, a back-off, a token, a free place),
 * signed, on the wire, read, and done or waiting again.
 *
 * A call that must wait for a time sleeps in a heap by that time; one that may go stands in the
 * lane of its operation. Each turn of the loop wakes whom it is time for, starts what may start
 * (lanes take turns, so a bulk of one operation holds up no other), and moves bytes. So neither
 * back-off nor a bucket without tokens blocks anything else, and a turn costs the number of lanes,
 * not of calls. Nothing recurses: `done` is called from the loop and may submit, or run the loop
 * itself. */
#include "client.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/paths.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CONNECT_MS = 10000, USUAL_IN_FLIGHT = 16, USUAL_RATE = 10 };

static const double usual_backoff = 0.5, usual_timeout = 60, longest_backoff = 20,
                    longest_retry_after = 60;

struct known_endpoint {
    const struct aws_service *service;
    char *host; /* that was discovered; NULL for the service's own */
    struct endpoint endpoint;
};

time_t client_time(const struct aws *aws)
{
    return time(NULL) + aws->clock_ahead;
}

/* --- who sleeps: a binary heap by the time to wake --- */

static void swap(struct aws_transfer **heap, size_t i, size_t j)
{
    struct aws_transfer *kept = heap[i];
    heap[i] = heap[j];
    heap[j] = kept;
}

static void put_to_sleep(struct aws *aws, struct aws_transfer *transfer, double seconds)
{
    aws->sleeping =
        must_grow(aws->sleeping, aws->sleeping_count, &aws->sleeping_room, sizeof *aws->sleeping);
    struct aws_transfer **heap = aws->sleeping;
    size_t i = aws->sleeping_count++;
    transfer->due = clock_monotonic() + seconds;
    heap[i] = transfer;
    for (; i && heap[i]->due < heap[(i - 1) / 2]->due; i = (i - 1) / 2)
        swap(heap, i, (i - 1) / 2);
}

static struct aws_transfer *wake_first(struct aws *aws)
{
    struct aws_transfer **heap = aws->sleeping, *first = heap[0];
    size_t count = --aws->sleeping_count, i = 0, child;
    heap[0] = heap[count];
    for (; (child = 2 * i + 1) < count; i = child) {
        if (child + 1 < count && heap[child + 1]->due < heap[child]->due)
            child++;
        if (heap[i]->due <= heap[child]->due)
            break;
        swap(heap, i, child);
    }
    return first;
}

/* --- lanes --- */

static struct lane *lane_of(struct aws *aws, const struct aws_service *service,
                            const char *operation, bool changes)
{
    owned char *name = must_format("%s %s", service->name, operation);
    for (size_t i = 0; i < aws->lane_count; i++)
        if (strcmp(aws->lanes[i]->name, name) == 0)
            return aws->lanes[i];
    struct lane *lane = must_alloc(sizeof *lane);
    aws->lanes = must_grow(aws->lanes, aws->lane_count, &aws->lane_room, sizeof *aws->lanes);
    aws->lanes[aws->lane_count++] = lane;
    lane->limit = limit_of(aws->limits, name, changes ? 1 : READS_FASTER);
    lane->name = must_copy(name);
    return lane;
}

static void stand_in_line(struct aws_transfer *transfer)
{
    struct lane *lane = transfer->lane;
    transfer->next = NULL;
    if (lane->last)
        lane->last->next = transfer;
    else
        lane->first = transfer;
    lane->last = transfer;
}

static struct aws_transfer *leave_line(struct lane *lane)
{
    struct aws_transfer *first = lane->first;
    lane->first = first->next;
    if (!lane->first)
        lane->last = NULL;
    return first;
}

/* --- calls --- */

static void free_transfer(struct aws_transfer *transfer)
{
    request_forget(transfer);
    for (size_t i = 0; transfer->headers && transfer->headers[i]; i++)
        free(transfer->headers[i]);
    free(transfer->headers);
    if (transfer->secret)
        json_wipe(transfer->body);
    text_wipe(&transfer->bytes);
    http_free(&transfer->exchange);
    free(transfer->operation);
    free(transfer->method);
    free(transfer->path);
    free(transfer->query);
    free(transfer->host);
    free(transfer->wanted);
    free(transfer->key_id);
    free(transfer);
}

void aws_submit(struct aws *aws, struct aws_call *call, const struct aws_request *request)
{
    struct aws_transfer *transfer = must_alloc(sizeof *transfer);
    aws_call_free(call);
    *transfer = (struct aws_transfer){
        .aws = aws,
        .call = call,
        .service = request->service,
        .operation = must_copy(request->operation),
        .method = must_copy(request->method ? request->method : "POST"),
        .path = must_copy(request->path ? request->path : "/"),
        .query = must_copy(request->query ? request->query : ""),
        .host = request->host ? must_copy(request->host) : NULL,
        .wanted = request->wanted ? must_copy(request->wanted) : NULL,
        .secret = request->secret,
        .anonymous = request->anonymous,
        .lane = lane_of(aws, request->service, request->operation, request->changes),
    };
    request_write(transfer, request);
    if (request->secret)
        transfer->body = request->body;
    else
        cJSON_Delete(request->body);
    call->transfer = transfer;
    put_to_sleep(aws, transfer, call->pause);
}

/* A call that is given up stays where it is, without its call, until its turn comes. */
void aws_call_free(struct aws_call *call)
{
    if (call->transfer) {
        call->transfer->cancelled = true;
        call->transfer->call = NULL;
    }
    error_free(&call->error);
    json_wipe(call->answer);
    *call = (struct aws_call){.done = call->done, .context = call->context, .pause = call->pause};
}

bool aws_failed_with(const struct aws_call *call, const char *code)
{
    return call->error.status && strcmp(call->code, code) == 0;
}

static void end(struct aws_transfer *transfer)
{
    struct aws_call *call = transfer->call;
    free_transfer(transfer);
    if (!call)
        return;
    call->transfer = NULL;
    if (call->done)
        call->done(call, call->context);
}

/* One line for --verbose. */
static void tell(struct aws_transfer *transfer, double wait)
{
    const struct aws_options *options = &transfer->aws->options;
    const struct aws_call *call = transfer->call;
    struct text line = {0};
    if (!options->log)
        return;
    text_add_format(&line, "%s %s", transfer->service->name, transfer->operation);
    if (call->http_status)
        text_add_format(&line, " %d", call->http_status);
    if (call->code[0])
        text_add_format(&line, " %s", call->code);
    text_add_format(&line, " in %.0f ms", (clock_monotonic() - transfer->started) * 1000);
    if (wait >= 0)
        text_add_format(&line, ", again in %.1f s", wait);
    options->log(options->log_context, text_string(&line));
    text_free(&line);
}

/* --- starting --- */

static enum status known_endpoint(struct aws *aws, const struct aws_transfer *transfer,
                                  const struct endpoint **endpoint, struct error *error)
{
    const char *host = transfer->host;
    for (size_t i = 0; i < aws->endpoint_count; i++) {
        const struct known_endpoint *known = &aws->endpoints[i];
        if (known->service == transfer->service && !known->host == !host &&
            (!host || strcmp(known->host, host) == 0)) {
            *endpoint = &known->endpoint;
            return FINE;
        }
    }
    aws->endpoints =
        must_grow(aws->endpoints, aws->endpoint_count, &aws->endpoint_room, sizeof *aws->endpoints);
    struct known_endpoint *known = &aws->endpoints[aws->endpoint_count];
    *known = (struct known_endpoint){transfer->service, host ? must_copy(host) : NULL, {0}};
    enum status status =
        endpoint_find(&(struct endpoint_facts){aws->region, aws->profile, aws->profiles, aws->fips},
                      transfer->service, host, &known->endpoint, error);
    if (status) {
        endpoint_free(&known->endpoint);
        free(known->host);
        return status;
    }
    aws->endpoint_count++;
    *endpoint = &known->endpoint;
    return FINE;
}

/* Credentials that end within five minutes although they were just found are not asked for again at
 * once: not before a minute, or their end. */
static void set_renewal(struct aws *aws)
{
    time_t expires = aws->credentials.expires, time = client_time(aws);
    aws->renew_at = expires ? expires - RENEW_SECONDS : 0;
    if (expires && aws->renew_at <= time)
        aws->renew_at = expires > time && expires < time + 60 ? expires : time + 60;
}

static enum status find_credentials(struct aws *aws, struct error *error)
{
    struct aws_credentials found = {0};
    enum status status = credentials_find(aws, &aws->options, aws->profiles, &found, error);
    if (status) {
        credentials_free(&found);
        return status;
    }
    credentials_free(&aws->credentials);
    aws->credentials = found;
    set_renewal(aws);
    return FINE;
}

/* Old credentials serve until they end where there are no new ones yet. */
static enum status renew(struct aws *aws, struct error *error)
{
    time_t time = client_time(aws);
    struct error renewal = {0};
    enum status status = find_credentials(aws, &renewal);
    if (status && time < aws->credentials.expires) {
        aws->renew_at = time + 60 < aws->credentials.expires ? time + 60 : aws->credentials.expires;
        error_free(&renewal);
        return FINE;
    }
    if (status)
        *error = renewal;
    return status;
}

static enum status renew_credentials(struct aws *aws, struct error *error)
{
    if (aws->borrowed || !aws->renew_at || client_time(aws) < aws->renew_at)
        return FINE;
    return renew(aws, error);
}

/* Workers find their own credentials when these end, and may not ask for a code: so they begin with
 * ones that last. */
enum status aws_before_fork(struct aws *aws, struct error *error)
{
    time_t expires = aws->credentials.expires;
    if (!expires || client_time(aws) + FRESH_SECONDS <= expires)
        return FINE;
    return renew(aws, error);
}

static enum status start(struct aws *aws, struct aws_transfer *transfer, struct error *error)
{
    const struct endpoint *endpoint;
    struct http_exchange *exchange = &transfer->exchange;
    enum status status = transfer->anonymous ? FINE : renew_credentials(aws, error);
    if (!status)
        status = known_endpoint(aws, transfer, &endpoint, error);
    if (!status)
        status = request_sign(transfer, endpoint, error);
    if (status)
        return status;
    free(transfer->key_id);
    transfer->key_id = transfer->anonymous ? NULL : must_copy(aws->credentials.key_id);
    http_free(exchange);
    *exchange = (struct http_exchange){.method = transfer->method,
                                       .url = transfer->url,
                                       .headers = (const char *const *)transfer->lines,
                                       .body = transfer->bytes.at,
                                       .length = transfer->bytes.length,
                                       .connect_ms = CONNECT_MS < aws->timeout_ms ? CONNECT_MS
                                                                                  : aws->timeout_ms,
                                       .total_ms = aws->timeout_ms,
                                       .certificates = aws->certificates,
                                       .owner = transfer};
    transfer->call->attempts++;
    transfer->started = clock_monotonic();
    aws->on_wire[aws->on_wire_count++] = transfer;
    http_start(aws->http, exchange);
    return FINE;
}

/* The next lane whose first call may go now; the lanes take turns. */
static struct lane *open_lane(struct aws *aws)
{
    double time = clock_monotonic();
    for (size_t i = 0; i < aws->lane_count; i++) {
        struct lane *lane = aws->lanes[(aws->next_lane + i) % aws->lane_count];
        if (!lane->first || lane->due > time)
            continue;
        double wait = lane->limit && !lane->first->cancelled ? limit_take(lane->limit) : 0;
        lane->due = time + wait;
        if (wait > 0)
            continue;
        aws->next_lane = (aws->next_lane + i + 1) % aws->lane_count;
        return lane;
    }
    return NULL;
}

static void wake_and_start(struct aws *aws)
{
    struct lane *lane;
    while (aws->sleeping_count && aws->sleeping[0]->due <= clock_monotonic())
        stand_in_line(wake_first(aws));
    while (aws->on_wire_count < aws->options.in_flight && (lane = open_lane(aws))) {
        struct aws_transfer *transfer = leave_line(lane);
        if (!transfer->cancelled && start(aws, transfer, &transfer->call->error) == FINE)
            continue;
        end(transfer);
    }
}

/* --- ending --- */

/* Exponential, with full jitter; a service may ask for more. */
static double backoff(struct aws_transfer *transfer, bool throttled)
{
    struct aws *aws = transfer->aws;
    double base = aws->backoff * (throttled ? 2 : 1);
    double most = base * pow(2, transfer->call->attempts - 1);
    most = most < longest_backoff ? most : longest_backoff;
    double wait = most * rand_r(&aws->jitter) / RAND_MAX;
    owned char *seconds = http_field(&transfer->exchange, "Retry-After");
    owned char *milliseconds = http_field(&transfer->exchange, "x-amz-retry-after");
    double asked = *milliseconds ? strtod(milliseconds, NULL) / 1000 : strtod(seconds, NULL);
    if (!(asked > wait))
        return wait;
    return asked < longest_retry_after ? asked : longest_retry_after;
}

static void try_again(struct aws_transfer *transfer, double wait)
{
    struct aws_call *call = transfer->call;
    tell(transfer, wait);
    error_free(&call->error);
    request_forget(transfer);
    put_to_sleep(transfer->aws, transfer, wait);
}

/* True when there are others now: a key that stays the same is as expired as before. Where none are
 * found, why is the call's error: that is what can be helped. */
static bool renewed(struct aws_transfer *transfer)
{
    struct aws *aws = transfer->aws;
    struct error error = {0};
    transfer->credentials_renewed = true;
    if (strcmp(transfer->key_id, aws->credentials.key_id) != 0)
        return true; /* another call was told the same before */
    if (aws->borrowed)
        return false;
    aws->distrusts_cache = true;
    enum status status = find_credentials(aws, &error);
    aws->distrusts_cache = false;
    if (status) {
        error_free(&transfer->call->error);
        transfer->call->error = error;
        return false;
    }
    return strcmp(transfer->key_id, aws->credentials.key_id) != 0;
}

/* What was throttled was not done, and only wants to be asked later. */
static bool may_try_again(const struct aws_transfer *transfer, bool throttled)
{
    bool reached = transfer->exchange.result != HTTP_UNREACHABLE;
    return transfer->call->attempts < (throttled ? MOST_ATTEMPTS_THROTTLED
                                       : reached ? MOST_ATTEMPTS
                                                 : MOST_ATTEMPTS_TO_REACH);
}

static void read_and_end(struct aws_transfer *transfer)
{
    struct aws *aws = transfer->aws;
    struct lane *lane = transfer->lane;
    enum verdict verdict = answer_read(transfer);
    if (lane->limit && verdict == TRY_SLOWER)
        limit_was_throttled(aws->limits, lane->limit);
    if (lane->limit && !transfer->call->error.status)
        limit_went_well(aws->limits, lane->limit);
    if (verdict == TRY_OTHER_CLOCK)
        transfer->clock_corrected = true;
    bool at_once = verdict == TRY_OTHER_CLOCK || (verdict == TRY_OTHER_KEYS && renewed(transfer));
    bool throttled = verdict == TRY_SLOWER;
    bool later = (verdict == TRY_AGAIN || throttled) && may_try_again(transfer, throttled);
    if (at_once || later) {
        try_again(transfer, later ? backoff(transfer, throttled) : 0);
        return;
    }
    tell(transfer, -1);
    end(transfer);
}

static void forget_on_wire(struct aws *aws, const struct aws_transfer *transfer)
{
    for (size_t i = 0; i < aws->on_wire_count; i++) {
        if (aws->on_wire[i] == transfer) {
            aws->on_wire[i] = aws->on_wire[--aws->on_wire_count];
            return;
        }
    }
}

static void take_answers(struct aws *aws)
{
    struct http_exchange *exchange;
    while ((exchange = http_ended(aws->http))) {
        struct aws_transfer *transfer = exchange->owner;
        forget_on_wire(aws, transfer);
        if (transfer->cancelled)
            end(transfer);
        else
            read_and_end(transfer);
    }
}

/* --- the loop --- */

/* Milliseconds until there is something to start; a second at most. */
static int idle_time(const struct aws *aws)
{
    double time = clock_monotonic(), until = time + 1;
    if (aws->sleeping_count && aws->sleeping[0]->due < until)
        until = aws->sleeping[0]->due;
    for (size_t i = 0; i < aws->lane_count && aws->on_wire_count < aws->options.in_flight; i++)
        if (aws->lanes[i]->first && aws->lanes[i]->due < until)
            until = aws->lanes[i]->due;
    return until > time ? (int)((until - time) * 1000) + 1 : 0;
}

static void turn(struct aws *aws)
{
    wake_and_start(aws);
    http_move(aws->http, 0);
    take_answers(aws);
    wake_and_start(aws);
    http_move(aws->http, idle_time(aws));
    take_answers(aws);
}

static bool is_busy(const struct aws *aws)
{
    bool waiting = false;
    for (size_t i = 0; i < aws->lane_count && !waiting; i++)
        waiting = aws->lanes[i]->first != NULL;
    return waiting || aws->sleeping_count || aws->on_wire_count;
}

void aws_run(struct aws *aws)
{
    while (is_busy(aws))
        turn(aws);
}

enum status aws_finish(struct aws *aws, struct aws_call *call, struct error *error)
{
    while (call->transfer)
        turn(aws);
    if (error && call->error.status) {
        *error = call->error;
        call->error = (struct error){.status = error->status};
    }
    return call->error.status;
}

/* --- opening --- */

static double number_of(const char *variable, double usual)
{
    const char *given = environment(variable);
    double number = given ? strtod(given, NULL) : usual;
    return number >= 0 && number <= 3600 ? number : usual;
}

static void set_numbers(struct aws *aws, const struct aws_options *options)
{
    aws->backoff = number_of("SENSORFORGE_AWS_BACKOFF", usual_backoff);
    aws->timeout_ms = lround(number_of("SENSORFORGE_AWS_TIMEOUT", usual_timeout) * 1000);
    aws->jitter = (unsigned)time(NULL) ^ (unsigned)getpid() << 16;
    if (!options->in_flight)
        aws->options.in_flight = USUAL_IN_FLIGHT;
    if (!(options->rate > 0))
        aws->options.rate = USUAL_RATE;
    aws->on_wire = must_array(aws->options.in_flight, sizeof *aws->on_wire);
}

/* As botocore/configprovider.py: AWS_DEFAULT_PROFILE is the older name, and comes first. */
static const char *profile_of(const struct aws_options *options)
{
    static const char *const variables[] = {"AWS_DEFAULT_PROFILE", "AWS_PROFILE"};
    if (options->profile)
        return options->profile;
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        if (environment(variables[i]))
            return environment(variables[i]);
    return options->otherwise_profile ? options->otherwise_profile : "default";
}

/* A machine that has keys in its environment need not know the project's profile. */
static enum status check_profile(const struct aws *aws, struct error *error)
{
    const struct aws_options *options = &aws->options;
    bool named =
        options->profile || environment("AWS_DEFAULT_PROFILE") || environment("AWS_PROFILE");
    if (profile_exists(aws->profiles, aws->profile) || strcmp(aws->profile, "default") == 0 ||
        (!named && environment("AWS_ACCESS_KEY_ID")))
        return FINE;
    struct text names = {0};
    profile_names(aws->profiles, &names);
    fail(error, WRONG_INPUT, "there is no profile \"%s\" in %s or %s", aws->profile,
         profile_file_name(aws->profiles, CONFIG_FILE),
         profile_file_name(aws->profiles, CREDENTIALS_FILE));
    if (names.length)
        advise(error, "there are: %s", text_string(&names));
    else
        advise(error, "make one: aws configure --profile %s", aws->profile);
    text_free(&names);
    return WRONG_INPUT;
}

static enum status find_region(struct aws *aws, struct error *error)
{
    const char *region = aws->options.region;
    if (!region)
        region = environment("AWS_REGION");
    if (!region)
        region = environment("AWS_DEFAULT_REGION");
    if (!region)
        region = profile_setting(aws->profiles, aws->profile, "region", NULL);
    if (!region || !*region) {
        fail(error, WRONG_INPUT, "which region of AWS?");
        advise(error,
               "set `region` under `aws` in " SYSTEM_FILE ", or AWS_REGION, or\n"
               "`region` of profile \"%s\" (aws configure set region eu-west-1 --profile %s)",
               aws->profile, aws->profile);
        return WRONG_INPUT;
    }
    if (!region_is_sane(region))
        return fail(error, WRONG_INPUT, "\"%s\" is not the name of a region, like eu-west-1",
                    region);
    aws->region = must_copy(region);
    aws->partition = partition_of(region);
    return FINE;
}

static enum status find_certificates(struct aws *aws, struct error *error)
{
    const char *path = environment("AWS_CA_BUNDLE");
    const char *fips = environment("AWS_USE_FIPS_ENDPOINT");
    if (!path)
        path = profile_setting(aws->profiles, aws->profile, "ca_bundle", NULL);
    aws->fips = says_true(
        fips ? fips : profile_setting(aws->profiles, aws->profile, "use_fips_endpoint", NULL));
    if (!path || !*path)
        return FINE;
    if (access(path, R_OK) != 0)
        return fail_errno(error, "the authorities in %s (AWS_CA_BUNDLE, ca_bundle) cannot be read",
                          path);
    aws->certificates = must_copy(path);
    return FINE;
}

static char *copy_or_null(const char *string)
{
    return string ? must_copy(string) : NULL;
}

static void copy_options(struct aws *aws, const struct aws_options *options)
{
    aws->options = *options;
    aws->options.profile = copy_or_null(options->profile);
    aws->options.region = copy_or_null(options->region);
    aws->options.otherwise_profile = copy_or_null(options->otherwise_profile);
    aws->profile = must_copy(profile_of(options));
    set_numbers(aws, options);
}

static enum status set_up(struct aws *aws, struct error *error)
{
    enum status status;
    if ((status = profiles_read(&aws->profiles, error)) || (status = check_profile(aws, error)) ||
        (status = find_region(aws, error)) || (status = find_certificates(aws, error)) ||
        (status = http_open(aws->options.in_flight, &aws->http, error)))
        return status;
    aws->limits = limits_open(aws->options.rate);
    return find_credentials(aws, error);
}

enum status aws_open(const struct aws_options *options, struct aws **aws, struct error *error)
{
    struct aws *made = must_alloc(sizeof *made);
    copy_options(made, options);
    enum status status = set_up(made, error);
    if (status) {
        aws_close(made);
        made = NULL;
    }
    *aws = made;
    return status;
}

static void copy_credentials(const struct aws_credentials *from, struct aws_credentials *to)
{
    *to = (struct aws_credentials){.key_id = must_copy(from->key_id),
                                   .secret_key =
                                       secret_copy(from->secret_key.at, from->secret_key.length),
                                   .expires = from->expires,
                                   .source = must_copy(from->source)};
    if (from->token.at)
        to->token = secret_copy(from->token.at, from->token.length);
}

enum status client_like(const struct aws *aws, const struct aws_credentials *credentials,
                        struct aws **made, struct error *error)
{
    struct aws *other = must_alloc(sizeof *other);
    copy_options(other, &aws->options);
    free(other->profile);
    other->profile = must_copy(aws->profile);
    other->region = must_copy(aws->region);
    other->partition = aws->partition;
    other->certificates = copy_or_null(aws->certificates);
    other->fips = aws->fips;
    other->clock_ahead = aws->clock_ahead;
    other->profiles = aws->profiles;
    other->limits = aws->limits;
    other->borrowed = true;
    if (credentials)
        copy_credentials(credentials, &other->credentials);
    enum status status = http_open(1, &other->http, error);
    if (status) {
        aws_close(other);
        other = NULL;
    }
    *made = other;
    return status;
}

/* --- closing --- */

/* Calls under way are forgotten, without their `done`. */
static void drop_calls(struct aws *aws)
{
    for (size_t i = 0; i < aws->lane_count; i++)
        while (aws->lanes[i]->first)
            put_to_sleep(aws, leave_line(aws->lanes[i]), 0);
    while (aws->on_wire_count) {
        struct aws_transfer *transfer = aws->on_wire[--aws->on_wire_count];
        http_cancel(aws->http, &transfer->exchange);
        put_to_sleep(aws, transfer, 0);
    }
    while (aws->sleeping_count) {
        struct aws_transfer *transfer = wake_first(aws);
        if (transfer->call)
            transfer->call->transfer = NULL;
        free_transfer(transfer);
    }
}

void aws_after_fork(struct aws *aws)
{
    struct error error = {0};
    http_abandon(aws->http);
    drop_calls(aws);
    aws->jitter ^= (unsigned)getpid() << 16;
    aws->options.ask = NULL; /* many would ask at once, and a code is good for one of them */
    aws->forked = true;
    if (http_open(aws->options.in_flight, &aws->http, &error))
        out_of_memory();
}

static void free_found(struct aws *aws)
{
    for (size_t i = 0; i < aws->lane_count; i++) {
        free(aws->lanes[i]->name);
        free(aws->lanes[i]);
    }
    for (size_t i = 0; i < aws->endpoint_count; i++) {
        endpoint_free(&aws->endpoints[i].endpoint);
        free(aws->endpoints[i].host);
    }
    free(aws->lanes);
    free(aws->endpoints);
    free(aws->sleeping);
    free(aws->on_wire);
}

void aws_close(struct aws *aws)
{
    if (!aws)
        return;
    drop_calls(aws);
    http_close(aws->http);
    free_found(aws);
    if (!aws->borrowed) {
        profiles_free(aws->profiles);
        limits_close(aws->limits);
    }
    credentials_free(&aws->credentials);
    free((char *)aws->options.profile);
    free((char *)aws->options.region);
    free((char *)aws->options.otherwise_profile);
    free(aws->profile);
    free(aws->region);
    free(aws->certificates);
    free(aws);
}

/* --- asking --- */

const char *aws_region(const struct aws *aws)
{
    return aws->region;
}

const char *aws_partition(const struct aws *aws)
{
    return aws->partition->name;
}

const char *aws_profile(const struct aws *aws)
{
    return aws->profile;
}

double aws_clock_ahead(const struct aws *aws)
{
    return (double)aws->clock_seen;
}

const char *aws_credentials_source(const struct aws *aws)
{
    return aws->credentials.source;
}
