#include "measure.h"
#include "common/base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the spec --- */

/* 0.1 or "0.8%". */
static struct amount amount_of(const cJSON *written)
{
    if (cJSON_IsNumber(written))
        return (struct amount){written->valuedouble, false};
    if (cJSON_IsString(written))
        return (struct amount){strtod(written->valuestring, NULL) / 100, true};
    return (struct amount){0};
}

static double clamp(const struct measure *measure, double value)
{
    return value < measure->minimum   ? measure->minimum
           : value > measure->maximum ? measure->maximum
                                      : value;
}

static double first_value(const struct measure *measure, const cJSON *written)
{
    if (measure->kind == MEASURE_BOOLEAN)
        return cJSON_IsTrue(written);
    if (cJSON_IsNumber(written))
        return clamp(measure, written->valuedouble);
    if (isfinite(measure->minimum) && isfinite(measure->maximum))
        return measure->minimum + (measure->maximum - measure->minimum) / 2;
    return clamp(measure, 0);
}

void measure_read(const cJSON *model, struct measure *measure)
{
    static const char *const kinds[] = {"double", "bigint", "boolean", "varchar"};
    const cJSON *simulate = json_get(model, "simulate"), *start = json_get(simulate, "start");
    *measure = (struct measure){.name = json_string(model, "name", ""),
                                .text = cJSON_IsString(start) ? start->valuestring : "",
                                .minimum = json_number(model, "minimum", -INFINITY),
                                .maximum = json_number(model, "maximum", INFINITY),
                                .drift = amount_of(json_get(simulate, "drift")),
                                .noise = amount_of(json_get(simulate, "noise")),
                                .artefacts = amount_of(json_get(simulate, "artefacts")).value};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(json_string(model, "type", ""), kinds[i]) == 0)
            measure->kind = (enum measure_kind)i;
    measure->start = first_value(measure, start);
}

/* --- values --- */

static double amount_at(struct amount amount, double value)
{
    return amount.share ? amount.value * value : amount.value;
}

double measure_step(const struct measure *measure, double value, enum direction direction)
{
    double change = amount_at(measure->drift, value);
    if (direction != DRIFTING)
        change = direction == DRIVEN_UP ? fabs(change) : -fabs(change);
    return measure->kind > MEASURE_BIGINT ? value : clamp(measure, value + change);
}

static void write_string(const char *string, struct text *out)
{
    cJSON *value = cJSON_CreateString(string);
    json_compact(value, out);
    cJSON_Delete(value);
}

/* Six significant digits; nine decimals where rounding to six would leave the range, or where six
 * digits need an exponent. */
static void write_number(const struct measure *measure, double value, struct text *out)
{
    char digits[400]; /* the largest double has 309 before its point */
    double written;
    if (measure->kind == MEASURE_BIGINT) {
        text_add_format(out, "%.0f", value);
        return;
    }
    snprintf(digits, sizeof digits, "%.6g", value);
    written = strtod(digits, NULL);
    bool left_range = clamp(measure, value) == value && clamp(measure, written) != written;
    if (strchr(digits, 'e') || left_range)
        snprintf(digits, sizeof digits, "%.9f", value);
    text_add_format(out, "%s%s", digits, strchr(digits, '.') ? "" : ".0");
}

/* The next whole number below, or above where that one is below the range. */
static double whole(const struct measure *measure, double value)
{
    return floor(value) < measure->minimum ? ceil(value) : floor(value);
}

/* A value beyond the upper end of the range, or the lower where there is no upper, by at least a
 * tenth of that end. far: 0 to 1, how much further. */
static void write_artefact(const struct measure *measure, double far, struct text *out)
{
    bool above = isfinite(measure->maximum);
    double end = above ? measure->maximum : measure->minimum;
    double beyond = (0.1 + far) * fmax(1, fabs(end));
    if (measure->kind > MEASURE_BIGINT || !isfinite(end))
        text_add_string(out, "null");
    else if (measure->kind == MEASURE_BIGINT)
        write_number(measure, above ? floor(end + 1 + beyond) : ceil(end - 1 - beyond), out);
    else
        write_number(measure, above ? end + beyond : end - beyond, out);
}

void measure_write(const struct measure *measure, double value, bool artefact,
                   struct random *random, struct text *out)
{
    double noise = (2 * random_next(random) - 1) * amount_at(measure->noise, value);
    if (artefact)
        write_artefact(measure, random_next(random), out);
    else if (measure->kind == MEASURE_BOOLEAN)
        text_add_string(out, value != 0 ? "true" : "false");
    else if (measure->kind == MEASURE_VARCHAR)
        write_string(measure->text, out);
    else if (measure->kind == MEASURE_BIGINT)
        write_number(measure, whole(measure, clamp(measure, value + noise)), out);
    else
        write_number(measure, clamp(measure, value + noise), out);
}
