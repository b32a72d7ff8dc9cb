/* The status that sensorhub writes once a second into
 * iot_system_infra/local/run/sensorhub.status.json:
 *
 *   {"pid": 1234, "version": "0.1.0", "time": 1795264779000, "started": 1795264000000,
 *    "readings": 1000, "valid": 950, "invalid": 50, "unmatched": 0, "duplicates": 0, "rejected": 0,
 *    "errors": 0, "missing": 0,       since the database was made (counts.h)
 *    "spool": 123456789,              id of the spool
 *    "position": "117654586319913536",  number of the last record of the spool that is stored; a
 *                                     string, for it has more digits than a double holds
 *    "waiting": 0,                    records behind it
 *    "lag": 0.0,                      seconds between a reading's arrival and its commit, while
 *                                     there are more than one batch takes; at least the seconds
 *                                     since a reading was stored, while some wait
 *    "rows_per_second": 100.0,
 *    "sent": 0, "unsent": 0,          deliveries of actions: done, and in the queue
 *    "ready": true,                   it has reached the database and the spool once
 *    "trouble": "", "advice": "",     what keeps it from working just now, what to do about it
 *    "held_back": "",                 things whose readings are refused: each holds its share of the
 *                                     spool
 *    "damage": ""}                    that readings are missing, and nobody took the damaged files of
 *                                     the spool away yet
 *    "doubt": "",                     why retention does not go by the clock
 *    "aside": [...]                   types that are held: engine_report_waiting()
 */
#ifndef HUB_STATUS_H
#define HUB_STATUS_H

#include "hub/engine/engine.h"

/* What to do about a damaged spool. */
#define DAMAGE_ADVICE                                                                              \
    "the damaged files are kept, " SPOOL_FOLDER "/*.damaged: see docs/local.md, \"When the spool " \
    "is damaged\", and move them away"

/* What to do about readings that are set aside. */
#define WAITING_ADVICE                                                                             \
    "they are in the table _waiting, and stored when the type is mended: see docs/local.md, "      \
    "\"Readings that are set aside\""

struct status_page;

/* A thread of its own writes the file, also while the main thread waits for the database. */
enum status status_start(struct status_page **made, struct error *error);
void status_note(struct status_page *page, const struct counts *counts, uint64_t position,
                 double lag, const struct delivery_counts *deliveries, const char *aside);
/* A turn of the main loop begins. When none begins for some seconds, the status says that the database
 * does not answer. */
void status_turn(struct status_page *page);
void status_trouble(struct status_page *page, bool ready, const struct error *error);
/* The wall clock is doubted, and this is the time by all that is known; 0: it is not doubted. */
void status_doubt(struct status_page *page, int64_t known);
void status_works(struct status_page *page); /* there is no trouble (any more) */
void status_stop(struct status_page *page);  /* writes the file a last time */

/* `sensorhub status`. REFUSED when no sensorhub is running; the JSON is printed then too. */
enum status status_show(bool json, struct error *error);

#endif
