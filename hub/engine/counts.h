/* What was counted since the database was made. It is kept in the database, as JSON. */
#ifndef HUB_ENGINE_COUNTS_H
#define HUB_ENGINE_COUNTS_H

#include "store/store.h"

#include <stdint.h>

struct counts {
    uint64_t readings;   /* records of the spool */
    uint64_t valid;      /* selected by a rule other than invalid-rule.json */
    uint64_t invalid;    /* selected by the rule of invalid-rule.json */
    uint64_t unmatched;  /* selected by no rule */
    uint64_t duplicates; /* rows that were in their table already */
    uint64_t rejected;   /* rows whose thing and time were there already with other values */
    uint64_t errors;     /* documents for error actions */
    uint64_t missing;    /* records that were damaged or gone in the spool; not in readings */
    uint64_t spool;      /* no count: id of the spool that the position is in; 0: not known */
};

/* {"readings": 1, ...} */
void counts_write(const struct counts *counts, char text[LONGEST_COUNTS]);

/* A member that is missing, or a text that is not JSON, counts as 0. */
void counts_read(const char *text, struct counts *counts);

#endif
