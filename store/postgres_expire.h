/* Retention in a PostgreSQL database: functions of its backend. */
#ifndef STORE_POSTGRES_EXPIRE_H
#define STORE_POSTGRES_EXPIRE_H

#include "backend.h"

enum status postgres_expire(struct store_table *table, int64_t now, size_t most,
                            struct expired *expired, struct error *error);
enum status postgres_expire_log(struct store *base, const char *group, int64_t before, size_t most,
                                struct expired *expired, struct error *error);

#endif
