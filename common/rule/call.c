/* Parses calls of functions. */
#include "compile.h"
#include "common/base/text.h"

#include <stdio.h>
#include <string.h>

static const struct node *unknown_function(struct compiler *compiler, struct word word)
{
    char name[32], hint[96] = "";
    const char *names[256];
    size_t count = 0;
    for (; count < rule_function_count && count < 255; count++)
        names[count] = rule_functions[count].name;
    names[count++] = "cast";
    for (size_t i = 0; i < word.length && i + 1 < sizeof name; i++) {
        char c = compiler->text[word.offset + i];
        name[i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
        name[i + 1] = '\0';
    }
    const char *near = word.length < sizeof name ? nearest_word(name, names, count) : NULL;
    if (near)
        snprintf(hint, sizeof hint, "did you mean %s()?", near);
    return rule_fail(compiler, word, hint, "there is no function %.*s()",
                     (int)(word.length < 60 ? word.length : 60), compiler->text + word.offset);
}

/* "*" as an argument is the payload's bytes. */
static const struct node *parse_payload(struct compiler *compiler)
{
    struct word word = compiler->word;
    struct node *node = rule_new_node(compiler, NODE_WHOLE);
    rule_next_word(compiler);
    if (!node)
        return NULL;
    node->depends = RULE_ON_MESSAGE;
    return rule_finish(compiler, node, word.offset);
}

static const struct node *parse_argument(struct compiler *compiler,
                                         const struct rule_function *function)
{
    if (!rule_is_sign(compiler, "*"))
        return rule_parse_expression(compiler);
    if (!function->takes_payload)
        return rule_fail(compiler, compiler->word, "encode(*, 'base64') takes it",
                         "%s() does not take the whole payload", function->name);
    if (compiler->nested)
        return rule_fail(compiler, compiler->word, NULL,
                         "* is the whole payload, which a nested SELECT does not see");
    return parse_payload(compiler);
}

static const struct node *const *parse_arguments(struct compiler *compiler, struct node *node)
{
    const struct rule_function *function = node->call.function, *outer = compiler->no_services;
    struct growing list = {0};
    if (!rule_is_sign(compiler, ")")) {
        do {
            if (function->no_services && list.count + 1 == function->no_services)
                compiler->no_services = function;
            const struct node *argument = parse_argument(compiler, function);
            compiler->no_services = outer;
            const struct node **place = argument ? rule_grow(compiler, &list, sizeof *place) : NULL;
            if (!place)
                break;
            *place = argument;
            node->depends = rule_most(node->depends, argument->depends);
        } while (rule_take_sign(compiler, ","));
    }
    node->call.count = list.count;
    return rule_settle_list(compiler, &list, sizeof(const struct node *));
}

/* Whether the value comes from a variable, which some arguments cannot ("Using variables"). */
static bool is_variable(const struct node *node)
{
    while (node->kind == NODE_PATH)
        node = node->path.base;
    return node->kind == NODE_VARIABLE;
}

static bool is_choice(const struct node *node, const char *const *choices)
{
    const struct rule_value *value = node->constant;
    for (; *choices && value && value->kind == RULE_STRING; choices++)
        if (strlen(*choices) == value->string.length &&
            memcmp(*choices, value->string.at, value->string.length) == 0)
            return true;
    return false;
}

/* Not service functions alone: decode() needs Amazon S3 where it decodes a Protocol Buffer. */
static bool check_services(struct compiler *compiler, const struct node *node, struct word name)
{
    const struct rule_function *function = node->call.function;
    bool protocol_buffer = node->call.count == 6 && strcmp(function->name, "decode") == 0;
    if (!compiler->no_services || !(function->service || protocol_buffer))
        return true;
    rule_fail(compiler, name, NULL, "%s() cannot be called in a default value", function->name);
    return false;
}

static bool check_literals(struct compiler *compiler, const struct node *node)
{
    const struct rule_function *function = node->call.function;
    for (size_t i = 0; i < node->call.count; i++) {
        const struct node *argument = node->call.arguments[i];
        struct word word = {WORD_VARIABLE, argument->offset, argument->length};
        bool literal =
            i + 1 == function->literal || (function->role_last && i + 1 == node->call.count);
        if (literal && is_variable(argument)) {
            rule_fail(compiler, word, "write the string itself",
                      "%s() takes no variable in this place", function->name);
            return false;
        }
        if (i + 1 == function->literal && function->choices &&
            !is_choice(argument, function->choices)) {
            rule_fail(compiler, word, NULL, "%s() takes only \"%s\" or \"%s\" in this place",
                      function->name, function->choices[0], function->choices[1]);
            return false;
        }
    }
    return true;
}

/* The guide's "Data types" makes a call with a wrong number of arguments legal: its result is
 * Undefined. So this is a note for the checker, not an error. */
static void check_count(struct compiler *compiler, struct node *node, struct word word)
{
    const struct rule_function *function = node->call.function;
    node->call.fits = node->call.count >= function->least &&
                      (function->most == RULE_ANY_COUNT || node->call.count <= function->most);
    if (!node->call.fits)
        rule_add_note(compiler, word,
                      "called with that many arguments, this function is always Undefined");
}

/* Compiles a constant pattern. Where it is not valid the result of each call is Undefined. */
static void keep_pattern(struct compiler *compiler, struct node *node)
{
    unsigned which = node->call.function->pattern;
    if (!which || node->call.count < which)
        return;
    const struct rule_value *pattern = node->call.arguments[which - 1]->constant;
    if (!pattern || pattern->kind != RULE_STRING)
        return;
    struct rule_regex *regex = rule_regex_keep(pattern);
    if (regex)
        rule_regex_chain(regex, &compiler->program->patterns);
    node->call.regex = regex;
}

/* The types of cast(), and the version that has them. */
static const struct node *parse_type(struct compiler *compiler)
{
    static const char *const types[] = {"string",  "nvarchar", "text",    "ntext", "varchar", "int",
                                        "integer", "double",   "decimal", "bool",  "boolean"};
    enum { IN_BOTH = 8, ALL = sizeof types / sizeof *types };
    struct word word = compiler->word;
    for (size_t i = 0; i < ALL; i++) {
        if (!rule_is_word(compiler, types[i]))
            continue;
        if (i >= IN_BOTH && !rule_need_version(compiler, word, "casting to this type"))
            return NULL;
        rule_next_word(compiler);
        return rule_new_constant(compiler, rule_string(types[i], strlen(types[i])), word.offset);
    }
    return rule_expect(compiler, "a type",
                       "String, Int, Double; since 2016-03-23 Decimal, Boolean");
}

static const struct node *const *parse_cast(struct compiler *compiler, struct node *node)
{
    const struct node **arguments = rule_keep(compiler, 2 * sizeof *arguments);
    const struct node *value = arguments ? rule_parse_expression(compiler) : NULL;
    if (!value)
        return NULL;
    if (!rule_take_word(compiler, "as"))
        return rule_expect(compiler, "AS and a type", "cast(value AS Int)");
    arguments[0] = value;
    arguments[1] = parse_type(compiler);
    node->depends = rule_most(node->depends, value->depends);
    node->call.count = 2;
    return arguments;
}

const struct node *rule_parse_call(struct compiler *compiler, struct word name)
{
    struct name text = rule_word_text(compiler, name);
    struct node *node = rule_new_node(compiler, NODE_CALL);
    if (!node || !rule_deeper(compiler))
        return NULL;
    const struct rule_function *function = rule_function_find(text.at, text.length);
    if (!function)
        return unknown_function(compiler, name);
    if (function->since == RULE_2016_03_23 && !rule_need_version(compiler, name, function->name))
        return NULL;
    node->call.function = function;
    /* A call that needs a service is refused only where it is evaluated, so it is never evaluated
     * while compiling. */
    node->depends = function->service ? RULE_ON_CHANCE : function->depends;
    rule_next_word(compiler); /* ( */
    bool cast = strcmp(function->name, "cast") == 0;
    node->call.arguments = cast ? parse_cast(compiler, node) : parse_arguments(compiler, node);
    if (!rule_take_sign(compiler, ")"))
        return rule_expect(compiler, "\",\" or \")\"", NULL);
    compiler->depth--;
    if (compiler->failed || !check_services(compiler, node, name) ||
        !check_literals(compiler, node))
        return NULL;
    check_count(compiler, node, name);
    rule_check_repetition(compiler, function, name);
    keep_pattern(compiler, node);
    return rule_finish(compiler, node, name.offset);
}
