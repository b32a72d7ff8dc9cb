/* A statement in its one canonical spelling: words of the language in capitals, functions in small
 * letters, brackets only where they are needed, one blank between words. Compiling what was printed
 * gives the same tree. */
#include "tree.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

static void print(const struct node *node, enum level least, struct text *out);
static void print_select(const struct select *select, struct text *out);

static void print_quoted(const char *at, size_t length, struct text *out)
{
    char quote = memchr(at, '\'', length) && !memchr(at, '"', length) ? '"' : '\'';
    text_add_char(out, quote);
    for (size_t i = 0; i < length; i++) {
        if (at[i] == quote)
            text_add_char(out, quote);
        text_add_char(out, at[i]);
    }
    text_add_char(out, quote);
}

/* 15E0 and 1.5E1 are Decimals, 15 is an Int. */
static void print_decimal(struct rule_decimal decimal, struct text *out)
{
    char made[RULE_LONGEST_NUMBER];
    int64_t whole;
    text_add(out, made, rule_decimal_print(decimal, made));
    if (!decimal.exponent && rule_decimal_to_int(decimal, &whole))
        text_add_string(out, "E0");
}

static void print_constant(const struct rule_value *value, struct text *out)
{
    switch (value->kind) {
    case RULE_UNDEFINED:
        text_add_string(out, "undefined");
        return;
    case RULE_NULL:
        text_add_string(out, "null");
        return;
    case RULE_BOOLEAN:
        text_add_string(out, value->boolean ? "true" : "false");
        return;
    case RULE_INT:
        text_add_format(out, "%" PRId64, value->integer);
        return;
    case RULE_DECIMAL:
        print_decimal(value->decimal, out);
        return;
    default: /* arrays and objects are no constants, though they may be folded into some */
        print_quoted(value->string.at, value->string.length, out);
    }
}

static void print_nodes(const struct node *const *nodes, size_t count, struct text *out)
{
    for (size_t i = 0; i < count; i++) {
        if (i)
            text_add_string(out, ", ");
        print(nodes[i], LEVEL_OR, out);
    }
}

static void print_path(const struct node *node, struct text *out)
{
    bool nested = node->path.base->kind == NODE_PATH; /* (a.b).c is another tree than a.b.c */
    print(node->path.base, nested ? LEVEL_PRIMARY + 1 : LEVEL_PRIMARY, out);
    for (size_t i = 0; i < node->path.count; i++) {
        const struct step *step = &node->path.steps[i];
        text_add_char(out, step->index ? '[' : '.');
        if (step->index)
            print(step->index, LEVEL_OR, out);
        else
            text_add(out, step->name.at, step->name.length);
        if (step->index)
            text_add_char(out, ']');
    }
}

static enum level chain_level(const struct node *node)
{
    return rule_operator_level(node->chain.links[0].operator);
}

static void print_chain(const struct node *node, struct text *out)
{
    enum level level = chain_level(node);
    print(node->chain.first, level + 1, out);
    for (size_t i = 0; i < node->chain.count; i++) {
        const struct link *link = &node->chain.links[i];
        bool list = link->operand->kind == NODE_LIST;
        text_add_format(out, " %s ", rule_operator_text(link->operator));
        print(link->operand, list ? LEVEL_OR : level + 1, out);
    }
}

static void print_call(const struct node *node, struct text *out)
{
    bool cast = strcmp(node->call.function->name, "cast") == 0;
    text_add_format(out, "%s(", node->call.function->name);
    print_nodes(node->call.arguments, cast ? 1 : node->call.count, out);
    if (cast) {
        const struct rule_value *type = &node->call.arguments[1]->value;
        text_add_format(out, " AS %.*s", (int)type->string.length, type->string.at);
    }
    text_add_char(out, ')');
}

static void print_case(const struct node *node, struct text *out)
{
    text_add_string(out, "CASE");
    if (node->choice.subject) {
        text_add_char(out, ' ');
        print(node->choice.subject, LEVEL_OR, out);
    }
    for (size_t i = 0; i < node->choice.count; i++) {
        text_add_string(out, " WHEN ");
        print(node->choice.branches[i].when, LEVEL_OR, out);
        text_add_string(out, " THEN ");
        print(node->choice.branches[i].then, LEVEL_OR, out);
    }
    if (node->choice.otherwise) {
        text_add_string(out, " ELSE ");
        print(node->choice.otherwise, LEVEL_OR, out);
    }
    text_add_string(out, " END");
}

static void print_object(const struct node *node, struct text *out)
{
    text_add_char(out, '{');
    for (size_t i = 0; i < node->object.count; i++) {
        const struct entry *entry = &node->object.entries[i];
        if (i)
            text_add_string(out, ", ");
        print_quoted(entry->name.at, entry->name.length, out);
        text_add_string(out, ": ");
        print(entry->value, LEVEL_OR, out);
    }
    text_add_char(out, '}');
}

static void print_bare(const struct node *node, struct text *out)
{
    switch (node->kind) {
    case NODE_CONSTANT:
        print_constant(&node->value, out);
        return;
    case NODE_FIELD:
        text_add(out, node->field.at, node->field.length);
        return;
    case NODE_WHOLE:
        text_add_char(out, '*');
        return;
    case NODE_PATH:
        print_path(node, out);
        return;
    case NODE_CHAIN:
        print_chain(node, out);
        return;
    case NODE_NOT:
        text_add_string(out, "NOT ");
        print(node->operand, LEVEL_NOT, out);
        return;
    case NODE_NEGATE:
        text_add_char(out, '-');
        print(node->operand, LEVEL_NEGATE, out);
        return;
    case NODE_CALL:
        print_call(node, out);
        return;
    case NODE_CASE:
        print_case(node, out);
        return;
    case NODE_ARRAY:
    case NODE_LIST:
        text_add_char(out, node->kind == NODE_LIST ? '(' : '[');
        print_nodes(node->array.items, node->array.count, out);
        text_add_char(out, node->kind == NODE_LIST ? ')' : ']');
        return;
    case NODE_OBJECT:
        print_object(node, out);
        return;
    case NODE_SELECT:
        text_add_char(out, '(');
        print_select(node->select, out);
        text_add_char(out, ')');
        return;
    case NODE_EXISTS:
        break;
    }
    bool bracketed = node->operand->kind == NODE_SELECT; /* has its own */
    text_add_string(out, "EXISTS ");
    print(node->operand, bracketed ? LEVEL_OR : LEVEL_PRIMARY + 1, out);
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
static void print(const struct node *node, enum level least, struct text *out)
{
    bool brackets = level_of(node) < least;
    if (brackets)
        text_add_char(out, '(');
    print_bare(node, out);
    if (brackets)
        text_add_char(out, ')');
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

static void print_alias(const struct item *item, struct text *out)
{
    text_add_string(out, " AS ");
    for (size_t i = 0; i < item->path_length; i++) {
        if (i)
            text_add_char(out, '.');
        if (is_name(item->path[i]))
            text_add(out, item->path[i].at, item->path[i].length);
        else
            print_quoted(item->path[i].at, item->path[i].length, out);
    }
}

/* SELECT VALUE -a would be the field "value" minus a: brackets tell. */
static bool begins_with_minus(const struct node *node)
{
    while (node->kind == NODE_CHAIN)
        node = node->chain.first;
    return node->kind == NODE_NEGATE;
}

static void print_select(const struct select *select, struct text *out)
{
    text_add_string(out, select->value ? "SELECT VALUE " : "SELECT ");
    for (size_t i = 0; i < select->item_count; i++) {
        const struct item *item = &select->items[i];
        if (i)
            text_add_string(out, ", ");
        if (!item->value)
            text_add_char(out, '*');
        else if (select->value && begins_with_minus(item->value))
            print(item->value, LEVEL_PRIMARY + 1, out);
        else
            print(item->value, LEVEL_OR, out);
        if (item->named)
            print_alias(item, out);
    }
    if (select->filter || select->source)
        text_add_string(out, " FROM ");
    if (select->filter)
        print_quoted(select->filter, strlen(select->filter), out);
    if (select->source)
        print(select->source, LEVEL_PRIMARY, out);
    if (select->condition) {
        text_add_string(out, " WHERE ");
        print(select->condition, LEVEL_OR, out);
    }
}

void rule_print(const struct rule *rule, struct text *out)
{
    print_select(&rule->select, out);
}
