/* rule: what would this message do?
 *
 * Of a type: its emitted rules are run on the message, with its emitted policy asked whether the
 * message would come so far. Or of any statement: what it selects, on one line. */
#include "commands.h"
#include "common/base/clock.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/spec/problems.h"
#include "generator/documents/model.h"
#include "generator/thing/record.h"
#include "generator/trial/trial.h"
#include "generator/cli/input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { LARGEST_PAYLOAD = 128 * 1024 }; /* AWS IoT Core's limit */

/* --- the message --- */

static uint64_t random_bits(void *context)
{
    uint64_t bits = 0;
    (void)context;
    if (getrandom(&bits, sizeof bits, 0) != sizeof bits)
        abort(); /* cannot be: eight bytes come whole */
    return bits;
}

static bool read_time(const char *word, int64_t *milliseconds)
{
    char *end;
    *milliseconds = strtoll(word, &end, 10);
    if (end != word && !*end && *milliseconds >= 0)
        return true;
    return clock_read(word, milliseconds);
}

/* --time, or now. */
static enum status message_time(struct context *context, int64_t *milliseconds)
{
    const char *word = cli_value(context, "time");
    if (word && !read_time(word, milliseconds)) {
        fail(&context->error, WRONG_USAGE, "--time: \"%s\" is not a time", word);
        return advise(&context->error, "milliseconds since 1970, or such as 2026-11-21T10:00:00Z");
    }
    if (!word)
        *milliseconds = clock_milliseconds();
    return FINE;
}

/* All of the message but its topic. project: NULL where there is none. client: who sends it, where
 * --client-id does not say. */
static enum status read_message(struct context *context, const struct project *project,
                                const char *client, struct text *payload,
                                struct rule_message *message)
{
    const char *given = cli_value(context, "payload");
    if (!given) {
        fail(&context->error, WRONG_USAGE, "--payload is missing");
        return advise(&context->error, "--payload FILE, or --payload - for standard input");
    }
    owned char *path =
        project && strcmp(given, "-") != 0 ? project_path(project, given) : must_copy(given);
    enum status status = message_time(context, &message->time);
    if (!status)
        status = read_input(path, LARGEST_PAYLOAD, payload, &context->error);
    message->payload = text_string(payload);
    message->payload_length = payload->length;
    message->client_id = cli_value(context, "client-id");
    if (!message->client_id)
        message->client_id = client;
    message->principal = cli_value(context, "principal");
    message->random = random_bits;
    return status;
}

/* A topic is published to: at most 256 bytes of it, no wildcards (developer guide, "Topics"). */
static enum status check_topic(struct context *context, const char *topic)
{
    if (!topic)
        return fail(&context->error, WRONG_USAGE, "--sql needs a --topic");
    if (!*topic || strpbrk(topic, "+#") || strlen(topic) > 256)
        return fail(&context->error, WRONG_USAGE,
                    "--topic: a message has a topic of 1 to 256 bytes without + and #, not \"%s\"",
                    topic);
    return FINE;
}

/* --- any statement --- */

static enum status wrong_statement(struct context *context, const char *sql,
                                   const struct rule_fault *fault)
{
    struct source source = {.name = must_copy("--sql")};
    struct problems problems = {.source = &source};
    struct text report = {0};
    text_add_string(&source.bytes, sql);
    struct place place = source_place(&source, fault->offset);
    place.width = utf8_length(sql + fault->offset, fault->offset < strlen(sql) ? fault->length : 0);
    problem_add(&problems, ERROR, place, *fault->hint ? must_copy(fault->hint) : NULL, "%s",
                fault->message);
    problems_write(&problems, false, &report);
    enum status status = fail(&context->error, WRONG_INPUT, "the statement is wrong\n%.*s",
                              (int)(report.length - 1), text_string(&report));
    text_free(&report);
    problems_free(&problems);
    source_free(&source);
    return status;
}

static enum status read_version(struct context *context, enum rule_version *version)
{
    const char *name = cli_value(context, "sql-version");
    *version = DEFAULT_SQL_VERSION;
    if (!name || rule_version_read(name, version))
        return FINE;
    fail(&context->error, WRONG_USAGE, "--sql-version: there is no version \"%s\"", name);
    return advise(&context->error, "(2015-10-08, 2016-03-23)");
}

static enum status out_of_reach(struct context *context, const char *function, const char *service)
{
    return fail(&context->error, WRONG_INPUT, "%s() needs %s, which is not here", function,
                service);
}

/* What the statement selects, or why there is nothing to show. */
static enum status show_selected(struct context *context, const struct rule *rule,
                                 const struct rule_message *message)
{
    struct rule_scratch *scratch = rule_scratch_new(0);
    struct rule_result result;
    enum status status = FINE;
    if (!scratch)
        return fail(&context->error, REFUSED, "there is no memory left");
    rule_begin(scratch, message);
    switch (rule_run(rule, scratch, &result)) {
    case RULE_NO_MATCH:
        cli_say(context, "%s is not a topic that FROM takes", message->topic);
        break;
    case RULE_NOT_SELECTED:
        cli_say(context, "WHERE is not true");
        break;
    case RULE_SELECTED:
        text_add(&context->out, result.bytes, result.length);
        text_add_char(&context->out, '\n');
        break;
    case RULE_REFUSED:
        status = out_of_reach(context, result.function, result.service);
        break;
    default:
        status = fail(&context->error, REFUSED, "the message needs more memory than there is");
    }
    rule_scratch_free(scratch);
    return status;
}

/* The same, as trial_run() has it. */
static enum status answer_statement(struct context *context, char *sql, struct rule *rule,
                                    const struct rule_message *message)
{
    char name[] = "--sql";
    struct topic_rule one = {.name = name, .sql = sql, .rule = rule};
    struct trial trial = {.rules = &one, .rule_count = 1, .scratch = rule_scratch_new(0)};
    if (!trial.scratch)
        return fail(&context->error, REFUSED, "there is no memory left");
    cJSON *answers = trial_run(&trial, message);
    json_layout(answers->child, &context->out);
    cJSON_Delete(answers);
    rule_scratch_free(trial.scratch);
    return FINE;
}

static enum status try_statement(struct context *context, const char *sql)
{
    struct rule_message message = {.topic = cli_value(context, "topic")};
    struct rule_fault fault;
    struct text payload = {0};
    enum rule_version version;
    enum status status = read_version(context, &version);
    if (!status)
        status = check_topic(context, message.topic);
    struct rule *rule = status ? NULL : rule_compile(sql, strlen(sql), version, &fault);
    if (!status && !rule)
        status = wrong_statement(context, sql, &fault);
    if (!status)
        status = read_message(context, NULL, NULL, &payload, &message);
    owned char *copy = must_copy(sql);
    if (!status)
        status = context->json ? answer_statement(context, copy, rule, &message)
                               : show_selected(context, rule, &message);
    rule_free(rule);
    text_free(&payload);
    return status;
}

/* --- a type --- */

/* The first thing of the type that there is, or one that could be. */
static char *example_thing(const char *type)
{
    struct names *names = record_names();
    char *found = NULL;
    for (size_t i = 0; i < names->count && !found; i++) {
        struct error unread = {0};
        struct record *record = NULL;
        if (!record_read(names->at[i], &record, &unread) && record &&
            strcmp(record->type, type) == 0)
            found = must_copy(names->at[i]);
        record_free(record);
        error_free(&unread);
    }
    names_free(names);
    return found ? found : must_copy("kitchen");
}

/* The thing that a topic belongs to: its second level. */
static char *thing_of_topic(const char *topic)
{
    const char *slash = strchr(topic, '/');
    return slash ? must_copy_bytes(slash + 1, strcspn(slash + 1, "/")) : must_copy("");
}

static void write_dimensions(const cJSON *action, struct text *out)
{
    const cJSON *dimension;
    cJSON_ArrayForEach(dimension, json_get(action, "dimensions"))
    {
        bool empty = !*dimension->valuestring;
        text_add_format(out, "    %-14s %s\n", dimension->string,
                        empty ? "(empty: Timestream refuses the record)" : dimension->valuestring);
    }
}

static void write_action(const cJSON *action, struct text *out)
{
    const char *database = json_string(action, "database", ""), *time;
    const cJSON *record;
    text_add_format(out, "  %s %s%s%s", json_string(action, "action", ""), database,
                    *database ? "." : "", json_string(action, "table", ""));
    if ((time = json_string(action, "time", NULL)))
        text_add_format(out, " at %s %s", *time ? time : "(no time)",
                        json_string(action, "unit", ""));
    text_add_char(out, '\n');
    write_dimensions(action, out);
    cJSON_ArrayForEach(record, json_get(action, "records"))
        text_add_format(out, "    %-14s %s (%s)\n", json_string(record, "measure", ""),
                        json_get(record, "value")->valuestring, json_string(record, "type", ""));
}

static void write_unselected(const cJSON *rule, struct text *out)
{
    const char *outcome = json_string(rule, "outcome", "");
    if (strcmp(outcome, "other topic") == 0)
        text_add_string(out, " takes other topics\n");
    else if (strcmp(outcome, "not selected") == 0)
        text_add_string(out, " does not select it\n");
    else if (strcmp(outcome, "refused") == 0)
        text_add_format(out, " calls %s(), which needs %s\n", json_string(rule, "function", ""),
                        json_string(rule, "needs", ""));
    else
        text_add_format(out, " is %s\n", outcome);
}

static void write_rule(const cJSON *rule, struct text *out)
{
    const cJSON *selected = json_get(rule, "selected"), *action;
    text_add_string(out, json_string(rule, "rule", ""));
    if (!selected) {
        write_unselected(rule, out);
        return;
    }
    text_add_format(out, " selects %s\n", selected->valuestring);
    cJSON_ArrayForEach(action, json_get(rule, "actions")) write_action(action, out);
}

static void write_answer(const cJSON *answer, struct text *out)
{
    const cJSON *rule;
    text_add_format(out, "topic   %s\npolicy  %s\n", json_string(answer, "topic", ""),
                    json_string(json_get(answer, "policy"), "because", ""));
    cJSON_ArrayForEach(rule, json_get(answer, "rules")) write_rule(rule, out);
}

static cJSON *policy_answer(const struct trial *trial, const char *type, const char *thing,
                            const char *topic)
{
    struct policy_request request = {POLICY_PUBLISH, trial->arn, topic};
    struct policy_decision decision = trial_decide(trial, POLICY_PUBLISH, thing, type, topic);
    struct text because = {0};
    cJSON *answer = json_object();
    policy_describe(&decision, &request, &because);
    json_put_string(answer, "thing", thing);
    json_put_bool(answer, "allowed", decision.verdict == POLICY_ALLOWED);
    json_put_string(answer, "because", text_string(&because));
    text_free(&because);
    return answer;
}

static void answer_message(struct context *context, const struct trial *trial, const char *type,
                           const char *thing, const struct rule_message *message)
{
    cJSON *answer = json_object();
    json_put_string(answer, "topic", message->topic);
    json_put(answer, "policy", policy_answer(trial, type, thing, message->topic));
    json_put(answer, "rules", trial_run(trial, message));
    if (context->json)
        json_layout(answer, &context->out);
    else
        write_answer(answer, &context->out);
    cJSON_Delete(answer);
}

static enum status try_type(struct context *context, const char *type)
{
    struct project project;
    struct artifacts documents = {0};
    struct trial trial = {0};
    struct text payload = {0};
    cJSON *model = NULL;
    const char *topic = cli_value(context, "topic");
    enum status status = command_load(context, &project);
    if (!status && topic)
        status = check_topic(context, topic);
    if (!status)
        status = project_model(&project, type, &model, &context->error);
    if (!status)
        status = project_render(&project, type, "awscli", &documents, &context->error);
    if (!status)
        status = trial_open(&documents, model, &trial, &context->error);
    owned char *thing = status ? NULL : topic ? thing_of_topic(topic) : example_thing(type);
    owned char *own = status ? NULL : must_format("%s/%s", type, thing);
    struct rule_message message = {.topic = topic ? topic : own,
                                   .account =
                                       json_string(json_get(model, "system"), "account", NULL)};
    if (!status)
        status = read_message(context, &project, thing, &payload, &message);
    if (!status)
        answer_message(context, &trial, type, thing, &message);
    trial_close(&trial);
    artifacts_free(&documents);
    cJSON_Delete(model);
    text_free(&payload);
    project_free(&project);
    return status;
}

enum status command_rule(struct context *context)
{
    const char *sql = cli_value(context, "sql");
    if (!sql == !context->operand_count) {
        fail(&context->error, WRONG_USAGE,
             sql ? "a TYPE has its own rules; --sql leaves it out" : "rule needs a TYPE, or --sql");
        return advise(&context->error, "sensorforge rule --help shows both ways");
    }
    if (!sql && cli_given(context, "sql-version"))
        return fail(&context->error, WRONG_USAGE, "--sql-version goes with --sql");
    return sql ? try_statement(context, sql) : try_type(context, context->operands[0]);
}
