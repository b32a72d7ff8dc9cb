/* What was counted since the database was made. It is kept in the database, as JSON. */
#ifndef HUB_ENGINE_COUNTS_H
#define HUB_ENGINE_COUNTS_H

#include "store/store.h"

#include <stdint.h>

enum {
    MOST_COUNTED_REASONS = 32, /* of all types; further ones count together as the last one */
    LONGEST_COUNTED_REASON = 120
};

/* Why readings are invalid: "esp8266temp: temperature is above 40". A reading counts under each of
 * its reasons. */
struct reason_count {
    char text[LONGEST_COUNTED_REASON];
    uint64_t count;
};

struct counts {
    uint64_t readings;   /* records of the spool */
    uint64_t valid;      /* selected by a rule other than invalid-rule.json */
    uint64_t invalid;    /* selected by the rule of invalid-rule.json */
    uint64_t unmatched;  /* selected by no rule */
    uint64_t duplicates; /* rows that were in their table already */
    uint64_t rejected;   /* rows whose thing and time were there already with other values */
    uint64_t errors;     /* documents for error actions */
    uint64_t missing;    /* records that were damaged or gone in the spool; not in readings */
    struct reason_count reasons[MOST_COUNTED_REASONS];
    size_t reason_count;

    /* No counts. */
    uint64_t spool;  /* id of the spool that the position is in; 0: not known */
    uint64_t newest; /* newest time that a thing gave to a reading: milliseconds since 1970 */
    uint64_t clock;  /* known_time_now() at the commit; 0: not known */
};

/* kind: of a struct rule_reason. */
void counts_add_reason(struct counts *counts, const char *type, const char *kind);

/* {"readings": 1, ..., "reasons": {"esp8266temp: temperature is above 40": 3}},
 * the most frequent reason first. */
void counts_write(const struct counts *counts, char text[LONGEST_COUNTS]);

/* A member that is missing, or a text that is not JSON, counts as 0. */
void counts_read(const char *text, struct counts *counts);

#endif
