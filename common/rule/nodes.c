/* Nodes that are computed once.
 *
 * What depends on nothing but constants is computed when the statement is compiled. What is equal
 * to an expression that was there before becomes that one, and gets a slot where its result is kept
 * while a message is looked at: the rules that the generator makes say each condition twice.
 *
 * Equal is decided from the leaves up: children are shared already, so two nodes are equal when
 * they are of one kind and point to the same children. A hash table finds the candidate; it looks
 * at few places only, so that no statement can make it slow, at the price of sometimes missing one.
 */
#include "compile.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_PROBES = 16 };

/* --- equality --- */

static bool same_child(const struct node *one, const struct node *other, bool deep)
{
    if (one == other)
        return true;
    return deep && one && other && rule_node_same(one, other);
}

static bool same_names(struct name one, struct name other)
{
    return one.length == other.length && (!one.length || memcmp(one.at, other.at, one.length) == 0);
}

/* Not rule_equal(): 10 and 10.0 are equal, and print differently. */
static bool same_value(const struct rule_value *one, const struct rule_value *other)
{
    if (one->kind != other->kind)
        return false;
    if (one->kind == RULE_DECIMAL && (one->decimal.exponent != other->decimal.exponent ||
                                      one->decimal.negative != other->decimal.negative))
        return false;
    return rule_equal(one, other);
}

static bool same_nodes(const struct node *const *one, const struct node *const *other, size_t count,
                       bool deep)
{
    for (size_t i = 0; i < count; i++)
        if (!same_child(one[i], other[i], deep))
            return false;
    return true;
}

static bool same_paths(const struct node *one, const struct node *other, bool deep)
{
    if (one->path.count != other->path.count || !same_child(one->path.base, other->path.base, deep))
        return false;
    for (size_t i = 0; i < one->path.count; i++) {
        const struct step *step = &one->path.steps[i], *match = &other->path.steps[i];
        if (!same_names(step->name, match->name) || !same_child(step->index, match->index, deep))
            return false;
    }
    return true;
}

static bool same_chains(const struct node *one, const struct node *other, bool deep)
{
    if (one->chain.count != other->chain.count ||
        !same_child(one->chain.first, other->chain.first, deep))
        return false;
    for (size_t i = 0; i < one->chain.count; i++)
        if (one->chain.links[i].operator!= other->chain.links[i].operator|| !same_child(
                one->chain.links[i].operand, other->chain.links[i].operand, deep))
            return false;
    return true;
}

static bool same_choices(const struct node *one, const struct node *other, bool deep)
{
    if (one->choice.count != other->choice.count ||
        !same_child(one->choice.subject, other->choice.subject, deep) ||
        !same_child(one->choice.otherwise, other->choice.otherwise, deep))
        return false;
    for (size_t i = 0; i < one->choice.count; i++)
        if (!same_child(one->choice.branches[i].when, other->choice.branches[i].when, deep) ||
            !same_child(one->choice.branches[i].then, other->choice.branches[i].then, deep))
            return false;
    return true;
}

static bool same_objects(const struct node *one, const struct node *other, bool deep)
{
    if (one->object.count != other->object.count)
        return false;
    for (size_t i = 0; i < one->object.count; i++)
        if (!same_names(one->object.entries[i].name, other->object.entries[i].name) ||
            !same_child(one->object.entries[i].value, other->object.entries[i].value, deep))
            return false;
    return true;
}

static bool same(const struct node *one, const struct node *other, bool deep)
{
    if (one->kind != other->kind)
        return false;
    switch (one->kind) {
    case NODE_CONSTANT:
        return same_value(&one->value, &other->value);
    case NODE_FIELD:
        return same_names(one->field, other->field);
    case NODE_WHOLE:
        return true;
    case NODE_PATH:
        return same_paths(one, other, deep);
    case NODE_CHAIN:
        return same_chains(one, other, deep);
    case NODE_NOT:
    case NODE_NEGATE:
    case NODE_EXISTS:
        return same_child(one->operand, other->operand, deep);
    case NODE_CALL:
        return one->call.function == other->call.function && one->call.count == other->call.count &&
               same_nodes(one->call.arguments, other->call.arguments, one->call.count, deep);
    case NODE_CASE:
        return same_choices(one, other, deep);
    case NODE_ARRAY:
    case NODE_LIST:
        return one->array.count == other->array.count &&
               same_nodes(one->array.items, other->array.items, one->array.count, deep);
    case NODE_OBJECT:
        return same_objects(one, other, deep);
    case NODE_SELECT:
        break;
    }
    return deep && rule_select_same(one->select, other->select);
}

bool rule_node_same(const struct node *one, const struct node *other)
{
    return same(one, other, true);
}

static bool same_items(const struct item *one, const struct item *other)
{
    if (one->named != other->named || !same_child(one->value, other->value, true) ||
        one->path_length != other->path_length)
        return false;
    for (size_t i = 0; one->named && i < one->path_length; i++)
        if (!same_names(one->path[i], other->path[i]))
            return false;
    return true;
}

bool rule_select_same(const struct select *one, const struct select *other)
{
    if (one->value != other->value || one->item_count != other->item_count ||
        !one->filter != !other->filter ||
        (one->filter && strcmp(one->filter, other->filter) != 0) ||
        !same_child(one->source, other->source, true) ||
        !same_child(one->condition, other->condition, true))
        return false;
    for (size_t i = 0; i < one->item_count; i++)
        if (!same_items(&one->items[i], &other->items[i]))
            return false;
    return true;
}

/* --- hashes: FNV-1a over what same() compares --- */

static uint64_t mix(uint64_t hash, const void *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ ((const unsigned char *)bytes)[i]) * 0x100000001b3;
    return hash;
}

static uint64_t mix_number(uint64_t hash, uint64_t number)
{
    hash = (hash ^ number) * 0x9e3779b97f4a7c15;
    return hash ^ hash >> 32;
}

static uint64_t mix_child(uint64_t hash, const struct node *child)
{
    return mix_number(hash, (uint64_t)(uintptr_t)child);
}

static uint64_t mix_nodes(uint64_t hash, const struct node *const *nodes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        hash = mix_child(hash, nodes[i]);
    return hash;
}

static uint64_t mix_value(uint64_t hash, const struct rule_value *value)
{
    hash = mix_number(hash, value->kind);
    if (value->kind == RULE_STRING)
        return mix(hash, value->string.at, value->string.length);
    if (value->kind == RULE_INT)
        return mix_number(hash, (uint64_t)value->integer);
    if (value->kind == RULE_DECIMAL)
        return mix_number(hash, value->decimal.low);
    return hash;
}

static uint64_t hash_of(const struct node *node)
{
    uint64_t hash = mix_number(0xcbf29ce484222325, node->kind);
    switch (node->kind) {
    case NODE_CONSTANT:
        return mix_value(hash, &node->value);
    case NODE_FIELD:
        return mix(hash, node->field.at, node->field.length);
    case NODE_PATH:
        hash = mix_child(hash, node->path.base);
        for (size_t i = 0; i < node->path.count; i++) {
            const struct step *step = &node->path.steps[i];
            hash = mix_child(mix(hash, step->name.at, step->name.length), step->index);
        }
        return hash;
    case NODE_CHAIN:
        hash = mix_child(hash, node->chain.first);
        for (size_t i = 0; i < node->chain.count; i++)
            hash = mix_child(mix_number(hash, node->chain.links[i].operator),
                             node->chain.links[i].operand);
        return hash;
    case NODE_NOT:
    case NODE_NEGATE:
    case NODE_EXISTS:
        return mix_child(hash, node->operand);
    case NODE_CALL:
        hash = mix_number(hash, (uint64_t)(uintptr_t)node->call.function);
        return mix_nodes(hash, node->call.arguments, node->call.count);
    case NODE_CASE:
        hash = mix_child(mix_child(hash, node->choice.subject), node->choice.otherwise);
        for (size_t i = 0; i < node->choice.count; i++)
            hash = mix_child(mix_child(hash, node->choice.branches[i].when),
                             node->choice.branches[i].then);
        return hash;
    case NODE_ARRAY:
    case NODE_LIST:
        return mix_nodes(hash, node->array.items, node->array.count);
    case NODE_OBJECT:
        for (size_t i = 0; i < node->object.count; i++) {
            const struct entry *entry = &node->object.entries[i];
            hash = mix_child(mix(hash, entry->name.at, entry->name.length), entry->value);
        }
        return hash;
    case NODE_WHOLE:
    case NODE_SELECT:
        break;
    }
    return hash;
}

/* --- finishing --- */

/* A node that gives way to its equal no longer uses its children. */
static void leave(const struct node *child)
{
    if (child)
        ((struct node *)(uintptr_t)child)->uses--; /* nodes are only changed while compiling */
}

static void leave_nodes(const struct node *const *nodes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        leave(nodes[i]);
}

static void leave_children(const struct node *node)
{
    switch (node->kind) {
    case NODE_PATH:
        leave(node->path.base);
        for (size_t i = 0; i < node->path.count; i++)
            leave(node->path.steps[i].index);
        return;
    case NODE_CHAIN:
        leave(node->chain.first);
        for (size_t i = 0; i < node->chain.count; i++)
            leave(node->chain.links[i].operand);
        return;
    case NODE_NOT:
    case NODE_NEGATE:
    case NODE_EXISTS:
        leave(node->operand);
        return;
    case NODE_CALL:
        leave_nodes(node->call.arguments, node->call.count);
        return;
    case NODE_CASE:
        leave(node->choice.subject);
        leave(node->choice.otherwise);
        for (size_t i = 0; i < node->choice.count; i++) {
            leave(node->choice.branches[i].when);
            leave(node->choice.branches[i].then);
        }
        return;
    case NODE_ARRAY:
    case NODE_LIST:
        leave_nodes(node->array.items, node->array.count);
        return;
    case NODE_OBJECT:
        for (size_t i = 0; i < node->object.count; i++)
            leave(node->object.entries[i].value);
        return;
    case NODE_CONSTANT:
    case NODE_FIELD:
    case NODE_WHOLE:
    case NODE_SELECT:
        return;
    }
}

/* The equal node, or this one, which is then there for others. */
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
        if (!same(node, other, false))
            continue;
        leave_children(node);
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
