/* Evaluating the expressions of a compiled statement, on one message. */
#ifndef COMMON_RULE_EVALUATE_H
#define COMMON_RULE_EVALUATE_H

#include "tree.h"

/* What is known of the expressions of one program on the current message. */
struct state {
    const struct program *program;
    const struct rule_value **kept; /* by slot: the value, once it was evaluated; NULL: no slots */
    struct rule_value *slots;       /* by slot: room for a value that has no other place */
    const struct rule_value **variables; /* as kept, by variable; NULL: there are none */
    struct rule_value *variable_room;    /* as slots */
    size_t variable_bytes;               /* of all values of variables, as JSON */
    struct state *next;                  /* of other programs; see run.c */
};

/* One statement or template on one message. Zeroed, with program and memory set, it evaluates
 * expressions that are constant. */
struct run {
    const struct program *program;
    struct rule_memory *memory;
    const struct rule_message *message;
    const struct rule_value **kept; /* those of the program's state */
    struct rule_value *slots;       /* likewise */
    struct state *set; /* where the variables are: of this statement, or of a template's rule */
    const struct rule_value *payload;    /* an object or array; NULL: it is not JSON */
    const struct rule_value *row;        /* whose members are the fields: payload, or the item of a
                                       * nested SELECT; NULL: there are no fields */
    const struct name *alias;            /* another name for row; NULL: none */
    const struct rule_function *refused; /* the first function that cannot run here; NULL: none */
    const char *missing;                 /* what refused needs */
    size_t steps;                        /* nodes that were evaluated, to bound nested SELECTs */
};

/* run.c: begins a run of a statement on the message that was begun. False: out of memory. */
bool rule_begin_run(struct run *run, const struct rule *rule, struct rule_scratch *scratch);

/* The value of an expression: in the payload, a constant, a slot, or in *space, which the caller
 * offers. So numbers and strings are not copied. The result is never NULL. */
const struct rule_value *rule_evaluate(struct run *run, const struct node *node,
                                       struct rule_value *space);

/* Whether a condition is true; no condition (NULL) is. */
bool rule_holds(struct run *run, const struct node *condition);

/* What a SELECT makes of run->row. */
struct rule_value rule_selected(struct run *run, const struct select *select);

#endif
