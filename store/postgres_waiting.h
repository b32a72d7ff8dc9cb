/* Records that wait: functions of the backend, see store.h. */
#ifndef STORE_POSTGRES_WAITING_H
#define STORE_POSTGRES_WAITING_H

#include "postgres_call.h"

enum status postgres_put_waiting(struct store *base, const char *type,
                                 const struct waiting_record *record, struct error *error);

/* Sends what postgres_put_waiting() gathered. */
enum status postgres_send_waiting(struct postgres_store *store, struct error *error);

enum status postgres_read_waiting(struct store *base, const char *type, size_t most,
                                  bool (*each)(void *context, const struct waiting_record *record),
                                  void *context, struct error *error);
enum status postgres_drop_waiting(struct store *base, const char *type, uint64_t upto,
                                  struct error *error);
enum status postgres_sum_waiting(struct store *base,
                                 void (*each)(void *context, const struct waiting_sum *sum),
                                 void *context, struct error *error);

#endif
