#include "warnings.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/rule/value.h"
#include "common/spec/stores.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define THING "kitchen"
#define OTHER "attic"

enum { LONGEST_SHOWN = 120, MOST_SECONDS = 3 };

static const int64_t NOW = 1795255200000; /* 2026-11-21T10:00:00Z; any moment would do */

#define ASK_FOR_IT "ask for it in WHERE (docs/outputs.md, The rules' SQL)"

enum fault { LOST, DOUBLED, WRONG_TIME, NEEDS_SERVICE, TOO_SLOW, FAULT_COUNT };

struct check {
    struct spec *spec;
    const struct trial *trial;
    const cJSON *type;
    const struct store_takes *takes; /* of the central table */
    struct rule *written;            /* the statement in the spec; NULL where it is derived */
    cJSON *base;                     /* a reading that the valid rule selects, if there is one */
    cJSON *told;            /* {name: true} of measures and dimensions that have a warning */
    bool said[FAULT_COUNT]; /* whether there is a warning of this kind */
    char *topic;            /* that the readings are published to */
    const char *table;      /* of DynamoDB, for valid readings */
    clock_t began;          /* processor time */
};

/* --- warnings --- */

/* The place of length bytes of the statement in the spec; that of the measures where the statement
 * is derived. */
static struct place place_of(const struct check *check, size_t offset, size_t length)
{
    const struct yaml_node *root = check->spec->yaml.root;
    const struct yaml_node *sql = yaml_get(yaml_get(root, "rule"), "sql");
    if (!sql || !check->written)
        return yaml_key(root, "measures")->place;
    struct place place = yaml_place_inside(&check->spec->source, sql, offset);
    place.width = length;
    return place;
}

/* The place of what decides in which table a reading lands. */
static struct place condition_place(const struct check *check)
{
    const struct rule_outline *outline = check->written ? rule_outline(check->written) : NULL;
    if (outline && outline->condition.length)
        return place_of(check, outline->condition.offset, 1);
    return place_of(check, outline ? outline->filter.offset : 0,
                    outline ? outline->filter.length : 1);
}

static struct place column_place(const struct check *check, const char *name)
{
    const struct rule_outline *outline = check->written ? rule_outline(check->written) : NULL;
    for (size_t i = 0; outline && i < outline->column_count; i++) {
        const struct rule_column *column = &outline->columns[i];
        if (column->length == strlen(name) && memcmp(column->name, name, column->length) == 0)
            return place_of(check, column->span.offset, column->span.length);
    }
    return condition_place(check);
}

static const char *shown(const char *payload, char made[LONGEST_SHOWN + 4])
{
    size_t length = strlen(payload);
    if (length > LONGEST_SHOWN) {
        length = LONGEST_SHOWN;
        while ((payload[length] & 0xC0) == 0x80)
            length--;
        snprintf(made, LONGEST_SHOWN + 4, "%.*s...", (int)length, payload);
        return made;
    }
    return *payload ? payload : "an empty message";
}

static bool first_time(struct check *check, enum fault fault)
{
    bool first = !check->said[fault];
    check->said[fault] = true;
    return first;
}

static bool first_of(struct check *check, const char *name)
{
    bool first = !json_get(check->told, name);
    json_put_bool(check->told, name, true);
    return first;
}

/* --- one reading --- */

/* The measure of a record; NULL when no measure has that name. */
static const cJSON *measure_of(const struct check *check, const cJSON *record)
{
    const cJSON *measure;
    cJSON_ArrayForEach(measure, json_get(check->type, "measures"))
    {
        if (strcmp(json_string(measure, "name", ""), json_string(record, "measure", "")) == 0)
            return measure;
    }
    return NULL;
}

static void check_record(struct check *check, const cJSON *record, const char *payload)
{
    const cJSON *measure = measure_of(check, record);
    const char *name = json_string(record, "measure", ""), *type = json_string(record, "type", "");
    const char *meant = json_string(measure, "type", type);
    char made[LONGEST_SHOWN + 4];
    bool whole = strcmp(meant, "double") == 0 && strcmp(type, "bigint") == 0;
    owned char *about = must_format("%s%s", name, whole ? " as an integer" : "");
    if (strcmp(type, meant) == 0 || !first_of(check, about))
        return;
    problem_add(&check->spec->problems, WARNING, column_place(check, name),
                whole ? must_format("with sql_version 2015-10-08: %s + 0.0 AS %s", name, name)
                      : must_copy("ask for its type in WHERE (docs/outputs.md, The rules' SQL)"),
                "%s lands in the column for a %s, not a %s, for %s", name, type, meant,
                shown(payload, made));
}

/* Whether the table takes a value. value: as the rule wrote it. */
static bool value_taken(const struct check *check, const cJSON *measure,
                        const struct rule_value *value)
{
    char number[RULE_LONGEST_NUMBER + 1];
    if (value->kind == RULE_STRING)
        return stores_take_text(check->takes, value->string.at, value->string.length);
    if (value->kind != RULE_INT && value->kind != RULE_DECIMAL)
        return true;
    number[rule_decimal_print(rule_decimal_of(value), number)] = '\0';
    return stores_take_number(check->takes, number, json_true(measure, "is_bigint"));
}

static void warn_of_value(struct check *check, const char *name, const char *payload)
{
    owned char *about = must_format("value of %s", name);
    if (!first_of(check, about))
        return;
    char made[LONGEST_SHOWN + 4];
    problem_add(&check->spec->problems, WARNING, column_place(check, name), must_copy(ASK_FOR_IT),
                "%s refuses the value of %s in %s", check->takes->name, name, shown(payload, made));
}

/* Bytes of a record besides the value of its measure. */
static size_t record_bytes(const cJSON *action, const char *measure)
{
    const cJSON *dimension;
    size_t bytes = strlen(measure) + STORES_TIME_BYTES;
    cJSON_ArrayForEach(dimension, json_get(action, "dimensions")) bytes +=
        strlen(dimension->string) + strlen(dimension->valuestring);
    return bytes;
}

/* Whether the table takes a record: its value, and its size. */
static void check_size(struct check *check, const cJSON *action, const cJSON *record,
                       const char *payload)
{
    const char *name = json_string(record, "measure", "");
    const char *written = json_get(record, "value")->valuestring;
    struct rule_memory memory = {.limit = 1 << 20};
    struct rule_value value = rule_undefined();
    rule_json_read(&memory, written, strlen(written), &value);
    size_t bytes = record_bytes(action, name) +
                   (value.kind == RULE_STRING ? value.string.length : STORES_NUMBER_BYTES);
    if (!value_taken(check, measure_of(check, record), &value) ||
        (check->takes->record && bytes > check->takes->record))
        warn_of_value(check, name, payload);
    rule_memory_free(&memory);
}

/* Whether Timestream accepts the time of the records (RejectedRecordsException of WriteRecords). */
static bool time_taken(const struct check *check, const cJSON *action)
{
    const char *text = json_string(action, "time", "");
    char *end;
    double time = strtod(text, &end);
    double hours = json_number(json_get(check->type, "retention"), "memory_hours", 0);
    bool milliseconds = strcmp(json_string(action, "unit", ""), "MILLISECONDS") == 0;
    if (end == text || *end)
        return false;
    return !milliseconds || (time >= (double)NOW - hours * 3600 * 1000 &&
                             time <= (double)NOW + STORES_AHEAD_MILLISECONDS);
}

static void check_dimensions(struct check *check, const cJSON *action, const char *payload)
{
    const cJSON *dimension;
    char made[LONGEST_SHOWN + 4];
    cJSON_ArrayForEach(dimension, json_get(action, "dimensions"))
    {
        const char *value = dimension->valuestring;
        if (strstr(value, TRIAL_NUL) || strlen(value) > STORES_LONGEST_TEXT)
            warn_of_value(check, dimension->string, payload);
        if (*value || !first_of(check, dimension->string))
            continue;
        problem_add(&check->spec->problems, WARNING, condition_place(check),
                    must_format("add to WHERE: %s <> ''", dimension->string),
                    "the dimension %s is Undefined or empty for %s, and Timestream refuses that",
                    dimension->string, shown(payload, made));
    }
}

/* Whether an item has the keys of the DynamoDB table, with the right types
 * (templates/awscli/partials/dynamodb_table.mustache). Warns of values that the table refuses. */
static bool item_taken(struct check *check, const char *item, const char *payload)
{
    struct rule_memory memory = {.limit = 1 << 20};
    struct rule_value value = rule_undefined();
    rule_json_read(&memory, item, strlen(item), &value);
    const struct rule_value *thing = rule_get(&value, "thing", 5),
                            *time = rule_get(&value, "time", 4);
    bool taken =
        thing && thing->kind == RULE_STRING && thing->string.length && time && rule_is_number(time);
    for (size_t i = 0; value.kind == RULE_OBJECT && i < value.object.count; i++) {
        const struct rule_member *member = &value.object.members[i];
        owned char *name = must_copy_bytes(member->name, member->name_length);
        if (!value_taken(check, NULL, &member->value))
            warn_of_value(check, name, payload);
    }
    rule_memory_free(&memory);
    return taken;
}

/* Whether an action writes something of the reading. Warns of what the table would refuse. */
static bool action_writes(struct check *check, const cJSON *action, const char *payload)
{
    const cJSON *records = json_get(action, "records"), *record;
    char made[LONGEST_SHOWN + 4];
    const cJSON *item = json_get(action, "item");
    bool central = check->takes->record == 0 && item &&
                   strcmp(json_string(action, "table", ""), check->table) == 0;
    if (central && !item_taken(check, item->valuestring, payload) && first_time(check, WRONG_TIME))
        problem_add(&check->spec->problems, WARNING, condition_place(check), must_copy(ASK_FOR_IT),
                    "DynamoDB refuses %s: it gets no thing, or no time", shown(payload, made));
    if (!records)
        return true;
    if (!records->child)
        return false;
    if (!time_taken(check, action) && first_time(check, WRONG_TIME))
        problem_add(&check->spec->problems, WARNING, condition_place(check), must_copy(ASK_FOR_IT),
                    "Timestream refuses the time of %s", shown(payload, made));
    check_dimensions(check, action, payload);
    cJSON_ArrayForEach(record, records)
    {
        check_record(check, record, payload);
        check_size(check, action, record, payload);
    }
    return true;
}

static bool rule_writes(struct check *check, const cJSON *rule, const char *payload)
{
    const cJSON *action;
    bool writes = false;
    if (json_get(rule, "needs") && first_time(check, NEEDS_SERVICE))
        problem_add(&check->spec->problems, WARNING, condition_place(check), NULL,
                    "%s() needs %s: what this rule does is not checked",
                    json_string(rule, "function", ""), json_string(rule, "needs", ""));
    cJSON_ArrayForEach(action, json_get(rule, "actions")) writes =
        action_writes(check, action, payload) || writes;
    return writes;
}

/* A person may write a very slow rule. The check of a thousand readings has a time limit. */
static bool too_slow(struct check *check)
{
    if (clock() - check->began < (clock_t)MOST_SECONDS * CLOCKS_PER_SEC)
        return false;
    if (first_time(check, TOO_SLOW))
        problem_add(&check->spec->problems, WARNING, condition_place(check), NULL,
                    "this rule is slow: after %d seconds not all kinds of readings were tried",
                    (int)MOST_SECONDS);
    return true;
}

static void check_payload(struct check *check, const char *payload)
{
    if (too_slow(check))
        return;
    struct rule_message message = {.topic = check->topic,
                                   .payload = payload,
                                   .payload_length = strlen(payload),
                                   .client_id = THING,
                                   .time = NOW};
    cJSON *rules = trial_run(check->trial, &message);
    const cJSON *rule;
    char made[LONGEST_SHOWN + 4];
    int writing = 0;
    cJSON_ArrayForEach(rule, rules) writing += rule_writes(check, rule, payload);
    if (!writing && !check->said[NEEDS_SERVICE] && first_time(check, LOST))
        problem_add(&check->spec->problems, WARNING, condition_place(check),
                    must_copy("let WHERE ask for what SELECT takes"), "no table gets %s",
                    shown(payload, made));
    if (writing > 1 && first_time(check, DOUBLED))
        problem_add(&check->spec->problems, WARNING, condition_place(check), NULL,
                    "%d tables get %s", writing, shown(payload, made));
    cJSON_Delete(rules);
}

/* --- readings --- */

/* Values of every type as JSON writes them; NULL: the member is missing. */
static const char *const values[] = {
    NULL,
    "null",
    "\"x\"",
    "\"21\"",
    "\"\"",
    "true",
    "false",
    "[]",
    "{}",
    "0",
    "1",
    "-1",
    "0.5",
    "25",
    "25.0",
    "21.5",
    "35",
    "100.5",
    "1000",
    "-1000",
    "1e6",
    "12345678",
    "1234567890",
    /* Beyond what the tables take. */
    "9223372036854775808",
    "-9223372036854775809",
    "1e126",
    "1e-131",
    "1e309",
    "-1e309",
    "\"a\\u0000b\"",
};

enum { VALUES = sizeof values / sizeof *values };

/* Checks the base with another value of one member. value: as JSON writes it; NULL: the member is
 * missing. */
static void check_changed(struct check *check, const char *name, const char *value)
{
    struct text payload = {0};
    cJSON *reading = cJSON_Duplicate(check->base, true);
    if (value)
        json_put(reading, name, cJSON_CreateRaw(value));
    else
        cJSON_DeleteItemFromObjectCaseSensitive(reading, name);
    json_compact(reading, &payload);
    check_payload(check, text_string(&payload));
    text_free(&payload);
    cJSON_Delete(reading);
}

static void check_number(struct check *check, const char *name, double number)
{
    char value[32];
    json_format_number(number, value);
    check_changed(check, name, value);
}

/* Texts as long as a table takes, and longer; characters of one byte, of two, and of four. */
static void check_lengths(struct check *check, const char *name)
{
    static const struct {
        const char *piece;
        size_t count;
    } texts[] = {{"x", 1900}, {"x", 2048}, {"x", 2049}, {"x", 3000},
                 {"é", 600},  {"é", 1100}, {"😀", 500},  {"😀", 600}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct text value = {0};
        text_add_char(&value, '"');
        for (size_t k = 0; k < texts[i].count; k++)
            text_add_string(&value, texts[i].piece);
        text_add_char(&value, '"');
        check_changed(check, name, text_string(&value));
        text_free(&value);
    }
}

/* Checks both ends of a measure's range, and a value just beyond each. */
static void check_limits(struct check *check, const cJSON *measure)
{
    const char *name = json_string(measure, "name", "");
    double step = json_true(measure, "is_bigint") ? 1 : 0.001;
    const cJSON *least = json_get(measure, "minimum"), *most = json_get(measure, "maximum");
    if (cJSON_IsNumber(least)) {
        check_number(check, name, least->valuedouble);
        check_number(check, name, least->valuedouble - step);
    }
    if (cJSON_IsNumber(most)) {
        check_number(check, name, most->valuedouble);
        check_number(check, name, most->valuedouble + step);
    }
}

static void check_times(struct check *check)
{
    const double hour = 3600 * 1000;
    check_changed(check, "time", "\"x\"");
    check_changed(check, "time", "null");
    check_number(check, "time", (double)NOW);
    check_number(check, "time", 0);
    check_number(check, "time", (double)NOW - 366 * 24 * hour);
    check_number(check, "time", (double)NOW + hour);
    check_number(check, "time", floor((double)NOW / 1000)); /* seconds */
    check_changed(check, "time", "1795255200000.5");
}

static void check_readings(struct check *check)
{
    static const char *const others[] = {"{}", "[]", "[1]", "1", "\"x\"", "null", "not JSON", ""};
    const cJSON *measure, *attribute;
    struct text payload = {0};
    json_compact(check->base, &payload);
    check_payload(check, text_string(&payload));
    text_free(&payload);
    cJSON_ArrayForEach(measure, json_get(check->type, "measures"))
    {
        for (size_t i = 0; i < VALUES; i++)
            check_changed(check, json_string(measure, "name", ""), values[i]);
        if (json_true(measure, "is_varchar"))
            check_lengths(check, json_string(measure, "name", ""));
        check_limits(check, measure);
    }
    cJSON_ArrayForEach(attribute, json_get(check->type, "attributes"))
    {
        for (size_t i = 0; i < VALUES; i++)
            check_changed(check, json_string(attribute, "name", ""), values[i]);
        check_lengths(check, json_string(attribute, "name", ""));
    }
    check_times(check);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        check_payload(check, others[i]);
}

/* --- the base --- */

/* A number inside the range of a measure: in its middle, or near the only end. */
static double inside(const cJSON *measure, double otherwise)
{
    const cJSON *least = json_get(measure, "minimum"), *most = json_get(measure, "maximum");
    if (cJSON_IsNumber(least) && cJSON_IsNumber(most))
        return least->valuedouble / 2 + most->valuedouble / 2;
    if (cJSON_IsNumber(least))
        return least->valuedouble + fabs(otherwise);
    return cJSON_IsNumber(most) ? most->valuedouble - fabs(otherwise) : otherwise;
}

/* A reading with all measures. guess: the value of every number; 0: inside the range of each
 * measure. */
static cJSON *make_base(const cJSON *type, double guess)
{
    cJSON *base = json_object();
    const cJSON *measure, *attribute;
    char value[32];
    cJSON_ArrayForEach(measure, json_get(type, "measures"))
    {
        const char *name = json_string(measure, "name", "");
        double number = guess != 0 ? guess : inside(measure, 21.5);
        json_format_number(json_true(measure, "is_bigint") ? floor(number) : number, value);
        if (json_true(measure, "is_double") && !strpbrk(value, ".e"))
            memcpy(value + strlen(value), ".0", sizeof ".0");
        if (json_true(measure, "is_boolean"))
            snprintf(value, sizeof value, "%s", guess < 0 ? "false" : "true");
        if (json_true(measure, "is_varchar"))
            snprintf(value, sizeof value, "\"x\"");
        json_put(base, name, cJSON_CreateRaw(value));
    }
    cJSON_ArrayForEach(attribute, json_get(type, "attributes")) json_put_string(
        base, json_string(attribute, "name", ""), json_string(attribute, "default", "1"));
    return base;
}

static bool rule_takes(const struct check *check, const cJSON *base)
{
    struct text payload = {0};
    struct rule_result result;
    json_compact(base, &payload);
    struct rule_message message = {.topic = check->topic,
                                   .payload = text_string(&payload),
                                   .payload_length = payload.length,
                                   .client_id = THING,
                                   .time = NOW};
    rule_begin(check->trial->scratch, &message);
    bool takes =
        rule_run(check->trial->rules[0].rule, check->trial->scratch, &result) == RULE_SELECTED;
    text_free(&payload);
    return takes;
}

/* A rule that a person wrote may accept another range than the measures say, so several are
 * tried. */
static cJSON *find_base(const struct check *check)
{
    static const double guesses[] = {0,  21.5, -21.5, 0.5, -0.5, 1.5,  5.5,   9.5,
                                     35, 45.5, 65.5,  95,  150,  1000, 100000};
    for (size_t i = 0; i < sizeof guesses / sizeof *guesses; i++) {
        cJSON *base = make_base(check->type, guesses[i]);
        if (rule_takes(check, base))
            return base;
        cJSON_Delete(base);
    }
    return make_base(check->type, 0);
}

/* --- the policy --- */

struct expected {
    enum policy_action action;
    const char *before,
        *after;         /* around the type's name: "", "/kitchen"; after NULL: before alone */
    bool only_commands; /* allowed only when the type has commands */
    bool allowed;
};

/* What the policy must allow a thing called kitchen, and some of what it must not allow. */
static const struct expected expectations[] = {
    {POLICY_CONNECT, THING, NULL, false, true},
    {POLICY_PUBLISH, "", "/" THING, false, true},
    {POLICY_SUBSCRIBE, "", "/" THING "/command", true, true},
    {POLICY_RECEIVE, "", "/" THING "/command", true, true},
    {POLICY_CONNECT, OTHER, NULL, false, false},
    {POLICY_PUBLISH, "", "/" OTHER, false, false},
    {POLICY_PUBLISH, "", "/" OTHER "/command", false, false},
    {POLICY_PUBLISH, "", "/" THING "/command", false, false},
    {POLICY_PUBLISH, "other_type/" THING, NULL, false, false},
    {POLICY_PUBLISH, "$aws/things/" OTHER "/shadow/update", NULL, false, false},
    {POLICY_SUBSCRIBE, "#", NULL, false, false},
    {POLICY_SUBSCRIBE, "+/+", NULL, false, false},
    {POLICY_SUBSCRIBE, "", "/#", false, false},
    {POLICY_SUBSCRIBE, "", "/+/command", false, false},
    {POLICY_SUBSCRIBE, "", "/" OTHER "/command", false, false},
    {POLICY_RECEIVE, "", "/" OTHER, false, false},
    {POLICY_RECEIVE, "", "/" OTHER "/command", false, false},
    {POLICY_UPDATE_THING_SHADOW, OTHER, NULL, false, false},
    {POLICY_GET_THING_SHADOW, OTHER, NULL, false, false},
    {POLICY_UPDATE_JOB_EXECUTION, OTHER, NULL, false, false},
};

static void check_expected(struct check *check, const struct expected *expected)
{
    const char *type = json_string(check->type, "name", "");
    bool listens = json_true(check->type, "commands");
    bool allowed = expected->allowed && (!expected->only_commands || listens);
    owned char *name = must_format("%s%s%s", expected->before, expected->after ? type : "",
                                   expected->after ? expected->after : "");
    struct policy_decision decision =
        trial_decide(check->trial, expected->action, THING, type, name);
    if ((decision.verdict == POLICY_ALLOWED) == allowed ||
        !first_of(check, allowed ? "policy: too narrow" : "policy: too wide"))
        return;
    problem_add(
        &check->spec->problems, WARNING, (struct place){0},
        must_copy("templates/awscli/type/policy.json.mustache, generator/documents/model.c"),
        "the policy is %s than the type: it %s a thing called " THING " %s on %s%s",
        allowed ? "narrower" : "wider", allowed ? "does not allow" : "allows",
        policy_action_name(expected->action), policy_resource_kind(expected->action), name);
}

/* A thing must not connect with a certificate that it is not attached to. */
static void check_unattached(struct check *check)
{
    struct policy_context context = {.client_id = THING, .thing_name = THING};
    struct policy_request request = {POLICY_CONNECT, check->trial->arn, THING};
    if (policy_decide(check->trial->policies, check->trial->policy_count, &request, &context)
                .verdict == POLICY_ALLOWED &&
        first_of(check, "policy: too wide"))
        problem_add(
            &check->spec->problems, WARNING, (struct place){0},
            must_copy("templates/awscli/type/policy.json.mustache, generator/documents/model.c"),
            "the policy is wider than the type: it allows a thing to connect with the "
            "certificate of another");
}

void warnings_find(struct spec *spec, const struct trial *trial, const cJSON *type,
                   enum cloud_store store)
{
    struct check check = {.spec = spec,
                          .trial = trial,
                          .type = type,
                          .takes = stores_takes(store),
                          .told = json_object(),
                          .began = clock()};
    const char *sql = json_string(json_get(spec->json, "rule"), "sql", NULL);
    struct rule_fault fault;
    check.table = json_string(json_get(type, "tables"), "valid", "");
    check.topic = must_format("%s/" THING, json_string(type, "name", ""));
    check.written =
        sql && trial->rule_count
            ? rule_compile(sql, strlen(sql), rule_version_of(trial->rules[0].rule), &fault)
            : NULL;
    if (trial->rule_count) {
        check.base = find_base(&check);
        check_readings(&check);
        cJSON_Delete(check.base);
    }
    for (size_t i = 0; trial->policy_count && i < sizeof expectations / sizeof *expectations; i++)
        check_expected(&check, &expectations[i]);
    check_unattached(&check);
    problems_sort(&spec->problems);
    rule_free(check.written);
    cJSON_Delete(check.told);
    free(check.topic);
}
