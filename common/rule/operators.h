/* The operators of the language: how they are spelled, how tightly they bind, and what they make of
 * values ("Operators" in the developer guide's AWS IoT SQL reference). */
#ifndef COMMON_RULE_OPERATORS_H
#define COMMON_RULE_OPERATORS_H

#include "value.h"

/* Those up to OPERATION_NOT_IN have a Boolean as their result, or Undefined. */
enum operation {
    OPERATION_OR,
    OPERATION_AND,
    OPERATION_EQUAL,
    OPERATION_NOT_EQUAL,
    OPERATION_LESS,
    OPERATION_LESS_EQUAL,
    OPERATION_GREATER,
    OPERATION_GREATER_EQUAL,
    OPERATION_IN,
    OPERATION_NOT_IN,
    OPERATION_ADD,
    OPERATION_SUBTRACT,
    OPERATION_JOIN,
    OPERATION_MULTIPLY,
    OPERATION_DIVIDE,
    OPERATION_REMAINDER,
    OPERATIONS
};

/* Precedence, from the operators that bind least. */
enum level {
    LEVEL_OR = 1,
    LEVEL_AND,
    LEVEL_NOT,
    LEVEL_COMPARE,
    LEVEL_SUM,
    LEVEL_PRODUCT,
    LEVEL_NEGATE, /* the minus before one operand */
    LEVEL_PRIMARY
};

enum level rule_operation_level(enum operation operation);
const char *rule_operation_text(enum operation operation); /* "NOT IN" */

/* A condition is true, false or neither (Undefined). Conditions are passed as this and become
 * values only where a value is needed: most of what a rule does is comparing. */
enum truth { FALSE, TRUE, UNKNOWN };

/* By the conversion to Boolean: a Boolean, or the String "true" or "false"; else UNKNOWN. */
enum truth rule_truth_of(const struct rule_value *value);
struct rule_value rule_value_of(enum truth truth);

static inline enum truth rule_opposite(enum truth truth)
{
    return truth == UNKNOWN ? UNKNOWN : !truth;
}

/* The operators of LEVEL_COMPARE. */
enum truth rule_compare(enum operation operation, const struct rule_value *left,
                        const struct rule_value *right);

/* Whether two values are equal; UNKNOWN when one of them is Undefined. */
enum truth rule_are_equal(const struct rule_value *left, const struct rule_value *right);

/* All operators but AND and OR. result may be one of the operands. Undefined too when memory runs
 * out (memory->failed). */
void rule_apply(struct rule_memory *memory, enum rule_version version, enum operation operation,
                const struct rule_value *left, const struct rule_value *right,
                struct rule_value *result);

/* The minus before one operand. */
void rule_negate(enum rule_version version, const struct rule_value *value,
                 struct rule_value *result);

/* A quick test for numbers that are no candidates for an Int. True: decimal has a fraction, since
 * its coefficient is odd and so no multiple of ten. False: rule_settle() has to decide. */
static inline bool rule_surely_fractional(const struct rule_decimal *decimal)
{
    return decimal->exponent < 0 && decimal->low % 2;
}

/* Makes an Int of a Decimal that is whole, where the version wants that (2016-03-23). */
static inline void rule_settle_in_place(enum rule_version version, struct rule_value *value)
{
    if (version != RULE_2015_10_08 && value->kind == RULE_DECIMAL &&
        !rule_surely_fractional(&value->decimal))
        *value = rule_settle(*value, version);
}

#endif
