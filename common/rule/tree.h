/* A compiled statement from the inside: what the parser makes, the printer prints and the evaluator
 * runs. Only the rule_*.c files include this.
 *
 * Operators of one level stand in one node, as a chain: a + b - c is {a, +b, -c}. So a statement of
 * 10,000 ANDs is not 10,000 deep, and only what the parser counts (brackets, NOT, minus, CASE)
 * nests. */
#ifndef COMMON_RULE_TREE_H
#define COMMON_RULE_TREE_H

#include "value.h"

enum node_kind {
    NODE_CONSTANT,
    NODE_FIELD, /* a member of the payload, or of the row of a nested SELECT */
    NODE_WHOLE, /* *, where it stands for a value */
    NODE_PATH,  /* base.name[index] */
    NODE_CHAIN, /* operators of one level, from left to right */
    NODE_NOT,
    NODE_NEGATE, /* the minus of one operand */
    NODE_CALL,
    NODE_CASE,
    NODE_ARRAY,
    NODE_LIST, /* the brackets behind IN: an array that 2015-10-08 has too */
    NODE_OBJECT,
    NODE_SELECT, /* nested */
    NODE_EXISTS
};

enum operator{
    OP_OR,
    OP_AND,
    OP_EQUAL,
    OP_NOT_EQUAL,
    OP_LESS,
    OP_LESS_EQUAL,
    OP_GREATER,
    OP_GREATER_EQUAL,
    OP_IN,
    OP_NOT_IN,
    OP_ADD,
    OP_SUBTRACT,
    OP_JOIN,
    OP_MULTIPLY,
    OP_DIVIDE,
    OP_REMAINDER
};

/* How tightly a node binds, for printing and parsing. */
enum level {
    LEVEL_OR = 1,
    LEVEL_AND,
    LEVEL_NOT,
    LEVEL_COMPARE,
    LEVEL_SUM,
    LEVEL_PRODUCT,
    LEVEL_NEGATE,
    LEVEL_PRIMARY
};

enum level rule_operator_level(enum operator operator);
const char *rule_operator_text(enum operator operator);

struct name {
    const char *at;
    size_t length;
};

struct step {
    struct name name;         /* .name */
    const struct node *index; /* [index]; else NULL */
};

struct link {
    enum operator operator;
    const struct node *operand;
};

/* What a chain is for who runs it. x - 0 = x is true of numbers and x + '' = x of texts only: so a
 * statement asks for the type of x, and so it is answered. */
enum shape { SHAPE_OTHER, SHAPE_LOGIC, SHAPE_COMPARISON, SHAPE_IS_NUMBER, SHAPE_IS_TEXT };

struct branch {
    const struct node *when, *then;
};

struct entry {
    struct name name;
    const struct node *value;
};

/* What is selected. */
struct item {
    const struct node *value; /* NULL: all members, * without a name */
    const struct name *path;  /* AS a.b makes {"a": {"b": ...}}; one name where none was given */
    size_t path_length;
    struct name key;       /* path of one: the name as JSON, with quotes and colon */
    bool named;            /* with AS */
    size_t offset, length; /* of the name with AS, else of the expression */
};

struct select {
    bool value; /* SELECT VALUE */
    bool plain; /* no *, no paths, no name twice: members can be written as they come */
    const struct item *items;
    size_t item_count;
    const char *filter;        /* NUL-terminated; NULL without FROM, or when nested */
    size_t plain_levels;       /* bytes of it before the first + or #, but for the "/" */
    const struct node *source; /* nested: FROM; else NULL */
    const struct node *condition;
};

struct node {
    enum node_kind kind;
    enum rule_dependence depends;
    uint32_t uses;   /* by other nodes and clauses, while the statement is compiled */
    uint32_t slot;   /* from 1: where the result is kept for a second use; 0: nowhere */
    uint32_t offset; /* where it is written */
    uint32_t length;
    const struct rule_value *constant; /* the result, when it is known */
    union {
        struct rule_value value;
        struct name field;
        struct {
            const struct node *base;
            const struct step *steps;
            size_t count;
        } path;
        struct {
            const struct node *first;
            const struct link *links;
            size_t count;
            enum shape shape;
        } chain;
        const struct node *operand; /* NOT, NEGATE, EXISTS */
        struct {
            const struct rule_function *function;
            const struct node *const *arguments;
            size_t count;
            bool fits; /* the function takes that many */
            const struct rule_regex *regex;
        } call;
        struct {
            const struct node *subject; /* NULL: WHEN has conditions */
            const struct branch *branches;
            size_t count;
            const struct node *otherwise; /* may be NULL */
            /* CASE isUndefined(x) WHEN true THEN true ELSE x <> true END, which is how a statement
             * asks for whatever is not true: x; else NULL. */
            const struct node *not_true;
        } choice;
        struct {
            const struct node *const *items;
            size_t count;
        } array;
        struct {
            const struct entry *entries;
            size_t count;
        } object;
        const struct select *select;
    };
};

/* What a statement and a template have in common. */
struct program {
    struct rule_memory memory;    /* of the tree */
    struct rule_memory constants; /* of what was computed ahead */
    const char *text;             /* a copy, NUL-terminated */
    size_t length;
    enum rule_version version;
    uint32_t slots;
    struct rule_regex *patterns; /* compiled for this program; freed with it */
};

struct rule {
    struct program program;
    struct select select;
    struct rule_outline outline;
};

struct part {
    struct name text;         /* as it stands */
    const struct node *value; /* or ${value}; then text is empty */
};

struct rule_template {
    struct program program;
    const struct part *parts;
    size_t count;
};

/* rule_run.c: the value of an expression of which all parts are constant; memory is
 * program->constants. False without memory. */
bool rule_fold(struct program *program, const struct node *node, struct rule_value *value);

/* rule_regex.c */
struct rule_regex *rule_regex_keep(const struct rule_value *pattern); /* NULL: no pattern */
void rule_regex_chain(struct rule_regex *regex, struct rule_regex **list);
void rule_regex_free(struct rule_regex *list);

#endif
