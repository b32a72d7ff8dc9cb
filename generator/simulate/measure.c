#include "measure.h"
#include "common/base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

/* --- chance: xorshift64* (Vigna, "An experimental exploration of Marsaglia's xorshift generators")
 * --- */

void chance_begin(struct chance *chance)
{
    if (getrandom(&chance->state, sizeof chance->state, 0) != (ssize_t)sizeof chance->state)
        chance->state = (uint64_t)time(NULL);
    chance->state |= 1;
}

double chance_next(struct chance *chance)
{
    chance->state ^= chance->state >> 12;
    chance->state ^= chance->state << 25;
    chance->state ^= chance->state >> 27;
    return (double)((chance->state * 0x2545F4914F6CDD1DU) >> 11) / 9007199254740992.0; /* 2^53 */
}

/* --- reading --- */

/* 0.1 or "0.8%". */
static struct amount amount_of(const cJSON *written)
{
    if (cJSON_IsNumber(written))
        return (struct amount){written->valuedouble, false};
    if (cJSON_IsString(written))
        return (struct amount){strtod(written->valuestring, NULL) / 100, true};
    return (struct amount){0};
}

static double limited(const struct measure *measure, double value)
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
        return limited(measure, written->valuedouble);
    if (isfinite(measure->minimum) && isfinite(measure->maximum))
        return measure->minimum + (measure->maximum - measure->minimum) / 2;
    return limited(measure, 0);
}

void measure_read(const cJSON *model, struct measure *measure)
{
    static const char *const kinds[] = {"double", "bigint", "boolean", "varchar"};
    const cJSON *simulate = json_get(model, "simulate"), *start = json_get(simulate, "start");
    *measure = (struct measure){.name = json_string(model, "name", ""),
                                .words = cJSON_IsString(start) ? start->valuestring : "",
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
    return measure->kind > MEASURE_BIGINT ? value : limited(measure, value + change);
}

static void write_text(const char *words, struct text *out)
{
    cJSON *value = cJSON_CreateString(words);
    json_compact(value, out);
    cJSON_Delete(value);
}

/* Six digits, where they stay on the same side of the range's ends. */
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
    bool left = limited(measure, value) == value && limited(measure, written) != written;
    if (strchr(digits, 'e') || left)
        snprintf(digits, sizeof digits, "%.9f", value);
    text_add_format(out, "%s%s", digits, strchr(digits, '.') ? "" : ".0");
}

/* A whole number, within the range where there is one in it. */
static double whole(const struct measure *measure, double value)
{
    return floor(value) < measure->minimum ? ceil(value) : floor(value);
}

/* Beyond one end of the range, by a tenth of that end at least. */
static void write_absurd(const struct measure *measure, double chance, struct text *out)
{
    bool above = isfinite(measure->maximum);
    double end = above ? measure->maximum : measure->minimum;
    double beyond = (0.1 + chance) * fmax(1, fabs(end));
    if (measure->kind > MEASURE_BIGINT || !isfinite(end))
        text_add_string(out, "null");
    else if (measure->kind == MEASURE_BIGINT)
        write_number(measure, above ? floor(end + 1 + beyond) : ceil(end - 1 - beyond), out);
    else
        write_number(measure, above ? end + beyond : end - beyond, out);
}

void measure_write(const struct measure *measure, double value, bool artefact,
                   struct chance *chance, struct text *out)
{
    double noise = (2 * chance_next(chance) - 1) * amount_at(measure->noise, value);
    if (artefact)
        write_absurd(measure, chance_next(chance), out);
    else if (measure->kind == MEASURE_BOOLEAN)
        text_add_string(out, value != 0 ? "true" : "false");
    else if (measure->kind == MEASURE_VARCHAR)
        write_text(measure->words, out);
    else if (measure->kind == MEASURE_BIGINT)
        write_number(measure, whole(measure, limited(measure, value + noise)), out);
    else
        write_number(measure, limited(measure, value + noise), out);
}
