/* The types that are deployed to the local system (their deployed.json has the target "local"),
 * with their documents loaded, and the rules for each message.
 *
 * Rules are found by the first level of the message's topic, through a hash table, so the number of
 * types does not matter. Rules whose filter begins with a wildcard run for every message. Of a topic of
 * Basic Ingest ($aws/rules/<rule>/...), the first three levels count as one.
 *
 * A type is pending while it is deployed and none of its documents could be loaded. The broker lets
 * its things publish to topics that begin with its name. A type is refused while a table of it cannot
 * be made, or takes no rows. A type is held while it is pending or refused, and until the records that
 * were set aside meanwhile are stored: its messages are set aside (see engine.h), those of other types
 * are not. A message of a type that is not deployed is not set aside. */
#ifndef HUB_ENGINE_DEPLOYED_H
#define HUB_ENGINE_DEPLOYED_H

#include "type.h"
#include "common/spec/system.h"
#include "waiting.h"

struct deployed;

struct deployed_type {
    char *name;
    struct type *type; /* NULL: the type is pending */
    char *trouble;     /* why the documents that are there now could not be loaded; NULL: they are
                          loaded */
    char *refusal;     /* why one of its tables takes no rows; NULL: all do */
    double pause;      /* seconds from a refusal to the next try */
    double again;      /* when that is, by the monotonic clock */
    bool held;         /* deployed_mark() */
    uint64_t aside;    /* the engine's number of the message that was set aside last */
    int64_t stamp[4]; /* modification time and inode of deployed.json, and of the documents' folder,
                          when they were loaded or tried last */
    bool seen;        /* by the deployed_refresh() that is running */
    double gone;      /* when its folder was first missed, by the monotonic clock; 0: it is there */
};

/* The rules for topics with the same first level. */
struct route {
    struct hub_rule **rules;
    size_t count, room;
    size_t id; /* 0: the route without rules; different for each of the others */
    struct deployed_type *pending; /* the first level is its name; NULL: of no pending type */
};

/* notify: see struct action_scope. It outlives the result. */
struct deployed *deployed_new(const struct system_topics *notify);
void deployed_free(struct deployed *deployed);

/* Looks at the folders of the types. Loads types that changed, and tries again those that could not
 * be loaded. A type whose new documents are wrong keeps the old ones. Changes are logged. Returns
 * true when rules or routes changed; then all pointers to them are invalid, and deployed_attach()
 * must be called. May end the program when memory is exhausted. */
bool deployed_refresh(struct deployed *deployed);

/* All readings that were accepted until now are processed. A type whose folder is gone keeps its rules
 * until this is called a second later: what its things had acknowledged before is stored. When this is
 * never called, the rules go with the folder. */
void deployed_drained(struct deployed *deployed);

/* The rules for topics with this first level. Never NULL; the route may be without rules. */
const struct route *deployed_route(const struct deployed *deployed, const char *level,
                                   size_t length);

/* The rules for all topics. */
const struct route *deployed_any(const struct deployed *deployed);

/* The rule of this name; NULL: there is none. */
const struct hub_rule *deployed_rule(const struct deployed *deployed, const char *name);

/* Gets the tables of all types from the store. A type with a table that cannot be made is refused, and
 * that is logged. REFUSED: the store's. */
enum status deployed_attach(struct deployed *deployed, struct store *store, struct error *error);

/* The same for the types that are refused, and whose time of the next try has come. */
enum status deployed_retry(struct deployed *deployed, struct store *store, struct error *error);

/* A table did not take rows (store_troubled()): the types that have it are refused, and tried again
 * after a pause. */
void deployed_refuse(struct deployed *deployed, const char *table, const struct error *why);

/* Notes which types are held. Called before each batch. */
void deployed_mark(struct deployed *deployed, const struct waiting_list *waiting);

/* The type of this name; NULL: it is not deployed. */
const struct deployed_type *deployed_named(const struct deployed *deployed, const char *name);

size_t deployed_count(const struct deployed *deployed);
const struct deployed_type *deployed_at(const struct deployed *deployed, size_t i);

#endif
