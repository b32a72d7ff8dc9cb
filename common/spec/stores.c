#include "stores.h"
#include "common/rule/value.h"

#include <string.h>

static const struct store_takes stores[] = {
    [STORE_TIMESTREAM] = {.name = "Timestream",
                          .record = 2048,
                          .double_most = "1.7976931348623157E308",
                          .bigint_least = "-9223372036854775808",
                          .bigint_most = "9223372036854775807",
                          .only_memory = true},
    [STORE_DYNAMODB] = {.name = "DynamoDB",
                        .empty_text = true,
                        .double_most = "9.99E125",
                        .double_least = "1E-130",
                        .bigint_least = "-9223372036854775808",
                        .bigint_most = "9223372036854775807"},
};

const struct store_takes *stores_takes(enum cloud_store store)
{
    return &stores[store];
}

bool stores_take_text(const struct store_takes *takes, const char *text, size_t length)
{
    if (!length)
        return takes->empty_text;
    return !memchr(text, '\0', length) && (!takes->record || length <= STORES_LONGEST_TEXT);
}

/* -1, 0 or 1 as number is below, equal to or above the limit. */
static int compare(const struct rule_decimal *number, const char *limit)
{
    struct rule_decimal read;
    rule_decimal_read(limit, strlen(limit), &read);
    return rule_decimal_compare(number, &read);
}

/* rule_decimal_read() does not take the "+" of an exponent. */
static bool read_number(const char *written, struct rule_decimal *number)
{
    char copy[RULE_LONGEST_NUMBER + 1];
    size_t length = 0;
    for (; *written && length < sizeof copy; written++)
        if (*written != '+')
            copy[length++] = *written;
    return !*written && rule_decimal_read(copy, length, number);
}

bool stores_take_number(const struct store_takes *takes, const char *number, bool whole)
{
    struct rule_decimal read;
    if (!read_number(number, &read))
        return false;
    if (whole)
        return rule_decimal_is_whole(read) && compare(&read, takes->bigint_least) >= 0 &&
               compare(&read, takes->bigint_most) <= 0;
    read.negative = false;
    return compare(&read, takes->double_most) <= 0 &&
           (!takes->double_least || rule_decimal_is_zero(read) ||
            compare(&read, takes->double_least) >= 0);
}
