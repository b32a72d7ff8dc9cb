#include "operators.h"

#include <string.h>

/* --- spelling and precedence --- */

static const struct {
    const char *text;
    enum level level;
} operators[OPERATIONS] = {
    [OPERATION_OR] = {"OR", LEVEL_OR},          [OPERATION_AND] = {"AND", LEVEL_AND},
    [OPERATION_EQUAL] = {"=", LEVEL_COMPARE},   [OPERATION_NOT_EQUAL] = {"<>", LEVEL_COMPARE},
    [OPERATION_LESS] = {"<", LEVEL_COMPARE},    [OPERATION_LESS_EQUAL] = {"<=", LEVEL_COMPARE},
    [OPERATION_GREATER] = {">", LEVEL_COMPARE}, [OPERATION_GREATER_EQUAL] = {">=", LEVEL_COMPARE},
    [OPERATION_IN] = {"IN", LEVEL_COMPARE},     [OPERATION_NOT_IN] = {"NOT IN", LEVEL_COMPARE},
    [OPERATION_ADD] = {"+", LEVEL_SUM},         [OPERATION_SUBTRACT] = {"-", LEVEL_SUM},
    [OPERATION_JOIN] = {"||", LEVEL_SUM},       [OPERATION_MULTIPLY] = {"*", LEVEL_PRODUCT},
    [OPERATION_DIVIDE] = {"/", LEVEL_PRODUCT},  [OPERATION_REMAINDER] = {"%", LEVEL_PRODUCT},
};

enum level rule_operation_level(enum operation operation)
{
    return operators[operation].level;
}

const char *rule_operation_text(enum operation operation)
{
    return operators[operation].text;
}

/* --- numbers --- */

/* Int and Int make an Int ("Int/Int" in every table of "Operators"); a quotient is cut off at the
 * point. False: the result needs more than 64 bits, or does not exist. */
static bool apply_to_ints(enum operation operation, int64_t left, int64_t right,
                          struct rule_value *result)
{
    int64_t made = 0;
    bool overflow = false;
    switch (operation) {
    case OPERATION_ADD:
        overflow = __builtin_add_overflow(left, right, &made);
        break;
    case OPERATION_SUBTRACT:
        overflow = __builtin_sub_overflow(left, right, &made);
        break;
    case OPERATION_MULTIPLY:
        overflow = __builtin_mul_overflow(left, right, &made);
        break;
    default: /* OPERATION_DIVIDE, OPERATION_REMAINDER */
        if (!right || (left == INT64_MIN && right == -1))
            return false;
        made = operation == OPERATION_DIVIDE ? left / right : left % right;
    }
    if (overflow)
        return false;
    result->kind = RULE_INT;
    result->integer = made;
    return true;
}

static bool apply_to_decimals(enum operation operation, struct rule_decimal left,
                              struct rule_decimal right, struct rule_decimal *result)
{
    switch (operation) {
    case OPERATION_ADD:
        return rule_decimal_add(left, right, result);
    case OPERATION_SUBTRACT:
        return rule_decimal_subtract(left, right, result);
    case OPERATION_MULTIPLY:
        return rule_decimal_multiply(left, right, result);
    case OPERATION_DIVIDE:
        return rule_decimal_divide(left, right, result);
    default:
        return rule_decimal_remainder(left, right, result);
    }
}

/* Both are Int or Decimal. */
static void apply_to_numbers(enum rule_version version, enum operation operation,
                             const struct rule_value *left, const struct rule_value *right,
                             struct rule_value *result)
{
    if (left->kind == RULE_INT && right->kind == RULE_INT &&
        apply_to_ints(operation, left->integer, right->integer, result))
        return;
    if (apply_to_decimals(operation, rule_decimal_of(left), rule_decimal_of(right),
                          &result->decimal)) {
        result->kind = RULE_DECIMAL;
        rule_settle_in_place(version, result);
    } else {
        result->kind = RULE_UNDEFINED;
    }
}

/* A String is converted to the number that it writes. */
OWN_FRAME static void apply_converted(enum rule_version version, enum operation operation,
                                      const struct rule_value *left, const struct rule_value *right,
                                      struct rule_value *result)
{
    struct rule_value one, other;
    if (rule_to_number(left, &one) && rule_to_number(right, &other))
        apply_to_numbers(version, operation, &one, &other, result);
    else
        result->kind = RULE_UNDEFINED;
}

static void calculate(enum rule_version version, enum operation operation,
                      const struct rule_value *left, const struct rule_value *right,
                      struct rule_value *result)
{
    if (rule_is_number(left) && rule_is_number(right))
        apply_to_numbers(version, operation, left, right, result);
    else
        apply_converted(version, operation, left, right, result);
}

void rule_negate(enum rule_version version, const struct rule_value *value,
                 struct rule_value *result)
{
    if (value->kind != RULE_DECIMAL) {
        struct rule_value zero = rule_int(0);
        calculate(version, OPERATION_SUBTRACT, &zero, value, result);
        return;
    }
    *result = *value; /* not 0 - value: -(1.00) keeps its zeros and is -1.00 */
    result->decimal.negative = !value->decimal.negative && !rule_decimal_is_zero(value->decimal);
}

/* --- strings --- */

OWN_FRAME static void join(struct rule_memory *memory, enum rule_version version,
                           const struct rule_value *left, const struct rule_value *right,
                           struct rule_value *result)
{
    struct rule_value one, other;
    bool converted = rule_to_string(memory, version, left, &one) &&
                     rule_to_string(memory, version, right, &other);
    result->kind = RULE_UNDEFINED;
    if (!converted)
        return;
    if (!other.string.length) {
        *result = one;
        return;
    }
    char *made = rule_take(memory, one.string.length + other.string.length);
    if (!made)
        return;
    if (one.string.length)
        memcpy(made, one.string.at, one.string.length);
    memcpy(made + one.string.length, other.string.at, other.string.length);
    *result = rule_string(made, one.string.length + other.string.length);
}

/* --- comparisons --- */

enum truth rule_truth_of(const struct rule_value *value)
{
    bool boolean;
    if (value->kind == RULE_BOOLEAN)
        return value->boolean;
    return rule_to_boolean(value, &boolean) ? (enum truth)boolean : UNKNOWN;
}

struct rule_value rule_value_of(enum truth truth)
{
    return truth == UNKNOWN ? rule_undefined() : rule_boolean(truth == TRUE);
}

/* order: -1, 0 or 1, as left is below, equal to or above right. */
static enum truth order_satisfies(enum operation operation, int order)
{
    switch (operation) {
    case OPERATION_LESS:
        return order < 0;
    case OPERATION_LESS_EQUAL:
        return order <= 0;
    case OPERATION_GREATER:
        return order > 0;
    default: /* OPERATION_GREATER_EQUAL */
        return order >= 0;
    }
}

OWN_FRAME static enum truth compare_converted(enum operation operation,
                                              const struct rule_value *left,
                                              const struct rule_value *right)
{
    struct rule_value one, other;
    if (!rule_to_number(left, &one) || !rule_to_number(right, &other))
        return UNKNOWN;
    return order_satisfies(operation, rule_compare_numbers(&one, &other));
}

static enum truth compare_order(enum operation operation, const struct rule_value *left,
                                const struct rule_value *right)
{
    if (!rule_is_number(left) || !rule_is_number(right))
        return compare_converted(operation, left, right);
    return order_satisfies(operation, rule_compare_numbers(left, right));
}

OWN_FRAME static enum truth is_member(const struct rule_value *value,
                                      const struct rule_value *array)
{
    if (value->kind == RULE_UNDEFINED || array->kind != RULE_ARRAY)
        return UNKNOWN;
    for (size_t i = 0; i < array->array.count; i++)
        if (rule_equal(value, &array->array.items[i]))
            return TRUE;
    return FALSE;
}

enum truth rule_are_equal(const struct rule_value *left, const struct rule_value *right)
{
    if (left->kind == RULE_UNDEFINED || right->kind == RULE_UNDEFINED)
        return UNKNOWN;
    return rule_equal(left, right);
}

enum truth rule_compare(enum operation operation, const struct rule_value *left,
                        const struct rule_value *right)
{
    switch (operation) {
    case OPERATION_EQUAL:
        return rule_are_equal(left, right);
    case OPERATION_NOT_EQUAL:
        return rule_opposite(rule_are_equal(left, right));
    case OPERATION_IN:
        return is_member(left, right);
    case OPERATION_NOT_IN:
        return rule_opposite(is_member(left, right));
    default:
        return compare_order(operation, left, right);
    }
}

/* --- any of them --- */

void rule_apply(struct rule_memory *memory, enum rule_version version, enum operation operation,
                const struct rule_value *left, const struct rule_value *right,
                struct rule_value *result)
{
    bool has_string = left->kind == RULE_STRING || right->kind == RULE_STRING;
    if (operation <= OPERATION_NOT_IN)
        *result = rule_value_of(rule_compare(operation, left, right));
    else if (operation == OPERATION_JOIN || (operation == OPERATION_ADD && has_string))
        join(memory, version, left, right, result);
    else
        calculate(version, operation, left, right, result);
}
