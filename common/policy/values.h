/* Values of conditions that are not compared as texts. A document's operands and a request's values
 * are read by the same functions. */
#ifndef COMMON_POLICY_VALUES_H
#define COMMON_POLICY_VALUES_H

#include <stdbool.h>

/* IPv4 (stored as ::ffff:a.b.c.d) or IPv6, in network byte order. False: neither of them. */
bool address_read(const char *string, unsigned char address[16]);

/* ISO 8601 as the W3C's note has it ("2026-11-21", "2026-11-21T10:00:00Z"), or a number of seconds
 * since 1970. False: neither of them. */
bool date_read(const char *string, double *seconds);

#endif
