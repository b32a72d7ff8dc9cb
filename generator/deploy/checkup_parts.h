/* What the files of a checkup share. */
#ifndef GENERATOR_DEPLOY_CHECKUP_PARTS_H
#define GENERATOR_DEPLOY_CHECKUP_PARTS_H

#include "checkup.h"

/* Adds a finding. Takes over both texts; advice may be NULL. */
void checkup_add(struct checkup *checkup, const char *what, enum health health, char *text,
                 char *advice);

#endif
