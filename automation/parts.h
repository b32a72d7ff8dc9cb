/* What the engine is made of; for the files of this folder only. */
#ifndef AUTOMATION_PARTS_H
#define AUTOMATION_PARTS_H

#include "automation.h"
#include "common/base/buffer.h"
#include "common/base/clock.h"
#include "samples.h"

/* Without this, uthash ends the program when it is out of memory. With it, an item that could not
 * be added has hh.tbl NULL. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* Values of series.by that are no column: all things are one group; each thing is a group. */
#define BY_ALL SIZE_MAX
#define BY_THING (SIZE_MAX - 1)

enum {
    LONGEST_GROUP = 2048, /* bytes of a group's name: an attribute's value */
    JUMP = 60000, /* milliseconds; a longer interval between two ticks counts as an absence */
    ID_ROOM = 40
};

enum statistic { MEAN, LEAST, MOST, LAST, COUNT, SUM, DELTA };
enum comparison { ABOVE, BELOW, AT_LEAST, AT_MOST };

struct limit {
    enum comparison comparison;
    double value;
};

/* The state of a watch for one group, or for one thing: what is stored. */
struct state {
    enum automation_state is;
    enum automation_state told; /* what people were told last; unknown: nothing */
    int64_t since;              /* when the state began; 0: it was never decided */
    int64_t blind_since;        /* since when there has been no value; 0: there is one */
    int64_t holds_since; /* since when the clause that switches on has held; 0: it does not hold */
    int64_t heard;       /* of presence: when the thing was heard last; 0: never */
    bool first;          /* of presence: heard for the first time, and people are to be told */
};

/* A group of a watch, or a thing of presence. */
struct member {
    struct state at;
    struct state next;           /* what was decided, and is not committed yet */
    bool changed;                /* next differs from at: it is in the list of changes */
    struct member *next_changed; /* in that list */
    struct member *next_member;  /* of the same watch */
    struct watch *watch;
    const char *name;
    struct group *group; /* NULL: of presence */
    struct thing *thing; /* of presence */
};

/* What a watch tells people about: it is open while a member is on, or people were told so. */
struct incident {
    int64_t opened;   /* 0: it is not open */
    int64_t due;      /* when its next message may go out */
    int64_t pause;    /* between the next message and the one after it */
    int64_t sent;     /* when the last message went out; 0: none has */
    int64_t messages; /* how many went out */
    int64_t passed;   /* members that were on, and off again before people were told */
};

struct watch {
    enum automation_kind kind;
    char *name;
    struct automation_type *type;
    char **notify; /* addresses */
    size_t notify_count;
    int64_t remind_every; /* 0: never */
    /* Of presence. */
    int64_t silent_after;
    bool on_first;
    /* Of controls and alerts. */
    char *of, *by; /* by: NULL: all things are one group */
    char *unit;    /* "" when there is none */
    enum statistic statistic;
    struct limit on, off;
    int64_t every, window;
    int64_t hold;                     /* how long the clause that switches on has to hold */
    enum automation_state on_silence; /* unknown: the state stays as it is */
    char *topic;                      /* with {by} in it; NULL: nothing is commanded */
    char *payload_on, *payload_off;
    struct series *series;
    size_t place;     /* of this watch in the series */
    int64_t due;      /* when it looks at all of its groups again */
    int64_t hold_due; /* when the next clause has held for long enough; INT64_MAX: none holds */
    struct member *members; /* the newest first */
    struct incident incident, next_incident;
    bool touched;      /* a member changed since the incident was looked at */
    bool waiting;      /* the open incident has something to tell, or to end, when it is due */
    char trouble[160]; /* why it could not decide the last time; "": it could */
};

/* A measure, grouped by an attribute: what several watches may look at. */
struct series {
    size_t measure; /* its column */
    size_t by;      /* the attribute's column, BY_ALL or BY_THING */
    int64_t span;   /* milliseconds of the longest window */
    struct watch **watches;
    size_t watch_count;
    struct group *groups; /* a hash by name */
};

struct group {
    char *name;
    size_t length;
    struct samples samples;
    struct member *members; /* one for each watch of the series */
    bool dirty;             /* a reading came since the last tick */
    struct group *next_dirty;
    UT_hash_handle hh;
};

struct thing {
    char *name;
    size_t length;
    uint32_t index;        /* in the type's list of things */
    int64_t created;       /* 0: not known */
    int64_t deadline;      /* when it is checked for silence; the key of the heap */
    int64_t read;          /* time of its last valid reading; 0: none */
    double *values;        /* of that reading, one for each measure; NaN: no value */
    struct group **groups; /* of its last reading, one for each series */
    struct member presence;
    bool returned; /* it is in the list of those that were heard again */
    UT_hash_handle hh;
};

struct automation_type {
    char *name;
    struct automation *automation;
    const char **columns; /* measures first */
    size_t column_count, measure_count;
    struct watch *watches;
    size_t watch_count;
    struct series *series;
    size_t series_count;
    struct watch *presence; /* one of watches, or NULL */
    struct thing *things;   /* a hash by name */
    struct thing **list;    /* by index; NULL: it was forgotten */
    size_t list_count, list_room;
    struct thing *
        *heap; /* by deadline, the first due in front; all things, where there is presence */
    size_t heap_count, heap_room;
    struct thing **returned; /* were silent and are heard again, or are heard for the first time */
    size_t returned_count, returned_room;
    struct group *dirty;
    UT_hash_handle hh;
};

struct automation {
    struct automation_type *types; /* a hash by name */
    struct member *changed;
    int64_t ticked;      /* the last committed tick; 0: none yet */
    int64_t next_ticked; /* the tick that is not committed yet */
    int64_t grace;       /* no thing counts as silent before this time plus silent_after */
    bool stale_heap;     /* deadlines have to be computed anew */
};

/* --- document.c --- */

/* Compiles automation.json of the type of this name. WRONG_INPUT with the place; *made is freed with
 * type_free(). */
enum status document_read(const cJSON *document, const char *type, struct automation_type **made,
                          struct error *error);
void type_free(struct automation_type *type);

/* --- feed.c --- */

/* NULL: out of memory. */
struct thing *thing_take_up(struct automation_type *type, const char *name, size_t length,
                            int64_t created);
struct group *group_take_up(struct automation_type *type, struct series *series, const char *name,
                            size_t length);
struct thing *thing_find(const struct automation_type *type, const char *name, size_t length);
void heap_sort(struct automation_type *type, int64_t grace);
/* The thing at the front has another deadline now. */
void heap_settle(struct automation_type *type);
int64_t thing_deadline(const struct thing *thing, int64_t grace);
void member_begin(struct member *member, struct watch *watch, const char *name);

/* --- decide.c --- */

/* The state of a member that may be changed: next, put into the list of changes. */
struct state *member_change(struct member *member);

/* Hands the state that a member is to have to the sink. */
enum status member_say(const struct member *member, const struct automation_sink *sink,
                       struct error *error);

/* --- incident.c --- */

/* Looks at what people are to be told of a watch, and tells them what is due. */
enum status incident_look(struct watch *watch, int64_t now, const struct automation_sink *sink,
                          struct error *error);
int64_t incident_due(const struct watch *watch);

/* --- words.c --- */

/* What a value rests on. */
struct basis {
    bool has_value;
    double value;
    struct sample_window window;
};

/* The value of a watch for a group at this time, and the readings that it was computed from. */
struct basis watch_basis(const struct watch *watch, const struct group *group, int64_t now);

void words_duration(struct buffer *out, int64_t milliseconds);
void words_number(struct buffer *out, double number);
void words_limit(struct buffer *out, const struct limit *limit);
void words_time(struct buffer *out, int64_t time); /* local: 2026-11-27 09:12:00 */

/* Why a member got its new state. */
void words_why(struct buffer *out, const struct member *member, const struct basis *basis);

/* What a watch waits for in this state. */
void words_clause(struct buffer *out, const struct watch *watch, enum automation_state state);

/* Fills parts and other_things: the things whose readings the value was computed from, those with
 * the most readings first. */
void words_parts(const struct automation_type *type, const struct basis *basis,
                 struct automation_decision *decision);

/* Writes the beginning of a stored state, without its end: what kind of watch it is of, and what that
 * groups by. Returns the length. */
int words_begin_state(char *json, size_t size, const struct watch *watch);

/* The same for the same arguments: hexadecimal digits and a dash. */
void words_id(char id[ID_ROOM], const struct watch *watch, const char *group, int64_t time,
              int number);

#endif
