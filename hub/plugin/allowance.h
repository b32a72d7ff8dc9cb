/* What one thing may cause in a second: messages, bytes of payload, and lines in the broker's log.
 *
 * Each is a token bucket. A bucket is full after a pause, and then it gives as much at once as it gets
 * in a second. The buckets of a thing are kept after its connection has ended, until they are full
 * again: to connect again gives no more. */
#ifndef HUB_PLUGIN_ALLOWANCE_H
#define HUB_PLUGIN_ALLOWANCE_H

#include <stdbool.h>
#include <stddef.h>

struct allowances;

/* messages, bytes: per second and thing; 0: any number. Ends the program when memory is exhausted. */
struct allowances *allowances_open(double messages, double bytes);
void allowances_close(struct allowances *allowances);

/* Takes the tokens of one message with this payload. Returns the reason why it may not be sent (a
 * static text); NULL: it may. When memory is exhausted, messages are not limited. */
const char *allowances_exceeded(struct allowances *allowances, const char *thing, size_t payload);

/* Whether another line about this thing may be logged. *left_out: lines about it that were not, and
 * that no line has told yet; they count as told now. */
bool allowances_log(struct allowances *allowances, const char *thing, unsigned long *left_out);

/* Calls tell() for each thing that may log again and has lines that were left out and not told yet.
 * Forgets things whose buckets are full. */
void allowances_tidy(struct allowances *allowances,
                     void (*tell)(const char *thing, unsigned long left_out));

#endif
