/* What a person can read of a table on a screen. */
#ifndef HUB_SCREEN_H
#define HUB_SCREEN_H

#include "common/base/text.h"

#include <stddef.h>

/* Adds what base64 stands for, where that is text, and else the base64. */
void screen_add_payload(struct text *out, const char *base64, size_t length);

/* So many characters of UTF-8 at most, the last three of them dots where there were more. */
void screen_cut(struct text *text, size_t width);

/* Characters in a line of the terminal that is the standard output; 0 when it is none. */
size_t screen_width(void);

#endif
