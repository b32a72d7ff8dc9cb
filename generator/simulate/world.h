/* The simulated things and how they act on each other. No type is named here: who acts on whom is
 * in the specs' control: sections, where a group of things that measure (those with the same value
 * of an attribute) is put under a thing that commands switch. While that thing is in the state that
 * the control's "on" message asks for, the measure of its group is driven back: down where the
 * control switches on above a limit, up where below. Otherwise it drifts as its own spec says.
 *
 * A thing obeys a command by taking over each value whose name is one of its measures, however deep
 * in the message. */
#ifndef GENERATOR_SIMULATE_WORLD_H
#define GENERATOR_SIMULATE_WORLD_H

#include "generator/targets/attributes.h"
#include "measure.h"

#include <stdint.h>

enum { MOST_LINKS = 8 };

/* A type that has simulated things. */
struct kind {
    cJSON *model; /* "type" of it is */
    const char *name;
    struct measure *measures;
    size_t measure_count;
    double publish_every; /* seconds */
    bool commands;
    size_t things;
    uint64_t sent, acknowledged, artefacts;
};

struct actor;

/* That a measure of a thing is driven by another thing. */
struct link {
    size_t measure;
    const struct actor *by;
    const cJSON *on; /* the message that switches it on */
    enum direction direction;
};

struct actor {
    char *name;
    struct kind *kind;
    struct attributes attributes;
    struct text pairs; /* the attributes as its readings have them: ,"zone":"1" */
    double *values;    /* of its measures */
    struct link links[MOST_LINKS];
    size_t link_count;
    int64_t last_time; /* of a reading: milliseconds since 1970 */
};

struct world {
    struct kind **kinds; /* pointers, because actors point to them */
    size_t kind_count, kind_room;
    struct actor *actors;
    size_t count, room;
    struct chance chance;
};

/* Takes over the model of a type; the kind that is there already where there is one. */
struct kind *world_kind(struct world *world, cJSON *model);

/* Adds a thing. Takes over its attributes, and copies its name. */
void world_add(struct world *world, struct kind *kind, const char *name,
               struct attributes *attributes);

/* Once all are there: who drives whom. */
void world_link(struct world *world);

/* "aircon/AC-{zone}/command" for these attributes: its second level, "AC-1". Freed by the caller;
 * NULL when it is not such a topic. */
char *commanded_thing(const char *topic, const struct attributes *attributes);

/* The next reading: {"temperature":21.5,"zone":"1","time":...}. A thing's times always differ, so
 * that none takes another's place in the database. */
void actor_read(struct world *world, struct actor *actor, struct text *out);

/* True when something changed. */
bool actor_obey(struct actor *actor, const char *message, size_t length);

void world_free(struct world *world);

#endif
