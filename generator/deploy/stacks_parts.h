/* Inside: what looking, planning and applying share. */
#ifndef GENERATOR_DEPLOY_STACKS_PARTS_H
#define GENERATOR_DEPLOY_STACKS_PARTS_H

#include "stacks.h"

/* A round, in three functions: which stacks it is about, the call that each makes (it submits
 * stack->call), and what each does with its answer, which may be an error. */
typedef bool stack_filter(const struct stack *stack);
typedef void stack_ask(struct stacks *all, struct stack *stack);
typedef void stack_hear(struct stacks *all, struct stack *stack);

/* Makes one round, after a pause in seconds. False when it was about no stack. */
bool stacks_round(struct stacks *all, stack_filter *which, stack_ask *ask, stack_hear *hear,
                  double pause);

/* Moves the error of the call to the stack. */
void stack_refuse(struct stack *stack);

/* Frees the old value and sets the new: a copy of the string (NULL: none), or the tree itself. */
void stack_set_string(char **string, const char *value);
void stack_set_json(cJSON **tree, cJSON *value);

/* The stack is in a state that only an operator can resolve. */
bool stack_is_stuck(const struct stack *stack);

/* stacks_names.c: WRONG_INPUT for each new stack of which a name is taken in the account: by another
 * system, or by what is left of an earlier deploy. */
void stacks_check_names(struct stacks *all);

/* stacks_thing_types.c: which thing types have another description or other searchable attributes than
 * they should, with a note for each; and changing them, which the service may refuse: that is said,
 * and no failure. */
void stacks_plan_thing_types(struct stacks *all);
void stacks_change_thing_types(struct stacks *all);

/* Asks for the status of a stack, and reads it. */
void stack_ask_status(struct stacks *all, struct stack *stack);
void stack_hear_status(struct stacks *all, struct stack *stack);

#endif
