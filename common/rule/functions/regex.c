/* Functions of regular expressions. The result is Undefined when the pattern is not valid, or a
 * match goes beyond the limits of ../regex.c. */
#include "function.h"

#include <string.h>

/* Reads the subject, and the pattern, which is compiled unless it is a constant. NULL: not valid.
 */
static const struct rule_regex *prepare(struct rule_call *call, struct rule_value *subject)
{
    struct rule_value pattern;
    if (!rule_string_argument(call, 0, subject) || !rule_string_argument(call, 1, &pattern))
        return NULL;
    return rule_regex_of(call, &pattern);
}

void function_regexp_matches(struct rule_call *call)
{
    struct rule_value subject;
    struct rule_match match;
    const struct rule_regex *regex = prepare(call, &subject);
    enum rule_found found =
        regex ? rule_regex_find(call, regex, &subject, 0, &match) : RULE_NO_PATTERN;
    if (found != RULE_NO_PATTERN)
        *call->result = rule_boolean(found == RULE_FOUND);
}

/* Undefined without a match: the guide does not say. */
void function_regexp_substr(struct rule_call *call)
{
    struct rule_value subject;
    struct rule_match match;
    const struct rule_regex *regex = prepare(call, &subject);
    if (regex && rule_regex_find(call, regex, &subject, 0, &match) == RULE_FOUND)
        *call->result =
            rule_string(subject.string.at + match.begin[0], match.end[0] - match.begin[0]);
}

/* --- regexp_replace() --- */

static bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

/* Reads the number of a group after "$": as many digits as name a group that the pattern has.
 * Returns the count of digits; 0: there is no such group. */
static size_t read_group(const char *at, size_t length, size_t groups, size_t *group)
{
    size_t digits = 0;
    *group = 0;
    while (digits < length && is_digit(at[digits])) {
        size_t longer = *group * 10 + (size_t)(at[digits] - '0');
        if (longer >= groups)
            break;
        *group = longer;
        digits++;
    }
    return digits;
}

/* Adds the replacement of one match. "$1" is a group; a backslash makes the next character literal.
 * False: not a valid replacement. These are the rules of Java's Matcher.appendReplacement(). */
static bool add_replacement(struct rule_output *output, const struct rule_value *by,
                            const struct rule_value *subject, const struct rule_match *match)
{
    const char *at = by->string.at;
    size_t length = by->string.length;
    for (size_t i = 0; i < length;) {
        if (at[i] == '$') {
            size_t group, digits = read_group(at + i + 1, length - i - 1, match->count, &group);
            if (!digits)
                return false;
            if (match->begin[group] != SIZE_MAX)
                rule_output_add(output, subject->string.at + match->begin[group],
                                match->end[group] - match->begin[group]);
            i += 1 + digits;
            continue;
        }
        if (at[i] == '\\' && ++i == length)
            return false;
        size_t plain = 1;
        while (i + plain < length && at[i + plain] != '$' && at[i + plain] != '\\')
            plain++;
        rule_output_add(output, at + i, plain);
        i += plain;
    }
    return true;
}

/* Where to search on. After an empty match one character is copied. SIZE_MAX: at the end. */
static size_t behind(struct rule_output *output, const struct rule_value *subject,
                     const struct rule_match *match)
{
    size_t end = match->end[0];
    if (end > match->begin[0])
        return end;
    if (end >= subject->string.length)
        return SIZE_MAX;
    size_t character = rule_character_length(subject->string.at[end]);
    rule_output_add(output, subject->string.at + end, character);
    return end + character;
}

void function_regexp_replace(struct rule_call *call)
{
    struct rule_value subject, by;
    struct rule_match match;
    const struct rule_regex *regex = prepare(call, &subject);
    if (!regex || !rule_string_argument(call, 2, &by))
        return;
    struct rule_output output = {.memory = call->memory};
    size_t from = 0;
    enum rule_found found = RULE_NOT_FOUND;
    while (from != SIZE_MAX && !call->memory->failed &&
           (found = rule_regex_find(call, regex, &subject, from, &match)) == RULE_FOUND) {
        /* With \K in the pattern a match can begin before the place where its search began. */
        if (match.begin[0] < from || match.end[0] < match.begin[0])
            return;
        rule_output_add(&output, subject.string.at + from, match.begin[0] - from);
        if (!add_replacement(&output, &by, &subject, &match))
            return;
        from = behind(&output, &subject, &match);
    }
    if (found == RULE_NO_PATTERN || call->memory->failed)
        return;
    if (from != SIZE_MAX)
        rule_output_add(&output, subject.string.at + from, subject.string.length - from);
    *call->result = rule_output_string(&output);
}
