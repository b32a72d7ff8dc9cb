/* What a rule selected, member by member: rule.h hands out JSON on one line, well-formed, and this
 * walks through the members of its root without making a tree of it. */
#ifndef HUB_ACTIONS_MEMBER_H
#define HUB_ACTIONS_MEMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As the developer guide's Timestream action tells them apart: by how they are written. */
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
    const char *name;
    size_t name_length;
    enum member_kind kind;
    const char *at; /* a string without its quotes and escapes; anything else as it is written */
    size_t length;
};

struct members {
    const char *at, *end;
    char *spare; /* for strings with escapes: as many bytes as the JSON has */
};

/* False when it is no object. spare: as many bytes as length, for as long as members are used. */
bool members_begin(struct members *members, const char *json, size_t length, char *spare);
bool members_next(struct members *members, struct member *member);

/* False when the number does not fit. */
bool member_integer(const struct member *member, int64_t *integer);
bool member_number(const struct member *member, double *number);

#endif
