/* Functions of numbers. Those of "double precision" in the guide are the C library's; their result
 * is Undefined where it is not a number or not finite. */
#include "function.h"

#include <math.h>

/* --- with double precision --- */

static void of_double(struct rule_call *call, double (*function)(double))
{
    double number;
    if (rule_to_double(call->arguments[0], &number))
        *call->result = rule_double(function(number));
}

static void of_two_doubles(struct rule_call *call, double (*function)(double, double))
{
    double left, right;
    if (rule_to_double(call->arguments[0], &left) && rule_to_double(call->arguments[1], &right))
        *call->result = rule_double(function(left, right));
}

void function_acos(struct rule_call *call)
{
    of_double(call, acos);
}

void function_asin(struct rule_call *call)
{
    of_double(call, asin);
}

void function_atan(struct rule_call *call)
{
    of_double(call, atan);
}

void function_atan2(struct rule_call *call)
{
    of_two_doubles(call, atan2);
}

void function_cos(struct rule_call *call)
{
    of_double(call, cos);
}

void function_cosh(struct rule_call *call)
{
    of_double(call, cosh);
}

void function_exp(struct rule_call *call)
{
    of_double(call, exp);
}

void function_ln(struct rule_call *call)
{
    of_double(call, log);
}

void function_log(struct rule_call *call)
{
    of_double(call, log10);
}

void function_power(struct rule_call *call)
{
    of_two_doubles(call, pow);
}

void function_sin(struct rule_call *call)
{
    of_double(call, sin);
}

void function_sinh(struct rule_call *call)
{
    of_double(call, sinh);
}

void function_sqrt(struct rule_call *call)
{
    of_double(call, sqrt);
}

void function_tan(struct rule_call *call)
{
    of_double(call, tan);
}

void function_tanh(struct rule_call *call)
{
    of_double(call, tanh);
}

/* 53 random bits, which a double holds exactly: at least 0 and below 1. */
void function_rand(struct rule_call *call)
{
    const struct rule_message *message = call->message;
    if (message->random)
        *call->result =
            rule_double(ldexp((double)(message->random(message->random_context) >> 11), -53));
}

/* --- with 34 digits --- */

void function_abs(struct rule_call *call)
{
    struct rule_value number;
    if (!rule_to_number(call->arguments[0], &number))
        return;
    if (number.kind == RULE_INT && number.integer >= 0) {
        *call->result = number;
        return;
    }
    bool whole = number.kind == RULE_INT;
    struct rule_decimal decimal = whole ? rule_decimal_of_int(number.integer) : number.decimal;
    decimal.negative = false;
    *call->result = whole ? rule_whole(decimal) : rule_decimal(decimal);
}

static void to_whole(struct rule_call *call, enum rule_rounding rounding)
{
    struct rule_value number;
    if (!rule_to_number(call->arguments[0], &number))
        return;
    *call->result = number.kind == RULE_INT
                        ? number
                        : rule_whole(rule_decimal_round(number.decimal, 0, rounding));
}

void function_ceil(struct rule_call *call)
{
    to_whole(call, RULE_CEILING);
}

void function_floor(struct rule_call *call)
{
    to_whole(call, RULE_FLOOR);
}

/* The guide's table says "down", but its examples round to the nearest: -1.5 becomes -2. */
void function_round(struct rule_call *call)
{
    to_whole(call, RULE_HALF_UP);
}

void function_sign(struct rule_call *call)
{
    struct rule_decimal decimal;
    if (rule_to_decimal(call->arguments[0], &decimal))
        *call->result = rule_int(rule_decimal_is_zero(decimal) ? 0 : decimal.negative ? -1 : 1);
}

/* Also remainder(). The result has the sign of the dividend, like the operator %. */
void function_mod(struct rule_call *call)
{
    struct rule_value left, right;
    if (!rule_to_number(call->arguments[0], &left) || !rule_to_number(call->arguments[1], &right))
        return;
    if (left.kind == RULE_INT && right.kind == RULE_INT) {
        /* INT64_MIN % -1 is undefined behaviour in C. */
        if (right.integer)
            *call->result = rule_int(right.integer == -1 ? 0 : left.integer % right.integer);
        return;
    }
    struct rule_decimal dividend, divisor, rest;
    if (rule_to_decimal(&left, &dividend) && rule_to_decimal(&right, &divisor) &&
        rule_decimal_remainder(dividend, divisor, &rest))
        *call->result = rule_decimal(rest);
}

/* The second argument is an Int or a Decimal: the table has no row with a String. */
void function_trunc(struct rule_call *call)
{
    const struct rule_value *given = call->arguments[1];
    struct rule_value number;
    int64_t places;
    if ((given->kind != RULE_INT && given->kind != RULE_DECIMAL) ||
        !rule_to_int(given, RULE_FLOOR, &places) || !rule_to_number(call->arguments[0], &number))
        return;
    places = places < 0 ? 0 : places > 34 ? 34 : places;
    *call->result = number.kind == RULE_INT ? number
                                            : rule_decimal(rule_decimal_strip(rule_decimal_round(
                                                  number.decimal, (int)places, RULE_DOWN)));
}
