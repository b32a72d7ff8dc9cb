#include "registration.h"

#include <stdlib.h>

void registration_free(struct registration *registration)
{
    if (!registration)
        return;
    free(registration->account);
    free(registration->region);
    free(registration->key);
    free(registration->certificate_id);
    free(registration->certificate_arn);
    free(registration);
}
