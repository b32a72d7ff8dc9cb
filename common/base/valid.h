/* Which names there may be. */
#ifndef COMMON_BASE_VALID_H
#define COMMON_BASE_VALID_H

#include <stdbool.h>

/* The unit (OU) of the certificate of this system's own client, which may do everything. No type
 * can be called so. */
#define SERVICE_UNIT "sensorforge-service"

/* Whether name may name a type, or a thing ([A-Za-z0-9:_-]{1,64}: AWS allows 128, a certificate's
 * common name 64). */
bool type_name_valid(const char *name);
bool thing_name_valid(const char *name);

#endif
