/* Decimals of 34 digits, like IEEE 754's decimal128 and Java's MathContext.DECIMAL128.
 *
 * The coefficient is a 128-bit integer of 38 digits: four more than the result, for a carry and for
 * the digits that decide the rounding. Longer products, and quotients, are computed digit by digit.
 * That takes about a microsecond and is rare: readings of sensors have few digits. */
#include "value.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__extension__ typedef unsigned __int128 wide;

enum {
    DIGITS = 34,
    WIDE_DIGITS = 38,       /* that a wide holds */
    LARGEST_EXPONENT = 999, /* of the first digit: 9.99E999 */
    FAR = 100000            /* larger exponents are all read as this one, which is out of range */
};

static const uint64_t powers[] = {1,
                                  10,
                                  100,
                                  1000,
                                  10000,
                                  100000,
                                  1000000,
                                  10000000,
                                  100000000,
                                  1000000000,
                                  10000000000,
                                  100000000000,
                                  1000000000000,
                                  10000000000000,
                                  100000000000000,
                                  1000000000000000,
                                  10000000000000000,
                                  100000000000000000,
                                  1000000000000000000,
                                  10000000000000000000U};

/* 10^exponent; exponent is 0 to 38. */
static wide power(int exponent)
{
    return exponent < 20 ? powers[exponent] : (wide)powers[19] * powers[exponent - 19];
}

static wide coefficient_of(struct rule_decimal decimal)
{
    return (wide)decimal.high << 64 | decimal.low;
}

static int digits_of(wide coefficient)
{
    int digits = 0;
    if (coefficient >= power(WIDE_DIGITS))
        return WIDE_DIGITS + 1;
    if (coefficient >= power(19)) {
        coefficient /= power(19);
        digits = 19;
    }
    for (uint64_t rest = (uint64_t)coefficient; rest; rest /= 10)
        digits++;
    return digits;
}

/* Whether the digits that are cut off make the last kept digit one larger. rest: their value; half:
 * half a unit of the last kept digit; more: a digit behind rest was not zero. */
static bool rounds_up(wide kept, wide rest, wide half, bool more, bool negative,
                      enum rule_rounding rounding)
{
    switch (rounding) {
    case RULE_DOWN:
        return false;
    case RULE_FLOOR:
        return negative && (rest || more);
    case RULE_CEILING:
        return !negative && (rest || more);
    case RULE_HALF_UP:
        return rest >= half;
    case RULE_HALF_EVEN:
        break;
    }
    return rest > half || (rest == half && (more || kept % 2));
}

/* The coefficient without its last count digits (0 to 38), rounded. more: as rounds_up(). */
static wide shorten(wide coefficient, int count, bool more, bool negative,
                    enum rule_rounding rounding)
{
    if (count <= 0)
        return coefficient;
    wide unit = power(count), kept = coefficient / unit, rest = coefficient % unit;
    return kept + rounds_up(kept, rest, unit / 2, more, negative, rounding);
}

/* Makes a decimal: rounds to 34 digits and checks the range. False: too large. What is too small
 * becomes zero. more: as rounds_up(). */
static bool finish(wide coefficient, int exponent, bool negative, bool more,
                   struct rule_decimal *result)
{
    if (coefficient >= power(DIGITS)) {
        int over = digits_of(coefficient) - DIGITS;
        coefficient = shorten(coefficient, over, more, negative, RULE_HALF_EVEN);
        exponent += over;
        if (coefficient == power(DIGITS)) {
            coefficient /= 10;
            exponent++;
        }
    }
    if (!coefficient) {
        negative = false;
        exponent = exponent > 0 ? 0 : exponent < -LARGEST_EXPONENT ? -LARGEST_EXPONENT : exponent;
    } else if (exponent > 0 || exponent < -LARGEST_EXPONENT + DIGITS) {
        int leading = exponent + digits_of(coefficient) - 1;
        if (leading > LARGEST_EXPONENT)
            return false;
        if (leading < -LARGEST_EXPONENT) {
            coefficient = 0;
            exponent = -LARGEST_EXPONENT;
            negative = false;
        }
    }
    *result = (struct rule_decimal){(uint64_t)coefficient, (uint64_t)(coefficient >> 64), exponent,
                                    negative};
    return true;
}

struct rule_decimal rule_decimal_of_int(int64_t integer)
{
    uint64_t size = integer < 0 ? 0 - (uint64_t)integer : (uint64_t)integer;
    return (struct rule_decimal){.low = size, .negative = integer < 0};
}

bool rule_decimal_is_zero(struct rule_decimal decimal)
{
    return !(decimal.low | decimal.high);
}

struct rule_decimal rule_decimal_strip(struct rule_decimal decimal)
{
    wide coefficient = coefficient_of(decimal);
    while (decimal.exponent < 0 && coefficient % 10 == 0) {
        coefficient /= 10;
        decimal.exponent++;
    }
    decimal.low = (uint64_t)coefficient;
    decimal.high = (uint64_t)(coefficient >> 64);
    return decimal;
}

bool rule_decimal_is_whole(struct rule_decimal decimal)
{
    if (decimal.exponent >= 0 || rule_decimal_is_zero(decimal))
        return true;
    if (decimal.low % 2) /* a quick test: odd, so not a multiple of ten */
        return false;
    if (!decimal.high && decimal.exponent > -20)
        return decimal.low % powers[-decimal.exponent] == 0;
    return decimal.exponent > -DIGITS && coefficient_of(decimal) % power(-decimal.exponent) == 0;
}

bool rule_decimal_to_int(struct rule_decimal decimal, int64_t *integer)
{
    wide size = coefficient_of(decimal);
    if (decimal.exponent < -WIDE_DIGITS)
        size = 0;
    else if (decimal.exponent < 0)
        size /= power(-decimal.exponent);
    else if (size && decimal.exponent + digits_of(size) > 19)
        return false;
    else if (size)
        size *= power(decimal.exponent);
    if (size > (wide)INT64_MAX + decimal.negative)
        return false;
    *integer = (int64_t)(decimal.negative ? 0 - (uint64_t)size : (uint64_t)size);
    return true;
}

struct rule_decimal rule_decimal_round(struct rule_decimal decimal, int places,
                                       enum rule_rounding rounding)
{
    int over = -decimal.exponent - places;
    if (over <= 0)
        return decimal;
    wide coefficient = coefficient_of(decimal), kept;
    if (over > WIDE_DIGITS)
        kept = rounds_up(0, coefficient ? 1 : 0, 2, false, decimal.negative, rounding);
    else
        kept = shorten(coefficient, over, false, decimal.negative, rounding);
    return (struct rule_decimal){(uint64_t)kept, (uint64_t)(kept >> 64), -places,
                                 kept && decimal.negative};
}

/* --- arithmetic --- */

static int compare_sizes(const struct rule_decimal *left, const struct rule_decimal *right)
{
    wide one = coefficient_of(*left), other = coefficient_of(*right);
    if (!one || !other)
        return (one > 0) - (other > 0);
    int shift = left->exponent - right->exponent;
    if (shift && !left->high && !right->high && shift <= 18 && shift >= -18) {
        one *= shift > 0 ? powers[shift] : 1;
        other *= shift < 0 ? powers[-shift] : 1;
    } else if (shift) {
        int leading = digits_of(one) + shift - digits_of(other);
        if (leading)
            return leading > 0 ? 1 : -1;
        /* Both have their first digit at one place, so the shift is less than 34, and both fit. */
        if (shift > 0)
            one *= power(shift);
        else
            other *= power(-shift);
    }
    return (one > other) - (one < other);
}

int rule_decimal_compare(const struct rule_decimal *left, const struct rule_decimal *right)
{
    if (left->low == right->low && left->high == right->high && left->exponent == right->exponent &&
        left->negative == right->negative)
        return 0;
    if (left->negative != right->negative) {
        if (rule_decimal_is_zero(*left) && rule_decimal_is_zero(*right))
            return 0;
        return left->negative ? -1 : 1;
    }
    return left->negative ? compare_sizes(right, left) : compare_sizes(left, right);
}

/* The sum of two coefficients of one exponent. */
static bool add_aligned(wide left, bool left_negative, wide right, bool right_negative,
                        int exponent, struct rule_decimal *result)
{
    if (left_negative == right_negative)
        return finish(left + right, exponent, left_negative, false, result);
    if (left >= right)
        return finish(left - right, exponent, left_negative, false, result);
    return finish(right - left, exponent, right_negative, false, result);
}

/* The sum of two numbers of very different exponents: upper, scaled to 37 digits, does not reach
 * down to the last digit of lower. The digits of lower that are cut off only affect the rounding,
 * so one digit stands for all of them. */
static bool add_far(struct rule_decimal upper, struct rule_decimal lower,
                    struct rule_decimal *result)
{
    wide large = coefficient_of(upper), small = coefficient_of(lower), rest = small;
    int room = WIDE_DIGITS - 1 - digits_of(large);
    large *= power(room);
    int exponent = upper.exponent - room, shift = exponent - lower.exponent;
    if (shift <= WIDE_DIGITS) {
        rest = small % power(shift);
        small /= power(shift);
    } else {
        small = 0;
    }
    bool same = upper.negative == lower.negative;
    large = (same ? large + small : large - small) * 10;
    if (rest)
        large = same ? large + 1 : large - 1;
    return finish(large, exponent - 1, upper.negative, false, result);
}

bool rule_decimal_add(struct rule_decimal left, struct rule_decimal right,
                      struct rule_decimal *result)
{
    if (rule_decimal_is_zero(right) && right.exponent >= left.exponent) { /* as in x - 0 = x */
        *result = left;
        return true;
    }
    bool swap = left.exponent < right.exponent;
    struct rule_decimal upper = swap ? right : left, lower = swap ? left : right;
    wide large = coefficient_of(upper), small = coefficient_of(lower);
    int shift = upper.exponent - lower.exponent;
    if (!large)
        return finish(small, lower.exponent, lower.negative, false, result);
    if (!upper.high && shift <= 18)
        return add_aligned(large * powers[shift], upper.negative, small, lower.negative,
                           lower.exponent, result);
    if (!small && shift + digits_of(large) > DIGITS) {
        int room = DIGITS - digits_of(large);
        return finish(large * power(room), upper.exponent - room, upper.negative, false, result);
    }
    if (shift + digits_of(large) > WIDE_DIGITS)
        return add_far(upper, lower, result);
    return add_aligned(large * power(shift), upper.negative, small, lower.negative, lower.exponent,
                       result);
}

bool rule_decimal_subtract(struct rule_decimal left, struct rule_decimal right,
                           struct rule_decimal *result)
{
    right.negative = !right.negative;
    return rule_decimal_add(left, right, result);
}

/* 256 bits, the lowest first. */
struct product {
    uint64_t limbs[4];
};

static struct product multiply_wide(wide left, wide right)
{
    uint64_t one[2] = {(uint64_t)left, (uint64_t)(left >> 64)};
    uint64_t other[2] = {(uint64_t)right, (uint64_t)(right >> 64)};
    struct product product = {{0}};
    for (int i = 0; i < 2; i++) {
        uint64_t carry = 0;
        for (int j = 0; j < 2; j++) {
            wide sum = (wide)one[i] * other[j] + product.limbs[i + j] + carry;
            product.limbs[i + j] = (uint64_t)sum;
            carry = (uint64_t)(sum >> 64);
        }
        product.limbs[i + 2] = carry;
    }
    return product;
}

/* Divides by ten; returns the remainder. */
static uint64_t drop_digit(struct product *product)
{
    wide rest = 0;
    for (int i = 3; i >= 0; i--) {
        rest = rest << 64 | product->limbs[i];
        product->limbs[i] = (uint64_t)(rest / 10);
        rest %= 10;
    }
    return (uint64_t)rest;
}

bool rule_decimal_multiply(struct rule_decimal left, struct rule_decimal right,
                           struct rule_decimal *result)
{
    bool negative = left.negative != right.negative, more = false;
    int exponent = left.exponent + right.exponent;
    if (!left.high && !right.high)
        return finish((wide)left.low * right.low, exponent, negative, false, result);
    struct product product = multiply_wide(coefficient_of(left), coefficient_of(right));
    while (product.limbs[3] || product.limbs[2] ||
           ((wide)product.limbs[1] << 64 | product.limbs[0]) >= power(WIDE_DIGITS)) {
        more |= drop_digit(&product) != 0;
        exponent++;
    }
    return finish((wide)product.limbs[1] << 64 | product.limbs[0], exponent, negative, more,
                  result);
}

/* Digit by digit. An exact quotient has the exponent left.exponent - right.exponent where it can,
 * as Java's BigDecimal: 10.0 / 5 is 2.0. */
bool rule_decimal_divide(struct rule_decimal left, struct rule_decimal right,
                         struct rule_decimal *result)
{
    wide divisor = coefficient_of(right), rest = coefficient_of(left);
    if (!divisor)
        return false;
    int wanted = left.exponent - right.exponent, exponent = wanted;
    wide quotient = rest / divisor;
    rest %= divisor;
    while (rest && quotient < power(DIGITS + 1)) {
        rest *= 10;
        quotient = quotient * 10 + rest / divisor;
        rest %= divisor;
        exponent--;
    }
    while (!rest && exponent < wanted && quotient % 10 == 0 && quotient) {
        quotient /= 10;
        exponent++;
    }
    return finish(quotient, exponent, left.negative != right.negative, rest != 0, result);
}

bool rule_decimal_remainder(struct rule_decimal left, struct rule_decimal right,
                            struct rule_decimal *result)
{
    wide divisor = coefficient_of(right), rest = coefficient_of(left);
    int shift = left.exponent - right.exponent, exponent = right.exponent;
    if (!divisor)
        return false;
    if (shift < 0) {
        exponent = left.exponent;
        if (digits_of(divisor) - shift > WIDE_DIGITS)
            return finish(rest, exponent, left.negative, false, result);
        divisor *= power(-shift);
    }
    rest %= divisor;
    for (int i = 0; i < shift && rest; i++) /* rest < divisor < 10^34 */
        rest = rest * 10 % divisor;
    return finish(rest, exponent, left.negative, false, result);
}

/* --- text and doubles --- */

/* Adds the exponent to *exponent. Returns the end of its digits; NULL: there are none. */
static const char *read_exponent(const char *at, const char *end, int *exponent)
{
    bool negative = at < end && *at == '-';
    const char *start = at += negative;
    int read = 0;
    for (; at < end && isdigit((unsigned char)*at); at++)
        read = read < FAR ? read * 10 + (*at - '0') : read;
    *exponent += negative ? -read : read;
    return at == start ? NULL : at;
}

struct digits {
    wide coefficient;
    int dropped; /* digits that do not fit into the coefficient */
    bool more;   /* one of those was not zero */
};

static void add_digit(struct digits *digits, int digit)
{
    if (digits->coefficient < power(WIDE_DIGITS - 1)) {
        digits->coefficient = digits->coefficient * 10 + (unsigned)digit;
        return;
    }
    digits->dropped++;
    digits->more |= digit != 0;
}

bool rule_decimal_read(const char *at, size_t length, struct rule_decimal *decimal)
{
    const char *end = at + length;
    bool negative = length && *at == '-';
    struct digits digits = {0};
    const char *start = at += negative;
    for (; at < end && isdigit((unsigned char)*at); at++)
        add_digit(&digits, *at - '0');
    if (at == start)
        return false;
    int exponent = digits.dropped;
    if (at < end && *at == '.') {
        start = ++at;
        for (; at < end && isdigit((unsigned char)*at); at++)
            add_digit(&digits, *at - '0');
        if (at == start)
            return false;
        exponent = digits.dropped - (int)(at - start < FAR ? at - start : FAR);
    }
    if (at < end && (*at == 'e' || *at == 'E') && !(at = read_exponent(at + 1, end, &exponent)))
        return false;
    return at == end && finish(digits.coefficient, exponent, negative && digits.coefficient,
                               digits.more, decimal);
}

static char *add_digits(char *end, wide coefficient)
{
    for (; coefficient >> 64; coefficient /= 10)
        *--end = (char)('0' + (int)(coefficient % 10));
    uint64_t rest = (uint64_t)coefficient;
    do
        *--end = (char)('0' + (int)(rest % 10));
    while (rest /= 10);
    return end;
}

size_t rule_decimal_print(struct rule_decimal decimal, char made[RULE_LONGEST_NUMBER])
{
    char buffer[WIDE_DIGITS + 2], *end = buffer + sizeof buffer;
    char *digits = add_digits(end, coefficient_of(decimal));
    int count = (int)(end - digits), leading = decimal.exponent + count - 1;
    char *out = made;
    if (decimal.negative)
        *out++ = '-';
    if (decimal.exponent > 0 || leading < -6) {
        *out++ = *digits;
        if (count > 1) {
            *out++ = '.';
            memcpy(out, digits + 1, (size_t)count - 1);
            out += count - 1;
        }
        return (size_t)(out - made) + (size_t)snprintf(out, 8, "E%+d", leading);
    }
    int behind = -decimal.exponent;
    if (behind >= count) {
        memcpy(out, "0.00000000", (size_t)(2 + behind - count));
        out += 2 + behind - count;
        memcpy(out, digits, (size_t)count);
        return (size_t)(out + count - made);
    }
    memcpy(out, digits, (size_t)(count - behind));
    out += count - behind;
    if (behind) {
        *out++ = '.';
        memcpy(out, end - behind, (size_t)behind);
        out += behind;
    }
    return (size_t)(out - made);
}

bool rule_decimal_of_double(double number, struct rule_decimal *decimal)
{
    char made[40] = "";
    if (!isfinite(number))
        return false;
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(made, sizeof made, "%.*e", precision - 1, number);
        if (precision == 17 || strtod(made, NULL) == number)
            break;
    }
    char *plus = strchr(made, '+'); /* rule_decimal_read() does not take 1.5e+03 */
    if (plus)
        memmove(plus, plus + 1, strlen(plus));
    if (!rule_decimal_read(made, strlen(made), decimal))
        return false;
    wide coefficient = coefficient_of(*decimal);
    int exponent = decimal->exponent;
    for (; coefficient && coefficient % 10 == 0; coefficient /= 10)
        exponent++;
    if (!coefficient) {
        exponent = -1;
    } else if (exponent >= 0 && exponent < DIGITS - digits_of(coefficient)) {
        coefficient *= power(exponent + 1); /* 3 becomes 3.0 */
        exponent = -1;
    }
    return finish(coefficient, exponent, decimal->negative, false, decimal);
}

double rule_decimal_to_double(struct rule_decimal decimal)
{
    char made[RULE_LONGEST_NUMBER + 1];
    bool exact = !decimal.high && decimal.low < (uint64_t)1 << 53;
    if (exact && decimal.exponent <= 0 && decimal.exponent >= -15) {
        double size = (double)decimal.low / (double)powers[-decimal.exponent];
        return decimal.negative ? -size : size;
    }
    made[rule_decimal_print(decimal, made)] = '\0';
    return strtod(made, NULL);
}
