/* The connections of the simulated things: each over TLS with its own certificate, all in one loop of
 * one thread.
 *
 * Each thing publishes with QoS 1 when a reading is due, as long as fewer than WINDOW of its readings
 * are not acknowledged; then it waits, as a board does. When a connection breaks it is made again
 * after a pause that doubles with each failure, and libmosquitto sends again what was not
 * acknowledged. Only some connections are made at a time, because a broker handles one TLS handshake
 * after another, and its backlog of connections is short. */
#ifndef GENERATOR_SIMULATE_FLEET_H
#define GENERATOR_SIMULATE_FLEET_H

#include "common/base/error.h"
#include "common/base/report.h"
#include "world.h"

struct fleet_plan {
    int port;       /* of the broker on this machine */
    double seconds; /* 0: until SIGINT or SIGTERM */
    double speed;   /* things publish this many times as often as publish_every says */
    double rate;    /* readings a second, of all things together; 0: as publish_every says */
};

struct fleet_report {
    double seconds; /* that readings were published */
    uint64_t sent;  /* readings of all things; each kind has its own count too */
    uint64_t acknowledged;
    uint64_t commands; /* that changed something */
    uint64_t breaks;   /* connections that broke */
    size_t connected;  /* things, now */
    size_t most_connected;
    size_t never;      /* things that never got a connection */
    bool interrupted;  /* by a signal */
    char refusal[128]; /* why the broker refused a thing, the last time; "": it refused none */
};

/* Runs the things of the world until the plan's end. REFUSED when this machine does not let a program
 * have so many connections, or libmosquitto is missing. That the broker refuses things, or does not
 * acknowledge readings, is no error here: the report says so. */
enum status fleet_run(const struct reporter *reporter, struct world *world,
                      const struct fleet_plan *plan, struct fleet_report *report,
                      struct error *error);

#endif
