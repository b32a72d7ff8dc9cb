/* The rules for names of types and things. */
#ifndef COMMON_BASE_VALID_H
#define COMMON_BASE_VALID_H

#include <stdbool.h>

/* The unit (OU) in the certificate of the system's own client, which may publish and subscribe to
 * everything. It is not the name of a type, because a type's name has no "-". */
#define SERVICE_UNIT "sensorforge-service"

/* [a-z][a-z0-9_]{1,47}, but not "system", which commands take for the central system. */
bool valid_type_name(const char *name);

/* [A-Za-z0-9:_-]{1,64}. AWS allows 128 characters, the common name of a certificate 64. */
bool valid_thing_name(const char *name);

#endif
