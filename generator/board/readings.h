/* What became of the readings of a simulated board.
 *
 * simulator/modules/_journal.py writes events among the lines that the board prints. From them it
 * follows for each reading whether the broker acknowledged it. A reading that was not acknowledged
 * before the board rests is kept on the board, which tries again later; it is reported then, and
 * once more when it was sent after all. */
#ifndef GENERATOR_BOARD_READINGS_H
#define GENERATOR_BOARD_READINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum reading_fate { READING_ACKNOWLEDGED, READING_KEPT };

/* Valid during the call that gets it. */
struct reading_report {
    enum reading_fate fate;
    bool late;           /* acknowledged after it was reported as kept */
    int64_t time;        /* milliseconds since 1970, by the clock of the board */
    const char *members; /* its measures, as a piece of JSON: "temperature":22.5,"humidity":40 */
    const char *topic, *payload; /* the message, when it was acknowledged; NULL otherwise */
};

struct board_listener {
    void (*reading)(void *context, const struct reading_report *report);
    void (*printed)(void *context, const char *line); /* what the board prints, without newline */
    void *context;
};

struct board_reading {
    int64_t time;
    char *members;
    bool reported; /* as kept */
};

struct board_message {
    int id; /* packet identifier (MQTT 3.1.1, 2.3.1) */
    char *topic, *payload;
};

/* {0} with a listener is one without readings. */
struct readings {
    struct board_listener listener;
    struct board_reading *waiting; /* taken, not acknowledged; oldest first */
    size_t waiting_count, waiting_room;
    struct board_message *sent; /* published, not acknowledged */
    size_t sent_count, sent_room;
    size_t taken, acknowledged, kept; /* numbers of readings; kept: reported, and not sent since */
};

/* Takes a line of the simulator's standard output, which it changes. */
void readings_take_line(struct readings *readings, char *line);

/* The run of the board has ended: a connection, and what was sent on it, does not outlive it. */
void readings_end_run(struct readings *readings);

void readings_free(struct readings *readings);

#endif
