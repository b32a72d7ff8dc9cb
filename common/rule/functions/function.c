/* The table of functions: all of "Functions" in the developer guide's AWS IoT SQL reference. The
 * fields of a row are explained in value.h.
 *
 * A function that calls another service of AWS is parsed, so that a rule with it can be checked.
 * Where it would run, the rule is refused with the function's name. */
#include "function.h"

#include <string.h>
#include <strings.h>

#define V2 RULE_2016_03_23

static const char *const registry_calls[] = {"DescribeThing", "ListThingGroupsForThing", NULL};

const struct rule_function rule_functions[] = {
    {.name = "abs", .least = 1, .most = 1, .run = function_abs},
    {.name = "accountid", .depends = RULE_ON_MESSAGE, .run = function_accountid},
    {.name = "acos", .least = 1, .most = 1, .run = function_acos},
    {.name = "asin", .least = 1, .most = 1, .run = function_asin},
    {.name = "atan", .least = 1, .most = 1, .run = function_atan},
    {.name = "atan2", .least = 2, .most = 2, .run = function_atan2},
    {.name = "aws_lambda",
     .least = 2,
     .most = 2,
     .depends = RULE_ON_CHANCE,
     .service = "AWS Lambda",
     .takes_payload = true},
    {.name = "bitand", .least = 2, .most = 2, .run = function_bitand},
    {.name = "bitnot", .least = 1, .most = 1, .run = function_bitnot},
    {.name = "bitor", .least = 2, .most = 2, .run = function_bitor},
    {.name = "bitxor", .least = 2, .most = 2, .run = function_bitxor},
    {.name = "cast", .least = 2, .most = 2, .run = function_cast},
    {.name = "ceil", .least = 1, .most = 1, .run = function_ceil},
    {.name = "chr", .least = 1, .most = 1, .run = function_chr},
    {.name = "clientid", .depends = RULE_ON_MESSAGE, .run = function_clientid},
    {.name = "concat", .most = RULE_ANY_COUNT, .run = function_concat},
    {.name = "cos", .least = 1, .most = 1, .run = function_cos},
    {.name = "cosh", .least = 1, .most = 1, .run = function_cosh},
    {.name = "decode",
     .least = 2,
     .most = 6,
     .since = V2,
     .run = function_decode,
     .literal = 2,
     .takes_payload = true},
    {.name = "encode",
     .least = 2,
     .most = 2,
     .since = V2,
     .run = function_encode,
     .literal = 2,
     .takes_payload = true},
    {.name = "endswith", .least = 2, .most = 2, .run = function_endswith},
    {.name = "exp", .least = 1, .most = 1, .run = function_exp},
    {.name = "floor", .least = 1, .most = 1, .run = function_floor},
    {.name = "get", .least = 2, .most = 2, .run = function_get},
    {.name = "get_dynamodb",
     .least = 4,
     .most = 6,
     .since = V2,
     .depends = RULE_ON_CHANCE,
     .service = "Amazon DynamoDB",
     .role_last = true,
     .once = true},
    {.name = "get_mqtt_property",
     .least = 1,
     .most = 1,
     .depends = RULE_ON_MESSAGE,
     .run = function_get_mqtt_property,
     .literal = 1},
    {.name = "get_or_default",
     .least = 1,
     .most = 2,
     .since = V2,
     .run = function_get_or_default,
     .no_services = 2},
    {.name = "get_registry_data",
     .least = 3,
     .most = 3,
     .since = V2,
     .depends = RULE_ON_CHANCE,
     .service = "the AWS IoT registry",
     .literal = 1,
     .choices = registry_calls,
     .role_last = true,
     .once = true},
    {.name = "get_secret",
     .least = 3,
     .most = 4,
     .depends = RULE_ON_CHANCE,
     .service = "AWS Secrets Manager",
     .role_last = true},
    {.name = "get_thing_shadow",
     .least = 2,
     .most = 3,
     .since = V2,
     .depends = RULE_ON_CHANCE,
     .service = "the AWS IoT Device Shadow service",
     .role_last = true},
    {.name = "get_user_properties",
     .most = 1,
     .depends = RULE_ON_MESSAGE,
     .run = function_get_user_properties},
    {.name = "indexof", .least = 2, .most = 2, .since = V2, .run = function_indexof},
    {.name = "isnull", .least = 1, .most = 1, .run = function_isnull},
    {.name = "isundefined", .least = 1, .most = 1, .since = V2, .run = function_isundefined},
    {.name = "length", .least = 1, .most = 1, .since = V2, .run = function_length},
    {.name = "ln", .least = 1, .most = 1, .run = function_ln},
    {.name = "log", .least = 1, .most = 1, .run = function_log},
    {.name = "lower", .least = 1, .most = 1, .run = function_lower},
    {.name = "lpad", .least = 2, .most = 2, .run = function_lpad},
    {.name = "ltrim", .least = 1, .most = 1, .run = function_ltrim},
    {.name = "machinelearning_predict",
     .least = 3,
     .most = 3,
     .depends = RULE_ON_CHANCE,
     .service = "Amazon SageMaker AI",
     .literal = 2,
     .takes_payload = true},
    {.name = "md2", .least = 1, .most = 1, .run = function_md2},
    {.name = "md5", .least = 1, .most = 1, .run = function_md5},
    {.name = "mod", .least = 2, .most = 2, .run = function_mod},
    {.name = "nanvl", .least = 2, .most = 2, .run = function_nanvl},
    {.name = "newuuid", .depends = RULE_ON_CHANCE, .run = function_newuuid},
    {.name = "numbytes", .least = 1, .most = 1, .since = V2, .run = function_numbytes},
    {.name = "parse_time", .least = 2, .most = 3, .since = V2, .run = function_parse_time},
    {.name = "power", .least = 2, .most = 2, .run = function_power},
    {.name = "principal", .depends = RULE_ON_MESSAGE, .run = function_principal},
    {.name = "rand", .depends = RULE_ON_CHANCE, .run = function_rand},
    {.name = "regexp_matches", .least = 2, .most = 2, .run = function_regexp_matches, .pattern = 2},
    {.name = "regexp_replace", .least = 3, .most = 3, .run = function_regexp_replace, .pattern = 2},
    {.name = "regexp_substr", .least = 2, .most = 2, .run = function_regexp_substr, .pattern = 2},
    {.name = "remainder", .least = 2, .most = 2, .run = function_mod},
    {.name = "replace", .least = 3, .most = 3, .run = function_replace},
    {.name = "round", .least = 1, .most = 1, .run = function_round},
    {.name = "rpad", .least = 2, .most = 2, .run = function_rpad},
    {.name = "rtrim", .least = 1, .most = 1, .run = function_rtrim},
    {.name = "sha1", .least = 1, .most = 1, .run = function_sha1},
    {.name = "sha224", .least = 1, .most = 1, .run = function_sha224},
    {.name = "sha256", .least = 1, .most = 1, .run = function_sha256},
    {.name = "sha384", .least = 1, .most = 1, .run = function_sha384},
    {.name = "sha512", .least = 1, .most = 1, .run = function_sha512},
    {.name = "sign", .least = 1, .most = 1, .run = function_sign},
    {.name = "sin", .least = 1, .most = 1, .run = function_sin},
    {.name = "sinh", .least = 1, .most = 1, .run = function_sinh},
    {.name = "sourceip", .since = V2, .depends = RULE_ON_MESSAGE, .run = function_sourceip},
    {.name = "sql_version", .run = function_sql_version},
    {.name = "sqrt", .least = 1, .most = 1, .run = function_sqrt},
    {.name = "startswith", .least = 2, .most = 2, .run = function_startswith},
    {.name = "substring", .least = 2, .most = 3, .run = function_substring},
    {.name = "tan", .least = 1, .most = 1, .run = function_tan},
    {.name = "tanh", .least = 1, .most = 1, .run = function_tanh},
    {.name = "time_to_epoch", .least = 2, .most = 2, .since = V2, .run = function_time_to_epoch},
    {.name = "timestamp", .depends = RULE_ON_MESSAGE, .run = function_timestamp},
    {.name = "topic", .most = 1, .depends = RULE_ON_MESSAGE, .run = function_topic},
    {.name = "traceid", .depends = RULE_ON_MESSAGE, .run = function_traceid},
    {.name = "transform",
     .least = 3,
     .most = 3,
     .since = V2,
     .run = function_transform,
     .literal = 1},
    {.name = "trim", .least = 1, .most = 1, .run = function_trim},
    {.name = "trunc", .least = 2, .most = 2, .run = function_trunc},
    {.name = "upper", .least = 1, .most = 1, .run = function_upper},
};

const size_t rule_function_count = sizeof rule_functions / sizeof *rule_functions;

static int compare(const char *name, size_t length, const char *other)
{
    int order = strncasecmp(name, other, length);
    return order ? order : -(int)(unsigned char)other[length];
}

const struct rule_function *rule_function_find(const char *name, size_t length)
{
    size_t low = 0, high = rule_function_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = compare(name, length, rule_functions[middle].name);
        if (!order)
            return &rule_functions[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* --- what functions share --- */

bool rule_string_argument(struct rule_call *call, size_t at, struct rule_value *string)
{
    return rule_to_string(call->memory, call->version, call->arguments[at], string);
}

bool rule_exact_argument(struct rule_call *call, size_t at, enum rule_rounding rounding,
                         int64_t *integer)
{
    struct rule_value number;
    if (!rule_to_number(call->arguments[at], &number))
        return false;
    if (number.kind == RULE_INT) {
        *integer = number.integer;
        return true;
    }
    return rule_decimal_to_int(rule_decimal_round(number.decimal, 0, rounding), integer);
}

struct rule_value rule_whole(struct rule_decimal decimal)
{
    int64_t integer;
    return rule_decimal_to_int(decimal, &integer) ? rule_int(integer)
                                                  : rule_decimal(rule_decimal_strip(decimal));
}

struct rule_value rule_output_string(const struct rule_output *output)
{
    return rule_string(output->length ? output->at : "", output->length);
}

size_t rule_character_length(char first)
{
    unsigned char byte = (unsigned char)first;
    return byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}
