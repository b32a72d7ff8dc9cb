/* Text for a table on the terminal. */
#ifndef HUB_SCREEN_H
#define HUB_SCREEN_H

#include "common/base/text.h"

#include <stddef.h>

/* Adds the decoded payload if it is text, otherwise the base64 itself. */
void screen_add_payload(struct text *out, const char *base64, size_t length);

/* Cuts the text to `width` characters; then its last three are dots. */
void screen_cut(struct text *text, size_t width);

/* Characters in a line of the terminal; 0: the standard output is not a terminal. */
size_t screen_width(void);

#endif
