/* Who listens on a port of this machine. */
#ifndef GENERATOR_LOCAL_PORT_H
#define GENERATOR_LOCAL_PORT_H

#include "common/base/error.h"

/* REFUSED, with by whom as far as that can be told, when nobody can listen there now. */
enum status port_check(int port, struct error *error);

#endif
