/* The CloudFormation stacks of a system: one for what all types share, one for each type.
 *
 *   stacks_look()    what is deployed; waits while another command changes a stack
 *   stacks_plan()    what would change; makes a change set where template or parameters differ
 *   stacks_apply()   executes the change sets, and reports events as they happen
 *   stacks_forget()  instead of applying: deletes the change sets again
 *   stacks_delete()  deletes stacks
 *
 * All stacks are worked on at the same time, in rounds: each stack that a step is about makes one
 * call, all answers are awaited, and each stack reads its own. The error of a stack belongs to that
 * stack, and takes it out of the later rounds; the others go on.
 *
 * Nothing is kept on the disk. A command that was killed is run again, and looks again. Change sets
 * with our prefix that nobody executed are deleted by the next plan. */
#ifndef GENERATOR_DEPLOY_STACKS_H
#define GENERATOR_DEPLOY_STACKS_H

#include "aws/aws.h"
#include "common/base/report.h"

#include <cjson/cJSON.h>

/* The tags of what deploying makes: of the stacks, and in the templates of each resource that can
 * outlive its stack. They identify such a resource when its stack is gone. */
#define SYSTEM_TAG "sensorforge:system"
#define TYPE_TAG "sensorforge:type"

struct stack {
    char *subject;      /* "system", or a type */
    char *name;         /* of the stack: "home-esp8266temp" */
    cJSON *template;    /* what the stack should be; NULL: only what is deployed matters */
    cJSON *parameters;  /* {"DatabaseName": "iot"} */
    bool left_out;      /* set by the caller: no function looks at this stack */
    struct error error; /* of this stack */

    /* After stacks_look(): */
    char *status;               /* StackStatus; NULL: there is no stack of that name */
    char *why;                  /* StackStatusReason; may be NULL */
    char *id;                   /* StackId */
    cJSON *deployed;            /* its template; NULL: there is none, or its creation failed */
    cJSON *deployed_parameters; /* likewise */

    cJSON *wanted; /* {logical id: properties} that CloudFormation cannot change (template.h) */

    /* After stacks_plan(): */
    cJSON *changes; /* plan.h; empty: nothing changes */
    cJSON *notes;   /* lines for people about them: an array of strings */
    char *set;      /* the change set that waits to be executed; NULL: none */
    bool differs;   /* template or parameters differ from what was deployed at that time */

    /* Inside this room. Of one round, and of steps that take several: */
    struct aws_call call;
    bool asked; /* it makes a call in this round */
    char *
        next; /* what the next call is about: the token of a page, a policy version, a thing type */
    cJSON *pages; /* an array of what the pages of a list have held so far */

    /* Of planning: */
    bool listed;       /* the change sets of earlier commands are all in pages */
    bool import;       /* the change set may import resources that exist already */
    bool created;      /* the change set creates the stack */
    cJSON *thing_type; /* properties that its thing type shall get by UpdateThingType; NULL: none */
    bool names_asked;  /* it has names that another system may have taken */
    bool contested;    /* another command works on the stack, so nothing of it is deleted */

    /* Of an operation of CloudFormation, which makes a change set, executes one, or deletes: */
    bool running;  /* it is under way */
    bool deleting; /* it deletes the stack */
    bool over;     /* the stack's events say that it has ended */
    bool sure;     /* the stack's status says so too */
    char *newest;  /* EventId of the last event that was read */
    char *reason;  /* the first failure of a resource in the events; NULL: none */
};

struct stacks {
    const struct reporter *reporter; /* may be NULL */
    struct aws *aws;
    const char *system; /* its name */
    struct stack *at;
    size_t count, room;
    size_t steps; /* resources that the operation has finished, for the progress */
};

/* Takes over template (may be NULL); copies the rest. */
void stacks_add(struct stacks *all, const char *subject, const char *name, cJSON *template,
                const cJSON *parameters);
void stacks_free(struct stacks *all);

/* Another template, which it takes over, and other parameters for a stack of the list. */
void stack_change(struct stack *stack, cJSON *template, const cJSON *parameters);

struct stack *stacks_find(const struct stacks *all, const char *subject);

/* It exists, and can be updated. */
bool stack_is_alive(const struct stack *stack);

/* Its creation failed: it holds nothing, and can only be deleted. */
bool stack_is_dead(const struct stack *stack);

void stacks_look(struct stacks *all);

/* apply: what failed creations left is deleted first. Otherwise only change sets are made, and
 * stacks_forget() must follow. */
void stacks_plan(struct stacks *all, bool apply);

void stacks_apply(struct stacks *all);
void stacks_forget(struct stacks *all);
void stacks_delete(struct stacks *all);

/* Adds "stack home-esp8266temp in eu-west-1" and its changes; nothing for a stack that is left out.
 */
void stack_write(const struct stacks *all, const struct stack *stack, struct text *out);

/* {"stack", "subject", "region", "status", "changes", "notes", "error"}; the caller deletes. */
cJSON *stack_json(const struct stacks *all, const struct stack *stack);

/* The next pause in seconds between two questions about the same thing; last: 0 at first. */
double stacks_pause(double last);

#endif
