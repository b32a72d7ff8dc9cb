/* Compiles statements and templates: their clauses, the names of what is selected, the outline. */
#include "compile.h"
#include "common/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_VARIABLES = 10,  /* of a statement ("SET clause limits") */
    MOST_NAMES = 64,      /* of AS a.b.c */
    MOST_TREE = 64 << 20, /* bytes; the longest statements need less */
    MOST_CONSTANTS =
        1 << 20 /* bytes of folded values; when they are used up, nothing more is folded */
};

bool rule_version_read(const char *name, enum rule_version *version)
{
    bool newer = strcmp(name, "2016-03-23") == 0;
    *version = newer ? RULE_2016_03_23 : RULE_2015_10_08;
    return newer || strcmp(name, "2015-10-08") == 0;
}

const char *rule_version_name(enum rule_version version)
{
    return version == RULE_2016_03_23 ? "2016-03-23" : "2015-10-08";
}

/* --- beginning and ending --- */

static bool begin_program(struct compiler *compiler, const char *text, size_t length)
{
    struct program *program = compiler->program;
    size_t bad;
    program->memory.limit = MOST_TREE;
    program->constants.limit = MOST_CONSTANTS;
    if (length > RULE_LONGEST) {
        rule_fail(compiler, (struct word){WORD_WRONG, RULE_LONGEST, 1}, NULL,
                  "this is too long (at most %d bytes)", RULE_LONGEST);
        return false;
    }
    if (!utf8_valid(text, length, &bad)) {
        rule_fail(compiler, (struct word){WORD_WRONG, bad, 1}, NULL, "this is not UTF-8");
        return false;
    }
    const char *nul = memchr(text, '\0', length);
    if (nul) {
        rule_fail(compiler, (struct word){WORD_WRONG, (size_t)(nul - text), 1}, NULL,
                  "this is a NUL byte");
        return false;
    }
    char *copy = rule_keep(compiler, length + 1);
    if (!copy)
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    program->text = compiler->text = copy;
    program->length = compiler->length = length;
    return true;
}

/* A statement has at most one node for each of its bytes, so at least half of the table stays free.
 */
static bool begin_sharing(struct compiler *compiler)
{
    compiler->shared_size = 64;
    while (compiler->shared_size < compiler->length * 2)
        compiler->shared_size *= 2;
    compiler->shared = calloc(compiler->shared_size, sizeof *compiler->shared);
    compiler->folding = !compiler->plainly;
    return compiler->shared || rule_fail_memory(compiler);
}

static void end_compiler(struct compiler *compiler)
{
    free(compiler->shared);
    free(compiler->fields.at);
    free(compiler->reads.at);
    free(compiler->notes.at);
}

static void free_program(struct program *program)
{
    rule_regex_free(program->patterns);
    rule_memory_free(&program->memory);
    rule_memory_free(&program->constants);
}

/* --- what is selected --- */

/* The name of an item without AS: the field or variable, the last name of a path, the function of a
 * call; for anything else its own text. The guide's "SELECT clause" shows only fields. */
static struct name own_name(const struct compiler *compiler, const struct node *node,
                            const struct item *item)
{
    while (node && node->kind == NODE_PATH) {
        for (size_t i = node->path.count; i-- > 0;)
            if (node->path.steps[i].name.length)
                return node->path.steps[i].name;
        node = node->path.base;
    }
    if (node && node->kind == NODE_FIELD)
        return node->field;
    if (node && node->kind == NODE_VARIABLE) {
        struct name name = compiler->program->variables[node->variable].name;
        return (struct name){name.at + 1, name.length - 1}; /* without the @ */
    }
    if (node && node->kind == NODE_CALL)
        return (struct name){node->call.function->name, strlen(node->call.function->name)};
    return (struct name){compiler->text + item->offset, item->length};
}

/* Whether the current word is FROM with a topic filter after it, and not a name. */
static bool name_is_missing(const struct compiler *compiler)
{
    struct compiler ahead = *compiler;
    struct rule_fault ignored;
    ahead.fault = &ignored;
    if (!rule_is_word(compiler, "from"))
        return false;
    rule_next_word(&ahead);
    return ahead.word.kind == WORD_STRING;
}

/* After AS: one or more names with dots between them; each is a word or a string in quotes. */
static bool parse_alias(struct compiler *compiler, struct item *item)
{
    struct growing list = {0};
    if (name_is_missing(compiler)) {
        rule_expect(compiler, "a name", NULL);
        return false;
    }
    item->named = true;
    item->offset = compiler->word.offset;
    do {
        bool quoted = compiler->word.kind == WORD_STRING;
        if (compiler->word.kind != WORD_NAME && !quoted) {
            rule_expect(compiler, "a name", NULL);
            break;
        }
        struct name *name = rule_grow(compiler, &list, sizeof *name);
        if (!name)
            break;
        *name = quoted ? rule_string_of(compiler, compiler->word)
                       : rule_word_text(compiler, compiler->word);
        rule_next_word(compiler);
        if (list.count > MOST_NAMES)
            rule_fail(compiler, compiler->word, NULL, "this path is too long (at most %d names)",
                      MOST_NAMES);
    } while (rule_take_sign(compiler, "."));
    item->length = compiler->behind - item->offset;
    item->path_length = list.count;
    item->path = rule_settle_list(compiler, &list, sizeof(struct name));
    return item->path != NULL;
}

static bool name_item(struct compiler *compiler, struct item *item)
{
    struct name *name = rule_keep(compiler, sizeof *name);
    if (!name)
        return false;
    *name = own_name(compiler, item->value, item);
    item->path = name;
    item->path_length = 1;
    return true;
}

/* "name": as JSON, so that a run only has to copy it. */
static bool make_key(struct compiler *compiler, struct item *item)
{
    struct rule_output output = {.memory = &compiler->program->memory};
    struct rule_value name = rule_string(item->path[0].at, item->path[0].length);
    rule_json_write(&output, compiler->program->version, &name);
    rule_output_add(&output, ":", 1);
    item->key = (struct name){output.at, output.length};
    return !output.memory->failed || rule_fail_memory(compiler);
}

static const struct node *whole_node(struct compiler *compiler)
{
    struct node *node = rule_keep(compiler, sizeof *node);
    if (!node)
        return NULL;
    memset(node, 0, sizeof *node);
    node->kind = NODE_WHOLE;
    node->depends = RULE_ON_CHANCE; /* not shared: each nested SELECT has a row of its own */
    return rule_finish(compiler, node, compiler->word.offset);
}

/* expression [AS name], * or * AS name. */
static bool parse_item(struct compiler *compiler, struct item *item)
{
    item->offset = compiler->word.offset;
    bool all = rule_take_sign(compiler, "*");
    if (!all && !(item->value = rule_parse_expression(compiler)))
        return false;
    item->length = compiler->behind - item->offset;
    if (rule_take_word(compiler, "as")) {
        if (all && !(item->value = whole_node(compiler)))
            return false;
        return parse_alias(compiler, item) && make_key(compiler, item);
    }
    return all || (name_item(compiler, item) && make_key(compiler, item));
}

static int compare_items(const void *one, const void *other)
{
    const struct name *a = (*(const struct item *const *)one)->path;
    const struct name *b = (*(const struct item *const *)other)->path;
    if (a->length != b->length)
        return a->length < b->length ? -1 : 1;
    return memcmp(a->at, b->at, a->length);
}

/* See plain in tree.h. */
static bool is_plain(struct compiler *compiler, const struct select *select)
{
    for (size_t i = 0; i < select->item_count; i++)
        if (!select->items[i].value || select->items[i].path_length > 1)
            return false;
    const struct item **sorted = malloc((select->item_count + 1) * sizeof *sorted);
    if (!sorted)
        return rule_fail_memory(compiler);
    for (size_t i = 0; i < select->item_count; i++)
        sorted[i] = &select->items[i];
    qsort(sorted, select->item_count, sizeof *sorted, compare_items);
    bool plain = true;
    for (size_t i = 1; i < select->item_count; i++)
        plain &= compare_items(&sorted[i - 1], &sorted[i]) != 0;
    free(sorted);
    return plain;
}

static bool parse_items(struct compiler *compiler, struct select *select)
{
    struct growing list = {0};
    do {
        struct item item = {0};
        struct item *place =
            parse_item(compiler, &item) ? rule_grow(compiler, &list, sizeof *place) : NULL;
        if (!place)
            break;
        *place = item;
    } while (rule_take_sign(compiler, ","));
    select->item_count = list.count;
    select->items = rule_settle_list(compiler, &list, sizeof(struct item));
    if (!select->items)
        return false;
    select->plain = is_plain(compiler, select);
    return !compiler->failed;
}

/* VALUE is a keyword, and a likely name of a field. It is the keyword when an expression begins
 * after it, and a field before an operator, a comma, a dot, AS, FROM or the end. Before "*" it is
 * the keyword when nothing is multiplied; before "[" when a blank is between. */
static bool value_is_word(const struct compiler *compiler)
{
    static const char *const after_a_field[] = {"from", "as", "where", "and", "or", "in"};
    struct compiler ahead = *compiler;
    struct rule_fault ignored;
    ahead.fault = &ignored;
    if (!rule_is_word(compiler, "value"))
        return false;
    rule_next_word(&ahead);
    for (size_t i = 0; i < sizeof after_a_field / sizeof *after_a_field; i++)
        if (rule_is_word(&ahead, after_a_field[i]))
            return false;
    if (rule_is_word(&ahead, "not")) {
        rule_next_word(&ahead);
        return !rule_is_word(&ahead, "in");
    }
    if (rule_is_sign(&ahead, "[")) /* value[0] is a field; in VALUE [a, b] it is the keyword */
        return ahead.word.offset > ahead.behind;
    if (rule_take_sign(&ahead, "*"))
        return ahead.word.kind == WORD_END || rule_is_word(&ahead, "from") ||
               rule_is_word(&ahead, "where") || rule_is_sign(&ahead, ",") ||
               rule_is_sign(&ahead, ")") || rule_is_word(&ahead, "as");
    return (ahead.word.kind != WORD_END && ahead.word.kind != WORD_SIGN) ||
           rule_is_sign(&ahead, "(") || rule_is_sign(&ahead, "{");
}

/* --- FROM and WHERE --- */

/* MQTT 3.1.1, 4.7: not empty; # and + are whole levels, and # is the last one. */
static bool check_filter(struct compiler *compiler, struct word word, const char *filter)
{
    if (!*filter) {
        rule_fail(compiler, word, NULL, "a topic filter has at least one character");
        return false;
    }
    for (const char *at = filter; *at; at++) {
        bool first = at == filter || at[-1] == '/';
        if (*at == '#' && (!first || at[1])) {
            rule_fail(compiler, word, NULL, "# must be the whole last level of a topic filter");
            return false;
        }
        if (*at == '+' && (!first || (at[1] && at[1] != '/'))) {
            rule_fail(compiler, word, NULL, "+ must be a whole level of a topic filter");
            return false;
        }
    }
    return true;
}

static bool parse_filter(struct compiler *compiler, struct select *select)
{
    struct word word = compiler->word;
    if (word.kind != WORD_STRING) {
        rule_expect(compiler, "a topic filter in quotes", NULL);
        return false;
    }
    struct name inside = rule_string_of(compiler, word);
    char *filter = rule_keep(compiler, inside.length + 1);
    if (!filter)
        return false;
    memcpy(filter, inside.at, inside.length);
    filter[inside.length] = '\0';
    select->filter = filter;
    select->plain_levels = strcspn(filter, "+#");
    if (select->plain_levels && filter[select->plain_levels])
        select->plain_levels--; /* without the "/", since a/# matches a */
    rule_next_word(compiler);
    return check_filter(compiler, word, filter);
}

/* FROM source [AS name] of a nested SELECT. */
static bool parse_source(struct compiler *compiler, struct select *select)
{
    select->source = rule_parse_source(compiler);
    if (!select->source || !rule_take_word(compiler, "as"))
        return select->source != NULL;
    if (compiler->word.kind != WORD_NAME || rule_is_keyword(compiler)) {
        rule_expect(compiler, "a name for the items of the array", NULL);
        return false;
    }
    select->alias = rule_word_text(compiler, compiler->word);
    rule_next_word(compiler);
    return true;
}

static bool parse_from(struct compiler *compiler, struct select *select,
                       struct rule_outline *outline)
{
    if (!rule_take_word(compiler, "from")) {
        if (!compiler->nested || compiler->failed)
            return !compiler->failed;
        rule_expect(compiler, "FROM and an array or object", NULL);
        return false;
    }
    if (compiler->nested)
        return parse_source(compiler, select);
    size_t inside = compiler->word.offset + 1;
    if (!parse_filter(compiler, select))
        return false;
    outline->has_filter = true;
    outline->filter = (struct rule_span){inside, compiler->behind - 1 - inside};
    return true;
}

bool rule_parse_select(struct compiler *compiler, struct select *select,
                       struct rule_outline *outline)
{
    if (!rule_take_word(compiler, "select")) {
        rule_fail(compiler, compiler->word, NULL, "a statement begins with SELECT or SET");
        return false;
    }
    if (value_is_word(compiler)) {
        select->value = true;
        if (outline)
            outline->value_word = (struct rule_span){compiler->word.offset, compiler->word.length};
        rule_next_word(compiler);
    }
    size_t from = compiler->word.offset;
    if (!parse_items(compiler, select))
        return false;
    if (outline)
        outline->list = (struct rule_span){from, compiler->behind - from};
    if (select->value && (select->item_count > 1 || select->items[0].named)) {
        const struct item *wrong = &select->items[select->items[0].named ? 0 : 1];
        rule_fail(compiler, (struct word){WORD_NAME, wrong->offset, wrong->length}, NULL,
                  "SELECT VALUE takes one expression, without a name");
        return false;
    }
    if (!parse_from(compiler, select, outline))
        return false;
    if (!rule_take_word(compiler, "where"))
        return !compiler->failed;
    from = compiler->word.offset;
    select->condition = rule_parse_expression(compiler);
    if (outline && select->condition)
        outline->condition = (struct rule_span){from, compiler->behind - from};
    return select->condition != NULL;
}

/* --- SET --- */

static bool parse_variable(struct compiler *compiler, struct variable *variables, uint32_t count)
{
    struct word word = compiler->word;
    struct name name = rule_word_text(compiler, word);
    if (word.kind != WORD_VARIABLE) {
        rule_expect(compiler, "a variable", "SET @name = expression");
        return false;
    }
    for (uint32_t i = 0; i < count; i++)
        if (rule_same_names(variables[i].name, name)) {
            rule_fail(compiler, word, NULL, "%.*s is set already; a variable is set once",
                      (int)name.length, name.at);
            return false;
        }
    if (count == MOST_VARIABLES) {
        rule_fail(compiler, word, NULL, "a statement has at most %d variables", MOST_VARIABLES);
        return false;
    }
    rule_next_word(compiler);
    if (!rule_take_sign(compiler, "=")) {
        rule_expect(compiler, "\"=\"", NULL);
        return false;
    }
    variables[count] = (struct variable){name, rule_parse_expression(compiler)};
    return variables[count].value != NULL;
}

/* SET @name = expression, ...: each variable can use those before it. */
static bool parse_set(struct compiler *compiler, struct rule_outline *outline)
{
    struct program *program = compiler->program;
    struct variable *variables = rule_keep(compiler, MOST_VARIABLES * sizeof *variables);
    size_t from = compiler->word.offset;
    if (!variables)
        return false;
    program->variables = variables;
    rule_next_word(compiler);
    do {
        if (!parse_variable(compiler, variables, program->variable_count))
            return false;
        program->variable_count++;
    } while (rule_take_sign(compiler, ","));
    outline->set = (struct rule_span){from, compiler->word.offset - from};
    if (compiler->failed || rule_is_word(compiler, "select"))
        return !compiler->failed;
    if (rule_is_word(compiler, "set"))
        rule_fail(compiler, compiler->word, "separate the variables with commas",
                  "SET stands once, before SELECT");
    else
        rule_expect(compiler, "a comma, an operator or SELECT", NULL);
    return false;
}

/* --- the outline --- */

static bool make_columns(struct compiler *compiler, const struct select *select,
                         struct rule_outline *outline)
{
    struct rule_column *columns = rule_keep(compiler, select->item_count * sizeof *columns);
    outline->columns = columns;
    for (size_t i = 0; columns && i < select->item_count; i++) {
        const struct item *item = &select->items[i];
        if (!item->path)
            outline->whole = true;
        else if (!select->value)
            columns[outline->column_count++] = (struct rule_column){
                item->path[0].at, item->path[0].length, {item->offset, item->length}};
    }
    return columns != NULL;
}

static bool make_outline(struct compiler *compiler, struct rule *rule)
{
    struct rule_outline *outline = &rule->outline;
    outline->value = rule->select.value;
    outline->field_count = compiler->fields.count;
    outline->fields = rule_settle_list(compiler, &compiler->fields, sizeof(struct rule_span));
    outline->note_count = compiler->notes.count;
    outline->notes = rule_settle_list(compiler, &compiler->notes, sizeof(struct rule_note));
    return outline->fields && outline->notes && make_columns(compiler, &rule->select, outline);
}

/* --- statements --- */

static void no_memory(struct rule_fault *fault)
{
    *fault = (struct rule_fault){.length = 1};
    snprintf(fault->message, sizeof fault->message, "out of memory while compiling this statement");
}

static bool compile_statement(struct compiler *compiler, struct rule *rule, const char *sql,
                              size_t length)
{
    if (!begin_program(compiler, sql, length) || !begin_sharing(compiler))
        return false;
    rule_next_word(compiler);
    if (rule_is_word(compiler, "set") && !parse_set(compiler, &rule->outline))
        return false;
    if (!rule_parse_select(compiler, &rule->select, &rule->outline))
        return false;
    if (compiler->word.kind != WORD_END) {
        rule_expect(compiler,
                    rule->select.condition     ? "an operator or the end"
                    : rule->outline.has_filter ? "WHERE or the end"
                                               : "a comma, AS, FROM or the end",
                    NULL);
        return false;
    }
    rule_give_slots(compiler);
    return make_outline(compiler, rule);
}

static struct rule *compile(const char *sql, size_t length, enum rule_version version, bool plainly,
                            struct rule_fault *fault)
{
    struct rule *rule = calloc(1, sizeof *rule);
    if (!rule) {
        no_memory(fault);
        return NULL;
    }
    rule->program.version = version;
    struct compiler compiler = {.program = &rule->program, .plainly = plainly, .fault = fault};
    bool compiled = compile_statement(&compiler, rule, sql, length);
    end_compiler(&compiler);
    if (compiled)
        return rule;
    rule_free(rule);
    return NULL;
}

struct rule *rule_compile(const char *sql, size_t length, enum rule_version version,
                          struct rule_fault *fault)
{
    return compile(sql, length, version, false, fault);
}

struct rule *rule_compile_plainly(const char *sql, size_t length, enum rule_version version,
                                  struct rule_fault *fault)
{
    return compile(sql, length, version, true, fault);
}

void rule_free(struct rule *rule)
{
    if (rule)
        free_program(&rule->program);
    free(rule);
}

const struct rule_outline *rule_outline(const struct rule *rule)
{
    return &rule->outline;
}

const char *rule_filter(const struct rule *rule)
{
    return rule->select.filter;
}

enum rule_version rule_version_of(const struct rule *rule)
{
    return rule->program.version;
}

/* --- templates --- */

/* ${expression}. A string or an object in it can contain "}", so its end is found by parsing it. */
static bool parse_placeholder(struct compiler *compiler, struct growing *parts, size_t begin)
{
    compiler->at = begin + 2;
    rule_next_word(compiler);
    const struct node *value = rule_parse_expression(compiler);
    if (!value)
        return false;
    if (!rule_is_sign(compiler, "}")) {
        rule_expect(compiler, "\"}\"", NULL);
        return false;
    }
    struct part *part = rule_grow(compiler, parts, sizeof *part);
    if (part)
        part->value = value;
    return part != NULL;
}

static bool add_text(struct compiler *compiler, struct growing *parts, size_t from, size_t to)
{
    struct part *part = from < to ? rule_grow(compiler, parts, sizeof *part) : NULL;
    if (part)
        part->text = (struct name){compiler->text + from, to - from};
    return !compiler->failed;
}

static bool parse_parts(struct compiler *compiler, struct growing *parts)
{
    size_t at = 0;
    for (;;) {
        const char *found = strstr(compiler->text + at, "${");
        size_t begin = found ? (size_t)(found - compiler->text) : compiler->length;
        if (!add_text(compiler, parts, at, begin))
            return false;
        if (!found)
            return true;
        if (!parse_placeholder(compiler, parts, begin))
            return false;
        at = compiler->word.offset + 1;
    }
}

static bool compile_template(struct compiler *compiler, struct rule_template *template,
                             const char *text, size_t length)
{
    struct growing parts = {0};
    if (!begin_program(compiler, text, length) || !begin_sharing(compiler))
        return false;
    bool parsed = parse_parts(compiler, &parts);
    template->count = parts.count;
    template->parts = rule_settle_list(compiler, &parts, sizeof(struct part));
    rule_give_slots(compiler);
    return parsed && template->parts;
}

struct rule_template *rule_template_compile(const char *text, size_t length,
                                            enum rule_version version, const struct rule *rule,
                                            struct rule_fault *fault)
{
    struct rule_template *template = calloc(1, sizeof *template);
    if (!template) {
        no_memory(fault);
        return NULL;
    }
    template->program.version = version;
    template->rule = rule;
    if (rule) {
        template->program.variables = rule->program.variables;
        template->program.variable_count = rule->program.variable_count;
    }
    struct compiler compiler = {.program = &template->program, .fault = fault};
    bool compiled = compile_template(&compiler, template, text, length);
    end_compiler(&compiler);
    if (compiled)
        return template;
    rule_template_free(template);
    return NULL;
}

void rule_template_free(struct rule_template *template)
{
    if (template)
        free_program(&template->program);
    free(template);
}
