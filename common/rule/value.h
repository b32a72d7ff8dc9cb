/* Values of the rule language, and what its functions are made of. This is for code of functions
 * and of the engine; rule.h is enough to run rules.
 *
 * A value is one of the types of "Data types" in the developer guide's AWS IoT SQL reference.
 * Values are small and copied freely; what they point to (bytes, items, members) lives in the
 * message, in the rule, or in the memory of the run, and is never changed once it is there.
 *
 * Numbers. An Int has 64 bits. What does not fit is a Decimal without a decimal point, which prints
 * alike: the guide's Int of 34 digits. A Decimal has 34 digits and keeps its trailing zeros: 10.0
 * is not 10 in SQL version 2015-10-08. In 2016-03-23 a whole Decimal is an Int; whoever calls a
 * function or reads a field sees to that, so a function returns whichever it has.
 *
 * Nothing here allocates but from a struct rule_memory, and nothing ends the program: without
 * memory a function gets NULL and returns; the run then ends with RULE_OUT_OF_MEMORY. */
#ifndef COMMON_RULE_VALUE_H
#define COMMON_RULE_VALUE_H

#include "rule.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Marks a function that is not inlined. The functions that walk a statement's tree call each other
 * at each of its levels, and the variables of rare cases would make all their frames larger. Rules
 * run 13% faster with it (bench/run rules); no single one of the marked functions accounts for it.
 */
#define OWN_FRAME __attribute__((noinline))

/* --- memory of a run --- */

struct rule_chunk;

/* Taken in pieces, given back all at once. At most limit bytes at a time. */
struct rule_memory {
    struct rule_chunk *chunks; /* the first one is in use */
    char *at, *end;            /* the free part of that chunk */
    size_t taken;              /* bytes of all chunks */
    size_t limit;              /* the most that taken may be */
    void *regex_space;         /* what regex.c needs; NULL until the first match */
    bool failed;               /* out of memory; every later rule_take() fails, too */
};

/* Takes size bytes (0 is fine), not zeroed, aligned for every type of this header. NULL, and
 * memory->failed, when the limit is reached or malloc() fails. */
void *rule_take(struct rule_memory *memory, size_t size);

/* Makes the piece that was taken last larger; moves it if need be. */
void *rule_take_more(struct rule_memory *memory, void *piece, size_t old, size_t size);

void rule_memory_reset(struct rule_memory *memory); /* keeps the largest chunk */
void rule_memory_free(struct rule_memory *memory);

/* --- decimals --- */

/* (-1)^negative * (high * 2^64 + low) * 10^exponent. At most 34 digits: below 10^34. */
struct rule_decimal {
    uint64_t low, high;
    int32_t exponent;
    bool negative;
};

/* HALF_UP rounds away from zero in the middle (-1.5 to -2), HALF_EVEN to the even digit. */
enum rule_rounding { RULE_DOWN, RULE_FLOOR, RULE_CEILING, RULE_HALF_UP, RULE_HALF_EVEN };

struct rule_decimal rule_decimal_of_int(int64_t integer);

/* The shortest decimal that reads back as the same double, with a decimal point: 3 becomes 3.0.
 * False for what is not finite or out of range (the magnitude is 1E-999 to 9.99E999). */
bool rule_decimal_of_double(double number, struct rule_decimal *decimal);
double rule_decimal_to_double(struct rule_decimal decimal);

/* ^-?\d+(\.\d+)?((?i)E-?\d+)?$, all of the text. */
bool rule_decimal_read(const char *at, size_t length, struct rule_decimal *decimal);

enum { RULE_LONGEST_NUMBER = 48 };

/* As Java's BigDecimal prints: 10.0, 0.00012, 1E+12, 1.5E-9. Returns the length. */
size_t rule_decimal_print(struct rule_decimal decimal, char made[RULE_LONGEST_NUMBER]);

/* -1, 0 or 1, as left is below, equal to or above right. */
int rule_decimal_compare(const struct rule_decimal *left, const struct rule_decimal *right);
bool rule_decimal_is_zero(struct rule_decimal decimal);
bool rule_decimal_is_whole(struct rule_decimal decimal);

/* Results are exact where 34 digits suffice, else rounded half to even. False: out of range, or
 * divided by zero. The result may be an operand. */
bool rule_decimal_add(struct rule_decimal left, struct rule_decimal right,
                      struct rule_decimal *result);
bool rule_decimal_subtract(struct rule_decimal left, struct rule_decimal right,
                           struct rule_decimal *result);
bool rule_decimal_multiply(struct rule_decimal left, struct rule_decimal right,
                           struct rule_decimal *result);
bool rule_decimal_divide(struct rule_decimal left, struct rule_decimal right,
                         struct rule_decimal *result);
/* The result has the sign of left. */
bool rule_decimal_remainder(struct rule_decimal left, struct rule_decimal right,
                            struct rule_decimal *result);

/* Rounds to at most that many digits behind the point. */
struct rule_decimal rule_decimal_round(struct rule_decimal decimal, int places,
                                       enum rule_rounding rounding);
/* Removes zeros from the end of the digits behind the point. */
struct rule_decimal rule_decimal_strip(struct rule_decimal decimal);

/* The part before the point. False: it needs more than 64 bits. */
bool rule_decimal_to_int(struct rule_decimal decimal, int64_t *integer);

/* --- values --- */

enum rule_kind {
    RULE_UNDEFINED, /* 0: a value of zeroes is Undefined */
    RULE_NULL,
    RULE_BOOLEAN,
    RULE_INT,
    RULE_DECIMAL,
    RULE_STRING,
    RULE_ARRAY,
    RULE_OBJECT
};

struct rule_value {
    enum rule_kind kind;
    union {
        bool boolean;
        int64_t integer;
        struct rule_decimal decimal;
        struct {
            const char *at; /* UTF-8, no NUL behind it; may hold NULs */
            size_t length;
        } string;
        struct {
            const struct rule_value *items;
            size_t count;
        } array;
        struct {
            const struct rule_member *members; /* each name once, none of them Undefined */
            const uint32_t *order;             /* sorted, for large ones; made by rule_object() */
            size_t count;
        } object;
    };
};

struct rule_member {
    const char *name;
    size_t name_length;
    struct rule_value value;
};

static inline struct rule_value rule_undefined(void)
{
    return (struct rule_value){.kind = RULE_UNDEFINED};
}

static inline struct rule_value rule_null(void)
{
    return (struct rule_value){.kind = RULE_NULL};
}

static inline struct rule_value rule_boolean(bool boolean)
{
    return (struct rule_value){.kind = RULE_BOOLEAN, .boolean = boolean};
}

static inline struct rule_value rule_int(int64_t integer)
{
    return (struct rule_value){.kind = RULE_INT, .integer = integer};
}

static inline struct rule_value rule_decimal(struct rule_decimal decimal)
{
    return (struct rule_value){.kind = RULE_DECIMAL, .decimal = decimal};
}

static inline struct rule_value rule_string(const char *at, size_t length)
{
    return (struct rule_value){.kind = RULE_STRING, .string = {at, length}};
}

static inline struct rule_value rule_array(const struct rule_value *items, size_t count)
{
    return (struct rule_value){.kind = RULE_ARRAY, .array = {items, count}};
}

struct rule_value rule_double(double number); /* Undefined when it is not finite */

/* Makes an object of members in any order. Of members with one name the last value is kept, in the
 * place of the first; Undefined members are removed. The array belongs to the object afterwards.
 * Undefined: out of memory. */
struct rule_value rule_object(struct rule_memory *memory, struct rule_member *members,
                              size_t count);

/* The lookup for objects that have an order; call rule_get(). */
const struct rule_value *rule_search(const struct rule_value *object, const char *name,
                                     size_t length);

/* The member of an object; NULL when there is none, or value is no object. */
static inline const struct rule_value *rule_get(const struct rule_value *value, const char *name,
                                                size_t length)
{
    if (value->kind != RULE_OBJECT)
        return NULL;
    if (value->object.order)
        return rule_search(value, name, length);
    const struct rule_member *member = value->object.members;
    for (size_t left = value->object.count; left; left--, member++)
        if (member->name_length == length &&
            (!length || (*member->name == *name && memcmp(member->name, name, length) == 0)))
            return &member->value;
    return NULL;
}

static inline bool rule_is_number(const struct rule_value *value)
{
    return value->kind == RULE_INT || value->kind == RULE_DECIMAL;
}

/* Of an Int or Decimal. */
static inline struct rule_decimal rule_decimal_of(const struct rule_value *number)
{
    return number->kind == RULE_INT ? rule_decimal_of_int(number->integer) : number->decimal;
}

/* -1, 0 or 1, as left is below, equal to or above right. Both are Int or Decimal. */
int rule_compare_numbers(const struct rule_value *left, const struct rule_value *right);

/* The "=" operator for two values that are both defined. */
bool rule_equal(const struct rule_value *left, const struct rule_value *right);

/* --- conversions ("Conversions" of "Data types"); false: Undefined or Null --- */

/* Int stays Int, Decimal Decimal; a String is read as a Decimal. */
bool rule_to_number(const struct rule_value *value, struct rule_value *number);
bool rule_to_decimal(const struct rule_value *value, struct rule_decimal *decimal);
bool rule_to_double(const struct rule_value *value, double *number);

/* rule_to_number(), rounded. What needs more than 64 bits becomes the nearest Int that does not:
 * the guide has substring(false, -2.411E247) = "false". */
bool rule_to_int(const struct rule_value *value, enum rule_rounding rounding, int64_t *integer);
bool rule_to_boolean(const struct rule_value *value, bool *boolean);

/* Arrays and objects become JSON on one line. False also when memory runs out. */
bool rule_to_string(struct rule_memory *memory, enum rule_version version,
                    const struct rule_value *value, struct rule_value *string);

/* In 2016-03-23 a Decimal that is whole and fits into 64 bits becomes an Int. */
struct rule_value rule_settle(struct rule_value value, enum rule_version version);

/* --- JSON --- */

/* Parses a JSON text (RFC 8259) of any type. A number is an Int, or a Decimal when it has a point
 * or an exponent. At most 64 levels. False: not JSON, or out of memory (memory->failed). Strings
 * without escapes point into bytes. */
bool rule_json_read(struct rule_memory *memory, const char *bytes, size_t length,
                    struct rule_value *value);

/* Bytes that grow at the end of the memory. Two that grow in turn have to be moved each time. */
struct rule_output {
    struct rule_memory *memory;
    char *at;
    size_t length, room;
};

void rule_output_add(struct rule_output *output, const char *bytes, size_t length);

/* Adds the value as JSON on one line. Undefined items are left out; an Undefined value adds
 * nothing. */
void rule_json_write(struct rule_output *output, enum rule_version version,
                     const struct rule_value *value);

/* --- functions --- */

struct rule_regex; /* a compiled pattern */

struct rule_call {
    const struct rule_message *message;
    struct rule_memory *memory; /* for the result */
    enum rule_version version;
    const struct rule_value *const *arguments; /* evaluated; none is NULL */
    size_t count;
    struct rule_value *result;      /* Undefined when the function is called */
    const char *missing;            /* set by the function when it needs something that the message
                                     * does not have, such as "the client's address"; then the rule
                                     * is refused. Else NULL */
    const struct rule_regex *regex; /* the pattern, where it is constant and valid; else NULL */
};

/* What a result depends on, and so how often a call is made. */
enum rule_dependence {
    RULE_ON_ARGUMENTS, /* with constant arguments once, while the rule is compiled; message is NULL
                        */
    RULE_ON_MESSAGE,   /* once a message; equal calls share their result */
    RULE_ON_CHANCE     /* each time */
};

enum { RULE_ANY_COUNT = 255 };

struct rule_function {
    const char *name; /* lower case; case does not matter in a statement */
    unsigned char least, most;
    enum rule_version since;
    enum rule_dependence depends;
    void (*run)(struct rule_call *call); /* NULL when service is set */
    const char *service;   /* the service that it would call, such as "AWS Lambda"; else NULL */
    unsigned char literal; /* which argument, from 1, cannot come from a variable; 0: all can */
    const char *const *choices; /* the only values of that argument, ended by NULL; NULL: any */
    bool role_last;             /* the last argument is the ARN of a role, and cannot either */
    bool once;                  /* AWS allows one call in a statement */
    unsigned char no_services;  /* which argument cannot call a service, from 1; 0: all can */
    bool takes_payload;         /* an argument can be "*": a String of the payload's bytes */
    unsigned char pattern;      /* which argument is a regular expression, from 1; 0: none */
};

/* functions/function.c. Sorted by name. cast(value AS type) is a call of cast(value, "type"); the
 * type is in lower case, and one that the version has. */
extern const struct rule_function rule_functions[];
extern const size_t rule_function_count;

/* Finds a function by its name, in any case; NULL: there is none. */
const struct rule_function *rule_function_find(const char *name, size_t length);

/* --- regular expressions (PCRE2, with limits) --- */

enum { RULE_MOST_GROUPS = 32 };

enum rule_found { RULE_FOUND, RULE_NOT_FOUND, RULE_NO_PATTERN /* not valid, or beyond a limit */ };

/* Where the whole match (0) and each group begin and end; SIZE_MAX for a group that did not match.
 */
struct rule_match {
    size_t count;
    size_t begin[RULE_MOST_GROUPS], end[RULE_MOST_GROUPS];
};

/* rule_regex_of() returns call->regex, or compiles the pattern; NULL: not valid. rule_regex_find()
 * finds the first match at or after the byte from; the first search in a subject is from 0. pattern
 * and subject are Strings; subject must be UTF-8. */
const struct rule_regex *rule_regex_of(struct rule_call *call, const struct rule_value *pattern);
enum rule_found rule_regex_find(struct rule_call *call, const struct rule_regex *regex,
                                const struct rule_value *subject, size_t from,
                                struct rule_match *match);

#endif
