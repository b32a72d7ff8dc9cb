/* Whether the broker can listen on a port of this machine. */
#ifndef GENERATOR_LOCAL_PORT_H
#define GENERATOR_LOCAL_PORT_H

#include "common/base/error.h"

/* REFUSED when it cannot. The message says which program or user listens there, if that can be
 * found out. */
enum status port_check(int port, struct error *error);

#endif
