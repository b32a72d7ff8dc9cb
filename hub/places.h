#ifndef HUB_PLACES_H
#define HUB_PLACES_H

#include "../common/places.h"

#endif
