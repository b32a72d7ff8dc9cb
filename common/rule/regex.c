/* Regular expressions, by PCRE2 with limits: the pattern comes from a rule and the text from a
 * message, and no pair of them may stall the program.
 *
 * A constant pattern is compiled with its rule and shared by threads. Any other pattern is compiled
 * when it is used, into the memory of the run. AWS shows its syntax by examples only; PCRE2's is
 * close to Java's. */
#include "tree.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>

/* Limits of a match, as PCRE2 counts them: calls of match(), its depth, and KiB of backtracking
 * data. */
enum { MOST_STEPS = 100 * 1000, MOST_DEPTH = 10 * 1000, MOST_KIB = 512 };
/* Limit of one call of a function: items of the pattern that are tried, plus characters that are
 * passed. PCRE2's own limit counts only places to backtrack to: "a(?=[^c]*c)" can scan the rest of
 * the text from each of its characters, and never reach it. */
enum { MOST_WORK = 10 * 1000 * 1000 };
/* Limits of a pattern: bytes, and nested brackets. */
enum { LONGEST_PATTERN = 4096, DEEPEST_PATTERN = 64 };

struct rule_regex {
    pcre2_code *code;
    struct rule_regex *next;
};

/* What PCRE2 needs to match. It lives in the memory of the run and is made for the first match. */
struct space {
    pcre2_general_context *general;
    pcre2_match_context *match;
    pcre2_match_data *data;
    size_t work;   /* done by the current call; at most MOST_WORK */
    size_t before; /* offset in the text at which the last item was tried */
};

/* PCRE2 calls this before each item of a pattern. */
static int count_work(pcre2_callout_block *block, void *memory)
{
    struct space *space = memory;
    size_t at = block->current_position;
    space->work += 1 + (at > space->before ? at - space->before : space->before - at);
    space->before = at;
    return space->work > MOST_WORK ? PCRE2_ERROR_CALLOUT : 0;
}

static void *take(PCRE2_SIZE size, void *memory)
{
    return rule_take(memory, size);
}

static void leave(void *piece, void *memory)
{
    (void)piece;
    (void)memory;
}

static struct space *space_of(struct rule_memory *memory)
{
    struct space *space = memory->regex_space;
    if (space)
        return space;
    space = rule_take(memory, sizeof *space);
    if (!space)
        return NULL;
    space->general = pcre2_general_context_create(take, leave, memory);
    space->match = pcre2_match_context_create(space->general);
    space->data = pcre2_match_data_create(RULE_MOST_GROUPS, space->general);
    space->work = space->before = 0;
    if (!space->general || !space->match || !space->data)
        return NULL;
    pcre2_set_match_limit(space->match, MOST_STEPS);
    pcre2_set_depth_limit(space->match, MOST_DEPTH);
    pcre2_set_heap_limit(space->match, MOST_KIB);
    pcre2_set_callout(space->match, count_work, space);
    memory->regex_space = space;
    return space;
}

static pcre2_code *compile(const struct rule_value *pattern, pcre2_general_context *general)
{
    int wrong;
    PCRE2_SIZE where;
    if (pattern->string.length > LONGEST_PATTERN)
        return NULL;
    pcre2_compile_context *context = pcre2_compile_context_create(general);
    if (!context)
        return NULL;
    pcre2_set_parens_nest_limit(context, DEEPEST_PATTERN);
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern->string.at, pattern->string.length,
                                     PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_AUTO_CALLOUT,
                                     &wrong, &where, context);
    pcre2_compile_context_free(context);
    return code;
}

struct rule_regex *rule_regex_keep(const struct rule_value *pattern)
{
    struct rule_regex *regex = calloc(1, sizeof *regex);
    if (regex && !(regex->code = compile(pattern, NULL))) {
        free(regex);
        regex = NULL;
    }
    return regex;
}

void rule_regex_chain(struct rule_regex *regex, struct rule_regex **list)
{
    regex->next = *list;
    *list = regex;
}

void rule_regex_free(struct rule_regex *list)
{
    while (list) {
        struct rule_regex *next = list->next;
        pcre2_code_free(list->code);
        free(list);
        list = next;
    }
}

const struct rule_regex *rule_regex_of(struct rule_call *call, const struct rule_value *pattern)
{
    struct space *space = space_of(call->memory);
    if (!space)
        return NULL;
    space->work = 0;
    if (call->regex)
        return call->regex;
    struct rule_regex *regex = rule_take(call->memory, sizeof *regex);
    if (!regex || !(regex->code = compile(pattern, space->general)))
        return NULL;
    return regex;
}

enum rule_found rule_regex_find(struct rule_call *call, const struct rule_regex *regex,
                                const struct rule_value *subject, size_t from,
                                struct rule_match *match)
{
    struct space *space = space_of(call->memory);
    if (!regex || !space)
        return RULE_NO_PATTERN;
    space->before = from;
    /* The search from offset 0, which comes first, checks that the text is UTF-8. */
    int count = pcre2_match(regex->code, (PCRE2_SPTR)subject->string.at, subject->string.length,
                            from, from ? PCRE2_NO_UTF_CHECK : 0, space->data, space->match);
    if (count < 0)
        return count == PCRE2_ERROR_NOMATCH ? RULE_NOT_FOUND : RULE_NO_PATTERN;
    const PCRE2_SIZE *bounds = pcre2_get_ovector_pointer(space->data);
    /* The number of groups in the pattern; count ends at the last group that matched. */
    uint32_t groups = 0;
    pcre2_pattern_info(regex->code, PCRE2_INFO_CAPTURECOUNT, &groups);
    match->count = groups < RULE_MOST_GROUPS ? groups + 1 : RULE_MOST_GROUPS;
    for (size_t i = 0; i < match->count; i++) {
        match->begin[i] = bounds[2 * i];
        match->end[i] = bounds[2 * i + 1];
    }
    return RULE_FOUND;
}
