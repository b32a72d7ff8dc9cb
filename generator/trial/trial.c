#include "trial.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/rule/reasons.h"
#include "common/rule/value.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* --- opening --- */

static enum status add_rule(const char *path, const cJSON *document, struct trial *trial,
                            struct error *error)
{
    trial->rules =
        must_grow(trial->rules, trial->rule_count, &trial->rule_room, sizeof *trial->rules);
    return topic_rule_compile(path, document, &trial->rules[trial->rule_count++], error);
}

static enum status add_policy(const char *path, const cJSON *document, struct trial *trial,
                              struct error *error)
{
    const char *text = json_string(document, "policyDocument", "");
    trial->policies = must_grow(trial->policies, trial->policy_count, &trial->policy_room,
                                sizeof *trial->policies);
    return policy_compile(path, text, strlen(text), &trial->policies[trial->policy_count++], error);
}

static enum status add_document(const struct artifact *artifact, struct trial *trial,
                                struct error *error)
{
    cJSON *document = NULL;
    if (!ends_with(artifact->path, ".json"))
        return FINE;
    enum status status = json_parse(artifact->path, text_string(&artifact->bytes),
                                    artifact->bytes.length, &document, error);
    if (!status && is_topic_rule(document))
        status = add_rule(artifact->path, document, trial, error);
    if (!status && cJSON_IsString(json_get(document, "policyDocument")))
        status = add_policy(artifact->path, document, trial, error);
    cJSON_Delete(document);
    return status;
}

/* Moves the rule of that name to the front. */
static void put_first(struct trial *trial, const char *name)
{
    for (size_t i = 1; i < trial->rule_count; i++) {
        if (strcmp(trial->rules[i].name, name) == 0) {
            struct topic_rule first = trial->rules[i];
            trial->rules[i] = trial->rules[0];
            trial->rules[0] = first;
            return;
        }
    }
}

enum status trial_open(const struct artifacts *documents, const cJSON *model, struct trial *trial,
                       struct error *error)
{
    const cJSON *system = json_get(model, "system");
    *trial = (struct trial){.scratch = rule_scratch_new(0)};
    trial->arn = must_format("arn:%s:iot:%s:%s:", json_string(system, "partition", ""),
                             json_string(system, "region", ""), json_string(system, "account", ""));
    enum status status = trial->scratch ? FINE : fail(error, REFUSED, "there is no memory left");
    for (size_t i = 0; i < documents->count && !status; i++)
        status = add_document(&documents->at[i], trial, error);
    if (!status)
        put_first(trial, json_string(json_get(json_get(json_get(model, "type"), "rules"), "valid"),
                                     "name", ""));
    return status;
}

void trial_close(struct trial *trial)
{
    for (size_t i = 0; i < trial->rule_count; i++)
        topic_rule_free(&trial->rules[i]);
    for (size_t i = 0; i < trial->policy_count; i++)
        policy_free(trial->policies[i]);
    free(trial->rules);
    free(trial->policies);
    free(trial->arn);
    rule_scratch_free(trial->scratch);
    *trial = (struct trial){0};
}

/* --- actions --- */

/* The text of a substitution template for the message of the scratch; freed by the caller. */
static char *substituted(const struct trial *trial, const struct rule_template *template)
{
    struct rule_result result;
    if (!template || rule_template_run(template, trial->scratch, &result) != RULE_SELECTED)
        return must_copy("");
    struct text made = {0};
    for (size_t i = 0; i < result.length; i++) {
        if (result.bytes[i])
            text_add_char(&made, result.bytes[i]);
        else
            text_add_string(&made, TRIAL_NUL);
    }
    return text_take(&made);
}

static void put_substituted(const struct trial *trial, cJSON *object, const char *name,
                            const struct rule_template *template)
{
    owned char *value = substituted(trial, template);
    json_put_string(object, name, value);
}

/* One record for each selected value, with the type that Timestream gives its column. */
static cJSON *records_of(const struct rule_value *selected, enum rule_version version,
                         struct rule_memory *memory)
{
    cJSON *records = json_array();
    for (size_t i = 0; selected->kind == RULE_OBJECT && i < selected->object.count; i++) {
        const struct rule_member *member = &selected->object.members[i];
        struct rule_output output = {.memory = memory};
        rule_json_write(&output, version, &member->value);
        owned char *name = must_copy_bytes(member->name, member->name_length);
        owned char *value = must_copy_bytes(output.at, output.length);
        if (!output.length || !timestream_type(value))
            continue;
        cJSON *record = json_object();
        json_put_string(record, "measure", name);
        json_put_string(record, "type", timestream_type(value));
        json_put(record, "value", cJSON_CreateRaw(value));
        cJSON_AddItemToArray(records, record);
    }
    return records;
}

static cJSON *run_timestream(const struct trial *trial, const struct topic_action *action,
                             const struct rule_message *message, cJSON *records)
{
    cJSON *done = json_object(), *dimensions = json_object();
    json_put_string(done, "action", action->name);
    put_substituted(trial, done, "database", action->database);
    put_substituted(trial, done, "table", action->table);
    for (size_t i = 0; i < action->dimension_count; i++)
        put_substituted(trial, dimensions, action->dimensions[i].name, action->dimensions[i].value);
    json_put(done, "dimensions", dimensions);
    owned char *time = action->time ? substituted(trial, action->time)
                                    : must_format("%lld", (long long)message->time);
    json_put_string(done, "time", time);
    json_put_string(done, "unit", action->time ? action->unit : "MILLISECONDS");
    json_put(done, "records", records);
    return done;
}

static cJSON *run_action(const struct trial *trial, const struct topic_rule *rule,
                         const struct topic_action *action, const struct rule_message *message,
                         const char *selected)
{
    cJSON *done = NULL;
    if (action->kind == TOPIC_TIMESTREAM) {
        struct rule_memory memory = {.limit = 16 << 20};
        struct rule_value value = rule_undefined();
        rule_json_read(&memory, selected, strlen(selected), &value);
        done = run_timestream(trial, action, message,
                              records_of(&value, rule_version_of(rule->rule), &memory));
        rule_memory_free(&memory);
        return done;
    }
    done = json_object();
    json_put_string(done, "action", action->name);
    if (action->kind == TOPIC_DYNAMODB_V2) {
        put_substituted(trial, done, "table", action->table);
        json_put(done, "item", cJSON_CreateRaw(selected));
    }
    return done;
}

/* --- rules --- */

static const char *outcome_name(enum rule_outcome outcome)
{
    switch (outcome) {
    case RULE_NO_MATCH:
        return "other topic";
    case RULE_NOT_SELECTED:
        return "not selected";
    case RULE_SELECTED:
        return "selected";
    case RULE_REFUSED:
        return "refused";
    default:
        return "too large";
    }
}

static void put_selected(const struct trial *trial, const struct topic_rule *rule,
                         const struct rule_message *message, const struct rule_result *result,
                         cJSON *answer)
{
    owned char *selected = must_copy_bytes(result->bytes, result->length);
    cJSON *actions = json_array();
    if (result->raw)
        json_put_string(answer, "selected", selected);
    else
        json_put(answer, "selected", cJSON_CreateRaw(selected));
    for (size_t i = 0; i < rule->action_count; i++)
        cJSON_AddItemToArray(actions, run_action(trial, rule, &rule->actions[i], message,
                                                 result->raw ? "null" : selected));
    json_put(answer, "actions", actions);
}

static void put_reasons(const struct trial *trial, const struct rule *rule, cJSON *answer)
{
    struct rule_reason reasons[RULE_MOST_REASONS];
    size_t count = rule_reasons(rule, trial->scratch, reasons);
    cJSON *list = json_array();
    for (size_t i = 0; i < count; i++)
        cJSON_AddItemToArray(list, cJSON_CreateString(reasons[i].text));
    json_put(answer, "reasons", list);
}

static cJSON *run_rule(const struct trial *trial, const struct topic_rule *rule,
                       const struct rule_message *message)
{
    cJSON *answer = json_object();
    struct rule_result result = {0};
    enum rule_outcome outcome = topic_rule_matches(rule->name, rule->rule, message->topic)
                                    ? rule_select(rule->rule, trial->scratch, &result)
                                    : RULE_NO_MATCH;
    json_put_string(answer, "rule", rule->name);
    json_put_string(answer, "sql", rule->sql);
    json_put_string(answer, "sql_version", rule_version_name(rule_version_of(rule->rule)));
    json_put_string(answer, "outcome", rule->disabled ? "disabled" : outcome_name(outcome));
    if (outcome == RULE_REFUSED) {
        json_put_string(answer, "function", result.function);
        json_put_string(answer, "needs", result.service);
    }
    if (outcome == RULE_NOT_SELECTED && rule == trial->rules)
        put_reasons(trial, rule->rule, answer);
    if (outcome == RULE_SELECTED && !rule->disabled)
        put_selected(trial, rule, message, &result, answer);
    return answer;
}

/* A message over MQTT has a trace id. That of a message that is tried is always the same. */
cJSON *trial_run(const struct trial *trial, const struct rule_message *message)
{
    cJSON *answers = json_array();
    struct rule_message tried = *message;
    if (!tried.trace_id)
        tried.trace_id = "00000000-0000-0000-0000-000000000000";
    rule_begin(trial->scratch, &tried);
    for (size_t i = 0; i < trial->rule_count; i++)
        cJSON_AddItemToArray(answers, run_rule(trial, &trial->rules[i], &tried));
    return answers;
}

struct policy_decision trial_decide(const struct trial *trial, enum policy_action action,
                                    const char *thing, const char *type, const char *name)
{
    struct policy_context context = {.client_id = thing, .thing_type = type};
    const struct policy_attachment own = {.thing = thing, .exclusive = true};
    policy_associate(&context, &own, 1);
    struct policy_request request = {action, trial->arn, name};
    return policy_decide(trial->policies, trial->policy_count, &request, &context);
}

uint64_t trial_random(void *context)
{
    uint64_t bits = 0;
    (void)context;
    if (getrandom(&bits, sizeof bits, 0) != sizeof bits)
        abort(); /* never for up to 256 bytes: getrandom(2) */
    return bits;
}
