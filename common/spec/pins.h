/* What a spec's drivers want of the board's pins, held against what its platform.yaml says of them: pins
 * that belong to something else, inputs only, resistors that the chip does not have, interrupts, the pin
 * that wakes the board, and pins that two drivers use. */
#ifndef COMMON_SPEC_PINS_H
#define COMMON_SPEC_PINS_H

#include "problems.h"
#include "yaml.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

/* One parameter of one driver that is the number of a pin or an analog input. */
struct pin_use {
    const cJSON *driver; /* borrowed, as all of these */
    const char *parameter;
    const char *user;   /* the measure's name, or "display" */
    const char *sensor; /* the same text for drivers with the same parameters: one sensor */
    const struct yaml_node *node; /* where its number is written */
    double pin;
};

struct pins {
    const char *platform_name;
    const cJSON *platform; /* NULL: not known, and nothing is checked */
    bool sleeps_deeply;
    struct problems *problems;
    struct pin_use *uses; /* those that were checked before */
    size_t count, room;
};

/* Checks a pin by itself, and against those that were checked before. What use points to must live until
 * pins_free(). */
void pins_check(struct pins *pins, const struct pin_use *use);

/* Checks the resistor ("up", "down", "none") that the pin is to have. place: of the word, or of the pin
 * where the word is the driver's default. */
void pins_check_pull(struct pins *pins, double pin, const char *pull, struct place place);

void pins_free(struct pins *pins);

#endif
