/* Any text as an AWS IoT SQL statement. What is found lies inside of the text; what a type's rules
 * are made from it are statements again, over the same topic. */
#include "../../common/json.h"
#include "../../common/memory.h"
#include "../../common/rule_text.h"
#include "../../generator/rules.h"
#include "workplace.h"

static void check_span(struct span span, size_t length)
{
    must_hold(span.offset <= length && span.length <= length - span.offset);
}

static void check_outline(const char *sql, const struct rule_text *outline)
{
    size_t length = strlen(sql);
    check_span(outline->list, length);
    check_span(outline->topic, length);
    check_span(outline->condition, length);
    must_hold(outline->list.length && outline->list.offset < outline->topic.offset);
    for (size_t i = 0; i < outline->field_count; i++) {
        check_span(outline->fields[i], length);
        must_hold(outline->fields[i].length);
    }
}

/* Two brackets are put around the condition, which may be one too many. */
static void check_rule(const cJSON *rule)
{
    const char *sql = json_string(rule, "sql", ""), *why;
    struct rule_text outline;
    size_t at;
    if (rule_text_read(sql, &outline, &why, &at))
        check_outline(sql, &outline);
    else
        must_hold(strstr(why, "nested too deeply") != NULL);
    rule_text_free(&outline);
}

static void make_rules(const char *sql)
{
    cJSON *type = json_object(), *spec = json_object(), *rule = json_object();
    json_put_string(type, "name", "fuzz");
    json_put_string(type, "topic_filter", "fuzz/+");
    json_put_string(rule, "sql", sql);
    json_put(spec, "rule", rule);
    for (int dynamodb = 0; dynamodb < 2; dynamodb++) {
        rules_add(type, spec, dynamodb);
        check_rule(json_get(json_get(type, "rules"), "valid"));
        check_rule(json_get(json_get(type, "rules"), "invalid"));
    }
    cJSON_Delete(type);
    cJSON_Delete(spec);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    owned char *sql = must_copy_bytes((const char *)input, size);
    struct rule_text outline;
    const char *why = NULL;
    size_t at = 0;
    if (rule_text_read(sql, &outline, &why, &at)) {
        check_outline(sql, &outline);
        if (outline.list.length + outline.condition.length)
            make_rules(sql);
    } else {
        must_hold(why && at <= strlen(sql));
    }
    rule_text_free(&outline);
    return 0;
}
