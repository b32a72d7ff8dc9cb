/* Reading from a PostgreSQL database: functions of its backend. */
#ifndef STORE_POSTGRES_READ_H
#define STORE_POSTGRES_READ_H

#include "backend.h"

enum status postgres_position(struct store *base, uint64_t *position, char counts[LONGEST_COUNTS],
                              struct error *error);
enum status postgres_query(struct store_table *table, const struct store_query *query,
                           bool (*each)(void *context, const struct row *row), void *context,
                           struct error *error);

#endif
