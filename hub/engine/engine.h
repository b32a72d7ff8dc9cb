/* From records of the spool to rows of the database: runs the rules of the deployed types on each
 * record, and the actions of the rules. Each batch of records is one transaction of the store.
 *
 * The spool has one position, so a record that had to wait there would hold up all behind it. When a
 * type is held (see deployed.h), its rules do not run: its records are set aside in the table
 * "_waiting", in the transaction of their batch. So each of them is there exactly once, and other
 * types go on. engine_resume() stores them when the type is mended, in their order; newer records of
 * the type are set aside until then. What is set aside is bounded; at the bound, nothing more of a type
 * that is held is taken from the spool, and then all types wait there. */
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
    uint64_t most_waiting; /* bytes of payloads that may be set aside, of all types together */
};

struct engine;

struct engine *engine_new(const struct engine_options *options);
void engine_free(struct engine *engine);

/* Processes the first *done of these records, at least one of them, and commits. Without records
 * (count 0), only the deliveries that failed are reported to their error actions.
 *
 * position: number of the last record that is stored already. counts: continues from what was
 * counted before. REFUSED: nothing was stored and *done is 0; after the store was opened again, the
 * call may be repeated. When a table did not take its rows, its type is held then. */
enum status engine_batch(struct engine *engine, struct store *store,
                         const struct spool_record *records, size_t count, size_t *done,
                         uint64_t position, struct counts *counts, struct error *error);

/* Stores some of the records that were set aside, of one type that can be stored again. *more: it did,
 * and there may be more of them. position, counts, REFUSED: as for engine_batch(). */
enum status engine_resume(struct engine *engine, struct store *store, uint64_t position,
                          struct counts *counts, bool *more, struct error *error);

/* The store was closed: another one comes with the next call. */
void engine_forget_store(struct engine *engine);

/* Adds what is set aside, and what would be: a JSON array, whose elements are
 *   {"type": "x", "count": 12, "bytes": 340, "since": 1795264779000, "why": "..."}
 * since is missing while count is 0. Returns how many elements there are. */
size_t engine_report_waiting(const struct engine *engine, struct buffer *out);

#endif
