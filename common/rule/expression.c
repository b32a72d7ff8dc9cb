/* Parses expressions by recursive descent, one level of operators after the other, from those that
 * bind least: OR, AND, NOT, comparisons and IN, + - ||, * / %, minus before one operand, paths.
 * This is the precedence of SQL. The guide's "Operators" states none; its examples need this one:
 * (temperature - 32) * 5 / 9.
 *
 * Not in the guide, and accepted: || (joins strings), NOT IN, a list behind IN, CASE WHEN
 * condition. */
#include "compile.h"
#include "common/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct node *parse_level(struct compiler *compiler, enum level level);

struct node *rule_new_node(struct compiler *compiler, enum node_kind kind)
{
    struct node *node = rule_keep(compiler, sizeof *node);
    if (node) {
        memset(node, 0, sizeof *node);
        node->kind = kind;
    }
    return node;
}

bool rule_deeper(struct compiler *compiler)
{
    if (compiler->failed)
        return false;
    if (compiler->depth == RULE_DEEPEST) {
        rule_fail(compiler, compiler->word, NULL, "this is nested too deeply (at most %d levels)",
                  RULE_DEEPEST);
        return false;
    }
    compiler->depth++;
    return true;
}

bool rule_need_version(struct compiler *compiler, struct word word, const char *what)
{
    if (compiler->program->version != RULE_2015_10_08)
        return true;
    rule_fail(compiler, word, "set the SQL version to 2016-03-23",
              "%s needs SQL version 2016-03-23", what);
    return false;
}

/* --- constants and names --- */

const struct node *rule_new_constant(struct compiler *compiler, struct rule_value value,
                                     size_t from)
{
    struct node *node = rule_new_node(compiler, NODE_CONSTANT);
    if (!node)
        return NULL;
    node->value = value;
    return rule_finish(compiler, node, from);
}

static const struct node *parse_number(struct compiler *compiler)
{
    struct word word = compiler->word;
    struct name text = rule_word_text(compiler, word);
    struct rule_decimal decimal;
    int64_t integer;
    char plain[64];
    size_t length = 0;
    for (size_t i = 0; i < text.length && length < sizeof plain; i++)
        if (text.at[i] != '+')
            plain[length++] = text.at[i];
    if (length == sizeof plain)
        return rule_fail(compiler, word, NULL, "this number is too long (a number has 34 digits)");
    if (!rule_decimal_read(plain, length, &decimal))
        return rule_fail(compiler, word, NULL,
                         "this number is out of range (at most 9.99E999, at least 1E-999)");
    bool whole =
        !memchr(plain, '.', length) && !memchr(plain, 'e', length) && !memchr(plain, 'E', length);
    rule_next_word(compiler);
    return rule_new_constant(
        compiler,
        whole && rule_decimal_to_int(decimal, &integer) ? rule_int(integer) : rule_decimal(decimal),
        word.offset);
}

static const struct node *parse_text(struct compiler *compiler)
{
    struct word word = compiler->word;
    struct name inside = rule_string_of(compiler, word);
    rule_next_word(compiler);
    return rule_new_constant(compiler, rule_string(inside.at, inside.length), word.offset);
}

static void add_span(struct compiler *compiler, struct growing *list, struct word word)
{
    struct rule_span *span = rule_grow(compiler, list, sizeof *span);
    if (span)
        *span = (struct rule_span){word.offset, word.length};
}

/* The span that was added as the count-th ends there now. */
static void lengthen_span(struct compiler *compiler, struct growing *list, size_t count, size_t end)
{
    struct rule_span *span = list->at;
    if (compiler->failed || !count)
        return;
    span += count - 1;
    span->length = end - span->offset;
}

static const struct node *unknown_variable(struct compiler *compiler, struct name name)
{
    const struct program *program = compiler->program;
    for (uint32_t i = 0; i < program->variable_count; i++)
        if (program->variables[i].name.length == name.length &&
            strncasecmp(program->variables[i].name.at, name.at, name.length) == 0)
            return rule_fail(compiler, compiler->word, "upper and lower case are different",
                             "there is no variable %.*s", (int)name.length, name.at);
    return rule_fail(compiler, compiler->word,
                     "a variable is set before SELECT, and before it is used: SET @name = ...",
                     "there is no variable %.*s", (int)name.length, name.at);
}

/* A variable has one value for each message, even if its expression (rand()) gives another result
 * each time. */
static const struct node *parse_variable(struct compiler *compiler)
{
    struct word word = compiler->word;
    struct name name = rule_word_text(compiler, word);
    const struct program *program = compiler->program;
    uint32_t which = 0;
    while (which < program->variable_count &&
           !rule_same_names(program->variables[which].name, name))
        which++;
    if (which == program->variable_count)
        return unknown_variable(compiler, name);
    struct node *node = rule_new_node(compiler, NODE_VARIABLE);
    add_span(compiler, &compiler->reads, word);
    rule_next_word(compiler);
    if (!node)
        return NULL;
    node->variable = which;
    node->constant = program->variables[which].value->constant;
    node->depends = RULE_ON_MESSAGE;
    return rule_finish(compiler, node, word.offset);
}

static const struct node *parse_field(struct compiler *compiler)
{
    struct word word = compiler->word;
    if (!compiler->nested)
        add_span(compiler, &compiler->fields, word);
    add_span(compiler, &compiler->reads, word);
    struct node *node = rule_new_node(compiler, NODE_FIELD);
    rule_next_word(compiler);
    if (!node)
        return NULL;
    node->field = rule_word_text(compiler, word);
    node->depends = RULE_ON_MESSAGE;
    return rule_finish(compiler, node, word.offset);
}

/* --- lists --- */

/* expression, expression, ... The closing sign is not consumed. */
static const struct node *const *parse_list(struct compiler *compiler, const char *close,
                                            size_t *count, enum rule_dependence *depends)
{
    struct growing list = {0};
    if (!rule_is_sign(compiler, close)) {
        do {
            const struct node *item = rule_parse_expression(compiler);
            const struct node **place = item ? rule_grow(compiler, &list, sizeof *place) : NULL;
            if (!place)
                break;
            *place = item;
            *depends = rule_most(*depends, item->depends);
        } while (rule_take_sign(compiler, ","));
    }
    *count = list.count;
    return rule_settle_list(compiler, &list, sizeof(const struct node *));
}

static const struct node *parse_items(struct compiler *compiler, enum node_kind kind,
                                      const char *close)
{
    struct word open = compiler->word;
    struct node *node = rule_new_node(compiler, kind);
    if (!node || !rule_deeper(compiler))
        return NULL;
    rule_next_word(compiler);
    node->array.items = parse_list(compiler, close, &node->array.count, &node->depends);
    if (!rule_take_sign(compiler, close))
        return rule_expect(compiler, kind == NODE_LIST ? "\",\" or \")\"" : "\",\" or \"]\"", NULL);
    compiler->depth--;
    return rule_finish(compiler, node, open.offset);
}

static bool parse_entry(struct compiler *compiler, struct node *node, struct growing *list)
{
    struct word key = compiler->word;
    if (key.kind != WORD_STRING) {
        rule_expect(compiler, "a key in quotes", NULL);
        return false;
    }
    struct name name = rule_string_of(compiler, key);
    rule_next_word(compiler);
    if (!rule_take_sign(compiler, ":")) {
        rule_expect(compiler, "\":\"", NULL);
        return false;
    }
    const struct node *value = rule_parse_expression(compiler);
    struct entry *entry = value ? rule_grow(compiler, list, sizeof *entry) : NULL;
    if (!entry)
        return false;
    *entry = (struct entry){name, value};
    node->depends = rule_most(node->depends, value->depends);
    return true;
}

static const struct node *parse_object(struct compiler *compiler)
{
    struct word open = compiler->word;
    struct growing list = {0};
    struct node *node = rule_new_node(compiler, NODE_OBJECT);
    if (!node || !rule_need_version(compiler, open, "an object written in a statement") ||
        !rule_deeper(compiler))
        return NULL;
    rule_next_word(compiler);
    if (!rule_is_sign(compiler, "}"))
        while (parse_entry(compiler, node, &list) && rule_take_sign(compiler, ","))
            ;
    node->object.count = list.count;
    node->object.entries = rule_settle_list(compiler, &list, sizeof(struct entry));
    if (!rule_take_sign(compiler, "}"))
        return rule_expect(compiler, "\",\" or \"}\"", NULL);
    compiler->depth--;
    return rule_finish(compiler, node, open.offset);
}

/* --- CASE, nested SELECT, EXISTS --- */

static bool parse_branch(struct compiler *compiler, struct node *node, struct growing *list)
{
    const struct node *when = rule_parse_expression(compiler);
    if (!when || !rule_take_word(compiler, "then")) {
        rule_expect(compiler, "THEN", NULL);
        return false;
    }
    const struct node *then = rule_parse_expression(compiler);
    struct branch *branch = then ? rule_grow(compiler, list, sizeof *branch) : NULL;
    if (!branch)
        return false;
    *branch = (struct branch){when, then};
    node->depends = rule_most(node->depends, rule_most(when->depends, then->depends));
    return true;
}

static bool is_true(const struct node *node)
{
    return node->constant && node->constant->kind == RULE_BOOLEAN && node->constant->boolean;
}

/* See not_true in tree.h. */
static const struct node *find_not_true(const struct node *node)
{
    const struct node *subject = node->choice.subject, *otherwise = node->choice.otherwise;
    if (!subject || !otherwise || subject->kind != NODE_CALL || !subject->call.fits ||
        strcmp(subject->call.function->name, "isundefined") != 0 || node->choice.count != 1 ||
        !is_true(node->choice.branches[0].when) || !is_true(node->choice.branches[0].then) ||
        otherwise->kind != NODE_NOT || subject->call.arguments[0] != otherwise)
        return NULL;
    return otherwise->operand;
}

static const struct node *parse_case(struct compiler *compiler)
{
    struct word word = compiler->word;
    struct node *node = rule_new_node(compiler, NODE_CASE);
    struct growing list = {0};
    if (!node || !rule_deeper(compiler))
        return NULL;
    rule_next_word(compiler);
    if (!rule_is_word(compiler, "when")) {
        node->choice.subject = rule_parse_expression(compiler);
        if (!node->choice.subject)
            return NULL;
        node->depends = node->choice.subject->depends;
    }
    if (!rule_is_word(compiler, "when"))
        return rule_expect(compiler, "WHEN", NULL);
    while (rule_take_word(compiler, "when"))
        if (!parse_branch(compiler, node, &list))
            break;
    node->choice.count = list.count;
    node->choice.branches = rule_settle_list(compiler, &list, sizeof(struct branch));
    if (rule_take_word(compiler, "else")) {
        node->choice.otherwise = rule_parse_expression(compiler);
        if (!node->choice.otherwise)
            return NULL;
        node->depends = rule_most(node->depends, node->choice.otherwise->depends);
    }
    if (!rule_take_word(compiler, "end"))
        return rule_expect(compiler, "WHEN, ELSE or END", NULL);
    compiler->depth--;
    if (!compiler->failed)
        node->choice.not_true = find_not_true(node);
    return rule_finish(compiler, node, word.offset);
}

/* The opening bracket is consumed, the current word is SELECT. A nested SELECT may contain rand()
 * or newuuid(), so it is neither evaluated while compiling nor shared. */
static const struct node *parse_nested(struct compiler *compiler, size_t from)
{
    struct node *node = rule_new_node(compiler, NODE_SELECT);
    struct select *select = rule_keep(compiler, sizeof *select);
    if (!node || !select || !rule_need_version(compiler, compiler->word, "a nested SELECT"))
        return NULL;
    memset(select, 0, sizeof *select);
    compiler->nested++;
    bool parsed = rule_parse_select(compiler, select, NULL);
    compiler->nested--;
    if (!parsed)
        return NULL;
    if (!rule_take_sign(compiler, ")"))
        return rule_expect(compiler, "\")\"", NULL);
    node->select = select;
    node->depends = RULE_ON_CHANCE;
    return rule_finish(compiler, node, from);
}

static const struct node *parse_brackets(struct compiler *compiler)
{
    struct word open = compiler->word;
    if (!rule_deeper(compiler))
        return NULL;
    rule_next_word(compiler);
    const struct node *inside;
    if (rule_is_word(compiler, "select")) {
        inside = parse_nested(compiler, open.offset);
    } else {
        inside = rule_parse_expression(compiler);
        if (inside && !rule_take_sign(compiler, ")"))
            return rule_expect(compiler, "\")\"", NULL);
    }
    compiler->depth--;
    return inside;
}

static const struct node *parse_exists(struct compiler *compiler)
{
    struct word word = compiler->word;
    struct node *node = rule_new_node(compiler, NODE_EXISTS);
    rule_next_word(compiler);
    if (!node || !rule_is_sign(compiler, "("))
        return rule_expect(compiler, "(SELECT ...)", NULL);
    node->operand = parse_brackets(compiler);
    if (!node->operand)
        return NULL;
    node->depends = node->operand->depends;
    return rule_finish(compiler, node, word.offset);
}

/* --- primaries and paths --- */

static const struct node *parse_keyword(struct compiler *compiler)
{
    struct word word = compiler->word;
    if (rule_is_word(compiler, "case"))
        return parse_case(compiler);
    if (rule_is_word(compiler, "exists"))
        return parse_exists(compiler);
    struct rule_value value;
    if (rule_is_word(compiler, "true"))
        value = rule_boolean(true);
    else if (rule_is_word(compiler, "false"))
        value = rule_boolean(false);
    else if (rule_is_word(compiler, "null"))
        value = rule_null();
    else if (rule_is_word(compiler, "undefined"))
        value = rule_undefined();
    else
        return rule_expect(compiler, "an expression", NULL);
    rule_next_word(compiler);
    return rule_new_constant(compiler, value, word.offset);
}

static const struct node *parse_name(struct compiler *compiler)
{
    struct word name = compiler->word;
    if (rule_is_keyword(compiler))
        return parse_keyword(compiler);
    size_t at = compiler->at;
    rule_next_word(compiler);
    if (rule_is_sign(compiler, "("))
        return rule_parse_call(compiler, name);
    compiler->word = name;
    compiler->at = at;
    return parse_field(compiler);
}

static const struct node *parse_primary(struct compiler *compiler)
{
    if (compiler->failed)
        return NULL;
    switch (compiler->word.kind) {
    case WORD_NAME:
        return parse_name(compiler);
    case WORD_VARIABLE:
        return parse_variable(compiler);
    case WORD_NUMBER:
        return parse_number(compiler);
    case WORD_STRING:
        return parse_text(compiler);
    default:
        break;
    }
    if (rule_is_sign(compiler, "("))
        return parse_brackets(compiler);
    if (rule_is_sign(compiler, "{"))
        return parse_object(compiler);
    if (rule_is_sign(compiler, "[")) {
        if (!rule_need_version(compiler, compiler->word, "an array written in a statement"))
            return NULL;
        return parse_items(compiler, NODE_ARRAY, "]");
    }
    return rule_expect(compiler, "an expression", NULL);
}

static bool parse_step(struct compiler *compiler, struct node *node, struct growing *list)
{
    struct step step = {0};
    if (rule_take_sign(compiler, ".")) {
        if (compiler->word.kind != WORD_NAME) {
            rule_expect(compiler, "a name", "get(object, 'name') reads members with other names");
            return false;
        }
        step.name = rule_word_text(compiler, compiler->word);
        rule_next_word(compiler);
    } else {
        if (!rule_deeper(compiler))
            return false;
        rule_next_word(compiler);
        step.index = rule_parse_expression(compiler);
        if (!step.index || !rule_take_sign(compiler, "]")) {
            rule_expect(compiler, "\"]\"", NULL);
            return false;
        }
        compiler->depth--;
        node->depends = rule_most(node->depends, step.index->depends);
    }
    struct step *place = compiler->failed ? NULL : rule_grow(compiler, list, sizeof *place);
    if (place)
        *place = step;
    return place != NULL;
}

static const struct node *parse_path(struct compiler *compiler)
{
    size_t from = compiler->word.offset;
    const struct node *base = parse_primary(compiler);
    if (!base || !(rule_is_sign(compiler, ".") || rule_is_sign(compiler, "[")))
        return base;
    struct growing list = {0};
    struct node *node = rule_new_node(compiler, NODE_PATH);
    if (!node)
        return NULL;
    node->path.base = base;
    node->depends = base->depends;
    size_t base_read = compiler->reads.count;
    while ((rule_is_sign(compiler, ".") || rule_is_sign(compiler, "[")) &&
           parse_step(compiler, node, &list))
        ;
    if (base->kind == NODE_FIELD || base->kind == NODE_VARIABLE)
        lengthen_span(compiler, &compiler->reads, base_read, compiler->behind);
    node->path.count = list.count;
    node->path.steps = rule_settle_list(compiler, &list, sizeof(struct step));
    return compiler->failed ? NULL : rule_finish(compiler, node, from);
}

const struct node *rule_parse_source(struct compiler *compiler)
{
    return parse_path(compiler);
}

/* --- operators --- */

static bool take_operator(struct compiler *compiler, enum level level, enum operation *found)
{
    if (level == LEVEL_COMPARE && rule_is_word(compiler, "not")) {
        rule_next_word(compiler);
        if (!rule_take_word(compiler, "in"))
            rule_expect(compiler, "IN", NULL);
        *found = OPERATION_NOT_IN;
        return !compiler->failed;
    }
    for (enum operation i = 0; i < OPERATIONS; i++) {
        const char *text = rule_operation_text(i);
        if (rule_operation_level(i) == level && i != OPERATION_NOT_IN &&
            (rule_take_word(compiler, text) || rule_take_sign(compiler, text))) {
            *found = i;
            return true;
        }
    }
    return false;
}

/* Behind IN: (a, b, c), or a value that is an array. */
static const struct node *parse_members(struct compiler *compiler)
{
    if (!rule_is_sign(compiler, "("))
        return parse_level(compiler, LEVEL_SUM);
    size_t at = compiler->at;
    struct word open = compiler->word;
    rule_next_word(compiler);
    bool select = rule_is_word(compiler, "select");
    compiler->word = open;
    compiler->at = at;
    return select ? parse_level(compiler, LEVEL_SUM) : parse_items(compiler, NODE_LIST, ")");
}

/* Compares nodes by their address: equal nodes are one node. Where nothing is shared (compiled
 * plainly) the chain is a plain comparison, with the same result. */
static enum shape shape_of(const struct node *node)
{
    const struct link *link = node->chain.links;
    if (rule_operation_level(link->operation) <= LEVEL_AND)
        return SHAPE_LOGIC;
    if (node->chain.count > 1 || rule_operation_level(link->operation) != LEVEL_COMPARE)
        return SHAPE_OTHER;
    const struct node *left = node->chain.first;
    if (link->operation != OPERATION_EQUAL || left->kind != NODE_CHAIN || left->chain.count > 1 ||
        left->chain.first != link->operand)
        return SHAPE_COMPARISON;
    enum operation inner = left->chain.links[0].operation;
    const struct rule_value *constant = left->chain.links[0].operand->constant;
    if (!constant)
        return SHAPE_COMPARISON;
    if (inner == OPERATION_SUBTRACT && constant->kind == RULE_INT && !constant->integer)
        return SHAPE_IS_NUMBER;
    if (inner == OPERATION_ADD && constant->kind == RULE_STRING && !constant->string.length)
        return SHAPE_IS_STRING;
    return SHAPE_COMPARISON;
}

static void add_place(struct compiler *compiler, struct growing *list, size_t number)
{
    size_t *place = rule_grow(compiler, list, sizeof *place);
    if (place)
        *place = number;
}

/* first_reads: where the part of compiler->reads begins that first reads. */
static const struct node *parse_chain(struct compiler *compiler, const struct node *first,
                                      enum level level, size_t from, size_t first_reads)
{
    enum operation operation;
    struct growing list = {0}, begins = {0};
    struct node *node = NULL;
    while (!compiler->failed && take_operator(compiler, level, &operation)) {
        if (level == LEVEL_OR && !begins.count)
            add_place(compiler, &begins, first_reads);
        if (level == LEVEL_OR)
            add_place(compiler, &begins, compiler->reads.count);
        bool members = operation == OPERATION_IN || operation == OPERATION_NOT_IN;
        const struct node *operand =
            members ? parse_members(compiler) : parse_level(compiler, level + 1);
        struct link *link = operand ? rule_grow(compiler, &list, sizeof *link) : NULL;
        if (!node)
            node = rule_new_node(compiler, NODE_CHAIN);
        if (!node || !link)
            break;
        *link = (struct link){operation, operand};
        node->depends = rule_most(node->depends, rule_most(first->depends, operand->depends));
    }
    if (node) {
        node->chain.first = first;
        node->chain.count = list.count;
        node->chain.links = rule_settle_list(compiler, &list, sizeof(struct link));
    }
    if (level == LEVEL_OR && node)
        add_place(compiler, &begins, compiler->reads.count);
    if (node && !compiler->failed) {
        node->chain.shape = shape_of(node);
        if (level == LEVEL_OR)
            rule_check_or(compiler, node, begins.at);
    }
    free(list.at);
    free(begins.at);
    if (compiler->failed)
        return NULL;
    return node ? rule_finish(compiler, node, from) : first;
}

static const struct node *parse_prefix(struct compiler *compiler, enum level level)
{
    bool negate = level == LEVEL_NEGATE;
    size_t from = compiler->word.offset;
    if (!(negate ? rule_is_sign(compiler, "-") : rule_is_word(compiler, "not")))
        return parse_level(compiler, level + 1);
    struct node *node = rule_new_node(compiler, negate ? NODE_NEGATE : NODE_NOT);
    if (!node || !rule_deeper(compiler))
        return NULL;
    rule_next_word(compiler);
    node->operand = parse_prefix(compiler, level);
    if (!node->operand)
        return NULL;
    compiler->depth--;
    node->depends = node->operand->depends;
    return rule_finish(compiler, node, from);
}

static const struct node *parse_level(struct compiler *compiler, enum level level)
{
    if (compiler->failed)
        return NULL;
    if (level == LEVEL_PRIMARY)
        return parse_path(compiler);
    if (level == LEVEL_NOT || level == LEVEL_NEGATE)
        return parse_prefix(compiler, level);
    size_t from = compiler->word.offset, reads = compiler->reads.count;
    const struct node *first = parse_level(compiler, level + 1);
    return first ? parse_chain(compiler, first, level, from, reads) : NULL;
}

const struct node *rule_parse_expression(struct compiler *compiler)
{
    return parse_level(compiler, LEVEL_OR);
}
