/* The connections of the simulated things: each over TLS with its own certificate, all in one loop.
 *
 * Each thing publishes with QoS 1 when it is due, as long as fewer than a window of its readings
 * are without acknowledgement: it then waits, as a board does. What was sent and not acknowledged
 * when a connection broke is sent again by libmosquitto when it is there again. Handshakes are
 * limited to some at a time: a broker does one after another, and its queue of connections is
 * short.
 */
#ifndef GENERATOR_SIMULATE_FLEET_H
#define GENERATOR_SIMULATE_FLEET_H

#include "common/base/error.h"
#include "common/base/report.h"
#include "world.h"

struct fleet_plan {
    int port;
    double seconds; /* 0: until SIGINT or SIGTERM */
    double speed;   /* publish_every goes by this much faster */
    double rate;    /* readings a second, of all together; 0: as publish_every says */
};

struct fleet_report {
    double seconds;
    uint64_t sent, acknowledged;             /* of all things; each kind has its own too */
    uint64_t commands;                       /* obeyed */
    uint64_t breaks;                         /* connections that broke */
    size_t connected, most_connected, never; /* now, at best, things that never got in */
    bool interrupted;
    char refusal[128]; /* of the last thing that the broker would not have; "" for none */
};

/* REFUSED when this machine does not let a program have so many connections. That things are
 * refused, or readings not acknowledged, is in the report. */
enum status fleet_run(const struct reporter *reporter, struct world *world,
                      const struct fleet_plan *plan, struct fleet_report *report,
                      struct error *error);

#endif
