/* What the two halves of the Mustache engine share: a compiled template. mustache.c explains. */
#ifndef GENERATOR_DOCUMENTS_MUSTACHE_TEMPLATE_H
#define GENERATOR_DOCUMENTS_MUSTACHE_TEMPLATE_H

#include "mustache.h"

struct span {
    const char *at;
    size_t length;
};

enum kind { TEXT, INDENT, VARIABLE, RAW, SECTION, INVERTED, END, PARTIAL };

struct node {
    enum kind kind;
    size_t offset;      /* of the tag or text in the template */
    struct span text;   /* TEXT: the bytes; else the name in the tag */
    struct span indent; /* PARTIAL: the blanks before it when it stands alone, else at is NULL */
    size_t jump;        /* SECTION, INVERTED: behind the body; END: to the body */
};

struct mustache {
    char *name;
    char *text;
    size_t length;
    struct node *nodes;
    size_t count, room;
};

/* Whether a name is the implicit iterator. */
bool name_is_dot(struct span name);

/* How many bytes of a name a message shows: its first line, at most 60 bytes, and no half of a code
 * point at the end. */
int name_shown(struct span name);

/* WRONG_INPUT, with "name:line:column: " of the byte at offset before the message. */
enum status mustache_fail(const struct mustache *template, size_t offset, struct error *error,
                          const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
