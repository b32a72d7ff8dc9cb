/* What others say, fit to be printed. */
#ifndef AWS_PRINTABLE_H
#define AWS_PRINTABLE_H

#include "common/base/text.h"

/* Appends it as one line without control characters, to the first byte that is not UTF-8, and at
 * most some 600 bytes; what is cut off is marked by "...". */
void printable_add(const char *said, struct text *out);

#endif
