/* The functions of the rule language, by their names in "Functions" of the developer guide's AWS
 * IoT SQL reference, and what they share. Internal to this folder; the engine finds functions by
 * rule_function_find().
 *
 * A function is called with a number of arguments that its row in function.c allows. Its result is
 * Undefined when it is called, and stays so where the guide says Undefined or memory runs out. */
#ifndef COMMON_RULE_FUNCTIONS_FUNCTION_H
#define COMMON_RULE_FUNCTIONS_FUNCTION_H

#include "common/rule/value.h"

/* The argument at index at as a String, by the standard conversion. */
bool rule_string_argument(struct rule_call *call, size_t at, struct rule_value *string);

/* The argument as an Int, rounded. Unlike rule_to_int() it is false when it needs more than 64
 * bits. */
bool rule_exact_argument(struct rule_call *call, size_t at, enum rule_rounding rounding,
                         int64_t *integer);

/* A whole number as an Int, or as a Decimal without a point when it needs more than 64 bits. */
struct rule_value rule_whole(struct rule_decimal decimal);

/* The bytes of the output as a String. */
struct rule_value rule_output_string(const struct rule_output *output);

/* How many bytes the UTF-8 character has that begins with this byte. */
size_t rule_character_length(char first);

/* number.c */
void function_abs(struct rule_call *call);
void function_acos(struct rule_call *call);
void function_asin(struct rule_call *call);
void function_atan(struct rule_call *call);
void function_atan2(struct rule_call *call);
void function_ceil(struct rule_call *call);
void function_cos(struct rule_call *call);
void function_cosh(struct rule_call *call);
void function_exp(struct rule_call *call);
void function_floor(struct rule_call *call);
void function_ln(struct rule_call *call);
void function_log(struct rule_call *call);
void function_mod(struct rule_call *call);
void function_power(struct rule_call *call);
void function_rand(struct rule_call *call);
void function_round(struct rule_call *call);
void function_sign(struct rule_call *call);
void function_sin(struct rule_call *call);
void function_sinh(struct rule_call *call);
void function_sqrt(struct rule_call *call);
void function_tan(struct rule_call *call);
void function_tanh(struct rule_call *call);
void function_trunc(struct rule_call *call);

/* bits.c */
void function_bitand(struct rule_call *call);
void function_bitnot(struct rule_call *call);
void function_bitor(struct rule_call *call);
void function_bitxor(struct rule_call *call);

/* string.c */
void function_chr(struct rule_call *call);
void function_concat(struct rule_call *call);
void function_endswith(struct rule_call *call);
void function_indexof(struct rule_call *call);
void function_length(struct rule_call *call);
void function_lpad(struct rule_call *call);
void function_ltrim(struct rule_call *call);
void function_numbytes(struct rule_call *call);
void function_replace(struct rule_call *call);
void function_rpad(struct rule_call *call);
void function_rtrim(struct rule_call *call);
void function_startswith(struct rule_call *call);
void function_substring(struct rule_call *call);
void function_trim(struct rule_call *call);

/* case.c */
void function_lower(struct rule_call *call);
void function_upper(struct rule_call *call);

/* regex.c */
void function_regexp_matches(struct rule_call *call);
void function_regexp_replace(struct rule_call *call);
void function_regexp_substr(struct rule_call *call);

/* hash.c */
void function_md2(struct rule_call *call);
void function_md5(struct rule_call *call);
void function_sha1(struct rule_call *call);
void function_sha224(struct rule_call *call);
void function_sha256(struct rule_call *call);
void function_sha384(struct rule_call *call);
void function_sha512(struct rule_call *call);

/* base64.c */
void function_decode(struct rule_call *call);
void function_encode(struct rule_call *call);

/* value.c */
void function_cast(struct rule_call *call);
void function_get(struct rule_call *call);
void function_get_or_default(struct rule_call *call);
void function_isnull(struct rule_call *call);
void function_isundefined(struct rule_call *call);
void function_nanvl(struct rule_call *call);
void function_transform(struct rule_call *call);

/* message.c */
void function_accountid(struct rule_call *call);
void function_clientid(struct rule_call *call);
void function_get_mqtt_property(struct rule_call *call);
void function_get_user_properties(struct rule_call *call);
void function_newuuid(struct rule_call *call);
void function_principal(struct rule_call *call);
void function_sourceip(struct rule_call *call);
void function_sql_version(struct rule_call *call);
void function_timestamp(struct rule_call *call);
void function_topic(struct rule_call *call);
void function_traceid(struct rule_call *call);

/* time.c, epoch.c */
void function_parse_time(struct rule_call *call);
void function_time_to_epoch(struct rule_call *call);

#endif
