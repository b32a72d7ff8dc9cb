/* The CloudFormation stacks of a system: one for what all types share, one for each type.
 *
 * Many stacks go side by side, in rounds: each that a step concerns asks one thing, all answers are
 * awaited, each hears its own. An error of one is its own, and takes it out of the later rounds.
 *
 *   stacks_look()    what is there; what another command is at work on is waited for
 *   stacks_plan()    what would change, by a change set where templates or parameters differ
 *   stacks_apply()   carries the plan out, and shows events as they happen
 *   stacks_forget()  instead of applying: removes the change sets again
 *   stacks_delete()  deletes stacks
 *
 * Nothing of it is remembered on disk: a command that was killed is run again, and finds out anew.
 * Change sets of our prefix that nobody executed are removed by the next plan. */
#ifndef GENERATOR_DEPLOY_STACKS_H
#define GENERATOR_DEPLOY_STACKS_H

#include "aws/aws.h"
#include "common/base/report.h"

#include <cjson/cJSON.h>

/* The tags of what deploying makes: of stacks, and by the templates of each resource that can
 * outlive its stack, so that it is known again without it. */
#define SYSTEM_TAG "sensorforge:system"
#define TYPE_TAG "sensorforge:type"

struct stack {
    char *subject;      /* "system", or a type */
    char *name;         /* of the stack */
    cJSON *template;    /* as it shall be; NULL where only what is there counts */
    cJSON *parameters;  /* {"DatabaseName": "iot"} */
    bool left_out;      /* by the caller: of no concern from now on */
    struct error error; /* of this stack; the others go on */

    /* After stacks_look(): */
    char *status, *why; /* CloudFormation's; NULL: there is none of that name */
    char *id;
    cJSON *deployed, *deployed_parameters; /* NULL when it is not there, or never came to be */

    /* After stacks_plan(): */
    cJSON *changes; /* stack_plan.h; empty when there is nothing to do */
    cJSON *notes;   /* lines to say beside them */
    char *set;      /* the change set that waits to be executed; NULL: none */
    bool differs;   /* from what is deployed, or was, before stacks_apply() */

    /* Inside: */
    struct aws_call call;
    bool asked, created, listed, import, running, over, deleting, sure;
    bool contested; /* another command is at work on it: nothing of it is removed */
    char *token;    /* of the next page */
    char *newest;   /* the last event that was seen */
    char *reason;   /* the first that went wrong */
    cJSON *pages;   /* collected so far */
};

struct stacks {
    const struct reporter *reporter; /* may be NULL */
    struct aws *aws;
    const char *system; /* its name */
    struct stack *at;
    size_t count, room;
    size_t steps; /* resources that are done, for the progress line */
};

/* Takes over template (may be NULL); copies the rest. */
void stacks_add(struct stacks *all, const char *subject, const char *name, cJSON *template,
                const cJSON *parameters);
void stacks_free(struct stacks *all);

struct stack *stacks_find(const struct stacks *all, const char *subject);

/* It is there, and can be updated. */
bool stack_is_alive(const struct stack *stack);

/* Its creation failed: it holds nothing, and can only be deleted. */
bool stack_is_dead(const struct stack *stack);

void stacks_look(struct stacks *all);

/* apply: the remains of failed creations are deleted first. Otherwise only change sets are made,
 * and stacks_forget() must follow. */
void stacks_plan(struct stacks *all, bool apply);

void stacks_apply(struct stacks *all);
void stacks_forget(struct stacks *all);
void stacks_delete(struct stacks *all);

/* "stack home-esp8266temp in eu-west-1" and what changes of it; nothing for one left out. */
void stack_write(const struct stacks *all, const struct stack *stack, struct text *out);

/* {"stack", "subject", "region", "status", "changes", "notes", "error"} */
cJSON *stack_json(const struct stacks *all, const struct stack *stack);

/* --- for the files of this room --- */

typedef bool stack_filter(const struct stack *stack);
typedef void stack_ask(struct stacks *all, struct stack *stack);  /* submits stack->call */
typedef void stack_hear(struct stacks *all, struct stack *stack); /* its error not FINE: refused */

/* One round, after a pause in seconds; whether there was anyone to ask. */
bool stacks_round(struct stacks *all, stack_filter *which, stack_ask *ask, stack_hear *hear,
                  double pause);

/* The next pause of a wait that began with 0. */
double longer_pause(double pause);

/* Moves the call's error to the stack. */
void stack_refuse(struct stack *stack);

/* Makes the string NULL or a copy. */
void replace_string(char **string, const char *value);

#endif
