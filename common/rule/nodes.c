/* Sharing: expressions that are equal become one node.
 *
 * What does not depend on the message is evaluated while the statement is compiled ("folded"). An
 * expression that equals one before it is replaced by that node, which gets a slot: its value is
 * kept there for the second use. The rules that the generator writes state each condition twice.
 *
 * Nodes are finished from the leaves up, and children are shared before their parents. So two nodes
 * are equal when they are of one kind and point to the same children; no comparison recurses. A
 * hash table finds the candidate. It is probed in a bounded number of places, so that no statement
 * can make it slow; an equal node can be missed, which costs time and changes no result. */
#include "compile.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_PROBES = 16 };

/* --- equality --- */

bool rule_same_names(struct name one, struct name other)
{
    return one.length == other.length && (!one.length || memcmp(one.at, other.at, one.length) == 0);
}

/* Stricter than rule_equal(): 10 and 10.0 are equal and are printed differently. */
static bool same_value(const struct rule_value *one, const struct rule_value *other)
{
    if (one->kind != other->kind)
        return false;
    if (one->kind == RULE_DECIMAL && (one->decimal.exponent != other->decimal.exponent ||
                                      one->decimal.negative != other->decimal.negative))
        return false;
    return rule_equal(one, other);
}

static bool same_nodes(const struct node *const *one, const struct node *const *other, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (one[i] != other[i])
            return false;
    return true;
}

static bool same_paths(const struct node *one, const struct node *other)
{
    if (one->path.count != other->path.count || one->path.base != other->path.base)
        return false;
    for (size_t i = 0; i < one->path.count; i++) {
        const struct step *step = &one->path.steps[i], *match = &other->path.steps[i];
        if (!rule_same_names(step->name, match->name) || step->index != match->index)
            return false;
    }
    return true;
}

static bool same_chains(const struct node *one, const struct node *other)
{
    if (one->chain.count != other->chain.count || one->chain.first != other->chain.first)
        return false;
    for (size_t i = 0; i < one->chain.count; i++)
        if (one->chain.links[i].operation != other->chain.links[i].operation ||
            one->chain.links[i].operand != other->chain.links[i].operand)
            return false;
    return true;
}

static bool same_choices(const struct node *one, const struct node *other)
{
    if (one->choice.count != other->choice.count || one->choice.subject != other->choice.subject ||
        one->choice.otherwise != other->choice.otherwise)
        return false;
    for (size_t i = 0; i < one->choice.count; i++)
        if (one->choice.branches[i].when != other->choice.branches[i].when ||
            one->choice.branches[i].then != other->choice.branches[i].then)
            return false;
    return true;
}

static bool same_objects(const struct node *one, const struct node *other)
{
    if (one->object.count != other->object.count)
        return false;
    for (size_t i = 0; i < one->object.count; i++)
        if (!rule_same_names(one->object.entries[i].name, other->object.entries[i].name) ||
            one->object.entries[i].value != other->object.entries[i].value)
            return false;
    return true;
}

static bool same(const struct node *one, const struct node *other)
{
    if (one->kind != other->kind)
        return false;
    switch (one->kind) {
    case NODE_CONSTANT:
        return same_value(&one->value, &other->value);
    case NODE_FIELD:
        return rule_same_names(one->field, other->field);
    case NODE_VARIABLE:
        return one->variable == other->variable;
    case NODE_WHOLE:
        return true;
    case NODE_PATH:
        return same_paths(one, other);
    case NODE_CHAIN:
        return same_chains(one, other);
    case NODE_NOT:
    case NODE_NEGATE:
    case NODE_EXISTS:
        return one->operand == other->operand;
    case NODE_CALL:
        return one->call.function == other->call.function && one->call.count == other->call.count &&
               same_nodes(one->call.arguments, other->call.arguments, one->call.count);
    case NODE_CASE:
        return same_choices(one, other);
    case NODE_ARRAY:
    case NODE_LIST:
        return one->array.count == other->array.count &&
               same_nodes(one->array.items, other->array.items, one->array.count);
    case NODE_OBJECT:
        return same_objects(one, other);
    case NODE_SELECT: /* is not shared */
        break;
    }
    return false;
}

/* --- children --- */

typedef void visit_child(const struct node *child, void *context);

static void visit_all(const struct node *const *nodes, size_t count, visit_child *visit,
                      void *context)
{
    for (size_t i = 0; i < count; i++)
        visit(nodes[i], context);
}

static void visit_case(const struct node *node, visit_child *visit, void *context)
{
    visit(node->choice.subject, context);
    visit(node->choice.otherwise, context);
    for (size_t i = 0; i < node->choice.count; i++) {
        visit(node->choice.branches[i].when, context);
        visit(node->choice.branches[i].then, context);
    }
}

/* The order of the children depends only on the kind of node. A child can be NULL. */
static void visit_children(const struct node *node, visit_child *visit, void *context)
{
    switch (node->kind) {
    case NODE_PATH:
        visit(node->path.base, context);
        for (size_t i = 0; i < node->path.count; i++)
            visit(node->path.steps[i].index, context);
        return;
    case NODE_CHAIN:
        visit(node->chain.first, context);
        for (size_t i = 0; i < node->chain.count; i++)
            visit(node->chain.links[i].operand, context);
        return;
    case NODE_NOT:
    case NODE_NEGATE:
    case NODE_EXISTS:
        visit(node->operand, context);
        return;
    case NODE_CALL:
        visit_all(node->call.arguments, node->call.count, visit, context);
        return;
    case NODE_CASE:
        visit_case(node, visit, context);
        return;
    case NODE_ARRAY:
    case NODE_LIST:
        visit_all(node->array.items, node->array.count, visit, context);
        return;
    case NODE_OBJECT:
        for (size_t i = 0; i < node->object.count; i++)
            visit(node->object.entries[i].value, context);
        return;
    case NODE_CONSTANT:
    case NODE_FIELD:
    case NODE_VARIABLE:
    case NODE_WHOLE:
    case NODE_SELECT:
        return;
    }
}

/* --- hashes, of what same() compares --- */

static uint64_t mix_number(uint64_t hash, uint64_t number)
{
    hash = (hash ^ number) * 0x9e3779b97f4a7c15;
    return hash ^ hash >> 32;
}

/* FNV-1a. */
static uint64_t mix_name(uint64_t hash, struct name name)
{
    for (size_t i = 0; i < name.length; i++)
        hash = (hash ^ (unsigned char)name.at[i]) * 0x100000001b3;
    return hash;
}

static uint64_t mix_value(uint64_t hash, const struct rule_value *value)
{
    hash = mix_number(hash, value->kind);
    if (value->kind == RULE_STRING)
        return mix_name(hash, (struct name){value->string.at, value->string.length});
    if (value->kind == RULE_INT)
        return mix_number(hash, (uint64_t)value->integer);
    if (value->kind == RULE_DECIMAL)
        return mix_number(hash, value->decimal.low);
    return hash;
}

/* What a node holds besides its children. */
static uint64_t mix_content(uint64_t hash, const struct node *node)
{
    hash = mix_number(hash, node->kind);
    switch (node->kind) {
    case NODE_CONSTANT:
        return mix_value(hash, &node->value);
    case NODE_FIELD:
        return mix_name(hash, node->field);
    case NODE_VARIABLE:
        return mix_number(hash, node->variable);
    case NODE_CALL:
        return mix_number(hash, (uint64_t)(uintptr_t)node->call.function);
    case NODE_PATH:
        for (size_t i = 0; i < node->path.count; i++)
            hash = mix_name(hash, node->path.steps[i].name);
        return hash;
    case NODE_CHAIN:
        for (size_t i = 0; i < node->chain.count; i++)
            hash = mix_number(hash, node->chain.links[i].operation);
        return hash;
    case NODE_OBJECT:
        for (size_t i = 0; i < node->object.count; i++)
            hash = mix_name(hash, node->object.entries[i].name);
        return hash;
    default:
        return hash;
    }
}

static void mix_child(const struct node *child, void *context)
{
    uint64_t *hash = context;
    *hash = mix_number(*hash, (uint64_t)(uintptr_t)child);
}

static uint64_t hash_of(const struct node *node)
{
    uint64_t hash = mix_content(0xcbf29ce484222325, node);
    visit_children(node, mix_child, &hash);
    return hash;
}

/* --- finishing --- */

/* The parent was replaced by its equal and no longer uses the child. Nodes change only while the
 * statement is compiled, by the compiler; everybody else has them const. */
static void leave(const struct node *child, void *context)
{
    (void)context;
    if (child)
        ((struct node *)(uintptr_t)child)->uses--;
}

/* The equal node that was there before; or this one, which later nodes can then be replaced by. */
static const struct node *share(struct compiler *compiler, struct node *node)
{
    size_t mask = compiler->shared_size - 1, place = hash_of(node) & mask;
    for (int i = 0; i < MOST_PROBES; i++, place = (place + 1) & mask) {
        struct node *other = compiler->shared[place];
        if (!other) {
            compiler->shared[place] = node;
            node->uses = 1;
            return node;
        }
        if (!same(node, other))
            continue;
        visit_children(node, leave, NULL);
        other->uses++;
        return other;
    }
    return node;
}

void rule_give_slots(struct compiler *compiler)
{
    if (compiler->plainly)
        return;
    for (size_t i = 0; i < compiler->shared_size; i++) {
        struct node *node = compiler->shared[i];
        if (node && node->uses > 1 && !node->constant)
            node->slot = ++compiler->program->slots;
    }
}

static void fold(struct compiler *compiler, struct node *node)
{
    struct rule_memory *memory = &compiler->program->constants;
    struct rule_value *value = rule_take(memory, sizeof *value);
    if (value && rule_fold(compiler->program, node, value))
        node->constant = value;
    if (memory->failed) {
        memory->failed = false;
        compiler->folding = false;
    }
}

const struct node *rule_finish(struct compiler *compiler, struct node *node, size_t from)
{
    if (compiler->failed)
        return NULL;
    node->offset = (uint32_t)from;
    node->length = (uint32_t)(compiler->behind - from);
    if (node->kind == NODE_CONSTANT) {
        struct rule_value *value = rule_keep(compiler, sizeof *value);
        if (!value)
            return NULL;
        *value = rule_settle(node->value, compiler->program->version);
        node->constant = value;
    } else if (compiler->folding && node->depends == RULE_ON_ARGUMENTS) {
        fold(compiler, node);
    }
    if (compiler->plainly || compiler->nested || node->depends == RULE_ON_CHANCE)
        return node;
    return share(compiler, node);
}
