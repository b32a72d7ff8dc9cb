#include "pattern.h"
#include "common/base/memory.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MATCH_LIMIT = 100000, KEPT_PATTERNS = 64 };

static pcre2_code *compile(const char *pattern, bool whole, int *number, size_t *at)
{
    PCRE2_SIZE offset = 0;
    uint32_t options = PCRE2_UTF | (whole ? PCRE2_ANCHORED | PCRE2_ENDANCHORED : 0);
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                                     options | PCRE2_DOLLAR_ENDONLY, number, &offset, NULL);
    *at = offset;
    return code;
}

/* Compiling a pattern takes ten times as long as matching it, and every spec uses the same few
 * patterns. So the patterns that were used last are kept compiled. NULL: the pattern is not
 * valid. */
static const pcre2_code *compiled(const char *pattern, bool whole)
{
    static struct {
        char *pattern;
        bool whole;
        pcre2_code *code;
    } kept[KEPT_PATTERNS];
    static size_t next;
    for (size_t i = 0; i < KEPT_PATTERNS && kept[i].pattern; i++)
        if (kept[i].whole == whole && strcmp(kept[i].pattern, pattern) == 0)
            return kept[i].code;
    int number;
    size_t at;
    pcre2_code *code = compile(pattern, whole, &number, &at);
    if (!code)
        return NULL;
    free(kept[next].pattern);
    pcre2_code_free(kept[next].code);
    kept[next].pattern = must_copy(pattern);
    kept[next].whole = whole;
    kept[next].code = code;
    next = (next + 1) % KEPT_PATTERNS;
    return code;
}

static bool matches(const char *pattern, const char *text, bool whole)
{
    const pcre2_code *code = compiled(pattern, whole);
    if (!code)
        return false;
    pcre2_match_data *match = pcre2_match_data_create_from_pattern(code, NULL);
    pcre2_match_context *limits = pcre2_match_context_create(NULL);
    pcre2_set_match_limit(limits, MATCH_LIMIT);
    int found = pcre2_match(code, (PCRE2_SPTR)text, strlen(text), 0, 0, match, limits);
    pcre2_match_context_free(limits);
    pcre2_match_data_free(match);
    return found >= 0;
}

bool pattern_matches(const char *pattern, const char *text)
{
    return matches(pattern, text, true);
}

bool pattern_found(const char *pattern, const char *text)
{
    return matches(pattern, text, false);
}

bool pattern_valid(const char *pattern, char why[128], size_t *at)
{
    int number;
    pcre2_code *code = compile(pattern, true, &number, at);
    if (!code)
        pcre2_get_error_message(number, (PCRE2_UCHAR *)why, 128);
    pcre2_code_free(code);
    return code != NULL;
}
