/* Deletes what is older than the documents of the types say, a little in each turn of sensorhub's loop, so
 * that readings wait only for a moment. A round through all tables begins every ten minutes. What was
 * deleted of a table is logged. */
#ifndef HUB_RETENTION_H
#define HUB_RETENTION_H

#include "hub/engine/deployed.h"

struct retention {
    double began;            /* the last round, by the monotonic clock; 0: there was none */
    bool at_work;            /* a round is not finished */
    size_t type, table, log; /* where it is */
    struct expired sum;      /* what this round deleted of that table or log group */
};

/* now: known_time_now(). *ended: a round ended. A table that does not let rows be deleted is logged, and
 * passed over. REFUSED: the store's. */
enum status retention_turn(struct retention *retention, const struct deployed *deployed,
                           struct store *store, int64_t now, bool *ended, struct error *error);

#endif
