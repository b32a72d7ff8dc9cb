/* What a compiled policy consists of: made by policy_compile.c, read by policy.c, and nobody
 * else's. */
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
    char *name; /* of the attribute, the certificate's field, or the whole key */
    int index;  /* of the value; ALL_VALUES */
};

/* A text with holes: "topic/" VARIABLE "/room" RUN. */
enum piece_kind {
    PIECE_TEXT,
    PIECE_ONE, /* "?" */
    PIECE_RUN, /* "*" */
    PIECE_VARIABLE
};

struct piece {
    enum piece_kind kind;
    char *text; /* of PIECE_TEXT; of a variable what to take when it has no value, or NULL */
    size_t length;
    struct key key;
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

struct comparator {
    const char *name;
    enum comparison comparison;
    enum relation relation;
    bool negated, ignore_case;
};

enum quantifier { PLAIN, FOR_ANY, FOR_ALL };

enum { ARN_PARTS = 6 };

/* One of the values that a condition compares with. */
struct operand {
    struct pattern parts[ARN_PARTS]; /* of an ARN; of anything else made of text, the first */
    double number;                   /* a date: seconds since 1970 */
    unsigned char address[16];       /* IPv4 as ::ffff:a.b.c.d */
    int prefix;                      /* bits of address that count */
    bool truth;                      /* of Null */
};

struct condition {
    const struct comparator *comparator;
    enum quantifier quantifier;
    bool if_exists;
    struct key key;
    struct operand *operands;
    size_t count, room;
};

struct statement {
    char *sid;
    bool allows;
    uint32_t actions;   /* bit 1 << enum policy_action */
    bool not_resources; /* the patterns are of NotResource */
    struct patterns resources;
    struct condition *conditions;
    size_t condition_count, condition_room;
};

struct policy {
    struct statement *statements;
    size_t count, room;
};

/* Matches from begin; a pattern of text alone is how an action's name is compared. */
bool wildcards_match(const char *pattern, size_t length, const char *string);

/* IPv4 or IPv6; false when it is neither. */
bool address_read(const char *string, unsigned char address[16]);

/* ISO 8601 as the W3C's note has it ("2026-11-21", "2026-11-21T10:00:00Z"), or seconds since 1970.
 */
bool date_read(const char *string, double *seconds);

#endif
