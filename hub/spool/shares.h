/* How much of the spool each client holds, so that no client can fill it for all others.
 *
 * What a client holds is counted by segments, because the reader removes whole segments. Only sealed
 * segments count for the limit: the reader removes them when their records are stored, whereas the
 * segment that is written stays. So a client may exceed its share by one segment, and never waits for
 * something that does not happen. */
#ifndef HUB_SPOOL_SHARES_H
#define HUB_SPOOL_SHARES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHARES_NAME = 65 /* bytes of a client's name that are told, with a NUL */ };

struct shares;

/* most: bytes that one client may hold; 0: any number. NULL: out of memory. */
struct shares *shares_open(uint64_t most);
void shares_close(struct shares *shares);

/* A record of a client is in the segment of this number. When memory is exhausted it is not counted. */
void shares_add(struct shares *shares, const char *client_id, size_t length, uint64_t segment,
                uint64_t bytes);

/* Whether the client may append another record; current: the segment that is written. A client that may
 * not counts as held back until it holds less than its share. */
bool shares_allow(struct shares *shares, const char *client_id, size_t length, uint64_t current);

/* All segments before this one were removed. */
void shares_drop(struct shares *shares, uint64_t first, uint64_t current);

/* How many clients are held back. name gets the one that was refused last among them. */
size_t shares_held_back(const struct shares *shares, char name[SHARES_NAME]);

#endif
