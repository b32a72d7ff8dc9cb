/* Checks of who reads each measure: drivers, their parameters and pins, the screen's, and code/sensor.py. */
#ifndef COMMON_SPEC_CHECK_DRIVERS_H
#define COMMON_SPEC_CHECK_DRIVERS_H

#include "checks.h"

void check_drivers(struct checked *spec);

#endif
