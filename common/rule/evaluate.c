/* Evaluates the tree of a statement from its root, and only as far as it is needed: the branches of
 * a CASE that are not taken are not evaluated. An expression that stands in the statement twice has
 * a slot, in which its value is kept for the second use.
 *
 * What is evaluated lives in the memory of the run, which is reset when the next message begins. */
#include "evaluate.h"

#include <string.h>

enum {
    MOST_STEPS = 20 * 1000 * 1000,   /* nodes that a statement with nested SELECTs may evaluate */
    FEW_ARGUMENTS = 8,               /* of a call; they need no memory but the stack */
    MOST_VARIABLE_BYTES = 128 * 1024 /* of all variables, as JSON ("SET clause limits") */
};

static const struct rule_value undefined; /* RULE_UNDEFINED is 0 */

static const struct rule_value *compute(struct run *run, const struct node *node,
                                        struct rule_value *space);

/* The first use of a slot. While a constant is computed there are no slots. */
OWN_FRAME static const struct rule_value *fill_slot(struct run *run, const struct node *node,
                                                    struct rule_value *space)
{
    if (!run->kept)
        return compute(run, node, space);
    size_t slot = node->slot - 1;
    return run->kept[slot] = compute(run, node, &run->slots[slot]);
}

static inline const struct rule_value *evaluate(struct run *run, const struct node *node,
                                                struct rule_value *space)
{
    if (node->constant)
        return node->constant;
    if (!node->slot)
        return compute(run, node, space);
    if (run->kept && run->kept[node->slot - 1])
        return run->kept[node->slot - 1];
    return fill_slot(run, node, space);
}

const struct rule_value *rule_evaluate(struct run *run, const struct node *node,
                                       struct rule_value *space)
{
    return evaluate(run, node, space);
}

/* --- conditions --- */

static enum truth find_truth(struct run *run, const struct node *node);

/* Both sides of AND and OR are Booleans, or Strings that say true or false. Anything else makes the
 * result Undefined, whatever the other side is ("AND operator", "OR operator"). */
static enum truth run_logic(struct run *run, const struct node *node)
{
    bool conjunction = node->chain.links[0].operation == OPERATION_AND;
    enum truth result = find_truth(run, node->chain.first);
    for (size_t i = 0; i < node->chain.count && result != UNKNOWN; i++) {
        enum truth next = find_truth(run, node->chain.links[i].operand);
        if (next == UNKNOWN)
            return UNKNOWN;
        result = conjunction ? result & next : result | next;
    }
    return result;
}

OWN_FRAME static enum truth run_comparison(struct run *run, const struct node *node)
{
    struct rule_value one, other;
    const struct link *link = &node->chain.links[0];
    const struct rule_value *left = evaluate(run, node->chain.first, &one);
    return rule_compare(link->operation, left, evaluate(run, link->operand, &other));
}

/* x - 0 = x: true of numbers, false of a String that writes a number; Undefined of anything else.
 */
OWN_FRAME static enum truth is_number(struct run *run, const struct node *x)
{
    struct rule_value space, number;
    const struct rule_value *value = evaluate(run, x, &space);
    if (rule_is_number(value))
        return TRUE;
    return rule_to_number(value, &number) ? FALSE : UNKNOWN;
}

/* x + '' = x: true of Strings, Undefined of Null and Undefined, false of anything else. */
OWN_FRAME static enum truth is_string(struct run *run, const struct node *x)
{
    struct rule_value space;
    enum rule_kind kind = evaluate(run, x, &space)->kind;
    if (kind == RULE_UNDEFINED || kind == RULE_NULL)
        return UNKNOWN;
    return kind == RULE_STRING;
}

/* Whether x is anything but true. NOT x is Undefined of all that is no Boolean and says none. */
static enum truth is_not_true(struct run *run, const struct node *x)
{
    return find_truth(run, x) != TRUE;
}

OWN_FRAME static enum truth truth_of_other(struct run *run, const struct node *node)
{
    struct rule_value space;
    return rule_truth_of(evaluate(run, node, &space));
}

static enum truth find_truth(struct run *run, const struct node *node)
{
    if (node->kind == NODE_CASE && node->choice.not_true && !node->slot)
        return is_not_true(run, node->choice.not_true);
    if (node->kind != NODE_CHAIN || node->slot || node->constant)
        return truth_of_other(run, node);
    switch (node->chain.shape) {
    case SHAPE_LOGIC:
        return run_logic(run, node);
    case SHAPE_COMPARISON:
        return run_comparison(run, node);
    case SHAPE_IS_NUMBER:
        return is_number(run, node->chain.links[0].operand);
    case SHAPE_IS_STRING:
        return is_string(run, node->chain.links[0].operand);
    case SHAPE_OTHER:
        break;
    }
    return truth_of_other(run, node);
}

/* The operands of an AND are evaluated until one is not true: whether the whole is then false or
 * Undefined does not matter. */
bool rule_holds(struct run *run, const struct node *condition)
{
    if (!condition)
        return true;
    if (condition->kind != NODE_CHAIN || condition->slot ||
        condition->chain.links[0].operation != OPERATION_AND)
        return find_truth(run, condition) == TRUE;
    bool result = find_truth(run, condition->chain.first) == TRUE;
    for (size_t i = 0; i < condition->chain.count && result; i++)
        result = find_truth(run, condition->chain.links[i].operand) == TRUE;
    return result;
}

/* --- operators and paths --- */

OWN_FRAME static const struct rule_value *run_chain(struct run *run, const struct node *node,
                                                    struct rule_value *space)
{
    if (node->chain.shape == SHAPE_LOGIC) {
        *space = rule_value_of(run_logic(run, node));
        return space;
    }
    struct rule_value other;
    const struct rule_value *left = evaluate(run, node->chain.first, space);
    const struct link *link = node->chain.links, *end = link + node->chain.count;
    for (; link < end; link++) {
        rule_apply(run->memory, run->program->version, link->operation, left,
                   evaluate(run, link->operand, &other), space);
        left = space;
    }
    return space;
}

OWN_FRAME static const struct rule_value *run_not(struct run *run, const struct node *node,
                                                  struct rule_value *space)
{
    *space = rule_value_of(rule_opposite(find_truth(run, node->operand)));
    return space;
}

OWN_FRAME static const struct rule_value *run_negate(struct run *run, const struct node *node,
                                                     struct rule_value *space)
{
    rule_negate(run->program->version, evaluate(run, node->operand, space), space);
    return space;
}

/* A value of the payload as the version sees it: JSON's 10.0 is a Decimal, which 2016-03-23 takes
 * for an Int. NULL: the payload has no such value. */
static const struct rule_value *settled(const struct run *run, const struct rule_value *value,
                                        struct rule_value *space)
{
    if (!value)
        return &undefined;
    if (value->kind != RULE_DECIMAL || rule_surely_fractional(&value->decimal))
        return value;
    *space = rule_settle(*value, run->program->version);
    return space;
}

OWN_FRAME static const struct rule_value *run_field(const struct run *run, const struct node *node,
                                                    struct rule_value *space)
{
    struct name field = node->field;
    if (run->alias && rule_same_names(*run->alias, field))
        return run->row;
    return settled(run, run->row ? rule_get(run->row, field.at, field.length) : NULL, space);
}

/* A variable is evaluated when it is first used, for all statements and templates that use it: in
 * its own statement, and outside of the nested SELECT that may use it. */
OWN_FRAME static const struct rule_value *fill_variable(struct run *run, uint32_t which)
{
    struct state *set = run->set;
    struct run own = {.program = set->program,
                      .memory = run->memory,
                      .message = run->message,
                      .kept = set->kept,
                      .slots = set->slots,
                      .set = set,
                      .payload = run->payload,
                      .row = run->payload,
                      .steps = run->steps};
    const struct rule_value *value =
        evaluate(&own, set->program->variables[which].value, &set->variable_room[which]);
    run->steps = own.steps;
    if (own.refused) {
        run->refused = run->refused ? run->refused : own.refused;
        run->missing = run->missing ? run->missing : own.missing;
        return &undefined;
    }
    struct rule_output json = {.memory = run->memory};
    rule_json_write(&json, set->program->version, value);
    set->variable_bytes += json.length;
    if (set->variable_bytes > MOST_VARIABLE_BYTES)
        run->memory->failed = true;
    return set->variables[which] = value;
}

static const struct rule_value *run_variable(struct run *run, const struct node *node)
{
    if (!run->set) /* what uses a variable runs with the statement that sets it */
        return &undefined;
    const struct rule_value *value = run->set->variables[node->variable];
    return value ? value : fill_variable(run, node->variable);
}

/* As get() has it: arrays take an Int, objects a String. */
static const struct rule_value *at_index(const struct rule_value *base,
                                         const struct rule_value *index)
{
    int64_t place;
    if (base->kind == RULE_OBJECT && index->kind == RULE_STRING)
        return rule_get(base, index->string.at, index->string.length);
    if (base->kind == RULE_ARRAY && rule_to_int(index, RULE_FLOOR, &place) && place >= 0 &&
        (uint64_t)place < base->array.count)
        return &base->array.items[place];
    return NULL;
}

OWN_FRAME static const struct rule_value *run_path(struct run *run, const struct node *node,
                                                   struct rule_value *space)
{
    struct rule_value index;
    const struct rule_value *value = evaluate(run, node->path.base, space);
    for (size_t i = 0; i < node->path.count && value; i++) {
        const struct step *step = &node->path.steps[i];
        if (step->index)
            value = at_index(value, evaluate(run, step->index, &index));
        else
            value = rule_get(value, step->name.at, step->name.length);
    }
    return settled(run, value, space);
}

/* --- calls and CASE --- */

/* * as an argument is the payload's bytes, whether they are JSON or not. */
static const struct rule_value *evaluate_argument(struct run *run, const struct node *node,
                                                  struct rule_value *space)
{
    if (node->kind != NODE_WHOLE)
        return evaluate(run, node, space);
    *space = rule_string(run->message->payload, run->message->payload_length);
    return space;
}

/* The rule cannot run here: it needs the result of a function that this program does not have. */
static void refuse(struct run *run, const struct rule_function *function, const char *missing)
{
    if (run->refused)
        return;
    run->refused = function;
    run->missing = missing;
}

static void call(struct run *run, const struct node *node, const struct rule_value **arguments,
                 struct rule_value *spaces, struct rule_value *result)
{
    for (size_t i = 0; i < node->call.count; i++)
        arguments[i] = evaluate_argument(run, node->call.arguments[i], &spaces[i]);
    struct rule_call made = {.message = run->message,
                             .memory = run->memory,
                             .version = run->program->version,
                             .arguments = arguments,
                             .count = node->call.count,
                             .result = result,
                             .regex = node->call.regex};
    result->kind = RULE_UNDEFINED;
    node->call.function->run(&made);
    rule_settle_in_place(run->program->version, result);
    if (made.missing)
        refuse(run, node->call.function, made.missing);
}

OWN_FRAME static void call_with_many(struct run *run, const struct node *node,
                                     struct rule_value *result)
{
    size_t count = node->call.count;
    struct rule_value *spaces = rule_take(run->memory, count * sizeof *spaces);
    const struct rule_value **arguments = rule_take(run->memory, count * sizeof *arguments);
    result->kind = RULE_UNDEFINED;
    if (spaces && arguments)
        call(run, node, arguments, spaces, result);
}

OWN_FRAME static const struct rule_value *run_call(struct run *run, const struct node *node,
                                                   struct rule_value *space)
{
    if (!node->call.fits)
        return &undefined;
    if (node->call.function->service) {
        refuse(run, node->call.function, node->call.function->service);
        return &undefined;
    }
    if (node->call.count > FEW_ARGUMENTS) {
        call_with_many(run, node, space);
    } else {
        const struct rule_value *arguments[FEW_ARGUMENTS];
        struct rule_value spaces[FEW_ARGUMENTS];
        call(run, node, arguments, spaces, space);
    }
    return space;
}

OWN_FRAME static const struct rule_value *run_case(struct run *run, const struct node *node,
                                                   struct rule_value *space)
{
    if (node->choice.not_true) {
        *space = rule_value_of(is_not_true(run, node->choice.not_true));
        return space;
    }
    struct rule_value subject_space, when_space;
    const struct rule_value *subject = NULL;
    if (node->choice.subject) {
        subject = evaluate(run, node->choice.subject, &subject_space);
        if (subject->kind == RULE_UNDEFINED)
            return &undefined;
    }
    for (size_t i = 0; i < node->choice.count; i++) {
        const struct branch *branch = &node->choice.branches[i];
        const struct rule_value *when = evaluate(run, branch->when, &when_space);
        if ((subject ? rule_are_equal(subject, when) : rule_truth_of(when)) == TRUE)
            return evaluate(run, branch->then, space);
    }
    return node->choice.otherwise ? evaluate(run, node->choice.otherwise, space) : &undefined;
}

/* --- arrays and objects --- */

OWN_FRAME static const struct rule_value *make_array(struct run *run, const struct node *node,
                                                     struct rule_value *space)
{
    struct rule_value *items = rule_take(run->memory, node->array.count * sizeof *items);
    if (!items)
        return &undefined;
    for (size_t i = 0; i < node->array.count; i++)
        items[i] = *evaluate(run, node->array.items[i], &items[i]);
    *space = rule_array(items, node->array.count);
    return space;
}

OWN_FRAME static const struct rule_value *make_object(struct run *run, const struct node *node,
                                                      struct rule_value *space)
{
    struct rule_member *members = rule_take(run->memory, node->object.count * sizeof *members);
    if (!members)
        return &undefined;
    for (size_t i = 0; i < node->object.count; i++) {
        const struct entry *entry = &node->object.entries[i];
        members[i].name = entry->name.at;
        members[i].name_length = entry->name.length;
        members[i].value = *evaluate(run, entry->value, &members[i].value);
    }
    *space = rule_object(run->memory, members, node->object.count);
    return space;
}

/* --- what a SELECT makes --- */

static void copy_members(struct rule_member *members, size_t *count, const struct rule_value *row)
{
    if (!row || row->kind != RULE_OBJECT || !row->object.count)
        return;
    memcpy(members + *count, row->object.members, row->object.count * sizeof *members);
    *count += row->object.count;
}

/* The value of the first name of "AS a.b.c": for the rest of the path (b, c) an object {"b": {"c":
 * value}}. Members of an object that was selected under that name before are kept. */
static struct rule_value wrap(struct run *run, const struct name *path, size_t length,
                              struct rule_value value, const struct rule_value *before)
{
    if (!length)
        return value;
    size_t count = before && before->kind == RULE_OBJECT ? before->object.count : 0;
    struct rule_member *members = rule_take(run->memory, (count + 1) * sizeof *members);
    if (!members)
        return rule_undefined();
    size_t filled = 0;
    const struct rule_value *inner = NULL;
    if (count) {
        copy_members(members, &filled, before);
        inner = rule_get(before, path->at, path->length);
    }
    members[count] =
        (struct rule_member){path->at, path->length, wrap(run, path + 1, length - 1, value, inner)};
    return rule_object(run->memory, members, count + 1);
}

static const struct rule_value *find_member(const struct rule_member *members, size_t count,
                                            struct name name)
{
    while (count-- > 0)
        if (members[count].name_length == name.length &&
            memcmp(members[count].name, name.at, name.length) == 0)
            return &members[count].value;
    return NULL;
}

/* "JSON extensions" shows a name with dots behind AS, and not its result where the object is there
 * already. Here the member is added to that object. */
static void add_member(struct run *run, struct rule_member *members, size_t *count,
                       const struct item *item)
{
    struct rule_value space, value = *evaluate(run, item->value, &space);
    if (value.kind == RULE_UNDEFINED)
        return;
    if (item->path_length > 1)
        value = wrap(run, item->path + 1, item->path_length - 1, value,
                     find_member(members, *count, item->path[0]));
    members[(*count)++] = (struct rule_member){item->path[0].at, item->path[0].length, value};
}

static struct rule_value select_object(struct run *run, const struct select *select)
{
    size_t all = run->row && run->row->kind == RULE_OBJECT ? run->row->object.count : 0, room = 0;
    for (size_t i = 0; i < select->item_count; i++)
        room += select->items[i].value ? 1 : all;
    struct rule_member *members = rule_take(run->memory, room * sizeof *members);
    size_t count = 0;
    if (!members)
        return rule_undefined();
    for (size_t i = 0; i < select->item_count; i++) {
        if (select->items[i].value)
            add_member(run, members, &count, &select->items[i]);
        else
            copy_members(members, &count, run->row);
    }
    return rule_object(run->memory, members, count);
}

/* SELECT * alone is the payload or row itself, also where that is an array; SELECT VALUE is its
 * value. With 2015-10-08 that is no array ("Output an Array as a top-level object"). */
struct rule_value rule_selected(struct run *run, const struct select *select)
{
    const struct item *first = &select->items[0];
    struct rule_value space;
    if (select->item_count == 1 && !first->value)
        return run->row ? *run->row : rule_undefined();
    if (!select->value || !first->value)
        return select_object(run, select);
    space = *evaluate(run, first->value, &space);
    if (space.kind == RULE_ARRAY && run->program->version == RULE_2015_10_08)
        return rule_undefined();
    return space;
}

/* A nested SELECT makes one value of each item of an array, and one value of an object. Nested
 * SELECTs over arrays that the statement writes can multiply without a large payload; the number of
 * steps bounds that. */
OWN_FRAME static const struct rule_value *run_nested(struct run *run, const struct node *node,
                                                     struct rule_value *space)
{
    struct rule_value source_space;
    const struct select *select = node->select;
    const struct rule_value *outer = run->row,
                            *source = evaluate(run, select->source, &source_space);
    const struct name *outer_alias = run->alias;
    bool array = source->kind == RULE_ARRAY;
    if (!array && source->kind != RULE_OBJECT)
        return &undefined;
    size_t rows = array ? source->array.count : 1, count = 0;
    struct rule_value *items = rule_take(run->memory, rows * sizeof *items);
    run->alias = select->alias.length ? &select->alias : NULL;
    for (size_t i = 0; items && i < rows && run->steps < MOST_STEPS; i++) {
        run->row = array ? &source->array.items[i] : source;
        if (!rule_holds(run, select->condition))
            continue;
        items[count] = rule_selected(run, select);
        count += items[count].kind != RULE_UNDEFINED;
    }
    run->row = outer;
    run->alias = outer_alias;
    if (run->steps >= MOST_STEPS)
        run->memory->failed = true;
    if (!items)
        return &undefined;
    *space = array ? rule_array(items, count) : count ? items[0] : rule_undefined();
    return space;
}

OWN_FRAME static const struct rule_value *run_exists(struct run *run, const struct node *node,
                                                     struct rule_value *space)
{
    const struct rule_value *found = evaluate(run, node->operand, space);
    bool none = found->kind == RULE_UNDEFINED || (found->kind == RULE_ARRAY && !found->array.count);
    *space = rule_boolean(!none);
    return space;
}

/* --- any node --- */

static const struct rule_value *compute(struct run *run, const struct node *node,
                                        struct rule_value *space)
{
    run->steps++;
    switch (node->kind) {
    case NODE_CONSTANT:
        return node->constant;
    case NODE_FIELD:
        return run_field(run, node, space);
    case NODE_VARIABLE:
        return run_variable(run, node);
    case NODE_WHOLE:
        return run->row ? run->row : &undefined;
    case NODE_PATH:
        return run_path(run, node, space);
    case NODE_CHAIN:
        return run_chain(run, node, space);
    case NODE_NOT:
        return run_not(run, node, space);
    case NODE_NEGATE:
        return run_negate(run, node, space);
    case NODE_CALL:
        return run_call(run, node, space);
    case NODE_CASE:
        return run_case(run, node, space);
    case NODE_ARRAY:
    case NODE_LIST:
        return make_array(run, node, space);
    case NODE_OBJECT:
        return make_object(run, node, space);
    case NODE_SELECT:
        return run_nested(run, node, space);
    case NODE_EXISTS:
        break;
    }
    return run_exists(run, node, space);
}

bool rule_fold(struct program *program, const struct node *node, struct rule_value *value)
{
    struct run run = {.program = program, .memory = &program->constants};
    struct rule_value space;
    *value = *evaluate(&run, node, &space);
    return !run.refused && !run.memory->failed;
}
