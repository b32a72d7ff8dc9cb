/* Readings in, rows out: runs the rules of the types that are plugged in on records of the spool,
 * and what the rules ask for, in one transaction of the store for each batch. */
#ifndef HUB_ENGINE_ENGINE_H
#define HUB_ENGINE_ENGINE_H

#include "hub/actions/delivery.h"
#include "deployed.h"
#include "hub/settings.h"
#include "hub/spool/spool.h"
#include "store/store.h"

/* Since the database was made; kept in it. */
struct counts {
    uint64_t readings;   /* records of the spool */
    uint64_t valid;      /* that a rule took, other than the type's rule for invalid ones */
    uint64_t invalid;    /* that the rule for invalid ones took */
    uint64_t unmatched;  /* that no rule took */
    uint64_t duplicates; /* rows that were there already */
    uint64_t rejected;   /* rows that were there already, with another value */
    uint64_t errors;     /* documents for error actions */
};

void counts_write(const struct counts *counts, char text[LONGEST_COUNTS]);
void counts_read(const char *text, struct counts *counts);

struct engine;

/* couriers may be NULL: what they would send fails then. */
struct engine *engine_new(const struct settings *settings, struct deployed *deployed,
                          struct delivery_queue *deliveries);
void engine_free(struct engine *engine);

/* Works on these records, or the first *done of them, and commits. Without records: what couriers
 * brought back is reported. position: of the last record that is stored already. counts is what was
 * counted so far, and goes on. REFUSED: nothing was done; with the store opened again, it may be
 * tried again. */
enum status engine_batch(struct engine *engine, struct store *store,
                         const struct spool_record *records, size_t count, size_t *done,
                         uint64_t position, struct counts *counts, struct error *error);

#endif
