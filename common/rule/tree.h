/* The tree of a compiled statement: the parser makes it, evaluate.c runs it. Internal to this room.
 *
 * Operators of one level are one node, a chain: a + b - c is {a, +b, -c}. So the tree of a
 * statement with 10,000 ANDs is not 10,000 levels deep. Only what the parser counts (brackets,
 * functions, NOT, minus, CASE) makes it deeper. */
#ifndef COMMON_RULE_TREE_H
#define COMMON_RULE_TREE_H

#include "operators.h"

enum node_kind {
    NODE_CONSTANT,
    NODE_FIELD,    /* a member of the payload, or of the row of a nested SELECT */
    NODE_VARIABLE, /* @name */
    NODE_WHOLE,    /* "*", where it is a value: the payload, or the row of a nested SELECT */
    NODE_PATH,     /* base.name[index] */
    NODE_CHAIN,    /* operators of one level, applied from left to right */
    NODE_NOT,
    NODE_NEGATE, /* the minus of one operand */
    NODE_CALL,
    NODE_CASE,
    NODE_ARRAY,
    NODE_LIST, /* (a, b) behind IN: an array, in both versions */
    NODE_OBJECT,
    NODE_SELECT, /* nested */
    NODE_EXISTS
};

struct name {
    const char *at;
    size_t length;
};

/* One step of a path. */
struct step {
    struct name name;         /* .name */
    const struct node *index; /* [index]; NULL: the step is a name */
};

/* An operator of a chain, and its right operand. */
struct link {
    enum operation operation;
    const struct node *operand;
};

/* Chains that evaluate.c has a shorter way for. The language has no operator for the type of a
 * value: statements write x - 0 = x, which is true only of numbers, and x + '' = x, only of
 * Strings. */
enum shape {
    SHAPE_OTHER,
    SHAPE_LOGIC,      /* AND, OR */
    SHAPE_COMPARISON, /* one operator of LEVEL_COMPARE */
    SHAPE_IS_NUMBER,  /* x - 0 = x; x is the operand of the first link */
    SHAPE_IS_STRING   /* x + '' = x; likewise */
};

/* Of a CASE. */
struct branch {
    const struct node *when, *then;
};

/* A member of an object that the statement writes. */
struct entry {
    struct name name;
    const struct node *value;
};

/* One item of a SELECT's list. */
struct item {
    const struct node *value; /* NULL: "*" without AS, which selects all members */
    const struct name *path; /* a, b of AS a.b, which makes {"a": {"b": ...}}. Without AS: one name,
                               * that of the field or function. NULL: "*" without AS */
    size_t path_length;
    struct name key;       /* the first name of path as JSON, with its quotes and a colon */
    bool named;            /* has AS */
    size_t offset, length; /* in the statement: the name behind AS, else the expression */
};

struct select {
    bool value; /* SELECT VALUE */
    bool plain; /* no "*", no AS a.b, no name twice: each item can be written as a member at once */
    const struct item *items;
    size_t item_count;
    const char *filter;  /* FROM 'filter', NUL-terminated; NULL: no FROM, or nested */
    size_t plain_levels; /* bytes of filter before its first wildcard and the "/" before that */
    const struct node *source;    /* nested: FROM source; else NULL */
    struct name alias;            /* nested: FROM source AS alias, a name for the row; else empty */
    const struct node *condition; /* WHERE; NULL: none */
};

struct node {
    enum node_kind kind;
    enum rule_dependence depends;
    uint32_t uses; /* how many nodes and clauses refer to it; counted while compiling */
    uint32_t slot; /* from 1: where the value is kept for its second use; 0: it has no second use */
    uint32_t offset, length;           /* in the statement */
    const struct rule_value *constant; /* the value, where it does not depend on the message */
    union {
        struct rule_value value; /* NODE_CONSTANT */
        struct name field;
        uint32_t variable; /* an index of program.variables */
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
            bool fits; /* the function takes that many arguments; else the result is Undefined */
            const struct rule_regex *regex; /* the pattern, where it is constant and valid */
        } call;
        struct {
            const struct node *subject; /* CASE subject WHEN value; NULL: CASE WHEN condition */
            const struct branch *branches;
            size_t count;
            const struct node *otherwise; /* ELSE; NULL: none */
            /* x, where the whole is CASE isUndefined(NOT x) WHEN true THEN true ELSE NOT x END: "x
             * is not true", for which evaluate.c has a shorter way. Else NULL. */
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

/* SET @name = value. */
struct variable {
    struct name name; /* with the @ */
    const struct node *value;
};

/* What a statement and a template have in common. */
struct program {
    struct rule_memory memory;    /* holds the tree */
    struct rule_memory constants; /* holds values that were evaluated while compiling */
    const char *text;             /* a copy, NUL-terminated */
    size_t length;
    enum rule_version version;
    uint32_t slots; /* how many of them the nodes use */
    /* Those that the statement sets. A template refers to those of its rule. */
    const struct variable *variables;
    uint32_t variable_count;
    struct rule_regex *patterns; /* a list; freed with the program */
};

struct rule {
    struct program program;
    struct select select;
    struct rule_outline outline;
};

/* A template is a list of literal texts and values. */
struct part {
    struct name text;         /* literal text; empty where the part is a value */
    const struct node *value; /* ${value}; else NULL */
};

struct rule_template {
    struct program program;
    const struct rule *rule; /* whose variables it can use; NULL: none */
    const struct part *parts;
    size_t count;
};

/* nodes.c */
bool rule_same_names(struct name one, struct name other);

/* evaluate.c: the value of an expression whose parts are all constant. It lives in
 * program->constants. False: out of memory, or it cannot be evaluated here. */
bool rule_fold(struct program *program, const struct node *node, struct rule_value *value);

/* regex.c: compiles a constant pattern, which all runs share. NULL: the pattern is not valid, or
 * out of memory. The caller puts it into a list with rule_regex_chain(), which rule_regex_free()
 * frees. */
struct rule_regex *rule_regex_keep(const struct rule_value *pattern);
void rule_regex_chain(struct rule_regex *regex, struct rule_regex **list);
void rule_regex_free(struct rule_regex *list);

#endif
