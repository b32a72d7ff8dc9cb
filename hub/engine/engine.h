/* From records of the spool to rows of the database: runs the rules of the deployed types on each
 * record, and the actions of the rules. Each batch of records is one transaction of the store. */
#ifndef HUB_ENGINE_ENGINE_H
#define HUB_ENGINE_ENGINE_H

#include "counts.h"
#include "common/spec/system.h"
#include "deployed.h"
#include "hub/spool/spool.h"

/* What the engine works with. Everything outlives the engine. */
struct engine_options {
    struct deployed *deployed;
    struct delivery_queue *deliveries;  /* NULL: actions that send fail */
    const struct system_topics *notify; /* local.notify of system.yaml; NULL: none */
    const char *account;                /* what accountid() is in a rule; NULL: undefined */
};

struct engine;

struct engine *engine_new(const struct engine_options *options);
void engine_free(struct engine *engine);

/* Processes the first *done of these records, at least one of them, and commits. Without records
 * (count 0), only the deliveries that failed are reported to their error actions.
 *
 * position: number of the last record that is stored already. counts: continues from what was
 * counted before. REFUSED: nothing was stored and *done is 0; after the store was opened again, the
 * call may be repeated. The records wait when their type has no documents yet: REFUSED, too. */
enum status engine_batch(struct engine *engine, struct store *store,
                         const struct spool_record *records, size_t count, size_t *done,
                         uint64_t position, struct counts *counts, struct error *error);

#endif
