/* The simulated things and how they act on each other.
 *
 * No type is named here: which thing acts on which is in the control: sections of the specs. A
 * control puts a group of things that measure (those with the same value of an attribute) under a
 * thing that takes commands. While that thing is in the state that the control's "on" message asks
 * for, it drives the measure of its group back: down where the control switches on above a limit, up
 * where it switches on below one. Otherwise the measure drifts as its own spec says.
 *
 * A thing obeys a command by taking over each value whose name is one of its measures, at whatever
 * depth of the message. */
#ifndef GENERATOR_SIMULATE_WORLD_H
#define GENERATOR_SIMULATE_WORLD_H

#include "generator/targets/attributes.h"
#include "measure.h"

#include <stdint.h>

enum { MOST_LINKS = 8 /* of a thing */ };

/* A type that has simulated things. */
struct kind {
    cJSON *model;     /* whose "type" is this one */
    const char *name; /* of the type; belongs to the model */
    struct measure *measures;
    size_t measure_count;
    double publish_every; /* seconds */
    bool commands;        /* its things take commands */
    size_t things;
    uint64_t sent, acknowledged; /* readings of all its things */
    uint64_t artefacts;          /* readings with an artefact */
};

struct actor;

/* Another thing drives a measure of a thing. */
struct link {
    size_t measure; /* index in the measures of the driven thing's kind */
    const struct actor *by;
    const cJSON *on; /* the message that asks for the driving state; belongs to the model */
    enum direction direction;
};

/* A simulated thing. */
struct actor {
    char *name;
    struct kind *kind;
    struct attributes attributes;
    struct text members; /* the attributes as its readings have them: ,"zone":"1" */
    double *values;      /* of each measure of its kind, now */
    struct link links[MOST_LINKS];
    size_t link_count;
    int64_t last_time; /* of its last reading: milliseconds since 1970 */
};

struct world {
    struct kind **kinds; /* pointers, because actors point to them */
    size_t kind_count, kind_room;
    struct actor *actors;
    size_t count, room;
    struct random random;
};

/* The kind for the type of a model, which is taken over. A type is one kind, however often it is
 * asked for. */
struct kind *world_kind(struct world *world, cJSON *model);

/* Adds a thing. Takes over its attributes, and copies its name. */
void world_add(struct world *world, struct kind *kind, const char *name,
               struct attributes *attributes);

/* Finds out which thing drives which: once, when all are added. */
void world_link(struct world *world);

/* The thing that a control commands: the second level of its topic, with the name ({thing}) and the
 * attributes of the measuring thing in it: "aircon/AC-{zone}/command" gives "AC-1". Freed by the
 * caller; NULL when the topic has no third level. */
char *world_commanded(const char *topic, const char *thing, const struct attributes *attributes);

/* The next reading of a thing: {"temperature":21.5,"zone":"1","time":...}. No two readings of a thing
 * have the same time, because the later would take the place of the earlier in the database. */
void world_read(struct world *world, struct actor *actor, struct text *out);

/* A command for a thing. Returns whether any of its values changed. */
bool world_obey(struct actor *actor, const char *message, size_t length);

void world_free(struct world *world);

#endif
