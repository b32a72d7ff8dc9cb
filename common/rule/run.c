/* Running a compiled statement on a message.
 *
 * The tree is walked from its root, and only where its value is needed: the branches of CASE that
 * are not taken are not looked at. A value is returned as a pointer: to the payload, to a constant,
 * or to the space that the caller offers, so that numbers and texts are not copied about. An
 * expression that stands in the statement twice has a slot, in which its value is kept for the
 * second use.
 *
 * Memory is the scratch's; it is all given back when the next message begins. */
#include "tree.h"

#include <stdlib.h>
#include <string.h>

enum {
    USUAL_LIMIT = 16 << 20,
    MOST_STEPS = 20 * 1000 * 1000, /* expressions that nested SELECTs may compute for one rule */
    FEW_ARGUMENTS = 8
};

enum payload { UNREAD, JSON, RAW };

struct rule_scratch {
    struct rule_memory memory;
    const struct rule_message *message;
    enum payload payload;
    struct rule_value root; /* of JSON */
};

struct run {
    const struct program *program;
    struct rule_memory *memory;
    const struct rule_message *message;
    const struct rule_value *row;   /* whose members are the fields; NULL: there are none */
    const struct rule_value **kept; /* by slot: where the value is, once it is known */
    struct rule_value *slots;
    const struct rule_function *refused;
    size_t steps;
};

static const struct rule_value undefined; /* its kind is 0 */

static const struct rule_value *compute(struct run *run, const struct node *node,
                                        struct rule_value *space);
static const struct rule_value *run_nested(struct run *run, const struct node *node,
                                           struct rule_value *space);

/* The first use of a slot; without slots (a constant is being computed) there is no second. */
__attribute__((noinline)) static const struct rule_value *
fill_slot(struct run *run, const struct node *node, struct rule_value *space)
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

/* --- numbers --- */

/* Two Ints make an Int, "Int/Int" in every table of "Operators"; what 64 bits do not hold goes on
 * as a Decimal. A quotient is cut off at the point. */
static bool apply_ints(enum operator operator, int64_t left, int64_t right,
                       struct rule_value *result)
{
    int64_t made = 0;
    bool over = false;
    switch (operator) {
    case OP_ADD:
        over = __builtin_add_overflow(left, right, &made);
        break;
    case OP_SUBTRACT:
        over = __builtin_sub_overflow(left, right, &made);
        break;
    case OP_MULTIPLY:
        over = __builtin_mul_overflow(left, right, &made);
        break;
    default: /* OP_DIVIDE, OP_REMAINDER */
        if (!right || (left == INT64_MIN && right == -1))
            return false;
        made = operator== OP_DIVIDE ? left / right : left % right;
    }
    if (over)
        return false;
    result->kind = RULE_INT;
    result->integer = made;
    return true;
}

static bool apply_decimals(enum operator operator, struct rule_decimal left,
                           struct rule_decimal right, struct rule_decimal *result)
{
    switch (operator) {
    case OP_ADD:
        return rule_decimal_add(left, right, result);
    case OP_SUBTRACT:
        return rule_decimal_subtract(left, right, result);
    case OP_MULTIPLY:
        return rule_decimal_multiply(left, right, result);
    case OP_DIVIDE:
        return rule_decimal_divide(left, right, result);
    default:
        return rule_decimal_remainder(left, right, result);
    }
}

static inline bool is_number(const struct rule_value *value)
{
    return value->kind == RULE_INT || value->kind == RULE_DECIMAL;
}

static inline struct rule_decimal decimal_of(const struct rule_value *number)
{
    return number->kind == RULE_INT ? rule_decimal_of_int(number->integer) : number->decimal;
}

/* Whether a Decimal is sure not to be whole: a multiple of ten is even. */
static inline bool is_broken(const struct rule_decimal *decimal)
{
    return decimal->exponent < 0 && decimal->low % 2;
}

/* A whole Decimal is an Int in 2016-03-23. */
static inline void settle(const struct run *run, struct rule_value *value)
{
    if (run->program->version != RULE_2015_10_08 && value->kind == RULE_DECIMAL &&
        !is_broken(&value->decimal))
        *value = rule_settle(*value, run->program->version);
}

/* Both are Int or Decimal. result may be one of them. */
static void calculate_numbers(const struct run *run, enum operator operator,
                              const struct rule_value * left, const struct rule_value *right,
                              struct rule_value *result)
{
    if (left->kind == RULE_INT && right->kind == RULE_INT &&
        apply_ints(operator, left->integer, right->integer, result))
        return;
    if (apply_decimals(operator, decimal_of(left), decimal_of(right), &result->decimal)) {
        result->kind = RULE_DECIMAL;
        settle(run, result);
    } else {
        result->kind = RULE_UNDEFINED;
    }
}

/* Texts count as the numbers that they say. Not inlined, as are others that are seldom needed: what
 * calls them is short then, and is called most. */
__attribute__((noinline)) static void
calculate_others(const struct run *run, enum operator operator, const struct rule_value * left,
                 const struct rule_value *right, struct rule_value *result)
{
    struct rule_value one, other;
    if (rule_to_number(left, &one) && rule_to_number(right, &other))
        calculate_numbers(run, operator, & one, &other, result);
    else
        result->kind = RULE_UNDEFINED;
}

static void calculate(const struct run *run, enum operator operator, const struct rule_value * left,
                      const struct rule_value *right, struct rule_value *result)
{
    if (!is_number(left) || !is_number(right))
        calculate_others(run, operator, left, right, result);
    else if (operator== OP_SUBTRACT && left->kind == RULE_DECIMAL &&
             right->kind == RULE_INT && !right->integer)
        *result = *left; /* x - 0 asks whether x is a number */
    else
        calculate_numbers(run, operator, left, right, result);
}

__attribute__((noinline)) static void join(struct run *run, const struct rule_value *left,
                                           const struct rule_value *right,
                                           struct rule_value *result)
{
    struct rule_value one, other;
    enum rule_version version = run->program->version;
    bool joins = rule_to_string(run->memory, version, left, &one) &&
                 rule_to_string(run->memory, version, right, &other);
    result->kind = RULE_UNDEFINED;
    if (!joins)
        return;
    if (!other.string.length) {
        *result = one;
        return;
    }
    char *made = rule_take(run->memory, one.string.length + other.string.length);
    if (!made)
        return;
    if (one.string.length)
        memcpy(made, one.string.at, one.string.length);
    memcpy(made + one.string.length, other.string.at, other.string.length);
    *result = rule_string(made, one.string.length + other.string.length);
}

/* --- conditions ---
 *
 * What is true, false or neither is passed about as such, and made a value only where one is
 * needed: most of what a rule does is to compare. */

enum truth { FALSE, TRUE, UNKNOWN };

static enum truth truth_of(const struct rule_value *value)
{
    bool boolean;
    if (value->kind == RULE_BOOLEAN)
        return value->boolean;
    return rule_to_boolean(value, &boolean) ? (enum truth)boolean : UNKNOWN;
}

static enum truth opposite(enum truth truth)
{
    return truth == UNKNOWN ? UNKNOWN : !truth;
}

static void set_truth(struct rule_value *value, enum truth truth)
{
    value->kind = truth == UNKNOWN ? RULE_UNDEFINED : RULE_BOOLEAN;
    value->boolean = truth == TRUE;
}

static enum truth order_holds(enum operator operator, int order)
{
    switch (operator) {
    case OP_LESS:
        return order < 0;
    case OP_LESS_EQUAL:
        return order <= 0;
    case OP_GREATER:
        return order > 0;
    default: /* OP_GREATER_EQUAL */
        return order >= 0;
    }
}

__attribute__((noinline)) static enum truth compare_others(enum operator operator,
                                                           const struct rule_value * left,
                                                           const struct rule_value *right)
{
    struct rule_value one, other;
    if (!rule_to_number(left, &one) || !rule_to_number(right, &other))
        return UNKNOWN;
    return order_holds(operator, rule_compare_numbers(&one, &other));
}

static enum truth compare_order(enum operator operator, const struct rule_value * left,
                                const struct rule_value *right)
{
    if (!is_number(left) || !is_number(right))
        return compare_others(operator, left, right);
    return order_holds(operator, rule_compare_numbers(left, right));
}

__attribute__((noinline)) static enum truth is_member(const struct rule_value *value,
                                                      const struct rule_value *array)
{
    if (value->kind == RULE_UNDEFINED || array->kind != RULE_ARRAY)
        return UNKNOWN;
    for (size_t i = 0; i < array->array.count; i++)
        if (rule_equal(value, &array->array.items[i]))
            return TRUE;
    return FALSE;
}

static enum truth are_equal(const struct rule_value *left, const struct rule_value *right)
{
    if (left->kind == RULE_UNDEFINED || right->kind == RULE_UNDEFINED)
        return UNKNOWN;
    return rule_equal(left, right);
}

static enum truth compare(enum operator operator, const struct rule_value * left,
                          const struct rule_value *right)
{
    switch (operator) {
    case OP_EQUAL:
        return are_equal(left, right);
    case OP_NOT_EQUAL:
        return opposite(are_equal(left, right));
    case OP_IN:
        return is_member(left, right);
    case OP_NOT_IN:
        return opposite(is_member(left, right));
    default:
        return compare_order(operator, left, right);
    }
}

static enum truth find_truth(struct run *run, const struct node *node);

/* AND and OR need Booleans on both sides, or texts that say true or false; anything else makes the
 * result Undefined, whatever the other side is ("AND operator", "OR operator"). */
static enum truth run_logic(struct run *run, const struct node *node)
{
    bool and = node->chain.links[0].operator== OP_AND;
    enum truth result = find_truth(run, node->chain.first);
    for (size_t i = 0; i < node->chain.count && result != UNKNOWN; i++) {
        enum truth next = find_truth(run, node->chain.links[i].operand);
        if (next == UNKNOWN)
            return UNKNOWN;
        result = and? result & next : result | next;
    }
    return result;
}

__attribute__((noinline)) static enum truth run_comparison(struct run *run, const struct node *node)
{
    struct rule_value one, other;
    const struct link *link = &node->chain.links[0];
    const struct rule_value *left = evaluate(run, node->chain.first, &one);
    return compare(link->operator, left, evaluate(run, link->operand, &other));
}

/* x - 0 = x: a text that says a number is another thing than the number; others have no x - 0. */
__attribute__((noinline)) static enum truth is_a_number(struct run *run, const struct node *x)
{
    struct rule_value space, number;
    const struct rule_value *value = evaluate(run, x, &space);
    if (is_number(value))
        return TRUE;
    return rule_to_number(value, &number) ? FALSE : UNKNOWN;
}

/* x + '' = x */
__attribute__((noinline)) static enum truth is_a_text(struct run *run, const struct node *x)
{
    struct rule_value space;
    enum rule_kind kind = evaluate(run, x, &space)->kind;
    if (kind == RULE_UNDEFINED || kind == RULE_NULL)
        return UNKNOWN;
    return kind == RULE_STRING;
}

/* Whether x is anything else than the Boolean true. */
static enum truth is_not_true(struct run *run, const struct node *x)
{
    struct rule_value space;
    if (x->kind == NODE_CHAIN && x->chain.shape == SHAPE_LOGIC)
        return run_logic(run, x) != TRUE;
    const struct rule_value *value = evaluate(run, x, &space);
    return !(value->kind == RULE_BOOLEAN && value->boolean);
}

__attribute__((noinline)) static enum truth truth_of_other(struct run *run, const struct node *node)
{
    struct rule_value space;
    return truth_of(evaluate(run, node, &space));
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
        return is_a_number(run, node->chain.links[0].operand);
    case SHAPE_IS_TEXT:
        return is_a_text(run, node->chain.links[0].operand);
    case SHAPE_OTHER:
        break;
    }
    return truth_of_other(run, node);
}

/* --- operators --- */

static void apply(struct run *run, enum operator operator, const struct rule_value * left,
                  const struct rule_value *right, struct rule_value *result)
{
    bool texts = left->kind == RULE_STRING || right->kind == RULE_STRING;
    if (operator<= OP_NOT_IN)
        set_truth(result, compare(operator, left, right));
    else if (operator== OP_JOIN ||(operator== OP_ADD && texts))
        join(run, left, right, result);
    else
        calculate(run, operator, left, right, result);
}

__attribute__((noinline)) static const struct rule_value *
run_chain(struct run *run, const struct node *node, struct rule_value *space)
{
    if (node->chain.shape == SHAPE_LOGIC) {
        set_truth(space, run_logic(run, node));
        return space;
    }
    struct rule_value other;
    const struct rule_value *left = evaluate(run, node->chain.first, space);
    const struct link *link = node->chain.links, *end = link + node->chain.count;
    for (; link < end; link++) {
        apply(run, link->operator, left, evaluate(run, link->operand, &other), space);
        left = space;
    }
    return space;
}

/* --- other expressions --- */

__attribute__((noinline)) static const struct rule_value *
negate(struct run *run, const struct node *node, struct rule_value *space)
{
    struct rule_value zero = rule_int(0);
    const struct rule_value *value = evaluate(run, node->operand, space);
    if (value->kind != RULE_DECIMAL) {
        calculate(run, OP_SUBTRACT, &zero, value, space);
        return space;
    }
    *space = *value; /* with its zeros: -(1.0) is -1.0 */
    space->decimal.negative = !value->decimal.negative && !rule_decimal_is_zero(value->decimal);
    return space;
}

__attribute__((noinline)) static const struct rule_value *
run_field(const struct run *run, const struct node *node, struct rule_value *space)
{
    const struct rule_value *value =
        run->row ? rule_get(run->row, node->field.at, node->field.length) : NULL;
    if (!value)
        return &undefined;
    if (value->kind != RULE_DECIMAL || is_broken(&value->decimal))
        return value;
    *space = rule_settle(*value, run->program->version);
    return space;
}

/* As get() has it: an Int for arrays, a text for objects. */
static const struct rule_value *at_index(const struct rule_value *base,
                                         const struct rule_value *index)
{
    int64_t place;
    const struct rule_value *found = NULL;
    if (base->kind == RULE_OBJECT && index->kind == RULE_STRING)
        found = rule_get(base, index->string.at, index->string.length);
    else if (base->kind == RULE_ARRAY && rule_to_int(index, RULE_FLOOR, &place) && place >= 0 &&
             (uint64_t)place < base->array.count)
        found = &base->array.items[place];
    return found ? found : &undefined;
}

__attribute__((noinline)) static const struct rule_value *
run_path(struct run *run, const struct node *node, struct rule_value *space)
{
    struct rule_value index;
    const struct rule_value *value = evaluate(run, node->path.base, space);
    for (size_t i = 0; i < node->path.count; i++) {
        const struct step *step = &node->path.steps[i];
        if (step->index) {
            value = at_index(value, evaluate(run, step->index, &index));
        } else {
            value = rule_get(value, step->name.at, step->name.length);
            value = value ? value : &undefined;
        }
    }
    if (value->kind != RULE_DECIMAL || is_broken(&value->decimal))
        return value;
    *space = rule_settle(*value, run->program->version);
    return space;
}

/* * is what came, before JSON: encode() and its like take it as bytes. */
static const struct rule_value *evaluate_argument(struct run *run, const struct node *node,
                                                  struct rule_value *space)
{
    if (node->kind != NODE_WHOLE)
        return evaluate(run, node, space);
    *space = rule_string(run->message->payload, run->message->payload_length);
    return space;
}

static inline void call(struct run *run, const struct node *node,
                        const struct rule_value **arguments, struct rule_value *spaces,
                        struct rule_value *result)
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
    settle(run, result);
}

__attribute__((noinline)) static void call_with_many(struct run *run, const struct node *node,
                                                     struct rule_value *result)
{
    size_t count = node->call.count;
    struct rule_value *spaces = rule_take(run->memory, count * sizeof *spaces);
    const struct rule_value **arguments = rule_take(run->memory, count * sizeof *arguments);
    result->kind = RULE_UNDEFINED;
    if (spaces && arguments)
        call(run, node, arguments, spaces, result);
}

/* Not inlined: its arrays would make the frame of compute() large, at every level of a tree. */
__attribute__((noinline)) static const struct rule_value *
run_call(struct run *run, const struct node *node, struct rule_value *space)
{
    if (!node->call.fits)
        return &undefined;
    if (node->call.function->service) {
        run->refused = run->refused ? run->refused : node->call.function;
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

__attribute__((noinline)) static const struct rule_value *
run_case(struct run *run, const struct node *node, struct rule_value *space)
{
    if (node->choice.not_true) {
        set_truth(space, is_not_true(run, node->choice.not_true));
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
        if ((subject ? are_equal(subject, when) : truth_of(when)) == TRUE)
            return evaluate(run, branch->then, space);
    }
    return node->choice.otherwise ? evaluate(run, node->choice.otherwise, space) : &undefined;
}

__attribute__((noinline)) static const struct rule_value *
make_array(struct run *run, const struct node *node, struct rule_value *space)
{
    struct rule_value *items = rule_take(run->memory, node->array.count * sizeof *items);
    if (!items)
        return &undefined;
    for (size_t i = 0; i < node->array.count; i++)
        items[i] = *evaluate(run, node->array.items[i], &items[i]);
    *space = rule_array(items, node->array.count);
    return space;
}

__attribute__((noinline)) static const struct rule_value *
make_object(struct run *run, const struct node *node, struct rule_value *space)
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

__attribute__((noinline)) static const struct rule_value *
run_exists(struct run *run, const struct node *node, struct rule_value *space)
{
    const struct rule_value *found = evaluate(run, node->operand, space);
    bool none = found->kind == RULE_UNDEFINED || (found->kind == RULE_ARRAY && !found->array.count);
    set_truth(space, none ? FALSE : TRUE);
    return space;
}

__attribute__((noinline)) static const struct rule_value *
run_not(struct run *run, const struct node *node, struct rule_value *space)
{
    set_truth(space, opposite(find_truth(run, node->operand)));
    return space;
}

static const struct rule_value *compute(struct run *run, const struct node *node,
                                        struct rule_value *space)
{
    run->steps++;
    switch (node->kind) {
    case NODE_CONSTANT:
        return node->constant;
    case NODE_FIELD:
        return run_field(run, node, space);
    case NODE_WHOLE:
        return run->row ? run->row : &undefined;
    case NODE_PATH:
        return run_path(run, node, space);
    case NODE_CHAIN:
        return run_chain(run, node, space);
    case NODE_NOT:
        return run_not(run, node, space);
    case NODE_NEGATE:
        return negate(run, node, space);
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
    return !run.memory->failed;
}

/* --- what is selected --- */

/* Whether a condition is true. The operands of an AND are looked at until one is not: for WHERE,
 * false and Undefined are the same. */
static bool holds(struct run *run, const struct node *condition)
{
    if (!condition)
        return true;
    if (condition->kind != NODE_CHAIN || condition->slot ||
        condition->chain.links[0].operator!= OP_AND)
        return find_truth(run, condition) == TRUE;
    bool result = find_truth(run, condition->chain.first) == TRUE;
    for (size_t i = 0; i < condition->chain.count && result; i++)
        result = find_truth(run, condition->chain.links[i].operand) == TRUE;
    return result;
}

static void copy_members(struct rule_member *members, size_t *count, const struct rule_value *row)
{
    if (!row || row->kind != RULE_OBJECT || !row->object.count)
        return;
    memcpy(members + *count, row->object.members, row->object.count * sizeof *members);
    *count += row->object.count;
}

/* {"a": {"b": value}} for the names a, b behind the first of a path, beside what is there already.
 */
static struct rule_value wrap(struct run *run, const struct name *path, size_t length,
                              struct rule_value value, const struct rule_value *there)
{
    if (!length)
        return value;
    size_t count = there && there->kind == RULE_OBJECT ? there->object.count : 0;
    struct rule_member *members = rule_take(run->memory, (count + 1) * sizeof *members);
    if (!members)
        return rule_undefined();
    size_t filled = 0;
    const struct rule_value *inner = NULL;
    if (count) {
        copy_members(members, &filled, there);
        inner = rule_get(there, path->at, path->length);
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

/* AS a.b adds to an object a that is there already: "JSON extensions" shows such a name and not
 * what comes of it. */
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
 * value. With 2015-10-08 that is no array: "Output an Array as a top-level object". */
static struct rule_value selected(struct run *run, const struct select *select)
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

/* One value for each item of an array; of an object that one. */
__attribute__((noinline)) static const struct rule_value *
run_nested(struct run *run, const struct node *node, struct rule_value *space)
{
    struct rule_value source_space;
    const struct select *select = node->select;
    const struct rule_value *outer = run->row,
                            *source = evaluate(run, select->source, &source_space);
    bool array = source->kind == RULE_ARRAY;
    if (!array && source->kind != RULE_OBJECT)
        return &undefined;
    size_t rows = array ? source->array.count : 1, count = 0;
    struct rule_value *items = rule_take(run->memory, rows * sizeof *items);
    for (size_t i = 0; items && i < rows && run->steps < MOST_STEPS; i++) {
        run->row = array ? &source->array.items[i] : source;
        if (!holds(run, select->condition))
            continue;
        items[count] = selected(run, select);
        count += items[count].kind != RULE_UNDEFINED;
    }
    run->row = outer;
    if (run->steps >= MOST_STEPS) /* nested literals multiply; nobody waits for that */
        run->memory->failed = true;
    if (!items)
        return &undefined;
    *space = array ? rule_array(items, count) : count ? items[0] : rule_undefined();
    return space;
}

/* --- messages --- */

struct rule_scratch *rule_scratch_new(size_t limit)
{
    struct rule_scratch *scratch = calloc(1, sizeof *scratch);
    if (scratch)
        scratch->memory.limit = limit ? limit : USUAL_LIMIT;
    return scratch;
}

void rule_scratch_free(struct rule_scratch *scratch)
{
    if (scratch)
        rule_memory_free(&scratch->memory);
    free(scratch);
}

void rule_begin(struct rule_scratch *scratch, const struct rule_message *message)
{
    rule_memory_reset(&scratch->memory);
    scratch->message = message;
    scratch->payload = UNREAD;
}

/* A payload that is a number or text alone counts as not JSON: the guide's "WHERE clause" takes 80
 * for that. */
static void read_payload(struct rule_scratch *scratch)
{
    const struct rule_message *message = scratch->message;
    bool read =
        rule_json_read(&scratch->memory, message->payload, message->payload_length, &scratch->root);
    read = read && (scratch->root.kind == RULE_OBJECT || scratch->root.kind == RULE_ARRAY);
    scratch->payload = read ? JSON : RAW;
}

static bool begin_run(struct run *run, const struct program *program, struct rule_scratch *scratch)
{
    if (scratch->payload == UNREAD)
        read_payload(scratch);
    *run = (struct run){.program = program,
                        .memory = &scratch->memory,
                        .message = scratch->message,
                        .row = scratch->payload == JSON ? &scratch->root : NULL};
    size_t slots = program->slots;
    if (slots &&
        (run->kept = rule_take(run->memory, slots * (sizeof *run->kept + sizeof *run->slots)))) {
        run->slots = (struct rule_value *)(run->kept + slots);
        memset(run->kept, 0, slots * sizeof *run->kept);
    }
    return !run->memory->failed;
}

static enum rule_outcome end_run(const struct run *run, struct rule_result *result)
{
    if (run->memory->failed)
        return RULE_OUT_OF_MEMORY;
    if (!run->refused)
        return RULE_SELECTED;
    result->function = run->refused->name;
    result->service = run->refused->service;
    return RULE_REFUSED;
}

static void write_members(struct run *run, const struct select *select, struct rule_output *output)
{
    struct rule_value space;
    bool any = false;
    rule_output_add(output, "{", 1);
    for (size_t i = 0; i < select->item_count && !run->refused; i++) {
        const struct item *item = &select->items[i];
        const struct rule_value *value =
            item->value ? evaluate(run, item->value, &space) : &undefined; /* * is not plain */
        if (value->kind == RULE_UNDEFINED)
            continue;
        if (any)
            rule_output_add(output, ",", 1);
        any = true;
        rule_output_add(output, item->key.at, item->key.length);
        rule_json_write(output, run->program->version, value);
    }
    rule_output_add(output, "}", 1);
}

static void write_selected(struct run *run, const struct select *select,
                           struct rule_scratch *scratch, struct rule_result *result)
{
    struct rule_output output = {.memory = run->memory};
    bool whole = select->item_count == 1 && !select->items[0].value;
    if (whole && scratch->payload == RAW) {
        result->raw = true;
        result->bytes = run->message->payload;
        result->length = run->message->payload_length;
        return;
    }
    if (select->plain && !select->value) {
        write_members(run, select, &output);
    } else {
        struct rule_value value = selected(run, select);
        rule_json_write(&output, run->program->version, &value);
    }
    result->bytes = output.at ? output.at : "";
    result->length = output.length;
}

enum rule_outcome rule_select(const struct rule *rule, struct rule_scratch *scratch,
                              struct rule_result *result)
{
    struct run run;
    *result = (struct rule_result){0};
    if (!begin_run(&run, &rule->program, scratch))
        return RULE_OUT_OF_MEMORY;
    bool wanted = holds(&run, rule->select.condition);
    if (run.refused || run.memory->failed)
        return end_run(&run, result);
    if (!wanted)
        return RULE_NOT_SELECTED;
    write_selected(&run, &rule->select, scratch, result);
    return end_run(&run, result);
}

enum rule_outcome rule_run(const struct rule *rule, struct rule_scratch *scratch,
                           struct rule_result *result)
{
    if (rule_matches(rule, scratch->message->topic))
        return rule_select(rule, scratch, result);
    *result = (struct rule_result){0};
    return RULE_NO_MATCH;
}

enum rule_outcome rule_template_run(const struct rule_template *template,
                                    struct rule_scratch *scratch, struct rule_result *result)
{
    struct run run;
    *result = (struct rule_result){0};
    if (!begin_run(&run, &template->program, scratch))
        return RULE_OUT_OF_MEMORY;
    /* Values first: a buffer grows at the end of the memory, and so would theirs. */
    struct rule_value *texts = rule_take(run.memory, template->count * sizeof *texts);
    for (size_t i = 0; texts && i < template->count; i++) {
        const struct part *part = &template->parts[i];
        texts[i] = rule_string(part->text.at, part->text.length);
        struct rule_value space;
        if (part->value && !rule_to_string(run.memory, template->program.version,
                                           evaluate(&run, part->value, &space), &texts[i]))
            texts[i] = rule_string("", 0);
    }
    struct rule_output output = {.memory = run.memory};
    for (size_t i = 0; texts && i < template->count; i++)
        rule_output_add(&output, texts[i].string.at, texts[i].string.length);
    result->bytes = output.at ? output.at : "";
    result->length = output.length;
    return end_run(&run, result);
}

/* --- topics --- */

static bool match_levels(const char *filter, const char *topic)
{
    while (*filter) {
        if (*filter == '#')
            return true;
        if (*filter == '+') {
            filter++;
            topic += strcspn(topic, "/");
        } else if (*filter == *topic) {
            filter++;
            topic++;
        } else {
            return !*topic && strcmp(filter, "/#") == 0; /* a/# takes a */
        }
    }
    return !*topic;
}

bool rule_topic_matches(const char *filter, const char *topic)
{
    bool wild = *filter == '+' || *filter == '#';
    return !(wild && *topic == '$') && match_levels(filter, topic);
}

bool rule_matches(const struct rule *rule, const char *topic)
{
    const struct select *select = &rule->select;
    if (!select->filter || strncmp(select->filter, topic, select->plain_levels) != 0)
        return false;
    if (!select->plain_levels)
        return rule_topic_matches(select->filter, topic);
    return match_levels(select->filter + select->plain_levels, topic + select->plain_levels);
}
