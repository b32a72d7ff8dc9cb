/* What a remote target must find again of a certificate that it made. The record of the thing keeps
 * it, from before the target is asked until the certificate is deleted. */
#ifndef GENERATOR_TARGETS_REGISTRATION_H
#define GENERATOR_TARGETS_REGISTRATION_H

#include <time.h>

/* Strings are owned by the registration; each is NULL as long as it is not known. */
struct registration {
    char *account, *region; /* where the certificate is made */
    char *key;              /* key_digest() of its public key */
    char *certificate_id;   /* as the account names it, once it is made */
    char *certificate_arn;
    /* When an answer may have been lost, so that the account may hold another certificate of the
     * same enrolment, which its list does not show yet. 0: no search is needed. */
    time_t sweep;
};

/* Frees it and what it holds; NULL is fine. */
void registration_free(struct registration *registration);

#endif
