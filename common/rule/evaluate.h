/* Evaluating the expressions of a compiled statement, on one message. */
#ifndef COMMON_RULE_EVALUATE_H
#define COMMON_RULE_EVALUATE_H

#include "tree.h"

/* One statement or template on one message. Zeroed, with program and memory set, it evaluates
 * expressions that are constant. */
struct run {
    const struct program *program;
    struct rule_memory *memory;
    const struct rule_message *message;
    const struct rule_value *row;   /* the object whose members are the fields; NULL: no fields */
    const struct rule_value **kept; /* by slot: the value, once it was evaluated; NULL: no slots */
    struct rule_value *slots;       /* by slot: room for a value that has no other place */
    const struct rule_function *refused; /* the first function that needs a service; NULL: none */
    size_t steps;                        /* nodes that were evaluated, to bound nested SELECTs */
};

/* The value of an expression: in the payload, a constant, a slot, or in *space, which the caller
 * offers. So numbers and strings are not copied. The result is never NULL. */
const struct rule_value *rule_evaluate(struct run *run, const struct node *node,
                                       struct rule_value *space);

/* Whether a condition is true; no condition (NULL) is. */
bool rule_holds(struct run *run, const struct node *condition);

/* What a SELECT makes of run->row. */
struct rule_value rule_selected(struct run *run, const struct select *select);

#endif
