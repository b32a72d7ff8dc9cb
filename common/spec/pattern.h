/* Regular expressions of schemas and specs, by PCRE2, with a limit of the steps of a match. */
#ifndef COMMON_SPEC_PATTERN_H
#define COMMON_SPEC_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

/* Whether all of text matches the pattern. A pattern that is not valid matches nothing. */
bool pattern_matches(const char *pattern, const char *text);

/* Whether a part of text matches, as JSON Schema has it. Otherwise as pattern_matches(). */
bool pattern_found(const char *pattern, const char *text);

/* Whether the pattern can be compiled. If not, *why says what is wrong, and *at is its offset in
 * bytes. */
bool pattern_valid(const char *pattern, char why[128], size_t *at);

#endif
