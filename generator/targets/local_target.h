/* What the files of the local target share and nobody else needs. */
#ifndef GENERATOR_TARGETS_LOCAL_TARGET_H
#define GENERATOR_TARGETS_LOCAL_TARGET_H

#include "target.h"

/* The state of the target. */
struct local {
    struct authority authority; /* that signs; its key is NULL until it is needed, where there is
                                   none yet */
    struct authority former;    /* that signed before it and is trusted besides, during a renewal;
                                   otherwise {0} */
    char *system, *host;
    int port;
};

enum { AUTHORITY_YEARS = 20 };

/* Where the folder of an authority is made. What a kill left there has one that was replaced, or that was
 * never used. */
#define AUTHORITY_IN_MAKING INFRASTRUCTURE_FOLDER "/.authority"

/* What the certificate of an authority is called; freed by the caller. */
char *local_authority_name(const struct local *local);

/* Reads the authorities that are there, in the place of those that were read before. */
enum status local_load_authority(struct local *local, struct error *error);

/* Makes iot_system_infra/authority/ anew, with this authority, the former one ({0}: none) and this
 * revocation list; the folder is whole at any moment. The caller locks it, where it is there. */
enum status local_install_authority(const struct authority *authority,
                                    const struct authority *former, const struct text *list,
                                    struct error *error);

/* The list, which was read, signed by another authority. */
enum status local_resign_list(const struct authority *old, const struct authority *authority,
                              const struct text *old_list, struct text *list, struct error *error);

/* Reads the revocation list. With what to do where it cannot be read. */
enum status local_read_list(struct text *list, struct error *error);

/* Writes the copy of the list, where it differs. */
enum status local_copy_list(const struct text *list, struct error *error);

#endif
