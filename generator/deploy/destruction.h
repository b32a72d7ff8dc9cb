/* Removing what deploying a subject has made in an account, in the order that AWS demands.
 *
 * Nothing is remembered: what is left to do is found out each time, so a command that was stopped
 * anywhere is run again.
 *
 * A stack says which resources belong to it. When the stack is gone, the model says which names to
 * look for. A name is no proof, so then only a resource with our tags is removed. A resource
 * without them is shown, and stays. */
#ifndef GENERATOR_DEPLOY_DESTRUCTION_H
#define GENERATOR_DEPLOY_DESTRUCTION_H

#include "deployment.h"
#include "removal.h"

struct destruction {
    struct project *project;
    const char *subject; /* a type, or "system" */
    bool system;         /* the subject is the system */
    bool data;           /* tables and the database are removed, with their readings */
    bool marked;         /* the type is plugged in on this target (types.h) */
    bool waited;         /* AWS lets its thing type be deleted */
    struct deployment deployment;
    struct removal removal;
    struct stack *stack; /* of the subject */
    cJSON *resources;    /* of its template, by logical id, with references replaced */
    bool of_stack;       /* the stack itself holds them; otherwise the model names them */
    cJSON *there;   /* [id]: of them, those that exist, can be found without a stack, are ours */
    cJSON *foreign; /* [id]: likewise, but made by others */
};

/* Looks at what is there of the subject. data: see above. aws: the account, if it is open already; it
 * outlives the destruction; else NULL. Closed by the caller, also after a failure. */
enum status destruction_open(struct destruction *destruction, struct project *project,
                             const char *subject, bool data, struct aws *aws, struct error *error);
void destruction_close(struct destruction *destruction);

/* WRONG_INPUT when something still needs the subject. Of a type: things and certificates in the
 * account. Of the system: types that are plugged in, and tables in a database that would be
 * removed. */
enum status destruction_check(struct destruction *destruction, struct error *error);

/* WRONG_INPUT when this project has things of the type on this target. */
enum status destruction_check_things(const char *type, enum target_kind target,
                                     struct error *error);

/* Whether there is anything to remove. */
bool destruction_has_work(const struct destruction *destruction);

/* Adds a line for each resource that is removed, or that exists and stays. */
void destruction_write(const struct destruction *destruction, struct text *out);

/* {"subject", "stack", "region", "outcome", and lists of {"type", "name"}: "removed", "kept",
 * "foreign"}; the caller deletes. */
cJSON *destruction_json(const struct destruction *destruction, const char *outcome);

/* For several subjects: deprecates the thing type of each, and waits once. destruction_run() waits no
 * more then. list: those with work. */
enum status destruction_wait(struct destruction *const *list, size_t count, struct error *error);

/* Removes: deprecates the thing type and waits, deletes the stack, deletes what is left, and
 * removes the mark. */
enum status destruction_run(struct destruction *destruction, struct error *error);

/* Adds lines about what stays in the account; none when nothing does. */
void destruction_write_rest(const struct destruction *destruction, struct text *out);

#endif
