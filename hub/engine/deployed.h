/* The types that are plugged in (deployed.json, of target local), with their documents loaded, and
 * which rules a message goes to.
 *
 * A rule is found by the first level of its topic, through a hash, so a hundred types cost what one
 * does; rules whose filter begins with a wildcard are asked for each message.
 *
 * A type that is plugged in, and of which no documents could be loaded yet, is not like one that is
 * not there: the broker lets its things publish to topics that begin with its name, and what they
 * sent has to wait for its rules. */
#ifndef HUB_ENGINE_DEPLOYED_H
#define HUB_ENGINE_DEPLOYED_H

#include "type.h"

struct deployed;

struct deployed_type {
    struct type *type; /* NULL: nothing of it could be loaded yet */
    char *name;
    int64_t stamp[4]; /* of deployed.json and the documents' folder: when they changed */
    char *trouble;    /* why what is there now could not be loaded; NULL: it was */
    bool seen;
};

struct route {
    struct hub_rule **rules;
    size_t count, room;
    size_t id; /* 0: of the route without rules; unique among the others */
    bool held; /* these are topics of a type that has no documents yet */
};

struct deployed *deployed_new(const struct settings *settings);
void deployed_free(struct deployed *deployed);

/* Looks at the folders, and loads what changed, and what could not be loaded the last time. A type
 * whose documents are wrong keeps what it had; each change is said in the log. True when any rule
 * or route changed. may end the program without memory. */
bool deployed_refresh(struct deployed *deployed);

/* Rules for topics with this first level, and those for any; either may be empty, never NULL. */
const struct route *deployed_route(const struct deployed *deployed, const char *level,
                                   size_t length);
const struct route *deployed_any(const struct deployed *deployed);

/* The type that holds the route of this first level; NULL when none does. */
const struct deployed_type *deployed_holder(const struct deployed *deployed, const char *level,
                                            size_t length);

const struct hub_rule *deployed_rule(const struct deployed *deployed, const char *name);

/* Asks the store for the tables of all types. A type whose table is not right is said in the log;
 * its actions fail then, and its error action gets their messages. REFUSED: the store's. */
enum status deployed_attach(struct deployed *deployed, struct store *store, struct error *error);

size_t deployed_count(const struct deployed *deployed);
const struct deployed_type *deployed_at(const struct deployed *deployed, size_t i);

#endif
