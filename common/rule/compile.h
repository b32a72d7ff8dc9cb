/* The steps of compiling a statement: words.c splits it, expression.c parses expressions, nodes.c
 * folds and shares their nodes, compile.c parses the clauses, and templates. */
#ifndef COMMON_RULE_COMPILE_H
#define COMMON_RULE_COMPILE_H

#include "tree.h"

enum word_kind {
    WORD_END,
    WORD_NAME, /* or keyword */
    WORD_VARIABLE,
    WORD_NUMBER,
    WORD_STRING,
    WORD_SIGN, /* operator, bracket, comma */
    WORD_WRONG
};

/* A piece of the statement. */
struct word {
    enum word_kind kind;
    size_t offset, length; /* a string's with its quotes, a variable's with its @ */
};

/* A list whose length is not known yet. It is malloc'ed while it grows, and moved into the
 * program's memory by rule_settle_list(). */
struct growing {
    void *at;
    size_t count, room; /* items */
};

struct compiler {
    struct program *program;
    const char *text; /* the program's copy */
    size_t length;
    struct word word; /* the current word: the first one that is not consumed yet */
    size_t at;        /* offset after the current word */
    size_t behind;    /* offset after the word before it, the last one that was consumed */
    bool plainly;     /* neither fold nor share; for tests */
    bool folding;     /* fold, as long as there is memory for constants */
    bool failed;      /* fault is filled; parsing ends */
    int depth;        /* of brackets and the like, around the current word */
    int nested;       /* SELECTs around the current word, but for the outermost */
    /* The function in whose argument the current word is, where that may call no service. */
    const struct rule_function *no_services;
    const struct rule_function *called_once[4]; /* functions that may be called once, and were */
    struct rule_fault *fault;
    struct node **shared;  /* hash table of finished nodes; see nodes.c */
    size_t shared_size;    /* places in it; a power of two */
    struct growing fields; /* struct rule_span; becomes outline.fields */
    struct growing reads;  /* struct rule_span: fields and variables, in their order */
    struct growing notes;  /* struct rule_note; becomes outline.notes */
};

/* --- words.c --- */

/* Makes the next word the current one; a word that cannot be read fills the fault. */
void rule_next_word(struct compiler *compiler);

/* Whether the current word is this keyword (in any case) or sign; take: and if so, consumes it. */
bool rule_is_word(const struct compiler *compiler, const char *word);
bool rule_is_sign(const struct compiler *compiler, const char *sign);
bool rule_take_word(struct compiler *compiler, const char *word);
bool rule_take_sign(struct compiler *compiler, const char *sign);

bool rule_is_keyword(const struct compiler *compiler); /* whether it is any keyword */

/* What is between the quotes, with doubled quotes made single. In the program's memory. */
struct name rule_string_of(struct compiler *compiler, struct word word);
struct name rule_word_text(const struct compiler *compiler, struct word word);

/* Adds a note about a word. */
void rule_add_note(struct compiler *compiler, struct word word, const char *message);

/* Fills the fault, unless it is filled already. All three return NULL. */
void *rule_fail(struct compiler *compiler, struct word word, const char *hint, const char *format,
                ...) __attribute__((format(printf, 4, 5)));
void *rule_fail_memory(struct compiler *compiler);
/* "what should be here, not ..." at the current word. */
void *rule_expect(struct compiler *compiler, const char *what, const char *hint);

/* Takes program's memory. NULL: out of memory, and the fault is filled. */
void *rule_keep(struct compiler *compiler, size_t size);

/* Adds one zeroed item of that size to the list; NULL as rule_keep(). */
void *rule_grow(struct compiler *compiler, struct growing *list, size_t size);

/* Moves the items into the program's memory and frees the list. NULL only after a failure. */
void *rule_settle_list(struct compiler *compiler, struct growing *list, size_t size);

/* --- nodes.c --- */

/* Takes a node whose children are finished, written from offset from up to the current word. Folds
 * it, or returns the equal node that is there already. NULL after a failure. */
const struct node *rule_finish(struct compiler *compiler, struct node *node, size_t from);

/* After parsing: gives a slot to each node that has more than one use. */
void rule_give_slots(struct compiler *compiler);

/* --- expression.c; NULL and false after a failure --- */

/* In the memory of the program. from: offset of the first byte that the constant was written with. */
struct node *rule_new_node(struct compiler *compiler, enum node_kind kind);
const struct node *rule_new_constant(struct compiler *compiler, struct rule_value value,
                                     size_t from);

/* Counts one level of nesting; the caller does depth-- at its end. False: too deep. */
bool rule_deeper(struct compiler *compiler);

/* False: what is written at word needs SQL version 2016-03-23, and the statement has 2015-10-08. */
bool rule_need_version(struct compiler *compiler, struct word word, const char *what);

static inline enum rule_dependence rule_most(enum rule_dependence one, enum rule_dependence other)
{
    return one > other ? one : other;
}

const struct node *rule_parse_expression(struct compiler *compiler);
const struct node *
rule_parse_source(struct compiler *compiler); /* behind the FROM of a nested SELECT */

/* --- call.c --- */

/* The current word is the opening bracket; name is the word before it. */
const struct node *rule_parse_call(struct compiler *compiler, struct word name);

/* --- notes.c --- */

/* Adds a note where AWS does not allow a second call of the function at name. */
void rule_check_repetition(struct compiler *compiler, const struct rule_function *function,
                           struct word word);

/* Adds a note where one operand of an OR can be missing while another is not. begins: for each
 * operand, and for the end of the last, where its part of compiler->reads begins. */
void rule_check_or(struct compiler *compiler, const struct node *node, const size_t *begins);

/* --- compile.c --- */

/* SELECT ... [FROM ...] [WHERE ...]; the current word should be SELECT. outline is NULL when
 * nested. */
bool rule_parse_select(struct compiler *compiler, struct select *select,
                       struct rule_outline *outline);

/* As rule_compile(), but neither folds nor shares: slower, with the same results. For tests and the
 * fuzzer, which compare both. */
struct rule *rule_compile_plainly(const char *sql, size_t length, enum rule_version version,
                                  struct rule_fault *fault);

#endif
