/* Bitwise functions. Arguments are rounded down to an Int. The result is Undefined when one of them
 * needs more than 64 bits. */
#include "function.h"

static bool two_ints(struct rule_call *call, int64_t *left, int64_t *right)
{
    return rule_exact_argument(call, 0, RULE_FLOOR, left) &&
           rule_exact_argument(call, 1, RULE_FLOOR, right);
}

void function_bitand(struct rule_call *call)
{
    int64_t left, right;
    if (two_ints(call, &left, &right))
        *call->result = rule_int(left & right);
}

void function_bitor(struct rule_call *call)
{
    int64_t left, right;
    if (two_ints(call, &left, &right))
        *call->result = rule_int(left | right);
}

void function_bitxor(struct rule_call *call)
{
    int64_t left, right;
    if (two_ints(call, &left, &right))
        *call->result = rule_int(left ^ right);
}

/* The guide's example is bitnot(13) = 2: only the significant bits are inverted, 1101 to 0010, not
 * the leading zeros of a 64-bit word. A negative number has no first bit, so all bits are inverted:
 * bitnot(-14) is 13. */
void function_bitnot(struct rule_call *call)
{
    int64_t number;
    if (!rule_exact_argument(call, 0, RULE_FLOOR, &number))
        return;
    uint64_t bits = 1;
    while (number > 0 && bits < (uint64_t)number)
        bits = bits << 1 | 1;
    *call->result = rule_int(number < 0 ? ~number : (int64_t)(bits ^ (uint64_t)number));
}
