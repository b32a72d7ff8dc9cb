/* The actions that a policy can name. Their names are public (policy.h); the patterns that a
 * document writes for them are read here. */
#ifndef COMMON_POLICY_ACTIONS_H
#define COMMON_POLICY_ACTIONS_H

#include "policy.h"

/* The actions that a pattern such as "iot:*" matches, as bits 1 << enum policy_action. Case does
 * not matter; "*" is any run of characters, "?" is one character. */
uint32_t actions_matching(const char *pattern);

#endif
