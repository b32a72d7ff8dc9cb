/* The outline of an AWS IoT SQL statement: where its clauses are and which fields it names.
 *
 * SELECT list FROM 'topic filter' [WHERE condition], as the developer guide's "AWS IoT SQL
 * reference" has it. This reads words, literals and brackets, not expressions: enough to find a
 * name that the spec does not have, and to turn a condition into its opposite. */
#ifndef COMMON_RULE_TEXT_H
#define COMMON_RULE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the statement. */
struct span {
    size_t offset, length;
};

struct rule_text {
    struct span list;      /* between SELECT and FROM */
    struct span topic;     /* between the quotes */
    struct span condition; /* behind WHERE; length 0 when there is none */
    struct span *columns;  /* of the list, outside of brackets: the name of each selected value */
    size_t column_count, column_room;
    struct span *fields; /* root names of the payload that are read, each time they are */
    size_t field_count, field_room;
};

/* Reads sql. On failure false, with what is wrong in *why (static text) and its offset in *at. */
bool rule_text_read(const char *sql, struct rule_text *outline, const char **why, size_t *at);
void rule_text_free(struct rule_text *outline);

#endif
