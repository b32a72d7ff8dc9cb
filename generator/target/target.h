/* Who makes the artifacts real. `local` is this machine: its own authority signs certificates, and
 * there is no account. Commands and the thing room see only this table of functions.
 *
 * Every function may be called again with the same arguments after a crash, and then finishes or
 * repeats its work. Errors are REFUSED unless stated. */
#ifndef GENERATOR_TARGET_TARGET_H
#define GENERATOR_TARGET_TARGET_H

#include "../../common/error.h"
#include "../../common/text.h"

#include <cjson/cJSON.h>

struct target {
    const char *name;
    void *state;

    /* Where boards connect: host belongs to the target. */
    enum status (*endpoint)(struct target *target, const char **host, int *port,
                            struct error *error);

    /* DER of the authority that signed the endpoint's certificate, for boards that check it. */
    enum status (*authority)(struct target *target, struct text *der, struct error *error);

    /* A certificate for a request that this process made (both DER). serial was recorded before the
     * call. */
    enum status (*certify)(struct target *target, const char *serial, const struct text *request,
                           struct text *certificate, struct error *error);

    /* Makes certificates worthless; those that are so already are no error. */
    enum status (*retire)(struct target *target, const char *const *serials, size_t count,
                          struct error *error);

    void (*close)(struct target *target);
};

/* The target that system (the JSON of a checked system.yaml) names. WRONG_INPUT when this program
 * does not have it. */
enum status target_open(const cJSON *system, struct target *target, struct error *error);

/* Releases what the target holds; {0} is fine. */
void target_close(struct target *target);

/* local.c */
enum status local_open(const cJSON *system, struct target *target, struct error *error);

#endif
