/* The keys and certificates of the local system itself.
 *
 *   iot_system_infra/local/
 *     broker/key.pem, cert.pem   the broker's. The certificate holds every name of this machine.
 *     hub/key.pem, cert.pem      of the system's own client (OU SERVICE_UNIT)
 *     identities/sensorhub.json  its fingerprint and policy, by which the broker lets it in
 *                                (hub/plugin/principals.h); it may do everything
 *
 * While the authority is renewed, the former one signs them: there are boards that know no other.
 *
 * A pair is made again when it is missing, when another authority signed it, when this machine has
 * another name, and thirty days before it expires. */
#ifndef GENERATOR_LOCAL_CERTIFICATES_H
#define GENERATOR_LOCAL_CERTIFICATES_H

#include "common/base/error.h"
#include "common/spec/system.h"

#include <stdbool.h>
#include <time.h>

/* Makes each pair that is needed. system: the JSON of a checked system.yaml. *renewed: the broker
 * has a new certificate. */
enum status certificates_renew(const struct system *system, bool *renewed, struct error *error);

/* When the authorities that are trusted changed last: seconds since 1970; 0: there is none yet. Programs
 * read them when they start. */
time_t certificates_trust_changed(void);

#endif
