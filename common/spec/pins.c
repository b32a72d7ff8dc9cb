#include "pins.h"
#include "common/base/json.h"
#include "common/base/memory.h"

#include <stdlib.h>
#include <string.h>

/* --- what the platform says --- */

static bool has_number(const cJSON *list, double number)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        if (item->valuedouble == number)
            return true;
    }
    return false;
}

static bool is_in(const struct pins *pins, const char *list, double pin)
{
    return has_number(json_get(pins->platform, list), pin);
}

/* What the pin belongs to; NULL: nothing. */
static const char *reserved_for(const struct pins *pins, double pin)
{
    const cJSON *some;
    cJSON_ArrayForEach(some, json_get(pins->platform, "reserved"))
    {
        if (has_number(json_get(some, "pins"), pin))
            return json_string(some, "for", "");
    }
    return NULL;
}

/* --- one use --- */

static const char *text_of(const struct pin_use *use, const char *member)
{
    const cJSON *parameter = json_get(json_get(use->driver, "parameters"), use->parameter);
    return json_string(parameter, member, "");
}

static bool wants(const struct pin_use *use, const char *what)
{
    return json_true(json_get(json_get(use->driver, "parameters"), use->parameter), what);
}

static bool is_analog(const struct pin_use *use)
{
    return strcmp(text_of(use, "format"), "analog") == 0;
}

static void check_existence(const struct pins *pins, const struct pin_use *use)
{
    const cJSON *known, *list = json_get(pins->platform, is_analog(use) ? "analog" : "pins");
    const char *owner = is_analog(use) ? NULL : reserved_for(pins, use->pin);
    struct text usable = {0};
    cJSON_ArrayForEach(known, list)
    {
        text_add_format(&usable, "%s%d", usable.length ? ", " : "", known->valueint);
    }
    if (!usable.length || has_number(list, use->pin)) {
        text_free(&usable);
        return;
    }
    char *hint = must_format("usable: %s", text_string(&usable));
    if (owner)
        problem_add(pins->problems, ERROR, use->node->place, hint, "pin %.0f of %s belongs to %s",
                    use->pin, pins->platform_name, owner);
    else
        problem_add(pins->problems, ERROR, use->node->place, hint,
                    "%s has no %s %.0f that a driver can use", pins->platform_name,
                    is_analog(use) ? "analog input" : "pin", use->pin);
    text_free(&usable);
}

static void check_abilities(const struct pins *pins, const struct pin_use *use)
{
    const char *name = pins->platform_name, *driver = json_string(use->driver, "driver", "");
    const cJSON *wake = json_get(pins->platform, "wake_pin");
    struct place place = use->node->place;
    if (wants(use, "drives") && is_in(pins, "input_only", use->pin))
        problem_add(pins->problems, ERROR, place, NULL,
                    "pin %.0f of %s is an input only, and %s drives its \"%s\"", use->pin, name,
                    driver, use->parameter);
    if (wants(use, "interrupt") && is_in(pins, "without_interrupt", use->pin))
        problem_add(pins->problems, ERROR, place, NULL,
                    "pin %.0f of %s causes no interrupt, and %s needs one", use->pin, name, driver);
    if (wake && pins->sleeps_deeply && wake->valuedouble == use->pin)
        problem_add(pins->problems, ERROR, place, must_copy("another pin, or sleep: none"),
                    "pin %.0f of %s is wired to RST: it wakes the board from deep sleep", use->pin,
                    name);
}

/* --- two uses --- */

static bool same_place(const struct pins *pins, const struct pin_use *one,
                       const struct pin_use *other)
{
    if (is_analog(one) != is_analog(other) && json_true(pins->platform, "analog_apart"))
        return false;
    return one->pin == other->pin;
}

/* Several chips on the same lines of a bus. */
static bool share(const struct pin_use *one, const struct pin_use *other)
{
    const char *bus = text_of(one, "bus");
    return *bus && strcmp(bus, text_of(other, "bus")) == 0;
}

static void check_others(const struct pins *pins, const struct pin_use *use)
{
    for (size_t i = 0; i < pins->count; i++) {
        const struct pin_use *other = &pins->uses[i];
        if (!same_place(pins, use, other) || strcmp(use->sensor, other->sensor) == 0 ||
            share(use, other))
            continue;
        problem_add(pins->problems, ERROR, use->node->place, NULL,
                    "pin %.0f is \"%s\" of %s (%s) already", use->pin, other->parameter,
                    json_string(other->driver, "driver", ""), other->user);
        return;
    }
}

void pins_check(struct pins *pins, const struct pin_use *use)
{
    if (!pins->platform)
        return;
    check_existence(pins, use);
    if (!is_analog(use))
        check_abilities(pins, use);
    check_others(pins, use);
    pins->uses = must_grow(pins->uses, pins->count, &pins->room, sizeof *pins->uses);
    pins->uses[pins->count++] = *use;
}

void pins_check_pull(struct pins *pins, double pin, const char *pull, struct place place)
{
    owned char *list = must_format("without_pull_%s", pull);
    if (pins->platform && is_in(pins, list, pin))
        problem_add(pins->problems, ERROR, place,
                    must_copy("pull: none, and a resistor outside of the chip"),
                    "pin %.0f of %s has no resistor that pulls %s", pin, pins->platform_name, pull);
}

void pins_free(struct pins *pins)
{
    free(pins->uses);
    *pins = (struct pins){0};
}
