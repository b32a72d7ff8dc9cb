/* The rule language against its documentation. The cases, and what their lines mean, are in
 * rule-cases.txt; each of its sections is a test here.
 *
 * Every case is run three times: as it is used, computing nothing ahead, and printed and compiled
 * again. All must do the same. */
#include "common/base/memory.h"
#include "rule_print.h"

#include <regex.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FEWEST_CASES = 1800, LONGEST_LINE = 8192 };

/* What a message is unless the section says otherwise; "" is none. */
struct settings {
    char version[16], topic[256], payload[2048], client[64], principal[128], trace[64], account[64];
    char source[64];    /* the address of the client */
    char property[512]; /* of MQTT 5: "NAME VALUE, NAME VALUE"; "unknown": there is no header */
    char set[512];      /* the SET clause whose variables templates use */
    long long time;
};

static const struct settings usual = {
    .version = "2016-03-23", .topic = "a/b", .payload = "{}", .time = 1481825251155};

struct section {
    char *name;
    char **lines; /* cases and settings */
    size_t *numbers;
    size_t count, lines_room, numbers_room;
};

static struct section *sections;
static size_t section_count, section_room;

/* --- reading the file --- */

static FILE *open_cases(void)
{
    const char *root = getenv("SENSORFORGE_SOURCE");
    owned char *path = must_format("%s/tests/unit/rule-cases.txt", root ? root : ".");
    FILE *file = fopen(path, "r");
    if (!file) {
        fprintf(stderr, "cannot open %s; run from the root or set SENSORFORGE_SOURCE\n", path);
        exit(1);
    }
    return file;
}

static void add_section(const char *name)
{
    sections = must_grow(sections, section_count, &section_room, sizeof *sections);
    sections[section_count++] = (struct section){.name = must_copy(name)};
}

static void add_line(struct section *section, const char *line, size_t number)
{
    section->lines =
        must_grow(section->lines, section->count, &section->lines_room, sizeof *section->lines);
    section->numbers = must_grow(section->numbers, section->count, &section->numbers_room,
                                 sizeof *section->numbers);
    section->lines[section->count] = must_copy(line);
    section->numbers[section->count++] = number;
}

static void read_cases(void)
{
    FILE *file = open_cases();
    char line[LONGEST_LINE];
    for (size_t number = 1; fgets(line, sizeof line, file); number++) {
        line[strcspn(line, "\n")] = 0;
        if (!*line || *line == '#')
            continue;
        if (begins_with(line, "== "))
            add_section(line + 3);
        else if (section_count)
            add_line(&sections[section_count - 1], line, number);
    }
    fclose(file);
}

static void free_cases(void)
{
    for (size_t i = 0; i < section_count; i++) {
        for (size_t j = 0; j < sections[i].count; j++)
            free(sections[i].lines[j]);
        free(sections[i].lines);
        free(sections[i].numbers);
        free(sections[i].name);
    }
    free(sections);
}

/* --- settings --- */

static bool change(struct settings *settings, const char *line)
{
    const struct {
        const char *name;
        char *at;
        size_t room;
    } texts[] = {
        {"version", settings->version, sizeof settings->version},
        {"topic", settings->topic, sizeof settings->topic},
        {"payload", settings->payload, sizeof settings->payload},
        {"client", settings->client, sizeof settings->client},
        {"principal", settings->principal, sizeof settings->principal},
        {"trace", settings->trace, sizeof settings->trace},
        {"account", settings->account, sizeof settings->account},
        {"source", settings->source, sizeof settings->source},
        {"property", settings->property, sizeof settings->property},
        {"set", settings->set, sizeof settings->set},
    };
    size_t length = strcspn(line, " ");
    const char *value = line[length] ? line + length + 1 : "";
    if (begins_with(line, "time ")) {
        settings->time = strtoll(value, NULL, 10);
        return true;
    }
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strlen(texts[i].name) == length && !strncmp(texts[i].name, line, length)) {
            snprintf(texts[i].at, texts[i].room, "%s", value);
            return strlen(value) < texts[i].room;
        }
    return false;
}

static uint64_t next_random(void *context)
{
    uint64_t *state = context;
    uint64_t mixed = *state += 0x9E3779B97F4A7C15;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
    return mixed ^ (mixed >> 31);
}

static const char *if_any(const char *text)
{
    return *text ? text : NULL;
}

/* The header of a message, and the texts that it points to. */
struct header {
    struct rule_mqtt_header header;
    struct rule_user_property user_properties[8];
    char texts[512];
};

static void add_property(struct header *made, const char *name, const char *value)
{
    struct rule_mqtt_header *header = &made->header;
    if (strcmp(name, "content_type") == 0) {
        header->content_type = value;
    } else if (strcmp(name, "response_topic") == 0) {
        header->response_topic = value;
    } else if (strcmp(name, "correlation_data") == 0) {
        header->correlation_data = value;
        header->correlation_length = strlen(value);
    } else if (strcmp(name, "format_indicator") == 0) {
        header->is_utf8 = strcmp(value, "UTF8_DATA") == 0;
    } else {
        assert_true(header->user_property_count < 8);
        made->user_properties[header->user_property_count++] =
            (struct rule_user_property){name, value};
    }
}

/* NULL: the setting is "unknown". */
static const struct rule_mqtt_header *read_header(const char *property, struct header *made)
{
    *made = (struct header){.header.user_properties = made->user_properties};
    snprintf(made->texts, sizeof made->texts, "%s", property);
    for (char *at = made->texts, *end; *at; at = end) {
        end = at + strcspn(at, ",");
        if (*end)
            *end++ = '\0';
        end += *end == ' ';
        char *value = at + strcspn(at, " ");
        if (*value)
            *value++ = '\0';
        add_property(made, at, value);
    }
    return strcmp(property, "unknown") == 0 ? NULL : &made->header;
}

static struct rule_message message_of(const struct settings *settings, struct header *header,
                                      uint64_t *random)
{
    return (struct rule_message){
        .topic = settings->topic,
        .payload = settings->payload,
        .payload_length = strlen(settings->payload),
        .client_id = if_any(settings->client),
        .principal = if_any(settings->principal),
        .account = if_any(settings->account),
        .trace_id = if_any(settings->trace),
        .source_ip = if_any(settings->source),
        .header = read_header(settings->property, header),
        .time = settings->time,
        .random = next_random,
        .random_context = random,
    };
}

/* --- running a case --- */

enum way { AS_USED, PLAINLY, PRINTED, WAYS };

static const char *const ways[] = {"as it is used", "computing nothing ahead", "printed and again"};

struct trial {
    const struct settings *settings;
    enum rule_version version;
    struct text statement;
    bool expression;
    struct text outcome; /* in the words of the file */
};

static void say_fault(struct trial *trial, const struct rule_fault *fault)
{
    size_t line, column;
    find_place(text_string(&trial->statement), fault->offset, &line, &column);
    text_add_format(&trial->outcome, "error %zu:%zu", line, column);
}

static void say_selected(struct trial *trial, const struct rule_result *result)
{
    static const char member[] = "{\"v\":";
    size_t skip = strlen(member);
    if (result->raw)
        text_add_string(&trial->outcome, "bytes ");
    if (!trial->expression && result->length)
        text_add(&trial->outcome, result->bytes, result->length);
    else if (result->length > skip && !memcmp(result->bytes, member, skip))
        text_add(&trial->outcome, result->bytes + skip, result->length - skip - 1);
    else
        text_add_string(&trial->outcome, "undefined");
}

static void say_outcome(struct trial *trial, enum rule_outcome outcome,
                        const struct rule_result *result)
{
    switch (outcome) {
    case RULE_NO_MATCH:
        text_add_string(&trial->outcome, "no match");
        break;
    case RULE_NOT_SELECTED:
        text_add_string(&trial->outcome, "not selected");
        break;
    case RULE_SELECTED:
        say_selected(trial, result);
        break;
    case RULE_REFUSED:
        text_add_format(&trial->outcome, "needs %s", result->function);
        break;
    case RULE_OUT_OF_MEMORY:
        text_add_string(&trial->outcome, "out of memory");
        break;
    }
}

static struct rule *compile(struct trial *trial, enum way way, struct rule_fault *fault)
{
    const char *sql = text_string(&trial->statement);
    size_t length = trial->statement.length;
    if (way == PLAINLY)
        return rule_compile_plainly(sql, length, trial->version, fault);
    struct rule *rule = rule_compile(sql, length, trial->version, fault);
    if (way == AS_USED || !rule)
        return rule;
    struct text printed = {0};
    rule_print(rule, &printed);
    struct rule *again = rule_compile(text_string(&printed), printed.length, trial->version, fault);
    if (!again)
        print_error("printed as what does not parse: %s (%s)\n", text_string(&printed),
                    fault->message);
    else if (!rule_same(rule, again))
        print_error("printed as another statement: %s\n", text_string(&printed));
    bool same = again && rule_same(rule, again);
    text_free(&printed);
    rule_free(rule);
    assert_true(same);
    return again;
}

static void run_rule(struct trial *trial, enum way way, struct rule_scratch *scratch)
{
    struct rule_fault fault;
    struct rule *rule = compile(trial, way, &fault);
    if (!rule) {
        say_fault(trial, &fault);
        return;
    }
    struct rule_result result = {0};
    enum rule_outcome outcome =
        trial->expression ? rule_select(rule, scratch, &result) : rule_run(rule, scratch, &result);
    say_outcome(trial, outcome, &result);
    rule_free(rule);
}

static void run_template(struct trial *trial, struct rule_scratch *scratch)
{
    struct rule_fault fault;
    owned char *sql = must_format("%s SELECT * FROM '#'", trial->settings->set);
    struct rule *rule = rule_compile(sql, strlen(sql), trial->version, &fault);
    assert_non_null(rule);
    struct rule_template *template = rule_template_compile(
        text_string(&trial->statement), trial->statement.length, trial->version, rule, &fault);
    if (!template) {
        say_fault(trial, &fault);
        rule_free(rule);
        return;
    }
    struct rule_result result = {0};
    enum rule_outcome outcome = rule_template_run(template, scratch, &result);
    if (outcome == RULE_SELECTED)
        text_add(&trial->outcome, result.bytes, result.length);
    else
        say_outcome(trial, outcome, &result);
    rule_template_free(template);
    rule_free(rule);
}

static bool agrees(const char *expected, const char *outcome)
{
    regex_t regex;
    if (!begins_with(expected, "like "))
        return !strcmp(expected, outcome);
    assert_int_equal(regcomp(&regex, expected + strlen("like "), REG_EXTENDED | REG_NOSUB), 0);
    bool found = !regexec(&regex, outcome, 0, NULL, 0);
    regfree(&regex);
    return found;
}

/* The statement with its ends of lines; an expression becomes the only column of one. */
static void write_statement(struct trial *trial, const char *from, size_t length)
{
    static const char mark[] = "⏎";
    trial->expression = strncasecmp(from, "select", 6) != 0 && strncasecmp(from, "set ", 4) != 0 &&
                        strncasecmp(from, "update", 6) != 0 && !begins_with(from, "template: ") &&
                        length;
    if (begins_with(from, "template: ")) {
        from += strlen("template: ");
        length -= strlen("template: ");
    }
    if (trial->expression)
        text_add_string(&trial->statement, "SELECT ");
    for (size_t i = 0; i < length; i++) {
        bool end = !strncmp(from + i, mark, strlen(mark));
        text_add_char(&trial->statement, end ? '\n' : from[i]);
        i += end ? strlen(mark) - 1 : 0;
    }
    if (trial->expression)
        text_add_string(&trial->statement, " AS v FROM '#'");
}

static bool case_holds(const struct settings *settings, const char *line, size_t number,
                       enum way way)
{
    const char *expected = NULL;
    for (const char *at = line; (at = strstr(at, " => ")); at++)
        expected = at;
    if (!expected) {
        print_error("rule-cases.txt:%zu: no \" => \" in this line\n", number);
        return false;
    }
    struct trial trial = {.settings = settings};
    uint64_t random = number;
    struct header header;
    struct rule_message message = message_of(settings, &header, &random);
    struct rule_scratch *scratch = rule_scratch_new(0);
    assert_true(rule_version_read(settings->version, &trial.version));
    write_statement(&trial, line, (size_t)(expected - line));
    rule_begin(scratch, &message);
    if (begins_with(line, "template: "))
        run_template(&trial, scratch);
    else
        run_rule(&trial, way, scratch);
    bool holds = agrees(expected + strlen(" => "), text_string(&trial.outcome));
    if (!holds)
        print_error("rule-cases.txt:%zu: %.*s\n  expected: %s\n  got:      %s (%s)\n", number,
                    (int)(expected - line), line, expected + strlen(" => "),
                    text_string(&trial.outcome), ways[way]);
    text_free(&trial.statement);
    text_free(&trial.outcome);
    rule_scratch_free(scratch);
    return holds;
}

static void test_section(void **state)
{
    const struct section *section = *state;
    struct settings settings = usual;
    size_t cases = 0, failed = 0;
    for (size_t i = 0; i < section->count; i++) {
        const char *line = section->lines[i];
        if (*line == '@') {
            assert_true(change(&settings, line + 1));
            continue;
        }
        cases++;
        for (enum way way = AS_USED; way < WAYS; way++)
            failed += !case_holds(&settings, line, section->numbers[i], way);
    }
    assert_true(cases > 0);
    assert_int_equal(failed, 0);
}

static void test_there_are_enough(void **state)
{
    (void)state;
    size_t cases = 0;
    for (size_t i = 0; i < section_count; i++)
        for (size_t j = 0; j < sections[i].count; j++)
            cases += *sections[i].lines[j] != '@';
    assert_true(cases >= FEWEST_CASES);
}

static bool is_called(const char *function)
{
    owned char *call = must_format("%s(", function);
    for (size_t i = 0; i < section_count; i++)
        for (size_t j = 0; j < sections[i].count; j++)
            if (strcasestr(sections[i].lines[j], call))
                return true;
    return false;
}

static void test_every_function_is_called(void **state)
{
    (void)state;
    for (size_t i = 0; i < rule_function_count; i++)
        if (!is_called(rule_functions[i].name))
            fail_msg("no case calls %s()", rule_functions[i].name);
}

static void test_table_is_sorted(void **state)
{
    (void)state;
    for (size_t i = 0; i < rule_function_count; i++) {
        const struct rule_function *function = &rule_functions[i];
        assert_ptr_equal(rule_function_find(function->name, strlen(function->name)), function);
        assert_true(i == 0 || strcmp(function[-1].name, function->name) < 0);
        assert_true(!function->run == !!function->service);
    }
}

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(test_there_are_enough),
        cmocka_unit_test(test_every_function_is_called),
        cmocka_unit_test(test_table_is_sorted),
    };
    const size_t other_count = sizeof others / sizeof *others;
    read_cases();
    struct CMUnitTest *tests = must_array(section_count + other_count, sizeof *tests);
    for (size_t i = 0; i < section_count; i++)
        tests[i] = (struct CMUnitTest){
            .name = sections[i].name, .test_func = test_section, .initial_state = &sections[i]};
    memcpy(tests + section_count, others, sizeof others);
    int failed =
        _cmocka_run_group_tests("rule cases", tests, section_count + other_count, NULL, NULL);
    free(tests);
    free_cases();
    return failed;
}
