/* What would this message do? With a type: its rules are run on the message, and its policy decides
 * whether the message would be accepted at all. With --sql: what the statement selects, on one
 * line. */
#include "commands.h"
#include "common/base/clock.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "generator/cli/input.h"
#include "generator/project/project.h"
#include "generator/thing/record.h"
#include "generator/trial/answer.h"
#include "generator/trial/statement.h"

#include <stdlib.h>
#include <string.h>

enum { LARGEST_PAYLOAD = 128 * 1024 }; /* the limit of AWS IoT Core */

/* --- the message --- */

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
    message->source_ip = cli_value(context, "source-ip");
    message->random = trial_random;
    return status;
}

/* The topic of a message has at most 256 bytes and no wildcards (developer guide, "Topics"). The
 * first levels of Basic Ingest do not count. */
static enum status check_topic(struct context *context, const char *topic)
{
    size_t length;
    if (!topic)
        return fail(&context->error, WRONG_USAGE, "--sql needs a --topic");
    const char *name = rule_ingest(topic, &length);
    if (!*topic || strpbrk(topic, "+#") || strlen(name ? name + length : topic) > 256 + !!name)
        return fail(&context->error, WRONG_USAGE,
                    "--topic: a message has a topic of 1 to 256 bytes without + and #, not \"%s\"",
                    topic);
    return FINE;
}

/* --- any statement --- */

static enum status read_version(struct context *context, enum rule_version *version)
{
    const char *name = cli_value(context, "sql-version");
    *version = DEFAULT_SQL_VERSION;
    if (!name || rule_version_read(name, version))
        return FINE;
    fail(&context->error, WRONG_USAGE, "--sql-version: there is no version \"%s\"", name);
    return advise(&context->error, "(2015-10-08, 2016-03-23)");
}

/* rule: compiled from sql. */
static enum status answer_statement(struct context *context, const char *sql, struct rule *rule,
                                    const struct rule_message *message)
{
    struct error *error = &context->error;
    cJSON *json = NULL;
    owned char *unselected = NULL;
    enum status status = context->json
                             ? statement_json(sql, rule, message, &json, error)
                             : statement_run(rule, message, &context->out, &unselected, error);
    if (!status && json)
        json_layout(json, &context->out);
    else if (!status && unselected)
        cli_say(context, "%s", unselected);
    else if (!status)
        text_add_char(&context->out, '\n');
    cJSON_Delete(json);
    return status;
}

static enum status try_statement(struct context *context, const char *sql)
{
    struct rule_message message = {.topic = cli_value(context, "topic")};
    struct text payload = {0};
    struct rule *rule = NULL;
    enum rule_version version;
    enum status status = read_version(context, &version);
    if (!status)
        status = check_topic(context, message.topic);
    if (!status)
        status = statement_compile(sql, version, &rule, &context->error);
    if (!status)
        status = read_message(context, NULL, NULL, &payload, &message);
    if (!status)
        status = answer_statement(context, sql, rule, &message);
    rule_free(rule);
    text_free(&payload);
    return status;
}

/* --- a type --- */

/* The first thing of the type, or a name that a thing could have. */
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

/* The thing that publishes to a topic: the second level. */
static char *thing_of_topic(const char *topic)
{
    const char *slash = strchr(topic, '/');
    return slash ? must_copy_bytes(slash + 1, strcspn(slash + 1, "/")) : must_copy("");
}

static void answer_type(struct context *context, const struct trial *trial, const char *type,
                        const char *thing, const struct rule_message *message)
{
    cJSON *answer = answer_make(trial, type, thing, message);
    if (context->json)
        json_layout(answer, &context->out);
    else
        answer_write(answer, &context->out);
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
        answer_type(context, &trial, type, thing, &message);
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
