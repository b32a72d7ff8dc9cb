/* Checks of presence:, control: and alerts: that need more than the schema. */
#ifndef COMMON_SPEC_CHECK_AUTOMATION_H
#define COMMON_SPEC_CHECK_AUTOMATION_H

#include "checks.h"

void check_automation(struct checked *spec);

#endif
