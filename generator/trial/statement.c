#include "statement.h"
#include "common/base/memory.h"
#include "common/spec/problems.h"
#include "trial.h"

#include <string.h>

static enum status wrong_statement(const char *sql, const struct rule_fault *fault,
                                   struct error *error)
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
    enum status status = fail(error, WRONG_INPUT, "the statement is wrong\n%.*s",
                              (int)(report.length - 1), text_string(&report));
    text_free(&report);
    problems_free(&problems);
    source_free(&source);
    return status;
}

enum status statement_compile(const char *sql, enum rule_version version, struct rule **rule,
                              struct error *error)
{
    struct rule_fault fault;
    *rule = rule_compile(sql, strlen(sql), version, &fault);
    return *rule ? FINE : wrong_statement(sql, &fault, error);
}

/* The statement's rule has the name that a topic of Basic Ingest asks for. */
static char *name_of_rule(const char *topic)
{
    size_t length;
    const char *name = rule_ingest(topic, &length);
    return name ? must_copy_bytes(name, length) : must_copy("--sql");
}

static enum status no_memory(struct error *error)
{
    return fail(error, REFUSED, "there is no memory left");
}

enum status statement_run(const struct rule *rule, const struct rule_message *message,
                          struct text *out, char **unselected, struct error *error)
{
    owned char *name = name_of_rule(message->topic);
    struct rule_result result;
    enum status status = FINE;
    *unselected = NULL;
    if (!topic_rule_matches(name, rule, message->topic)) {
        *unselected = rule_filter(rule)
                          ? must_format("%s is not a topic that FROM takes", message->topic)
                          : must_copy("without FROM, a rule takes only " RULE_INGEST "<rule>/...");
        return FINE;
    }
    struct rule_scratch *scratch = rule_scratch_new(0);
    if (!scratch)
        return no_memory(error);
    rule_begin(scratch, message);
    switch (rule_select(rule, scratch, &result)) {
    case RULE_NOT_SELECTED:
        *unselected = must_copy("WHERE is not true");
        break;
    case RULE_SELECTED:
        text_add(out, result.bytes, result.length);
        break;
    case RULE_REFUSED:
        status = fail(error, WRONG_INPUT, "%s() needs %s, which is not here", result.function,
                      result.service);
        break;
    default:
        status = fail(error, REFUSED, "the message needs more memory than there is");
    }
    rule_scratch_free(scratch);
    return status;
}

enum status statement_json(const char *sql, struct rule *rule, const struct rule_message *message,
                           cJSON **answer, struct error *error)
{
    owned char *copy = must_copy(sql), *name = name_of_rule(message->topic);
    struct topic_rule one = {.name = name, .sql = copy, .rule = rule};
    struct trial trial = {.rules = &one, .rule_count = 1, .scratch = rule_scratch_new(0)};
    *answer = NULL;
    if (!trial.scratch)
        return no_memory(error);
    cJSON *answers = trial_run(&trial, message);
    *answer = cJSON_DetachItemFromArray(answers, 0);
    cJSON_Delete(answers);
    rule_scratch_free(trial.scratch);
    return FINE;
}
