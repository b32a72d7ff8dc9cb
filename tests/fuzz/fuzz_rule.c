/* Any text as an AWS IoT SQL statement: the first byte picks the version, the rest is the
 * statement. A fault lies inside of it; what compiles prints as a statement that has the same tree;
 * what the outline names lies inside; what a type's rules are made from it compiles, over the same
 * topic. */
#include "common/base/json.h"
#include "common/base/memory.h"
#include "tests/unit/rule_print.h"
#include "generator/documents/rules.h"
#include "workplace.h"

static void check_span(struct rule_span span, size_t length)
{
    must_hold(span.offset <= length && span.length <= length - span.offset);
}

static void check_outline(const struct rule *rule, size_t length)
{
    const struct rule_outline *outline = rule_outline(rule);
    check_span(outline->set, length);
    check_span(outline->list, length);
    check_span(outline->filter, length);
    check_span(outline->condition, length);
    must_hold(outline->list.length > 0);
    must_hold(!outline->has_filter == !rule_filter(rule));
    for (size_t i = 0; i < outline->field_count; i++) {
        check_span(outline->fields[i], length);
        must_hold(outline->fields[i].length > 0);
    }
    for (size_t i = 0; i < outline->column_count; i++)
        check_span(outline->columns[i].span, length);
    for (size_t i = 0; i < outline->note_count; i++)
        check_span(outline->notes[i].span, length);
}

/* Printing may add blanks, and so make a statement longer than one may be. */
static void check_printed(const struct rule *rule)
{
    struct rule_fault fault;
    struct text printed = {0};
    rule_print(rule, &printed);
    if (printed.length <= RULE_LONGEST) {
        struct rule *again =
            rule_compile(printed.at, printed.length, rule_version_of(rule), &fault);
        must_hold(again && rule_same(rule, again));
        rule_free(again);
    }
    text_free(&printed);
}

/* Brackets are put around the condition, which may be one level too many. */
static void check_made(const cJSON *rule)
{
    const char *sql = json_string(rule, "sql", "");
    enum rule_version version;
    struct rule_fault fault;
    must_hold(rule_version_read(json_string(rule, "sql_version", ""), &version));
    struct rule *made = rule_compile(sql, strlen(sql), version, &fault);
    must_hold(made || strstr(fault.message, "nested too deeply") ||
              strstr(fault.message, "too long"));
    if (made)
        must_hold(strcmp(rule_filter(made), "fuzz/+") == 0);
    rule_free(made);
}

static void make_rules(const char *sql, enum rule_version version)
{
    cJSON *type = json_object(), *spec = json_object(), *rule = json_object();
    json_put_string(type, "name", "fuzz");
    json_put_string(type, "topic_filter", "fuzz/+");
    json_put_string(rule, "sql", sql);
    json_put_string(rule, "sql_version", rule_version_name(version));
    json_put(spec, "rule", rule);
    for (int dynamodb = 0; dynamodb < 2; dynamodb++) {
        rules_add(type, spec, dynamodb);
        check_made(json_get(json_get(type, "rules"), "valid"));
        check_made(json_get(json_get(type, "rules"), "invalid"));
    }
    cJSON_Delete(type);
    cJSON_Delete(spec);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    if (!size)
        return 0;
    enum rule_version version = input[0] % 2 ? RULE_2016_03_23 : RULE_2015_10_08;
    size_t length = size - 1;
    owned char *sql = must_copy_bytes((const char *)input + 1, length);
    struct rule_fault fault = {.length = 0};
    struct rule *rule = rule_compile(sql, length, version, &fault);
    if (!rule) {
        must_hold(fault.offset <= length && fault.length && *fault.message);
        return 0;
    }
    check_outline(rule, length);
    check_printed(rule);
    const char *filter = rule_filter(rule);
    if (filter && strcmp(filter, "fuzz/+") == 0 && !rule_outline(rule)->value)
        make_rules(sql, version);
    rule_free(rule);
    return 0;
}
