/* Controls, alerts and presence: what to do about readings.
 *
 *     documents x readings x time x state  ->  decisions
 *
 * The engine is handed everything: the documents of the types (automation.json), the things that
 * there are, each reading as it is stored, the states as they were stored before, and the time. It
 * answers with decisions, with states to store and with messages to people. It opens no socket,
 * reads no clock, knows no database and starts no thread, so the same code runs in sensorhub, in a
 * Lambda function and in a replay.
 *
 * A watch is a control, an alert or the presence of a type. A control and an alert are the same
 * machine: a condition with hysteresis on a statistic over a window, with one state for each group
 * of things. Presence is a condition on silence; each thing is a group of its own. So:
 *
 *                control            alert            presence
 *     on         switched on        raised           silent
 *     off        switched off       clear            heard
 *     unknown    not decided yet    not decided yet  never heard
 *
 * How to use it:
 *
 *     automation_new
 *     automation_load        for each type that has a document
 *     automation_thing       for each thing that has a record
 *     automation_restore     for each state that was stored
 *     automation_reading     for the readings of the last automation_history() milliseconds
 *     ...
 *     automation_reading     for each message, as it is stored
 *     automation_decide      when automation_due() has come; then, in this order: the caller's
 *                            transaction ends, and automation_commit() or automation_abandon()
 *
 * All times are milliseconds since 1970. No function ends the program: where memory runs out it
 * returns REFUSED, or automation_troubles() says so and its states stay as they are.
 * Strings that are handed in are copied. An engine is used by one thread. */
#ifndef AUTOMATION_AUTOMATION_H
#define AUTOMATION_AUTOMATION_H

#include "common/base/error.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct automation;
struct automation_type;

enum automation_kind { AUTOMATION_CONTROL, AUTOMATION_ALERT, AUTOMATION_PRESENCE };
enum automation_state { AUTOMATION_UNKNOWN, AUTOMATION_OFF, AUTOMATION_ON };

/* "control", "alert", "presence"; "unknown", "off", "on". */
const char *automation_kind_name(enum automation_kind kind);
const char *automation_state_name(enum automation_state state);

/* NULL: out of memory. */
struct automation *automation_new(void);
void automation_free(struct automation *automation); /* NULL is fine */

/* --- what there is --- */

/* Takes a type's automation.json, in place of the one that it had; NULL: it has none any more.
 * States are kept of each watch that has kept its name, its kind and what it groups by; its
 * readings are not, so the caller hands in the last automation_history() milliseconds again.
 * WRONG_INPUT with the place when something is missing in the document or wrong; then the type
 * keeps the document that it had. REFUSED: out of memory. */
enum status automation_load(struct automation *automation, const char *type, const cJSON *document,
                            struct error *error);

/* NULL when the type has no document. It is the same until the next automation_load(). */
struct automation_type *automation_type(struct automation *automation, const char *type);

/* How far back the watches of a type look: the longest window. 0: no watch has a window. */
int64_t automation_history(const struct automation_type *type);

/* The columns that automation_reading() wants, in this order; names are the document's. */
size_t automation_columns(const struct automation_type *type, const char *const **names);

/* A thing that has a record, and when that was made (0: not known). A thing that nobody handed in
 * is taken up when it is heard. */
enum status automation_thing(struct automation_type *type, const char *name, int64_t created,
                             struct error *error);

/* The thing was deleted: nobody is told about it any more. Its stored states are to be removed by
 * the caller. */
void automation_forget(struct automation_type *type, const char *name);

/* --- readings --- */

enum automation_value_kind { AUTOMATION_NONE, AUTOMATION_NUMBER, AUTOMATION_TEXT };

struct automation_value {
    enum automation_value_kind kind;
    double number;    /* true is 1, false 0 */
    const char *text; /* not NUL-terminated */
    size_t length;
};

struct automation_reading {
    const char *thing; /* not NUL-terminated */
    size_t thing_length;
    int64_t time;    /* the reading's own; it decides in which windows the reading counts */
    int64_t arrived; /* when the broker accepted it; it decides whether a thing is silent */
    bool valid;      /* false: the thing was heard, and its values count nowhere */
    const struct automation_value *values; /* one for each column; NULL where valid is false */
};

/* Takes a reading. The same reading again (thing and time) changes nothing, so a batch that was
 * rolled back may be handed in again. */
enum status automation_reading(struct automation_type *type,
                               const struct automation_reading *reading, struct error *error);

/* --- states --- */

/* What a stored state belongs to. */
struct automation_key {
    const char *type, *watch;
    const char *group; /* NULL: what the watch has told people about all of its groups */
};

/* Takes a state as it was stored: the text that a sink's state() was given. What belongs to no watch
 * is ignored. WRONG_INPUT when it is no such text. */
enum status automation_restore(struct automation *automation, const struct automation_key *key,
                               const char *json, struct error *error);

/* --- decisions --- */

enum { AUTOMATION_PARTS = 10 };

/* How many readings of a thing a value was computed from. */
struct automation_part {
    const char *thing;
    uint64_t readings;
};

struct automation_decision {
    const char *id; /* the same when the same is decided again; [0-9a-f-]{1,64} */
    int64_t time;
    const char *type, *watch, *group;
    enum automation_kind kind;
    enum automation_state was, state;
    bool has_value;
    double value;
    uint64_t readings;
    struct automation_part parts[AUTOMATION_PARTS]; /* those with the most readings first */
    size_t part_count;
    size_t other_things; /* things whose readings were used too, beside those in parts */
    const char *why;     /* a sentence for a person */
    const char *topic;   /* MQTT topic of the command; NULL: there is no command */
    const char *payload; /* JSON */
};

/* A message to people. Where it goes is what the spec says: mailto:..., https://..., an ARN. */
struct automation_notice {
    const char *id;     /* the same when the same is decided again; [0-9a-f-]{1,64} */
    const char *thread; /* the same for all messages of one incident */
    int64_t time;
    const char *type, *watch;
    enum automation_kind kind;
    const char *address;
    const char *subject; /* one line, UTF-8 */
    const char *text;    /* lines that end in \n */
    const char *json;    /* the same for a program: an object on one line */
};

/* Where the answers go. A function that returns anything but FINE ends automation_decide() with
 * that. Pointers are valid until the function returns. */
struct automation_sink {
    void *context;
    /* json: what automation_restore() takes later, on one line. */
    enum status (*state)(void *context, const struct automation_key *key, const char *json,
                         struct error *error);
    enum status (*decision)(void *context, const struct automation_decision *decision,
                            struct error *error);
    enum status (*notice)(void *context, const struct automation_notice *notice,
                          struct error *error);
};

struct automation_time {
    int64_t now;
    /* Everything that had arrived by then has been handed in: now, or, while the spool has more, the
     * arrival of the last message that was handed in. Silence is judged by it, so that readings that
     * wait to be stored never look like silence. */
    int64_t horizon;
};

/* Decides what is due. Nothing of it counts before automation_commit(); after automation_abandon()
 * the next call decides the same again. When the time went backwards since the last call, or more
 * than a minute forwards (the program was away, the machine slept, the clock was set), every thing
 * is granted its silent_after anew, and a condition that has to hold for a while begins anew. */
enum status automation_decide(struct automation *automation, const struct automation_time *time,
                              const struct automation_sink *sink, struct error *error);
void automation_commit(struct automation *automation);
void automation_abandon(struct automation *automation);

/* When automation_decide() is to be called next, in milliseconds since 1970. INT64_MAX: not before
 * another reading, thing or document is handed in. */
int64_t automation_due(const struct automation *automation);

/* --- looking --- */

struct automation_view {
    const char *type, *watch, *group;
    enum automation_kind kind;
    enum automation_state state;
    int64_t since;       /* when the state began; 0: never decided */
    int64_t blind_since; /* since when there has been no value; 0: there is one */
    int64_t holds_since; /* since when the other state's clause has held; 0: it does not */
    bool has_value;      /* at `now` */
    double value;
    uint64_t readings;
    const char *clause; /* what the watch waits for: "above 35 switches on" */
};

/* Calls each() with every state, type by type. each() returns false to end it. */
void automation_look(struct automation *automation, int64_t now,
                     bool (*each)(void *context, const struct automation_view *view),
                     void *context);

/* Calls each() for each watch that cannot decide at present, with the reason as a sentence. */
void automation_troubles(const struct automation *automation,
                         void (*each)(void *context, const char *type, const char *watch,
                                      const char *trouble),
                         void *context);

#endif
