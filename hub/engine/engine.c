#include "engine.h"
#include "common/base/hex.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "hub/actions/action.h"
#include "common/base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* A token names the action that put a row: which record of the batch, which rule, which action. */
enum { MOST_RETURNED = 1000 /* deliveries that failed, reported with one batch */ };
enum { AHEAD = 4 /* records that are fetched into the cache while others are worked on */ };
enum { BUCKETS = 1024 /* into which the things of a batch are put */ };
enum { RULE_SHIFT = 8, RECORD_SHIFT = 24, ACTION_MASK = 0xff, RULE_MASK = 0xffff };

struct engine {
    const struct settings *settings;
    struct plugged *plugged;
    struct couriers *couriers;
    struct rule_scratch *scratch;
    struct cell cells[MOST_COLUMNS];
    struct buffer failures, document;
    char *spare;
    size_t spare_room;
    /* Of the records of a batch: in which order, by thing alone too, and of which route. */
    uint32_t *order, *by_thing;
    const struct route **routes;
    size_t order_room;
    uint32_t bucket_starts[BUCKETS + 1];
    uint32_t *starts; /* of each route in order */
    size_t starts_room;
    struct delivery *returned; /* that failed, and are not reported yet */
    /* The message that is worked on; its texts with a NUL behind them. */
    struct rule_message message;
    char topic[SPOOL_LONGEST_NAME + 1];
    char client_id[SPOOL_LONGEST_NAME + 1];
    char principal[SPOOL_LONGEST_NAME + 1];
    char trace_id[37];
    uint64_t number;           /* of the record */
    const struct route *route; /* of topics that begin with level; NULL: not known */
    char level[SPOOL_LONGEST_NAME];
    size_t level_length;
    uint64_t looked_for; /* number of the last record that was there when types were looked for */
    uint64_t random[64];
    size_t random_left;
};

/* --- beginning and end --- */

static void forget_returned(struct engine *engine);

struct engine *engine_new(const struct settings *settings, struct plugged *plugged,
                          struct couriers *couriers)
{
    struct engine *engine = must_alloc(sizeof *engine);
    engine->settings = settings;
    engine->plugged = plugged;
    engine->couriers = couriers;
    return engine;
}

void engine_free(struct engine *engine)
{
    if (!engine)
        return;
    forget_returned(engine);
    rule_scratch_free(engine->scratch);
    buffer_free(&engine->failures);
    buffer_free(&engine->document);
    free(engine->order);
    free(engine->by_thing);
    free(engine->routes);
    free(engine->starts);
    free(engine->spare);
    free(engine);
}

/* --- counts --- */

static const struct {
    const char *name;
    size_t at;
} count_names[] = {
    {"readings", offsetof(struct counts, readings)},
    {"valid", offsetof(struct counts, valid)},
    {"invalid", offsetof(struct counts, invalid)},
    {"unmatched", offsetof(struct counts, unmatched)},
    {"duplicates", offsetof(struct counts, duplicates)},
    {"rejected", offsetof(struct counts, rejected)},
    {"errors", offsetof(struct counts, errors)},
};

void counts_write(const struct counts *counts, char text[LONGEST_COUNTS])
{
    size_t length = 0;
    for (size_t i = 0; i < sizeof count_names / sizeof *count_names; i++) {
        uint64_t count =
            *(const uint64_t *)(const void *)((const char *)counts + count_names[i].at);
        length += (size_t)snprintf(text + length, LONGEST_COUNTS - length, "%s\"%s\": %" PRIu64,
                                   i ? ", " : "{", count_names[i].name, count);
    }
    snprintf(text + length, LONGEST_COUNTS - length, "}");
}

void counts_read(const char *text, struct counts *counts)
{
    cJSON *object = cJSON_Parse(text);
    *counts = (struct counts){0};
    for (size_t i = 0; i < sizeof count_names / sizeof *count_names; i++)
        *(uint64_t *)(void *)((char *)counts + count_names[i].at) =
            (uint64_t)json_number(object, count_names[i].name, 0);
    cJSON_Delete(object);
}

/* --- the message --- */

static uint64_t next_random(void *context)
{
    struct engine *engine = context;
    if (!engine->random_left) {
        if (getrandom(engine->random, sizeof engine->random, 0) != sizeof engine->random)
            return 0;
        engine->random_left = sizeof engine->random / sizeof *engine->random;
    }
    return engine->random[--engine->random_left];
}

static void copy(char *to, const char *from, uint32_t length)
{
    memcpy(to, from, length);
    to[length] = '\0';
}

static char *put_hex(char *to, uint64_t value, unsigned digits)
{
    hex_number(value, digits, to);
    to[digits] = '-';
    return to + digits + 1;
}

/* The same record has the same id whenever it is worked on: made of its number and time, in the
 * form of a UUID (RFC 9562, version 8: of one's own making). */
static void make_trace_id(struct engine *engine, int64_t time)
{
    uint64_t number = engine->number;
    char *at = put_hex(engine->trace_id, (uint64_t)time >> 16, 8);
    at = put_hex(at, (uint64_t)time, 4);
    at = put_hex(at, 0x8000 | (number >> 60), 4);
    at = put_hex(at, 0x8000 | (number >> 48 & 0xfff), 4);
    at = put_hex(at, number, 12);
    at[-1] = '\0';
}

static void begin_message(struct engine *engine, const struct spool_record *record)
{
    copy(engine->topic, record->topic, record->topic_length);
    copy(engine->client_id, record->client_id, record->client_id_length);
    copy(engine->principal, record->principal, record->principal_length);
    engine->number = record->number;
    make_trace_id(engine, record->time);
    engine->message = (struct rule_message){.topic = engine->topic,
                                            .payload = record->payload,
                                            .payload_length = record->payload_length,
                                            .client_id = engine->client_id,
                                            .principal = engine->principal,
                                            .account = engine->settings->account,
                                            .trace_id = engine->trace_id,
                                            .time = record->time,
                                            .random = next_random,
                                            .random_context = engine};
    rule_begin(engine->scratch, &engine->message);
}

/* --- rules --- */

static bool need_spare(struct engine *engine, size_t length)
{
    if (length <= engine->spare_room)
        return true;
    char *grown = realloc(engine->spare, 2 * length);
    if (!grown)
        return false;
    engine->spare = grown;
    engine->spare_room = 2 * length;
    return true;
}

static enum status no_memory(struct error *error)
{
    return fail(error, REFUSED, "out of memory");
}

/* What the failures noted come to: the rule's error action, or a line in the log. */
static enum status report_failures(struct engine *engine, const struct hub_rule *rule,
                                   struct work *work, struct counts *counts, struct error *error)
{
    struct buffer own = {0};
    struct work again = *work;
    enum status status = FINE;
    buffer_clear(&engine->document);
    error_document(&engine->message, rule->name, &engine->failures, &engine->document);
    if (engine->document.failed || !need_spare(engine, engine->document.length))
        return no_memory(error);
    counts->errors++;
    again.payload = engine->document.at;
    again.length = engine->document.length;
    again.raw = false;
    again.error = true;
    again.failures = &own;
    again.spare = engine->spare;
    if (rule->error_action)
        status = action_run(rule->error_action, &again, error);
    if (!status && (own.length || !rule->error_action))
        log_line("rule %s: a message on %s failed, and %s: %.*s", rule->name, engine->topic,
                 rule->error_action ? "so did the error action" : "it has no error action",
                 (int)(engine->failures.length < 512 ? engine->failures.length : 512),
                 buffer_string(&engine->failures));
    buffer_free(&own);
    return status;
}

static enum status run_actions(struct engine *engine, struct hub_rule *rule, struct work *work,
                               struct error *error)
{
    enum status status = FINE;
    uint64_t token = work->token;
    if (!need_spare(engine, work->length))
        return no_memory(error);
    work->spare = engine->spare;
    for (size_t i = 0; i < rule->action_count && !status; i++) {
        work->token = token | i;
        status = action_run(&rule->actions[i], work, error);
    }
    work->token = token;
    return status;
}

static enum status run_rule(struct engine *engine, struct hub_rule *rule, struct work *work,
                            struct counts *counts, bool *taken, struct error *error)
{
    struct rule_result result;
    enum status status = FINE;
    enum rule_outcome outcome = rule_run(rule->rule, engine->scratch, &result);
    if (outcome == RULE_NO_MATCH || outcome == RULE_NOT_SELECTED)
        return FINE;
    *taken = true;
    work->rule = rule;
    engine->failures.length = 0;
    engine->failures.failed = false;
    if (outcome == RULE_SELECTED) {
        work->payload = result.bytes;
        work->length = result.length;
        work->raw = result.raw;
        if (rule->invalid)
            counts->invalid++;
        else
            counts->valid++;
        status = run_actions(engine, rule, work, error);
    } else if (outcome == RULE_REFUSED) {
        failure_add(&engine->failures, NULL, "%s() needs %s, which is not on this machine",
                    result.function, result.service);
    } else {
        failure_add(&engine->failures, NULL, "The message needs too much memory");
    }
    if (!status && (engine->failures.length || engine->failures.failed))
        status = report_failures(engine, rule, work, counts, error);
    return status;
}

static enum status run_route(struct engine *engine, const struct route *route, size_t before,
                             struct work *work, uint64_t token, struct counts *counts, bool *taken,
                             struct error *error)
{
    enum status status = FINE;
    for (size_t i = 0; i < route->count && !status; i++) {
        work->token = token | (before + i) << RULE_SHIFT;
        status = run_rule(engine, route->rules[i], work, counts, taken, error);
    }
    return status;
}

/* The rules for a topic's first level. What comes in a row is mostly of one type, so the last
 * answer is kept. */
static const struct route *find_route(struct engine *engine, const struct spool_record *record)
{
    const char *end = memchr(record->topic, '/', record->topic_length);
    size_t length = end ? (size_t)(end - record->topic) : record->topic_length;
    if (engine->route && length == engine->level_length &&
        memcmp(record->topic, engine->level, length) == 0)
        return engine->route;
    engine->route = plugged_route(engine->plugged, record->topic, length);
    memcpy(engine->level, record->topic, length);
    engine->level_length = length;
    return engine->route;
}

/* A type may have been plugged in after the last look, and the broker have let its things in since.
 * So one is looked for once more before a reading counts as nobody's: after it was read from the
 * spool, which is after it was let in. What is held waits for the documents of its type. */
static bool needs_a_look(const struct engine *engine, const struct route *route,
                         const struct spool_record *record)
{
    return route->held || (route->count == 0 && record->number > engine->looked_for);
}

/* There is one position in the spool, so what comes after a reading that waits waits too. */
static enum status check_held(struct engine *engine, const struct spool_record *record,
                              struct error *error)
{
    if (!find_route(engine, record)->held)
        return FINE;
    const struct plugged_type *holder =
        plugged_holder(engine->plugged, engine->level, engine->level_length);
    fail(error, REFUSED, "a reading of type %s waits, and all behind it: %s", holder->name,
         holder->trouble);
    return advise(error, "make sensortype NAME=%s writes the type's documents again", holder->name);
}

static enum status look(struct engine *engine, struct store *store, uint64_t last,
                        struct error *error)
{
    engine->looked_for = last;
    engine->route = NULL;
    return plugged_refresh(engine->plugged) ? plugged_attach(engine->plugged, store, error) : FINE;
}

static enum status take(struct engine *engine, struct store *store,
                        const struct spool_record *record, size_t number, struct counts *counts,
                        struct error *error)
{
    const struct route *route = engine->routes[number], *any;
    bool taken = false;
    struct work work = {.store = store,
                        .couriers = engine->couriers,
                        .notify = engine->settings->notify,
                        .scratch = engine->scratch,
                        .message = &engine->message,
                        .failures = &engine->failures,
                        .cells = engine->cells};
    uint64_t token = (uint64_t)number << RECORD_SHIFT;
    counts->readings++;
    any = plugged_any(engine->plugged);
    begin_message(engine, record);
    enum status status = run_route(engine, route, 0, &work, token, counts, &taken, error);
    if (!status && any->count)
        status = run_route(engine, any, route->count, &work, token, counts, &taken, error);
    counts->unmatched += !taken;
    return status;
}

/* --- batches --- */

/* Rows that the store did not take: their messages are begun once more, for the error action. */
static enum status report_rejected(struct engine *engine, struct store *store,
                                   const struct spool_record *records,
                                   const struct settlement *settlement, struct counts *counts,
                                   struct error *error)
{
    enum status status = FINE;
    for (size_t i = 0; i < settlement->rejected_count && !status; i++) {
        uint64_t token = settlement->rejected[i];
        const struct spool_record *record = &records[token >> RECORD_SHIFT];
        size_t rule = token >> RULE_SHIFT & RULE_MASK;
        const struct route *route = find_route(engine, record);
        if (rule >= route->count) {
            rule -= route->count;
            route = plugged_any(engine->plugged);
        }
        struct work work = {.store = store,
                            .couriers = engine->couriers,
                            .notify = engine->settings->notify,
                            .scratch = engine->scratch,
                            .message = &engine->message,
                            .rule = route->rules[rule],
                            .failures = &engine->failures,
                            .cells = engine->cells,
                            .token = token};
        begin_message(engine, record);
        buffer_clear(&engine->failures);
        failure_add(&engine->failures, &work.rule->actions[token & ACTION_MASK],
                    "The table has another value for the same thing and time");
        status = report_failures(engine, work.rule, &work, counts, error);
    }
    return status;
}

/* Fetches what couriers could not deliver; it is kept until it is committed as reported. */
static void fetch_returned(struct engine *engine)
{
    struct delivery *delivery;
    size_t count = 0;
    while (engine->couriers && count++ < MOST_RETURNED &&
           (delivery = couriers_failed(engine->couriers))) {
        delivery->next = engine->returned;
        engine->returned = delivery;
    }
}

static void forget_returned(struct engine *engine)
{
    while (engine->returned) {
        struct delivery *delivery = engine->returned;
        engine->returned = delivery->next;
        delivery_free(delivery);
    }
}

static enum status report_delivery(struct engine *engine, struct store *store,
                                   const struct delivery *delivery, struct counts *counts,
                                   struct error *error)
{
    const struct hub_rule *rule = plugged_rule(engine->plugged, delivery->rule);
    const struct action action = {.name = delivery->action, .resource = delivery->resource};
    const struct spool_record record = {.time = delivery->time,
                                        .topic = delivery->topic,
                                        .topic_length = (uint32_t)strlen(delivery->topic),
                                        .client_id = delivery->client_id,
                                        .client_id_length = (uint32_t)strlen(delivery->client_id),
                                        .principal = "",
                                        .payload = delivery->payload,
                                        .payload_length = (uint32_t)delivery->payload_length};
    if (!rule) {
        log_line("rule %s is gone; its %s to %s failed: %s", delivery->rule, delivery->action,
                 delivery->target, delivery->why);
        return FINE;
    }
    struct work work = {.store = store,
                        .couriers = engine->couriers,
                        .notify = engine->settings->notify,
                        .scratch = engine->scratch,
                        .message = &engine->message,
                        .rule = rule,
                        .failures = &engine->failures,
                        .cells = engine->cells};
    begin_message(engine, &record);
    buffer_clear(&engine->failures);
    failure_add(&engine->failures, &action, "%s: %s", delivery->target, delivery->why);
    return report_failures(engine, rule, &work, counts, error);
}

/* Deliveries that failed since the last batch. */
static enum status report_returned(struct engine *engine, struct store *store,
                                   struct counts *counts, struct error *error)
{
    enum status status = FINE;
    fetch_returned(engine);
    for (const struct delivery *at = engine->returned; at && !status; at = at->next)
        status = report_delivery(engine, store, at, counts, error);
    return status;
}

static bool grow(uint32_t **array, size_t count)
{
    uint32_t *grown = realloc(*array, count * sizeof **array);
    if (grown)
        *array = grown;
    return grown != NULL;
}

static bool grow_routes(struct engine *engine, size_t count)
{
    const struct route **grown = realloc(engine->routes, count * sizeof *grown);
    if (grown)
        engine->routes = grown;
    return grown != NULL;
}

static bool need_order(struct engine *engine, size_t count)
{
    size_t routes = plugged_routes(engine->plugged) + 1;
    if (count > engine->order_room) {
        if (!grow(&engine->order, count) || !grow(&engine->by_thing, count) ||
            !grow_routes(engine, count))
            return false;
        engine->order_room = count;
    }
    if (routes > engine->starts_room) {
        if (!grow(&engine->starts, routes))
            return false;
        engine->starts_room = routes;
    }
    memset(engine->starts, 0, routes * sizeof *engine->starts);
    return true;
}

/* FNV-1a */
static size_t bucket_of(const struct spool_record *record)
{
    uint32_t hash = UINT32_C(2166136261);
    for (uint32_t i = 0; i < record->client_id_length; i++)
        hash = (hash ^ (unsigned char)record->client_id[i]) * UINT32_C(16777619);
    return (hash ^ hash >> 16) % BUCKETS;
}

/* From how many there are of each (at [id + 1]) to where each begins. */
static void add_up(uint32_t *starts, size_t count)
{
    for (size_t i = 1; i <= count; i++)
        starts[i] += starts[i - 1];
}

/* Type by type, and in a type thing by thing, each in its own order: rules, statements and the page
 * that a thing's rows go to are used many times in a row, and stay in the processor's cache. Rules
 * do not change in the middle of a transaction, so a batch ends before the first record that needs
 * a look, or waits; *count is how many there are then. */
static enum status arrange(struct engine *engine, const struct spool_record *records, size_t *count,
                           struct error *error)
{
    size_t routes = plugged_routes(engine->plugged), upto = 0;
    uint32_t *starts, *buckets = engine->bucket_starts;
    if (!need_order(engine, *count))
        return no_memory(error);
    starts = engine->starts;
    memset(buckets, 0, sizeof engine->bucket_starts);
    for (; upto < *count; upto++) {
        const struct route *route = find_route(engine, &records[upto]);
        if (needs_a_look(engine, route, &records[upto]))
            break;
        engine->routes[upto] = route;
        starts[route->id + 1]++;
        engine->order[upto] = (uint32_t)bucket_of(&records[upto]);
        buckets[engine->order[upto] + 1]++;
    }
    add_up(starts, routes);
    add_up(buckets, BUCKETS);
    for (size_t i = 0; i < upto; i++)
        engine->by_thing[buckets[engine->order[i]]++] = (uint32_t)i;
    for (size_t i = 0; i < upto; i++) {
        uint32_t record = engine->by_thing[i];
        engine->order[starts[engine->routes[record]->id]++] = record;
    }
    *count = upto;
    return FINE;
}

/* In the order of things, the next record is somewhere else in memory. */
static void fetch_ahead(const struct spool_record *record)
{
    __builtin_prefetch(record->topic);
    __builtin_prefetch(record->topic + 64);
    __builtin_prefetch(record->payload);
    __builtin_prefetch((const char *)record->payload + 64);
}

static enum status work_on(struct engine *engine, struct store *store,
                           const struct spool_record *records, size_t count, size_t *done,
                           struct counts *counts, struct error *error)
{
    struct settlement settlement;
    enum status status = FINE;
    engine->route = NULL; /* types may have changed since the last batch */
    *done = 0;
    if (count && needs_a_look(engine, find_route(engine, &records[0]), &records[0]))
        status = look(engine, store, records[count - 1].number, error);
    if (!status && count)
        status = check_held(engine, &records[0], error);
    if (!status)
        status = store_begin(store, error);
    if (!status)
        status = report_returned(engine, store, counts, error);
    if (!status)
        status = arrange(engine, records, &count, error);
    for (size_t i = 0; i < count && !status; i++) {
        if (i + AHEAD < count)
            fetch_ahead(&records[engine->order[i + AHEAD]]);
        status = take(engine, store, &records[engine->order[i]], engine->order[i], counts, error);
    }
    *done = count;
    if (!status)
        status = store_settle(store, &settlement, error);
    if (status)
        return status;
    counts->duplicates += settlement.duplicates;
    counts->rejected += settlement.rejected_count;
    return report_rejected(engine, store, records, &settlement, counts, error);
}

enum status engine_batch(struct engine *engine, struct store *store,
                         const struct spool_record *records, size_t count, size_t *done,
                         uint64_t position, struct counts *counts, struct error *error)
{
    char text[LONGEST_COUNTS];
    struct counts counted = *counts;
    if (!engine->scratch && !(engine->scratch = rule_scratch_new(0)))
        return no_memory(error);
    enum status status = work_on(engine, store, records, count, done, &counted, error);
    if (!status) {
        counts_write(&counted, text);
        status = store_commit(store, *done ? records[*done - 1].number : position, text, error);
    }
    if (status) {
        *done = 0;
    } else {
        *counts = counted;
        forget_returned(engine);
    }
    if (engine->couriers && status)
        couriers_drop(engine->couriers);
    else if (engine->couriers)
        couriers_go(engine->couriers);
    return status;
}
