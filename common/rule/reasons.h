/* Why a rule does not select a message, in words: "temperature 45 is above 40".
 *
 * The reasons are read from the compiled condition, so they hold for rules that are derived and for
 * rules that a person wrote. The condition is split at its ANDs. Each part that is not true is a
 * reason; of each field, only the first one. Parts of a form that is not known are quoted:
 * "not true: t < 40 OR t = 85 (t is 50)". */
#ifndef COMMON_RULE_REASONS_H
#define COMMON_RULE_REASONS_H

#include "rule.h"

enum { RULE_LONGEST_REASON = 320, RULE_MOST_REASONS = 8 };

struct rule_reason {
    char text[RULE_LONGEST_REASON]; /* with the value: "temperature 45 is above 40" */
    char kind[RULE_LONGEST_REASON]; /* without what differs from message to message, for counting:
                                     * "temperature is above 40" */
};

/* The reasons for the message that was begun; returns how many. 0: the rule selects it, or cannot
 * run here. If there are more than RULE_MOST_REASONS, the first ones are returned. */
size_t rule_reasons(const struct rule *rule, struct rule_scratch *scratch,
                    struct rule_reason reasons[RULE_MOST_REASONS]);

#endif
