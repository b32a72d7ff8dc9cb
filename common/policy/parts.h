/* The parts of a compiled policy. compile.c makes them, policy.c reads them; other rooms see only
 * policy.h. */
#ifndef COMMON_POLICY_PARTS_H
#define COMMON_POLICY_PARTS_H

#include "policy.h"

enum key_kind {
    KEY_CLIENT_ID,
    KEY_SOURCE_IP,
    KEY_DOMAIN,
    KEY_THING_NAME,
    KEY_THING_TYPE,
    KEY_ATTACHED,
    KEY_CERTIFICATE_ID,
    KEY_CURRENT_TIME,
    KEY_EPOCH_TIME,
    KEY_ATTRIBUTE,
    KEY_CERTIFICATE,
    KEY_OTHER
};

enum { ALL_VALUES = -1 };

struct key {
    enum key_kind kind;
    /* KEY_ATTRIBUTE: the attribute's name. KEY_CERTIFICATE: the field, as "Subject.CommonName".
     * KEY_OTHER: the whole key. Else NULL. */
    char *name;
    int index; /* which value of a key that has several, from 0; or ALL_VALUES */
};

/* A text with wildcards and variables is a list of pieces: "topic/${iot:ClientId}/room*" is TEXT,
 * VARIABLE, TEXT, RUN. */
enum piece_kind {
    PIECE_TEXT,
    PIECE_ONE, /* "?": one character */
    PIECE_RUN, /* "*": any number of characters */
    PIECE_VARIABLE
};

struct piece {
    enum piece_kind kind;
    char *text;     /* PIECE_TEXT: the text. PIECE_VARIABLE: its default, or NULL */
    size_t length;  /* bytes of a PIECE_TEXT */
    struct key key; /* of a PIECE_VARIABLE */
};

struct pattern {
    struct piece *pieces;
    size_t count, room;
};

struct patterns {
    struct pattern *at;
    size_t count, room;
};

enum comparison {
    COMPARE_STRING,
    COMPARE_LIKE,
    COMPARE_ARN,
    COMPARE_BOOL,
    COMPARE_NUMBER,
    COMPARE_DATE,
    COMPARE_ADDRESS,
    COMPARE_NULL
};

enum relation { EQUAL, LESS, LESS_OR_EQUAL, GREATER, GREATER_OR_EQUAL };

/* A condition operator of the IAM user guide, such as "NumericLessThanEquals". */
struct comparator {
    const char *name;
    enum comparison comparison;
    enum relation relation; /* of COMPARE_NUMBER and COMPARE_DATE; else EQUAL */
    bool negated, ignore_case;
};

enum quantifier { PLAIN, FOR_ANY, FOR_ALL }; /* no prefix, ForAnyValue:, ForAllValues: */

enum { ARN_PARTS = 6 };

/* One of the values that a condition compares with. */
struct operand {
    struct pattern parts[ARN_PARTS]; /* COMPARE_ARN: each part; another text: only the first */
    double number;                   /* COMPARE_NUMBER; COMPARE_DATE: seconds since 1970 */
    unsigned char address[16];       /* COMPARE_ADDRESS: IPv4 as ::ffff:a.b.c.d */
    int prefix;                      /* COMPARE_ADDRESS: how many bits of address are compared */
    bool truth;                      /* COMPARE_NULL: whether the key must be absent */
};

struct condition {
    const struct comparator *comparator; /* static */
    enum quantifier quantifier;
    bool if_exists;
    struct key key;
    struct operand *operands;
    size_t count, room;
};

struct statement {
    char *sid;          /* NULL: none */
    bool allows;        /* Effect is "Allow", not "Deny" */
    uint32_t actions;   /* bits 1 << enum policy_action; NotAction is inverted already */
    bool not_resources; /* resources are those of NotResource */
    struct patterns resources;
    struct condition *conditions;
    size_t condition_count, condition_room;
};

struct policy {
    struct statement *statements;
    size_t count, room;
};

#endif
