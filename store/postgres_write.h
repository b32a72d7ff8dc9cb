/* Writing to a PostgreSQL database: functions of its backend. */
#ifndef STORE_POSTGRES_WRITE_H
#define STORE_POSTGRES_WRITE_H

#include "backend.h"

enum status postgres_add_column(struct store_table *table, const char *name, enum column_kind kind,
                                struct error *error);
enum status postgres_begin(struct store *base, struct error *error);
enum status postgres_put(struct store_table *table, const struct row *row, struct error *error);
enum status postgres_settle(struct store *base, struct settlement *settlement, struct error *error);
enum status postgres_put_log(struct store *base, int64_t time, const char *group,
                             const char *message, size_t length, struct error *error);
enum status postgres_commit(struct store *base, uint64_t position, const char *counts,
                            struct error *error);

#endif
