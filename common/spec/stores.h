/* What each central table takes, in one place. The conditions of the valid rule are made from it
 * (generator/documents/condition.c), `check` tries its limits, and sensorhub applies it.
 *
 * A reading that the rule selects and the table refuses is in neither of the two tables of its
 * type. So the conditions ask for everything that is stated here.
 *
 * Sources: Amazon Timestream developer guide, "Quotas" and "Data types", API_MeasureValue,
 * RejectedRecordsException; Amazon DynamoDB developer guide, "Service, account, and table quotas"
 * and "Supported data types". SQLite and PostgreSQL run the same documents: their columns take what
 * Timestream's take, and PostgreSQL takes no NUL in a text. A DynamoDB number has 38 digits at
 * most; the rule language has 34 ("Data types" of its reference), so that limit is always kept. */
#ifndef COMMON_SPEC_STORES_H
#define COMMON_SPEC_STORES_H

#include "system.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    /* How far the time of a reading may be ahead of the time at which it arrives. Timestream has
     * that limit. DynamoDB takes any time; a clock that is further ahead is wrong there, too. */
    STORES_AHEAD_MILLISECONDS = 15 * 60 * 1000,
    STORES_LONGEST_TEXT = 2048, /* bytes of one text or dimension in a table of Timestream */
    /* What the time and a number of a record count as: 8 bytes, and the digits of a double. */
    STORES_TIME_BYTES = 8,
    STORES_NUMBER_BYTES = 24
};

struct store_takes {
    const char *name;
    bool empty_text; /* whether the text of a measure may be empty; NUL is refused by all */
    /* The most bytes of a record: names and values of the dimensions, name and value of one
     * measure, time. 0: no limit that a message of 128 KB could reach. */
    size_t record;
    /* Limits of numbers, as the rule language writes them: the largest magnitude of a double; its
     * smallest one besides zero, or NULL; the range of a bigint. */
    const char *double_most, *double_least, *bigint_least, *bigint_most;
    /* How old a reading may be. True: as the memory store keeps it, because nothing else is
     * written. False: as the table keeps it at all. */
    bool only_memory;
};

const struct store_takes *stores_takes(enum cloud_store store);

/* Whether a table takes the value of a measure. number: as JSON writes it; whole: of a bigint. */
bool stores_take_text(const struct store_takes *takes, const char *text, size_t length);
bool stores_take_number(const struct store_takes *takes, const char *number, bool whole);

#endif
