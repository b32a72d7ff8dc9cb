/* A batch, step by step:
 *
 *   look at the types again    if the first record needs it
 *   begin                      the transaction
 *   failed deliveries          go to the error actions of their rules
 *   the records                sorted; the rules of each, and the actions of each rule
 *   settle                     the store says which rows it rejected; they go to error actions
 *   commit                     with the position in the spool and the counts
 *
 * When a step fails, the transaction is not committed, and nothing that it did is left. */
#include "engine.h"
#include "common/base/hex.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/rule/reasons.h"
#include "common/rule/topic_rule.h"
#include "hub/actions/failure.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum {
    MOST_RETURNED = 1000,     /* failed deliveries that are reported with one batch */
    MOST_RESUMED = 5000,      /* records that were set aside, in one transaction */
    RESUMED_BYTES = 16 << 20, /* the same, of their payloads and names, about */
    AHEAD = 4                 /* records; see prefetch() */
};

struct engine {
    struct engine_options options;

    /* The batch that is processed. */
    struct store *store;
    const struct spool_record *records;
    size_t count;
    struct counts counts; /* with this batch; the caller gets them after the commit */
    uint64_t *order;      /* sort_batch(): the keys of the records, ascending */
    size_t order_room;
    struct delivery *returned; /* failed deliveries that it reports; freed after the commit */
    /* Number of the newest record that was in the spool when the folders of the types were looked at
     * last. */
    uint64_t looked_until;

    /* What is set aside. known: since the store was opened. */
    struct waiting_list waiting;
    bool known;
    /* The batch is of records of this type that were set aside; NULL: it is of the spool. */
    const struct deployed_type *resumed;
    struct buffer bytes; /* what the records of such a batch point to */
    struct spool_record *resumed_records;
    uint64_t upto; /* id of the last one of them */

    /* The message that is processed. serial: its number since the start. message points to the
     * texts, which are NUL-terminated. */
    uint64_t number; /* of its record */
    uint64_t serial;
    struct rule_message message;
    char topic[SPOOL_LONGEST_NAME + 1];
    char client_id[SPOOL_LONGEST_NAME + 1];
    char principal[SPOOL_LONGEST_NAME + 1];
    char trace_id[37];
    struct rule_scratch *scratch; /* memory of the rules; NULL before the first batch */

    /* The rule that runs. */
    struct log_limit failure_lines; /* log_failures() */
    struct buffer failures;         /* failure_add(): the members of the error document's list */
    struct buffer document;         /* the error document */

    /* Workspace of actions; see struct work. */
    struct cell cells[MOST_COLUMNS];
    char *unescaped;
    size_t unescaped_room;
};

/* --- beginning and end --- */

static void free_returned(struct engine *engine)
{
    while (engine->returned) {
        struct delivery *delivery = engine->returned;
        engine->returned = delivery->next;
        delivery_free(delivery);
    }
}

struct engine *engine_new(const struct engine_options *options)
{
    struct engine *engine = must_alloc(sizeof *engine);
    engine->options = *options;
    return engine;
}

void engine_free(struct engine *engine)
{
    if (!engine)
        return;
    free_returned(engine);
    rule_scratch_free(engine->scratch);
    buffer_free(&engine->failures);
    buffer_free(&engine->document);
    waiting_free(&engine->waiting);
    buffer_free(&engine->bytes);
    free(engine->resumed_records);
    free(engine->order);
    free(engine->unescaped);
    free(engine);
}

/* --- the message --- */

static uint64_t next_random(void *context)
{
    uint64_t random;
    (void)context;
    return getrandom(&random, sizeof random, 0) == sizeof random ? random : 0;
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

/* Made of the record's number and time, so that a record has the same id when it is processed
 * again. The form is a UUID of version 8 (RFC 9562: custom). */
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
    engine->serial++;
    make_trace_id(engine, record->time);
    engine->message = (struct rule_message){.topic = engine->topic,
                                            .payload = record->payload,
                                            .payload_length = record->payload_length,
                                            .client_id = engine->client_id,
                                            .principal = engine->principal,
                                            .account = engine->options.account,
                                            .trace_id = engine->trace_id,
                                            .time = record->time,
                                            .random = next_random};
    rule_begin(engine->scratch, &engine->message);
}

/* --- rows ---
 *
 * A token identifies the action that put a row: the record's place in the batch, the rule's place
 * among the rules for the message, and the action's place in the rule. */

enum {
    RULE_SHIFT = 8,
    RECORD_SHIFT = 24,
    ACTION_MASK = 0xff,
    RULE_MASK = 0xffff,
    ERROR_ACTION = ACTION_MASK /* in the place of an action: the rule's error action */
};

static uint64_t make_token(size_t record, size_t rule, size_t action)
{
    return (uint64_t)record << RECORD_SHIFT | (rule & RULE_MASK) << RULE_SHIFT |
           (action & ACTION_MASK);
}

/* --- rules --- */

static bool need_unescaped(struct engine *engine, size_t length)
{
    if (length <= engine->unescaped_room)
        return true;
    char *grown = realloc(engine->unescaped, 2 * length);
    if (!grown)
        return false;
    engine->unescaped = grown;
    engine->unescaped_room = 2 * length;
    return true;
}

static struct work new_work(struct engine *engine, const struct hub_rule *rule)
{
    return (struct work){.store = engine->store,
                         .deliveries = engine->options.deliveries,
                         .notify = engine->options.notify,
                         .scratch = engine->scratch,
                         .message = &engine->message,
                         .rule = rule->name,
                         .failures = &engine->failures,
                         .newest = rule->invalid ? NULL : &engine->counts.newest,
                         .cells = engine->cells};
}

static enum status run_action(struct engine *engine, struct action *action, struct work *work,
                              struct error *error)
{
    if (!need_unescaped(engine, work->length))
        return fail_memory(error);
    work->unescaped = engine->unescaped;
    return action_run(action, work, error);
}

static void log_failures(struct engine *engine, const struct hub_rule *rule)
{
    if (!log_allows(&engine->failure_lines))
        return;
    size_t length = engine->failures.length < 512 ? engine->failures.length : 512;
    log_line("rule %s: a message on %s failed, and %s: %.*s", rule->name, engine->topic,
             rule->error_action ? "so did the error action" : "there is no error action",
             (int)length, buffer_string(&engine->failures));
}

/* Runs the rule's error action with the failures that were noted. They are logged when there is no
 * error action, or it fails too. record, number: see make_token(). */
static enum status report_failures(struct engine *engine, const struct hub_rule *rule,
                                   size_t record, size_t number, struct error *error)
{
    struct buffer own_failures = {0};
    struct work work = new_work(engine, rule);
    enum status status = FINE;
    buffer_clear(&engine->document);
    failure_document(&engine->message, rule->name, &engine->failures, &engine->document);
    if (engine->document.failed)
        return fail_memory(error);
    engine->counts.errors++;
    work.payload = engine->document.at;
    work.length = engine->document.length;
    work.error = true;
    work.failures = &own_failures;
    work.token = make_token(record, number, ERROR_ACTION);
    if (rule->error_action)
        status = run_action(engine, rule->error_action, &work, error);
    if (!status && (own_failures.length || !rule->error_action))
        log_failures(engine, rule);
    buffer_free(&own_failures);
    return status;
}

/* Called when the actions are through, because it takes memory of the message. */
static void count_reasons(struct engine *engine, const struct hub_rule *rule)
{
    struct rule_reason reasons[RULE_MOST_REASONS];
    size_t count = rule->valid ? rule_reasons(rule->valid, engine->scratch, reasons) : 0;
    for (size_t i = 0; i < count; i++)
        counts_add_reason(&engine->counts, rule->type, reasons[i].kind);
}

static enum status run_actions(struct engine *engine, struct hub_rule *rule,
                               const struct rule_result *result, size_t record, size_t number,
                               struct error *error)
{
    struct work work = new_work(engine, rule);
    enum status status = FINE;
    work.payload = result->bytes;
    work.length = result->length;
    work.raw = result->raw;
    if (rule->invalid)
        engine->counts.invalid++;
    else
        engine->counts.valid++;
    for (size_t i = 0; i < rule->action_count && !status; i++) {
        work.token = make_token(record, number, i);
        status = run_action(engine, &rule->actions[i], &work, error);
    }
    if (rule->invalid && !status)
        count_reasons(engine, rule);
    return status;
}

/* *selected becomes true when the rule selects the message, or fails on it. */
static enum status run_rule(struct engine *engine, struct hub_rule *rule, size_t record,
                            size_t number, bool *selected, struct error *error)
{
    struct rule_result result;
    enum status status = FINE;
    if (!topic_rule_matches(rule->name, rule->rule, engine->topic))
        return FINE;
    enum rule_outcome outcome = rule_select(rule->rule, engine->scratch, &result);
    if (outcome == RULE_NOT_SELECTED)
        return FINE;
    *selected = true;
    buffer_clear(&engine->failures);
    if (outcome == RULE_SELECTED)
        status = run_actions(engine, rule, &result, record, number, error);
    else if (outcome == RULE_REFUSED)
        failure_add(&engine->failures, NULL, "", "%s() needs %s, which is not here",
                    result.function, result.service);
    else
        failure_add(&engine->failures, NULL, "", "The message needs too much memory");
    if (!status && (engine->failures.length || engine->failures.failed))
        status = report_failures(engine, rule, record, number, error);
    return status;
}

/* --- types --- */

static size_t first_level(const struct spool_record *record)
{
    size_t ingest = strlen(RULE_INGEST), from = 0;
    if (record->topic_length > ingest && memcmp(record->topic, RULE_INGEST, ingest) == 0)
        from = ingest;
    const char *end = memchr(record->topic + from, '/', record->topic_length - from);
    return end ? (size_t)(end - record->topic) : record->topic_length;
}

static const struct route *find_route(const struct engine *engine,
                                      const struct spool_record *record)
{
    return deployed_route(engine->options.deployed, record->topic, first_level(record));
}

/* A type may have been deployed after the last look at the folders, and the broker may have let its
 * things in since then. So before a record counts as unmatched, the folders are looked at again at
 * a time when the record was in the spool already. */
static bool needs_look(const struct engine *engine, const struct route *route,
                       const struct spool_record *record)
{
    return route->count == 0 && !route->pending && record->number > engine->looked_until;
}

static enum status look(struct engine *engine, struct error *error)
{
    struct deployed *deployed = engine->options.deployed;
    engine->looked_until = engine->records[engine->count - 1].number;
    return deployed_refresh(deployed) ? deployed_attach(deployed, engine->store, error) : FINE;
}

static enum status prepare_types(struct engine *engine, struct error *error)
{
    enum status status = FINE;
    if (engine->count && !engine->resumed &&
        needs_look(engine, find_route(engine, &engine->records[0]), &engine->records[0]))
        status = look(engine, error);
    if (!status && !engine->known)
        status = waiting_load(&engine->waiting, engine->store, error);
    engine->known = !status;
    deployed_mark(engine->options.deployed, &engine->waiting);
    return status;
}

/* --- records --- */

/* The rules for the record's first level come first, then those for all topics. Of records that were
 * set aside, only the rules of their type run. */
static struct hub_rule *rule_at(const struct engine *engine, const struct route *route,
                                size_t number)
{
    const struct route *any = deployed_any(engine->options.deployed);
    if (engine->resumed)
        return &engine->resumed->type->rules[number];
    return number < route->count ? route->rules[number] : any->rules[number - route->count];
}

static size_t rule_count(const struct engine *engine, const struct route *route)
{
    return engine->resumed ? engine->resumed->type->rule_count
                           : route->count + deployed_any(engine->options.deployed)->count;
}

/* Once for each type, also when several of its rules select the message. */
static enum status set_aside(struct engine *engine, struct deployed_type *type,
                             const struct spool_record *record, struct error *error)
{
    const struct waiting_record waiting = {.number = record->number,
                                           .time = record->time,
                                           .topic = record->topic,
                                           .topic_length = record->topic_length,
                                           .client_id = record->client_id,
                                           .client_id_length = record->client_id_length,
                                           .principal = record->principal,
                                           .principal_length = record->principal_length,
                                           .payload = record->payload,
                                           .payload_length = record->payload_length};
    if (type->aside == engine->serial)
        return FINE;
    type->aside = engine->serial;
    waiting_add(&engine->waiting, type->name, record->time, record->payload_length);
    return store_put_waiting(engine->store, type->name, &waiting, error);
}

/* *taken: a rule selected the message, or it is set aside. */
static enum status process_rule(struct engine *engine, struct hub_rule *rule, size_t record,
                                size_t number, bool *taken, struct error *error)
{
    if (engine->resumed || !rule->owner->held)
        return run_rule(engine, rule, record, number, taken, error);
    if (!topic_rule_matches(rule->name, rule->rule, engine->topic))
        return FINE;
    *taken = true;
    return set_aside(engine, rule->owner, &engine->records[record], error);
}

/* A record is counted when it comes from the spool. */
static enum status process(struct engine *engine, size_t number, struct error *error)
{
    const struct spool_record *record = &engine->records[number];
    const struct route *route = find_route(engine, record);
    size_t rules = rule_count(engine, route);
    enum status status = FINE;
    bool taken = !engine->resumed && route->pending;
    if (!engine->resumed)
        engine->counts.readings++;
    engine->counts.missing += record->missing;
    begin_message(engine, record);
    if (taken)
        status = set_aside(engine, route->pending, record, error);
    for (size_t i = 0; i < rules && !status; i++)
        status = process_rule(engine, rule_at(engine, route, i), number, i, &taken, error);
    engine->counts.unmatched += !taken;
    return status;
}

/* Rows that the store rejected: their messages are begun again, for the error actions. */
static enum status report_rejected(struct engine *engine, const struct settlement *settlement,
                                   struct error *error)
{
    enum status status = FINE;
    for (size_t i = 0; i < settlement->rejected_count && !status; i++) {
        uint64_t token = settlement->rejected[i];
        size_t record = token >> RECORD_SHIFT, number = token >> RULE_SHIFT & RULE_MASK;
        const struct route *route = find_route(engine, &engine->records[record]);
        const struct hub_rule *rule = rule_at(engine, route, number);
        const struct action *action = (token & ACTION_MASK) == ERROR_ACTION
                                          ? rule->error_action
                                          : &rule->actions[token & ACTION_MASK];
        begin_message(engine, &engine->records[record]);
        buffer_clear(&engine->failures);
        failure_add(&engine->failures, action->name, action->resource,
                    "The table has another value for the same thing and time");
        if (action == rule->error_action)
            log_failures(engine, rule);
        else
            status = report_failures(engine, rule, record, number, error);
    }
    return status;
}

/* --- failed deliveries --- */

/* They are kept until the batch that reports them is committed. */
static void take_returned(struct engine *engine)
{
    struct delivery_queue *queue = engine->options.deliveries;
    struct delivery *delivery;
    size_t count = 0;
    while (queue && count++ < MOST_RETURNED && (delivery = delivery_queue_take_failed(queue))) {
        delivery->next = engine->returned;
        engine->returned = delivery;
    }
}

static enum status report_delivery(struct engine *engine, const struct delivery *delivery,
                                   struct error *error)
{
    const struct hub_rule *rule = deployed_rule(engine->options.deployed, delivery->rule);
    const struct spool_record record = {.time = delivery->time,
                                        .topic = delivery->topic,
                                        .topic_length = (uint32_t)strlen(delivery->topic),
                                        .client_id = delivery->client_id,
                                        .client_id_length = (uint32_t)strlen(delivery->client_id),
                                        .principal = "",
                                        .payload = delivery->payload,
                                        .payload_length = (uint32_t)delivery->payload_length};
    if (!rule) {
        log_line("rule %s does not exist any more; its %s to %s failed: %s", delivery->rule,
                 delivery->action, delivery->target, delivery->why);
        return FINE;
    }
    begin_message(engine, &record);
    buffer_clear(&engine->failures);
    failure_add(&engine->failures, delivery->action, delivery->resource, "%s: %s", delivery->target,
                delivery->why);
    return report_failures(engine, rule, 0, 0, error);
}

static enum status report_returned(struct engine *engine, struct error *error)
{
    enum status status = FINE;
    take_returned(engine);
    for (const struct delivery *at = engine->returned; at && !status; at = at->next)
        status = report_delivery(engine, at, error);
    return status;
}

/* --- batches --- */

static bool need_order(struct engine *engine, size_t count)
{
    if (count <= engine->order_room)
        return true;
    uint64_t *grown = realloc(engine->order, count * sizeof *grown);
    if (!grown)
        return false;
    engine->order = grown;
    engine->order_room = count;
    return true;
}

/* FNV-1a */
static uint16_t hash_of_thing(const struct spool_record *record)
{
    uint32_t hash = UINT32_C(2166136261);
    for (uint32_t i = 0; i < record->client_id_length; i++)
        hash = (hash ^ (unsigned char)record->client_id[i]) * UINT32_C(16777619);
    return (uint16_t)(hash ^ hash >> 16);
}

static int by_key(const void *one, const void *other)
{
    uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;
    return a < b ? -1 : a > b;
}

/* The name of a type that is held and may select messages of this route; NULL: there is none. */
static const char *held_on(const struct engine *engine, const struct route *route)
{
    const struct route *any = deployed_any(engine->options.deployed);
    if (route->pending)
        return route->pending->name;
    for (size_t i = 0; i < route->count + any->count; i++) {
        const struct hub_rule *rule = rule_at(engine, route, i);
        if (rule->owner->held)
            return rule->owner->name;
    }
    return NULL;
}

static enum status too_much_waits(const struct engine *engine, struct error *error)
{
    const struct route *route = find_route(engine, &engine->records[0]);
    fail(error, REFUSED,
         "a reading of type %s waits, and all behind it: %" PRIu64
         " MB are set aside already, as many as may",
         held_on(engine, route), engine->options.most_waiting >> 20);
    return advise(error, "docs/local.md, \"Readings that are set aside\", says how to mend a type");
}

/* Sorts the batch: route by route, and within a route thing by thing; the records of one thing keep
 * their order. A key is 16 bits of the route's id, 16 bits of the thing's hash, and 32 bits of the
 * record's place in the batch.
 *
 * Rules, prepared statements and the database page of a thing are then used many times in a row and
 * stay in the processor's cache. In the order of arrival a batch takes 25 % more processor time
 * with 1,000 things of one type, 24 % with 100 types of one thing each, and 79 % with 100 types and
 * 1,000 things (bench/run spool_to_sqlite with these numbers).
 *
 * Types do not change within a transaction, so the batch ends before the first record that needs a
 * look at them. It ends too before one that is to be set aside and has no room there. */
static enum status sort_batch(struct engine *engine, struct error *error)
{
    bool full = !engine->resumed && waiting_bytes(&engine->waiting) >= engine->options.most_waiting;
    size_t count = 0;
    if (!need_order(engine, engine->count))
        return fail_memory(error);
    for (; count < engine->count; count++) {
        const struct spool_record *record = &engine->records[count];
        const struct route *route = find_route(engine, record);
        if (!engine->resumed &&
            (needs_look(engine, route, record) || (full && held_on(engine, route))))
            break;
        engine->order[count] =
            (uint64_t)(route->id & 0xffff) << 48 | (uint64_t)hash_of_thing(record) << 32 | count;
    }
    if (!count && engine->count)
        return too_much_waits(engine, error);
    if (count)
        qsort(engine->order, count, sizeof *engine->order, by_key);
    engine->count = count;
    return FINE;
}

/* Sorted records are anywhere in the spool's memory. This loads one into the processor's cache while
 * those before it are processed. A batch takes 8 % less processor time with it (bench/run
 * spool_to_sqlite; 4 % with 100 types).
 *
 * It must be inlined: GCC removes the call of a function that does nothing but prefetch. */
static inline __attribute__((always_inline)) void prefetch(const struct spool_record *record)
{
    __builtin_prefetch(record->topic);
    __builtin_prefetch(record->topic + 64);
    __builtin_prefetch(record->payload);
    __builtin_prefetch((const char *)record->payload + 64);
}

static enum status run_batch(struct engine *engine, struct error *error)
{
    struct settlement settlement;
    enum status status = prepare_types(engine, error);
    if (!status)
        status = store_begin(engine->store, error);
    if (!status)
        status = report_returned(engine, error);
    if (!status)
        status = sort_batch(engine, error);
    for (size_t i = 0; i < engine->count && !status; i++) {
        if (i + AHEAD < engine->count)
            prefetch(&engine->records[(uint32_t)engine->order[i + AHEAD]]);
        status = process(engine, (uint32_t)engine->order[i], error);
    }
    if (!status)
        status = store_settle(engine->store, &settlement, error);
    if (status)
        return status;
    engine->counts.duplicates += settlement.duplicates;
    engine->counts.rejected += settlement.rejected_count;
    return report_rejected(engine, &settlement, error);
}

static void end_deliveries(struct engine *engine, bool committed)
{
    struct delivery_queue *queue = engine->options.deliveries;
    if (committed)
        free_returned(engine);
    if (queue && committed)
        delivery_queue_commit(queue);
    else if (queue)
        delivery_queue_rollback(queue);
}

enum status engine_batch(struct engine *engine, struct store *store,
                         const struct spool_record *records, size_t count, size_t *done,
                         uint64_t position, struct counts *counts, struct error *error)
{
    char text[LONGEST_COUNTS];
    *done = 0;
    if (!engine->scratch && !(engine->scratch = rule_scratch_new(0)))
        return fail_memory(error);
    engine->store = store;
    engine->records = records;
    engine->count = count;
    engine->counts = *counts;
    enum status status = run_batch(engine, error);
    if (!status && engine->resumed)
        status = store_drop_waiting(store, engine->resumed->name, engine->upto, error);
    if (!status) {
        const struct spool_record *last =
            engine->count && !engine->resumed ? &records[engine->count - 1] : NULL;
        if (last && last->spool)
            engine->counts.spool = last->spool;
        counts_write(&engine->counts, text);
        if (last)
            position = last->number;
        status = store_commit(store, position, text, error);
    }
    if (!status) {
        *done = engine->count;
        *counts = engine->counts;
    } else {
        engine->known = false; /* what was noted since the beginning is not in the database */
        if (store_troubled(store))
            deployed_refuse(engine->options.deployed, store_troubled(store), error);
    }
    end_deliveries(engine, !status);
    return status;
}

/* --- records that were set aside --- */

static const struct deployed_type *find_mended(const struct engine *engine)
{
    const struct deployed *deployed = engine->options.deployed;
    for (size_t i = 0; i < deployed_count(deployed); i++) {
        const struct deployed_type *entry = deployed_at(deployed, i);
        if (entry->type && !entry->refusal && waiting_of(&engine->waiting, entry->name))
            return entry;
    }
    return NULL;
}

/* The bytes of the record are behind those of the ones before it. They may move while more are added:
 * until place_records(), topic is NULL. */
static bool keep_record(void *context, const struct waiting_record *record)
{
    struct engine *engine = context;
    struct buffer *bytes = &engine->bytes;
    engine->resumed_records[engine->count++] =
        (struct spool_record){.number = record->number,
                              .time = record->time,
                              .topic_length = record->topic_length,
                              .client_id_length = record->client_id_length,
                              .principal_length = record->principal_length,
                              .payload_length = record->payload_length};
    buffer_add(bytes, record->topic, record->topic_length);
    buffer_add(bytes, record->client_id, record->client_id_length);
    buffer_add(bytes, record->principal, record->principal_length);
    buffer_add(bytes, record->payload, record->payload_length);
    engine->upto = record->id;
    return !bytes->failed && bytes->length < RESUMED_BYTES;
}

static void place_records(struct engine *engine)
{
    const char *at = engine->bytes.at;
    for (size_t i = 0; i < engine->count; i++) {
        struct spool_record *record = &engine->resumed_records[i];
        record->topic = at;
        record->client_id = record->topic + record->topic_length;
        record->principal = record->client_id + record->client_id_length;
        record->payload = record->principal + record->principal_length;
        at = (const char *)record->payload + record->payload_length;
    }
}

static enum status read_aside(struct engine *engine, const struct deployed_type *type,
                              struct error *error)
{
    if (!engine->resumed_records)
        engine->resumed_records = calloc(MOST_RESUMED, sizeof *engine->resumed_records);
    if (!engine->resumed_records)
        return fail_memory(error);
    buffer_clear(&engine->bytes);
    engine->count = 0;
    enum status status =
        store_read_waiting(engine->store, type->name, MOST_RESUMED, keep_record, engine, error);
    if (!status && engine->bytes.failed)
        status = fail_memory(error);
    place_records(engine);
    return status;
}

static void note_resumed(struct engine *engine, const char *type)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < engine->count; i++)
        bytes += engine->resumed_records[i].payload_length;
    waiting_take(&engine->waiting, type, engine->count, bytes,
                 engine->resumed_records[engine->count - 1].time);
    if (!waiting_of(&engine->waiting, type))
        log_line("all readings of type %s that were set aside are stored", type);
}

enum status engine_resume(struct engine *engine, struct store *store, uint64_t position,
                          struct counts *counts, bool *more, struct error *error)
{
    size_t done = 0;
    engine->store = store;
    engine->count = 0;
    *more = false;
    log_tell_left_out(&engine->failure_lines, "failed messages");
    enum status status = prepare_types(engine, error);
    const struct deployed_type *type = status ? NULL : find_mended(engine);
    if (!type)
        return status;
    status = read_aside(engine, type, error);
    if (!status && !engine->count) { /* somebody deleted them */
        engine->known = false;
        return FINE;
    }
    engine->resumed = type;
    if (!status)
        status = engine_batch(engine, store, engine->resumed_records, engine->count, &done,
                              position, counts, error);
    engine->resumed = NULL;
    if (!status)
        note_resumed(engine, type->name);
    *more = !status;
    return status;
}

void engine_forget_store(struct engine *engine)
{
    engine->known = false;
}

/* --- what is set aside --- */

static const char *why_waiting(const struct deployed_type *type)
{
    return !type           ? "the type is not plugged in any more"
           : !type->type   ? type->trouble
           : type->refusal ? type->refusal
                           : "they are being stored";
}

static void report_type(const char *name, const struct deployed_type *type,
                        const struct waiting *waiting, struct buffer *out)
{
    char numbers[128];
    const char *why = why_waiting(type);
    buffer_add_string(out, "{\"type\": ");
    buffer_add_json(out, name, strlen(name));
    snprintf(numbers, sizeof numbers, ", \"count\": %" PRIu64 ", \"bytes\": %" PRIu64,
             waiting ? waiting->count : 0, waiting ? waiting->bytes : 0);
    buffer_add_string(out, numbers);
    if (waiting) {
        snprintf(numbers, sizeof numbers, ", \"since\": %" PRId64, waiting->since);
        buffer_add_string(out, numbers);
    }
    buffer_add_string(out, ", \"why\": ");
    buffer_add_json(out, why, strlen(why));
    buffer_add_string(out, "}");
}

size_t engine_report_waiting(const struct engine *engine, struct buffer *out)
{
    const struct deployed *deployed = engine->options.deployed;
    size_t count = 0;
    buffer_add_string(out, "[");
    for (size_t i = 0; i < deployed_count(deployed); i++) {
        const struct deployed_type *type = deployed_at(deployed, i);
        const struct waiting *waiting = waiting_of(&engine->waiting, type->name);
        if (type->type && !type->refusal && !waiting)
            continue;
        buffer_add_string(out, count++ ? ", " : "");
        report_type(type->name, type, waiting, out);
    }
    for (size_t i = 0; i < engine->waiting.count; i++) {
        const struct waiting *waiting = &engine->waiting.at[i];
        if (!waiting->count || deployed_named(deployed, waiting->type))
            continue;
        buffer_add_string(out, count++ ? ", " : "");
        report_type(waiting->type, NULL, waiting, out);
    }
    buffer_add_string(out, "]");
    return count;
}
