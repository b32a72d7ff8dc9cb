/* The answer of `sensorhub query`: gathers rows and writes them to the standard output as a table,
 * as JSON or as CSV, the oldest row first. Rows are kept in memory: the store hands them out the
 * newest first, and the widths and columns of a table depend on all of them. */
#ifndef HUB_ANSWER_H
#define HUB_ANSWER_H

#include "store/read.h"

enum answer_format {
    ANSWER_TABLE, /* aligned, for the terminal */
    ANSWER_JSON,  /* one object a line */
    ANSWER_CSV    /* RFC 4180, with a header */
};

struct answer;

/* An answer with rows of this table. May end the program when memory is exhausted. */
struct answer *answer_new(const struct store_table *table, enum answer_format format);
void answer_free(struct answer *answer);

/* Adds a row; context is the answer, as read_rows() calls it. Returns true. */
bool answer_add(void *context, const struct read_row *row);
size_t answer_rows(const struct answer *answer);
void answer_write(const struct answer *answer);

#endif
