#include "answer.h"
#include "common/base/json.h"

#include <string.h>

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

cJSON *answer_make(const struct trial *trial, const char *type, const char *thing,
                   const struct rule_message *message)
{
    cJSON *answer = json_object();
    json_put_string(answer, "topic", message->topic);
    json_put(answer, "policy", policy_answer(trial, type, thing, message->topic));
    json_put(answer, "rules", trial_run(trial, message));
    return answer;
}

/* --- lines --- */

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
    const cJSON *reason;
    if (strcmp(outcome, "other topic") == 0)
        text_add_string(out, " takes other topics\n");
    else if (strcmp(outcome, "not selected") == 0)
        text_add_string(out, " does not select it\n");
    else if (strcmp(outcome, "refused") == 0)
        text_add_format(out, " calls %s(), which needs %s\n", json_string(rule, "function", ""),
                        json_string(rule, "needs", ""));
    else
        text_add_format(out, " is %s\n", outcome);
    cJSON_ArrayForEach(reason, json_get(rule, "reasons"))
        text_add_format(out, "  %s\n", reason->valuestring);
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

void answer_write(const cJSON *answer, struct text *out)
{
    const cJSON *rule;
    text_add_format(out, "topic   %s\npolicy  %s\n", json_string(answer, "topic", ""),
                    json_string(json_get(answer, "policy"), "because", ""));
    cJSON_ArrayForEach(rule, json_get(answer, "rules")) write_rule(rule, out);
}
