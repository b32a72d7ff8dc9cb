/* The steps of compiling a statement: words (rule_words.c), expressions (rule_expression.c), nodes
 * that are computed once (rule_nodes.c), clauses and templates (rule_compile.c). */
#ifndef COMMON_RULE_COMPILE_H
#define COMMON_RULE_COMPILE_H

#include "tree.h"

enum word_kind { WORD_END, WORD_NAME, WORD_NUMBER, WORD_STRING, WORD_SIGN, WORD_WRONG };

struct word {
    enum word_kind kind;
    size_t offset, length; /* with the quotes of a string */
};

/* A list that grows while it is not known how long it will be; moved into the program at its end.
 */
struct growing {
    void *at;
    size_t count, room;
};

struct compiler {
    struct program *program;
    const char *text; /* the program's copy */
    size_t length;
    size_t at;        /* behind the word in hand */
    size_t behind;    /* behind the word before it */
    struct word word; /* in hand */
    bool plainly;     /* fold nothing, share nothing */
    bool folding;     /* there is memory for constants */
    bool failed;      /* fault is filled */
    int depth;
    int nested; /* SELECTs around */
    struct rule_fault *fault;
    struct node **shared; /* nodes by their content; see rule_nodes.c */
    size_t shared_size;
    struct growing fields; /* struct rule_span */
    struct growing notes;  /* struct rule_note */
};

/* rule_words.c */
void rule_next_word(struct compiler *compiler);
bool rule_is_word(const struct compiler *compiler, const char *word); /* keyword, any case */
bool rule_is_sign(const struct compiler *compiler, const char *sign);
bool rule_take_word(struct compiler *compiler, const char *word);
bool rule_take_sign(struct compiler *compiler, const char *sign);
bool rule_is_keyword(const struct compiler *compiler); /* the name in hand has a meaning */
/* What is between the quotes, doubled quotes made single; in the program's memory. */
struct name rule_string_of(struct compiler *compiler, struct word word);
struct name rule_word_text(const struct compiler *compiler, struct word word);

/* Fills the fault, once. Returns NULL, whatever is wanted. */
void *rule_fail(struct compiler *compiler, struct word word, const char *hint, const char *format,
                ...) __attribute__((format(printf, 4, 5)));
void *rule_fail_memory(struct compiler *compiler);
/* "expected X, found Y" about the word in hand. */
void *rule_expect(struct compiler *compiler, const char *what, const char *hint);

void *rule_keep(struct compiler *compiler, size_t size); /* program's memory; fails */
void *rule_grow(struct compiler *compiler, struct growing *list, size_t size); /* one more */
/* Moves items into the program's memory and frees the list. NULL only after a failure. */
void *rule_settle_list(struct compiler *compiler, struct growing *list, size_t size);

/* rule_nodes.c: takes a finished node: folds it, or finds the equal one that is there already. */
const struct node *rule_finish(struct compiler *compiler, struct node *node, size_t from);
/* When all is parsed: gives a slot to each node that is used twice. */
void rule_give_slots(struct compiler *compiler);
bool rule_node_same(const struct node *one, const struct node *other);
bool rule_select_same(const struct select *one, const struct select *other);

/* rule_expression.c */
const struct node *rule_parse_expression(struct compiler *compiler);
const struct node *rule_parse_source(struct compiler *compiler); /* of a nested FROM */

/* rule_compile.c: SELECT ... [FROM ...] [WHERE ...], the word in hand being SELECT. */
bool rule_parse_select(struct compiler *compiler, struct select *select,
                       struct rule_outline *outline);

#endif
