/* Rows for COPY ... FROM STDIN in its binary form (PostgreSQL manual, "COPY", "Binary Format"). */
#ifndef STORE_POSTGRES_COPY_H
#define STORE_POSTGRES_COPY_H

#include "postgres_call.h"

enum { COPY_BYTES = 1 << 20 /* of rows, gathered before they are sent */ };

void copy_add_16(struct buffer *rows, uint16_t number); /* begins a row: how many fields it has */
void copy_add_32(struct buffer *rows, uint32_t number); /* UINT32_MAX: a field that is NULL */
void copy_add_number(struct buffer *rows, int64_t number);
void copy_add_bytes(struct buffer *rows, const char *bytes, size_t length);

/* Sends the rows, and clears them. into: a table, with columns if not all are meant. */
enum status copy_send(struct postgres_store *store, const char *into, struct buffer *rows,
                      struct error *error);

#endif
