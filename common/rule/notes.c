/* Notes: what is legal in a statement and likely wrong. "sensorforge check" warns of them. */
#include "compile.h"

#include <string.h>

/* AWS ends a rule without its actions when its statement calls some functions more than once. */
void rule_check_repetition(struct compiler *compiler, const struct rule_function *function,
                           struct word word)
{
    const struct rule_function **called = compiler->called_once;
    if (!function->once)
        return;
    for (size_t i = 0; i < sizeof compiler->called_once / sizeof *called; i++) {
        if (called[i] == function)
            rule_add_note(compiler, word, "AWS allows one call of this function in a statement");
        if (called[i] == function)
            return;
        if (!called[i]) {
            called[i] = function;
            return;
        }
    }
}

/* --- warning of OR ---
 *
 * "Undefined OR true" is Undefined, by the guide's table. So "t > 40 OR h > 80" does not hold where
 * h is missing, however high t is, and few people expect that. */

static bool can_be_undefined(const struct node *node);

static bool any_can_be_undefined(const struct node *first, const struct link *links, size_t count)
{
    bool can = can_be_undefined(first);
    for (size_t i = 0; i < count && !can; i++)
        can = can_be_undefined(links[i].operand);
    return can;
}

static bool case_can_be_undefined(const struct node *node)
{
    bool can = !node->choice.otherwise || can_be_undefined(node->choice.otherwise) ||
               (node->choice.subject && can_be_undefined(node->choice.subject));
    for (size_t i = 0; i < node->choice.count && !can; i++)
        can = can_be_undefined(node->choice.branches[i].then);
    return can;
}

/* Calls of functions that are always defined, or when one of their arguments is. */
static bool call_can_be_undefined(const struct node *node)
{
    static const char *const always[] = {"isundefined", "isnull", "timestamp", "clientid",
                                         "sql_version"};
    const char *name = node->call.function->name;
    if (!node->call.fits)
        return true;
    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        if (strcmp(name, always[i]) == 0)
            return false;
    bool has_default = strcmp(name, "get_or_default") == 0 || strcmp(name, "nanvl") == 0;
    return !has_default || node->call.count < 2 || can_be_undefined(node->call.arguments[1]);
}

static bool can_be_undefined(const struct node *node)
{
    if (node->constant)
        return node->constant->kind == RULE_UNDEFINED;
    switch (node->kind) {
    case NODE_CHAIN:
        return any_can_be_undefined(node->chain.first, node->chain.links, node->chain.count);
    case NODE_NOT:
    case NODE_NEGATE:
        return can_be_undefined(node->operand);
    case NODE_CASE:
        return case_can_be_undefined(node);
    case NODE_CALL:
        return call_can_be_undefined(node);
    case NODE_ARRAY:
    case NODE_LIST:
    case NODE_OBJECT:
    case NODE_EXISTS:
        return false;
    default: /* fields, paths, variables, nested SELECTs */
        return true;
    }
}

/* The fields and variables that an operand reads: a part of compiler->reads. */
struct reads {
    const struct rule_span *at;
    size_t count;
};

static bool reads_one(const struct compiler *compiler, struct reads reads, struct rule_span name)
{
    for (size_t i = 0; i < reads.count; i++)
        if (reads.at[i].length == name.length &&
            memcmp(compiler->text + reads.at[i].offset, compiler->text + name.offset,
                   name.length) == 0)
            return true;
    return false;
}

static bool reads_all(const struct compiler *compiler, struct reads reads, struct reads names)
{
    for (size_t i = 0; i < names.count; i++)
        if (!reads_one(compiler, reads, names.at[i]))
            return false;
    return true;
}

/* Operands that read the same fields are Undefined together. Operands that read many fields count
 * as different, without a comparison. */
static bool read_alike(const struct compiler *compiler, struct reads one, struct reads other)
{
    enum { MUCH = 32 };
    return one.count <= MUCH && other.count <= MUCH && reads_all(compiler, one, other) &&
           reads_all(compiler, other, one);
}

void rule_check_or(struct compiler *compiler, const struct node *node, const size_t *begins)
{
    const struct rule_span *all = compiler->reads.at;
    const struct node *missing = NULL;
    bool differ = false;
    if (!all || rule_operation_level(node->chain.links->operation) != LEVEL_OR)
        return;
    struct reads first = {all + begins[0], begins[1] - begins[0]};
    for (size_t i = 0; i <= node->chain.count; i++) {
        struct reads reads = {all + begins[i], begins[i + 1] - begins[i]};
        const struct node *operand = i ? node->chain.links[i - 1].operand : node->chain.first;
        differ = differ || !read_alike(compiler, first, reads);
        if (!missing && reads.count && can_be_undefined(operand))
            missing = operand;
    }
    if (differ && missing)
        rule_add_note(compiler, (struct word){WORD_NAME, missing->offset, missing->length},
                      "where this is Undefined, as with a field that is missing, the whole OR is "
                      "Undefined and not true");
}
