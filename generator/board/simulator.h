/* A board that is not there: runs a thing's package on MicroPython's unix port, with simulated pins
 * and sensors, against the endpoint that the package names.
 *
 * simulator/power_on.py is one run of the board, from a reset to the next sleep or reset; its exit
 * code says how the run ended. The board's flash, and what it keeps over a reset, is in a temporary
 * folder, with the world around it in world.json (simulator/modules/_world.py describes it). The
 * package itself is only read. */
#ifndef GENERATOR_BOARD_SIMULATOR_H
#define GENERATOR_BOARD_SIMULATOR_H

#include "generator/project/project.h"
#include "readings.h"
#include "generator/thing/record.h"

#include <stdbool.h>

struct simulator {
    /* Set by the caller: */
    long most_cycles;         /* after which it stops; 0: no end */
    long seconds;             /* of the board's time, after which it stops; 0: no end */
    bool fast;                /* sleep is 20 times shorter, and deep sleep is skipped */
    bool verbose;             /* the simulator tells more, */
    bool quiet;               /* or only what goes wrong */
    struct readings readings; /* with its listener, which is told as things happen */

    /* A cycle is one reading, with the pause after it. The board resets in between when it sleeps
     * deeply, and whenever its firmware does so. */
    long resets;  /* without a deep sleep in between */
    bool cut_off; /* it ended in the middle of a cycle: --seconds, or Ctrl-C */

    /* With fast, the board's clock starts so far in the past that it does not get ahead of this
     * machine's: the rules take no readings from the future. The rules do not take old ones
     * either, which limits it. Once the board's clock has caught up, a sleep takes its full time. */
    int64_t back_seconds, wanted_back_seconds; /* set by simulator_open(); 0 without fast.
                                                  wanted: without that limit; 0: no end */

    char *interpreter; /* MicroPython, or the script that fetches it */
    char *power_on;    /* the simulator's main program */
    char *package;     /* folder; these three paths are absolute */
    char *folder;      /* temporary; NULL until simulator_open() has made it */
};

/* Makes the board: its flash with the package, and its world. REFUSED when the simulator or
 * MicroPython is missing; WRONG_INPUT when the thing has no package. The caller closes, also after
 * a failure. */
enum status simulator_open(struct simulator *simulator, struct project *project,
                           const struct record *record, struct error *error);

/* Runs cycles until the end, or until Ctrl-C (subprocess.h). REFUSED when the firmware ends by
 * itself, or resets the board again and again. */
enum status simulator_run(struct simulator *simulator, struct error *error);

/* Removes the temporary folder. */
void simulator_close(struct simulator *simulator);

#endif
