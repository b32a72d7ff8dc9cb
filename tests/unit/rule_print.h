/* A compiled statement as text, for tests: keywords in capitals, names of functions in lower case,
 * brackets only where they are needed, one blank between words. Compiling that text makes the same
 * tree. */
#ifndef TESTS_UNIT_RULE_PRINT_H
#define TESTS_UNIT_RULE_PRINT_H

#include "common/rule/compile.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

struct printer {
    struct text *out;
    const struct variable *variables;
    bool all_brackets; /* around every operator, also where they are not needed */
};

static void print(const struct node *node, enum level least, struct printer *to);
static void print_select(const struct select *select, struct printer *to);

static void print_quoted(const char *at, size_t length, struct printer *to)
{
    char quote = memchr(at, '\'', length) && !memchr(at, '"', length) ? '"' : '\'';
    text_add_char(to->out, quote);
    for (size_t i = 0; i < length; i++) {
        if (at[i] == quote)
            text_add_char(to->out, quote);
        text_add_char(to->out, at[i]);
    }
    text_add_char(to->out, quote);
}

/* A Decimal without a fraction is written 15E0: 15 is an Int. */
static void print_decimal(struct rule_decimal decimal, struct printer *to)
{
    char made[RULE_LONGEST_NUMBER];
    int64_t whole;
    text_add(to->out, made, rule_decimal_print(decimal, made));
    if (!decimal.exponent && rule_decimal_to_int(decimal, &whole))
        text_add_string(to->out, "E0");
}

static void print_constant(const struct rule_value *value, struct printer *to)
{
    switch (value->kind) {
    case RULE_UNDEFINED:
        text_add_string(to->out, "undefined");
        return;
    case RULE_NULL:
        text_add_string(to->out, "null");
        return;
    case RULE_BOOLEAN:
        text_add_string(to->out, value->boolean ? "true" : "false");
        return;
    case RULE_INT:
        text_add_format(to->out, "%" PRId64, value->integer);
        return;
    case RULE_DECIMAL:
        print_decimal(value->decimal, to);
        return;
    default: /* a constant in a statement is no array or object */
        print_quoted(value->string.at, value->string.length, to);
    }
}

static void print_nodes(const struct node *const *nodes, size_t count, struct printer *to)
{
    for (size_t i = 0; i < count; i++) {
        if (i)
            text_add_string(to->out, ", ");
        print(nodes[i], LEVEL_OR, to);
    }
}

static void print_path(const struct node *node, struct printer *to)
{
    bool nested = node->path.base->kind == NODE_PATH; /* (a.b).c is another tree than a.b.c */
    print(node->path.base, nested ? LEVEL_PRIMARY + 1 : LEVEL_PRIMARY, to);
    for (size_t i = 0; i < node->path.count; i++) {
        const struct step *step = &node->path.steps[i];
        text_add_char(to->out, step->index ? '[' : '.');
        if (step->index)
            print(step->index, LEVEL_OR, to);
        else
            text_add(to->out, step->name.at, step->name.length);
        if (step->index)
            text_add_char(to->out, ']');
    }
}

static enum level chain_level(const struct node *node)
{
    return rule_operation_level(node->chain.links[0].operation);
}

static void print_chain(const struct node *node, struct printer *to)
{
    enum level level = chain_level(node);
    print(node->chain.first, level + 1, to);
    for (size_t i = 0; i < node->chain.count; i++) {
        const struct link *link = &node->chain.links[i];
        bool list = link->operand->kind == NODE_LIST;
        text_add_format(to->out, " %s ", rule_operation_text(link->operation));
        print(link->operand, list ? LEVEL_OR : level + 1, to);
    }
}

static void print_call(const struct node *node, struct printer *to)
{
    bool cast = strcmp(node->call.function->name, "cast") == 0;
    text_add_format(to->out, "%s(", node->call.function->name);
    print_nodes(node->call.arguments, cast ? 1 : node->call.count, to);
    if (cast) {
        const struct rule_value *type = &node->call.arguments[1]->value;
        text_add_format(to->out, " AS %.*s", (int)type->string.length, type->string.at);
    }
    text_add_char(to->out, ')');
}

static void print_case(const struct node *node, struct printer *to)
{
    text_add_string(to->out, "CASE");
    if (node->choice.subject) {
        text_add_char(to->out, ' ');
        print(node->choice.subject, LEVEL_OR, to);
    }
    for (size_t i = 0; i < node->choice.count; i++) {
        text_add_string(to->out, " WHEN ");
        print(node->choice.branches[i].when, LEVEL_OR, to);
        text_add_string(to->out, " THEN ");
        print(node->choice.branches[i].then, LEVEL_OR, to);
    }
    if (node->choice.otherwise) {
        text_add_string(to->out, " ELSE ");
        print(node->choice.otherwise, LEVEL_OR, to);
    }
    text_add_string(to->out, " END");
}

static void print_object(const struct node *node, struct printer *to)
{
    text_add_char(to->out, '{');
    for (size_t i = 0; i < node->object.count; i++) {
        const struct entry *entry = &node->object.entries[i];
        if (i)
            text_add_string(to->out, ", ");
        print_quoted(entry->name.at, entry->name.length, to);
        text_add_string(to->out, ": ");
        print(entry->value, LEVEL_OR, to);
    }
    text_add_char(to->out, '}');
}

static void print_bare(const struct node *node, struct printer *to)
{
    switch (node->kind) {
    case NODE_CONSTANT:
        print_constant(&node->value, to);
        return;
    case NODE_FIELD:
        text_add(to->out, node->field.at, node->field.length);
        return;
    case NODE_VARIABLE:
        text_add(to->out, to->variables[node->variable].name.at,
                 to->variables[node->variable].name.length);
        return;
    case NODE_WHOLE:
        text_add_char(to->out, '*');
        return;
    case NODE_PATH:
        print_path(node, to);
        return;
    case NODE_CHAIN:
        print_chain(node, to);
        return;
    case NODE_NOT:
        text_add_string(to->out, "NOT ");
        print(node->operand, LEVEL_NOT, to);
        return;
    case NODE_NEGATE:
        text_add_char(to->out, '-');
        print(node->operand, LEVEL_NEGATE, to);
        return;
    case NODE_CALL:
        print_call(node, to);
        return;
    case NODE_CASE:
        print_case(node, to);
        return;
    case NODE_ARRAY:
    case NODE_LIST:
        text_add_char(to->out, node->kind == NODE_LIST ? '(' : '[');
        print_nodes(node->array.items, node->array.count, to);
        text_add_char(to->out, node->kind == NODE_LIST ? ')' : ']');
        return;
    case NODE_OBJECT:
        print_object(node, to);
        return;
    case NODE_SELECT:
        text_add_char(to->out, '(');
        print_select(node->select, to);
        text_add_char(to->out, ')');
        return;
    case NODE_EXISTS:
        break;
    }
    bool bracketed = node->operand->kind == NODE_SELECT; /* brackets are part of it */
    text_add_string(to->out, "EXISTS ");
    print(node->operand, bracketed ? LEVEL_OR : LEVEL_PRIMARY + 1, to);
}

static enum level level_of(const struct node *node)
{
    switch (node->kind) {
    case NODE_CHAIN:
        return chain_level(node);
    case NODE_NOT:
        return LEVEL_NOT;
    case NODE_NEGATE:
        return LEVEL_NEGATE;
    default:
        return LEVEL_PRIMARY;
    }
}

/* In brackets where it binds less than what is around it. */
static void print(const struct node *node, enum level least, struct printer *to)
{
    enum level level = level_of(node);
    bool brackets = to->all_brackets ? level < LEVEL_PRIMARY : level < least;
    if (brackets)
        text_add_char(to->out, '(');
    print_bare(node, to);
    if (brackets)
        text_add_char(to->out, ')');
}

static bool is_name(struct name name)
{
    for (size_t i = 0; i < name.length; i++) {
        char c = name.at[i];
        bool letter = isalpha((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
        if (!letter && !(i && isdigit((unsigned char)c)))
            return false;
    }
    return name.length > 0;
}

static void print_alias(const struct item *item, struct printer *to)
{
    text_add_string(to->out, " AS ");
    for (size_t i = 0; i < item->path_length; i++) {
        if (i)
            text_add_char(to->out, '.');
        if (is_name(item->path[i]))
            text_add(to->out, item->path[i].at, item->path[i].length);
        else
            print_quoted(item->path[i].at, item->path[i].length, to);
    }
}

/* SELECT VALUE -a would be the field "value" minus a. */
static bool begins_with_minus(const struct node *node)
{
    while (node->kind == NODE_CHAIN)
        node = node->chain.first;
    return node->kind == NODE_NEGATE;
}

static void print_select(const struct select *select, struct printer *to)
{
    text_add_string(to->out, select->value ? "SELECT VALUE " : "SELECT ");
    for (size_t i = 0; i < select->item_count; i++) {
        const struct item *item = &select->items[i];
        if (i)
            text_add_string(to->out, ", ");
        if (!item->value)
            text_add_char(to->out, '*');
        else if (select->value && begins_with_minus(item->value))
            print(item->value, LEVEL_PRIMARY + 1, to);
        else
            print(item->value, LEVEL_OR, to);
        if (item->named)
            print_alias(item, to);
    }
    if (select->filter || select->source)
        text_add_string(to->out, " FROM ");
    if (select->filter)
        print_quoted(select->filter, strlen(select->filter), to);
    if (select->source)
        print(select->source, LEVEL_PRIMARY, to);
    if (select->alias.length) {
        text_add_string(to->out, " AS ");
        text_add(to->out, select->alias.at, select->alias.length);
    }
    if (select->condition) {
        text_add_string(to->out, " WHERE ");
        print(select->condition, LEVEL_OR, to);
    }
}

static void print_statement(const struct rule *rule, struct printer *to)
{
    const struct program *program = &rule->program;
    to->variables = program->variables;
    for (uint32_t i = 0; i < program->variable_count; i++) {
        const struct variable *variable = &program->variables[i];
        text_add_string(to->out, i ? ", " : "SET ");
        text_add(to->out, variable->name.at, variable->name.length);
        text_add_string(to->out, " = ");
        print(variable->value, LEVEL_OR, to);
    }
    if (program->variable_count)
        text_add_char(to->out, ' ');
    print_select(&rule->select, to);
}

/* The statement in one canonical spelling. */
static inline void rule_print(const struct rule *rule, struct text *out)
{
    struct printer to = {.out = out};
    print_statement(rule, &to);
}

/* Whether two statements have the same tree: with all brackets, no two trees are printed alike. */
static inline bool rule_same(const struct rule *one, const struct rule *other)
{
    struct text first = {0}, second = {0};
    struct printer to = {.out = &first, .all_brackets = true};
    print_statement(one, &to);
    to.out = &second;
    print_statement(other, &to);
    bool same = strcmp(text_string(&first), text_string(&second)) == 0 &&
                rule_version_of(one) == rule_version_of(other);
    text_free(&first);
    text_free(&second);
    return same;
}

#endif
