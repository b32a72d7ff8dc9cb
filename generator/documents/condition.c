#include "condition.h"
#include "common/base/json.h"
#include "common/base/memory.h"

#include <stdlib.h>
#include <string.h>

/* The most bytes of a character in UTF-8. */
enum { WIDEST = 4 };

void condition_add_number(struct text *out, double number)
{
    cJSON *value = cJSON_CreateNumber(number);
    json_compact(value, out);
    cJSON_Delete(value);
}

/* What joins the next condition to those before it. */
static const char *joint(const struct text *condition)
{
    return condition->length ? " AND " : "";
}

/* --- the sizes of a record --- */

/* The expression for the values of all dimensions, one behind the other. */
static char *dimension_values(const cJSON *type)
{
    struct text values = {0};
    const cJSON *attribute;
    text_add_string(&values, "topic(2)");
    cJSON_ArrayForEach(attribute, json_get(type, "attributes"))
        text_add_format(&values, " + %s", json_string(attribute, "name", ""));
    return text_take(&values);
}

static size_t dimension_name_bytes(const cJSON *type)
{
    size_t bytes = strlen("thing");
    const cJSON *attribute;
    cJSON_ArrayForEach(attribute, json_get(type, "attributes")) bytes +=
        strlen(json_string(attribute, "name", ""));
    return bytes;
}

/* Bytes of the longest name of a measure that is a number or a boolean. */
static size_t longest_number_name(const cJSON *type)
{
    size_t longest = 0;
    const cJSON *measure;
    cJSON_ArrayForEach(measure, json_get(type, "measures"))
    {
        size_t length = strlen(json_string(measure, "name", ""));
        if (!json_true(measure, "is_varchar") && length > longest)
            longest = length;
    }
    return longest;
}

/* That a text has at most so many bytes, less those that are taken. */
static void add_size(struct text *condition, const char *text, size_t most, size_t taken)
{
    size_t left = most > taken + WIDEST ? most - taken : WIDEST;
    text_add_format(condition,
                    "%s(substring(%s, %zu) = '' OR (substring(%s, %zu) = '' AND NOT "
                    "regexp_matches(%s, '[^ -~]')))",
                    joint(condition), text, left / WIDEST, text, left, text);
}

/* That a number fits into a record beside the dimensions. */
static void add_series_size(struct text *condition, const cJSON *type,
                            const struct store_takes *takes)
{
    owned char *values = dimension_values(type);
    if (takes->record && json_true(type, "has_attributes"))
        add_size(condition, values, takes->record,
                 dimension_name_bytes(type) + longest_number_name(type) + STORES_NUMBER_BYTES +
                     STORES_TIME_BYTES);
}

/* --- attributes and measures --- */

static void add_text(struct text *condition, const char *text, bool may_be_empty)
{
    text_add_format(condition, "%s%s + '' = %s", joint(condition), text, text);
    if (!may_be_empty)
        text_add_format(condition, " AND %s <> ''", text);
    text_add_format(condition, " AND replace(%s, chr(0), '') = %s", text, text);
}

static void add_attributes(struct text *condition, const cJSON *attributes)
{
    const cJSON *attribute;
    cJSON_ArrayForEach(attribute, attributes)
        add_text(condition, json_string(attribute, "name", ""), false);
}

/* That the text of a measure fits into a record beside the dimensions. */
static void add_varchar(struct text *condition, const cJSON *type, const char *name,
                        const char *value, const struct store_takes *takes)
{
    owned char *dimensions = dimension_values(type);
    owned char *all = must_format("%s + %s", dimensions, value);
    add_text(condition, value, takes->empty_text);
    if (takes->record)
        add_size(condition, all, takes->record,
                 dimension_name_bytes(type) + strlen(name) + STORES_TIME_BYTES);
}

/* value >= limit or value <= limit: the limit of the spec, else that of the store. */
static void add_limit(struct text *condition, const char *value, const char *compare,
                      const cJSON *limit, const char *sign, const char *otherwise)
{
    text_add_format(condition, " AND %s %s ", value, compare);
    if (cJSON_IsNumber(limit))
        condition_add_number(condition, limit->valuedouble);
    else
        text_add_format(condition, "%s%s", sign, otherwise);
}

/* Whether the range of a measure has numbers near zero. */
static bool has_small_numbers(const cJSON *least, const cJSON *most, double smallest)
{
    bool all_above = cJSON_IsNumber(least) && least->valuedouble >= smallest;
    bool all_below = cJSON_IsNumber(most) && most->valuedouble <= -smallest;
    return !all_above && !all_below;
}

static void add_number(struct text *condition, const cJSON *measure, const char *value,
                       const struct store_takes *takes)
{
    const cJSON *least = json_get(measure, "minimum"), *most = json_get(measure, "maximum");
    text_add_format(condition, "%s%s - 0 = %s", joint(condition), value, value);
    if (json_true(measure, "is_bigint")) {
        text_add_format(condition, " AND floor(%s) >= %s", value, value);
        add_limit(condition, value, ">=", least, "", takes->bigint_least);
        add_limit(condition, value, "<=", most, "", takes->bigint_most);
        return;
    }
    add_limit(condition, value, ">=", least, "-", takes->double_most);
    add_limit(condition, value, "<=", most, "", takes->double_most);
    if (takes->double_least && has_small_numbers(least, most, strtod(takes->double_least, NULL)))
        text_add_format(condition, " AND (abs(%s) <= 0 OR abs(%s) >= %s)", value, value,
                        takes->double_least);
}

/* A value that is valid, as the rule language writes it. */
static char *any_valid(const cJSON *measure)
{
    const cJSON *least = json_get(measure, "minimum"), *most = json_get(measure, "maximum");
    struct text value = {0};
    if (json_true(measure, "is_boolean"))
        return must_copy("true");
    if (json_true(measure, "is_varchar"))
        return must_copy("'x'");
    condition_add_number(&value, cJSON_IsNumber(least)  ? least->valuedouble
                                 : cJSON_IsNumber(most) ? most->valuedouble
                                                        : 0);
    return text_take(&value);
}

static void add_measure(struct text *condition, const cJSON *type, const cJSON *measure,
                        const struct store_takes *takes)
{
    const char *name = json_string(measure, "name", "");
    owned char *missing = any_valid(measure);
    owned char *value = json_true(measure, "optional") ? must_format("nanvl(%s, %s)", name, missing)
                                                       : must_copy(name);
    if (json_true(measure, "is_varchar"))
        add_varchar(condition, type, name, value, takes);
    else if (json_true(measure, "is_boolean"))
        text_add_format(condition, "%s(%s = true OR %s = false)", joint(condition), value, value);
    else
        add_number(condition, measure, value, takes);
}

/* --- time --- */

/* The time of the reading, if it has one, is a number of milliseconds that the table takes. */
static void add_time(struct text *condition, const cJSON *type, const struct store_takes *takes)
{
    const cJSON *retention = json_get(type, "retention");
    double oldest = takes->only_memory ? json_number(retention, "memory_hours", 0) * 3600
                                       : json_number(retention, "magnetic_seconds", 0);
    text_add_format(condition,
                    "%snanvl(time, 0) - 0 = nanvl(time, 0) AND nanvl(time, timestamp()) >= "
                    "timestamp() - ",
                    joint(condition));
    condition_add_number(condition, oldest * 1000);
    text_add_format(condition, " AND nanvl(time, timestamp()) <= timestamp() + %d",
                    STORES_AHEAD_MILLISECONDS);
}

void condition_add(struct text *condition, const cJSON *type, const struct store_takes *takes)
{
    const cJSON *measure;
    add_attributes(condition, json_get(type, "attributes"));
    add_series_size(condition, type, takes);
    cJSON_ArrayForEach(measure, json_get(type, "measures"))
        add_measure(condition, type, measure, takes);
    add_time(condition, type, takes);
}
