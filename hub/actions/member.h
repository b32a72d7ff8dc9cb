/* The members of the JSON object that a rule selected. rule_run() hands out well-formed JSON on one
 * line, without blanks; this reads the members of its root one after the other, without a tree. */
#ifndef HUB_ACTIONS_MEMBER_H
#define HUB_ACTIONS_MEMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A number's kind depends on how it is written, as in the developer guide's "Timestream" action. */
enum member_kind {
    MEMBER_NULL,
    MEMBER_TRUE,
    MEMBER_FALSE,
    MEMBER_INTEGER, /* 25 */
    MEMBER_DECIMAL, /* 25.0, 1E+3 */
    MEMBER_STRING,
    MEMBER_NESTED /* an object or an array */
};

struct member {
    const char *name; /* its escapes are resolved */
    size_t name_length;
    enum member_kind kind;
    const char *at; /* MEMBER_STRING: its escapes are resolved; otherwise as it is written */
    size_t length;
};

struct member_reader {
    const char *at, *end; /* what is left of the JSON */
    char *unescaped;      /* where the next string with escapes is written */
};

/* Returns false when the JSON is not an object. unescaped: room for length bytes. It holds names
 * and strings, and must live as long as the members are used. */
bool member_begin(struct member_reader *reader, const char *json, size_t length, char *unescaped);

/* Returns false behind the last member. */
bool member_next(struct member_reader *reader, struct member *member);

/* False: the number is outside the range of the type. */
bool member_integer(const struct member *member, int64_t *integer);
bool member_number(const struct member *member, double *number);

#endif
