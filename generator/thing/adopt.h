/* Things whose keys are on another machine. A target with a registry (target.h, look and list) knows
 * every thing of the project, whichever clone made it; a record of such a thing is made of what the
 * registry says. So delete, rotate and package need no record. */
#ifndef GENERATOR_THING_ADOPT_H
#define GENERATOR_THING_ADOPT_H

#include "generator/targets/registry.h"
#include "generator/targets/target.h"
#include "record.h"

/* The record of a thing as the target's registry has it, with `elsewhere` set, and not written; NULL
 * when it has no such thing. The target has a registry. Errors as adopt_find(). */
enum status adopt_look(struct target *target, const char *name, struct record **record,
                       struct error *error);

/* The record of a thing: the one on the disk; without one, made of what the target's registry says,
 * with `elsewhere` set, and not written. The caller frees it. WRONG_INPUT when there is no such thing,
 * or one that this program did not make, or of a type that the project does not have; else errors are
 * those of record_read() and look(). */
enum status adopt_find(struct target *target, const char *name, struct record **record,
                       struct error *error);

/* As thing_open(), but for a thing without a folder it makes the folder, and *record is that of
 * adopt_find(). The caller unlocks, and calls adopt_close() when nothing was written. */
enum status adopt_open(struct target *target, const char *name, int *lock, struct record **record,
                       struct error *error);

/* Removes the folder that adopt_open() made, if it is empty. */
void adopt_close(const char *name);

/* Looks at what the registry says of the thing of an active record. Certificates that were made for it
 * elsewhere become strays of the record. Where the thing was deleted and made again elsewhere, the
 * record becomes that of the new one. Attributes that were changed elsewhere are changed.
 * record->elsewhere: the certificate of the record is not the thing's any more. *there (may be NULL):
 * whether the registry has the thing; true where the target has no registry. */
enum status adopt_refresh(struct target *target, struct record *record, bool *there,
                          struct error *error);

/* The attributes that a refreshed record gets by changes whose attributes are not NULL; the caller
 * frees them. */
struct attributes adopt_attributes(const struct record *record, const struct changes *changes);

/* Whether the registry, as it was listed, is where the thing of the record is enrolled. */
bool adopt_is_listed(const struct record *record, const struct registry *registry);

/* The attributes of the record become those that the list of the registry has for this thing: another clone
 * may have changed them. Where it has no such thing, or another one of that name, they stay. */
void adopt_take_listed(struct record *record, const struct registry *registry);

/* The same with a thing that was looked at. */
void adopt_take_attributes(struct record *record, const struct registered_thing *thing);

/* What a list of the registry says as a record, without certificates; `elsewhere` is set. The caller
 * frees it. */
struct record *adopt_record(const struct registered_thing *thing, enum target_kind target);

#endif
