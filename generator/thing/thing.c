/* What all commands on things share, and the steps of each command on the disk (make.c, rotate.c,
 * rebuild.c and delete.c perform them).
 *
 *   making     | record: making, serial
 *              | key.pem, cert.pem, package, record: active
 *
 *   rotating   | record: rotating, next_serial
 *              | next-key.pem, next-cert.pem
 *              | package, key.pem, cert.pem, record: serial = next_serial, the old one is "retired"
 *              | (the target revokes the old certificate)
 *              | next-key.pem and next-cert.pem removed, record: active
 *
 *   rebuilding | package, record
 *
 *   deleting   | record: deleting
 *              | (the target revokes all certificates)
 *              | package, keys, certificates, record and folder removed
 *
 * Each line that begins with a bar is one commit: everything above it is on the disk before anything
 * of it begins. Within a commit the renames happen in the order given. The record is last, so it
 * never names a file that is not there.
 *
 * On a remote target there are three more steps. The key is part of the first commit, because a
 * certificate is useless when its key was lost. What the target must find again is committed when it
 * is known (enrol_events: remember). The record becomes active in a commit of its own, after the
 * target has activated the certificate. */
#include "thing.h"
#include "common/base/memory.h"
#include "common/base/valid.h"

#include <stdlib.h>
#include <string.h>

static enum status not_found(const char *name, struct error *error)
{
    struct names *names = record_names();
    fail(error, WRONG_INPUT, "there is no thing \"%s\"", name);
    const char *nearest = nearest_word(name, names->at, names->count);
    if (nearest && strcmp(nearest, name) != 0)
        advise(error, "did you mean \"%s\"?", nearest);
    else if (nearest)
        advise(error, "a killed command left its folder; make delete name=%s removes it", name);
    else
        advise(error, "make list shows all things");
    names_free(names);
    return WRONG_INPUT;
}

enum status thing_absent(const char *name, struct error *error)
{
    struct record *record = NULL;
    enum status status = record_read(name, &record, error);
    if (!status && record && record->state == RECORD_ACTIVE)
        status = thing_exists(record, error);
    record_free(record);
    return status;
}

enum status thing_check_folder(const char *name, struct error *error)
{
    owned char *folder = record_folder(name);
    return valid_thing_name(name) && is_folder(folder) ? FINE : not_found(name, error);
}

enum status thing_present(const char *name, struct record **record, struct error *error)
{
    *record = NULL;
    enum status status = thing_check_folder(name, error);
    if (!status)
        status = record_read(name, record, error);
    return status || *record ? status : not_found(name, error);
}

enum status thing_exists(const struct record *record, struct error *error)
{
    char created[CLOCK_TEXT];
    record_time(record->created, created);
    fail(error, WRONG_INPUT, "%s exists already (%s, created %.10s by this machine)", record->name,
         record->type, created);
    advise(error, "a new key and certificate for it: make rotate name=%s", record->name);
    return advise(error, "another board of the same kind:  make create name=<another name>");
}

enum status thing_open(const char *name, int *lock, struct record **record, struct error *error)
{
    enum status status = thing_open_folder(name, lock, record, error);
    return status || *record ? status : not_found(name, error);
}

enum status thing_open_folder(const char *name, int *lock, struct record **record,
                              struct error *error)
{
    owned char *folder = record_folder(name);
    *lock = -1;
    *record = NULL;
    enum status status = thing_check_folder(name, error);
    if (!status)
        status = lock_folder(folder, false, lock, error);
    if (!status) {
        remove_temporaries(folder);
        status = record_read(name, record, error);
    }
    return status;
}

enum status thing_half_done(const struct record *record, struct error *error)
{
    static const struct {
        const char *done, *command;
    } states[] = {[RECORD_MAKING] = {"made", "create"},
                  [RECORD_ROTATING] = {"rotated", "rotate"},
                  [RECORD_DELETING] = {"deleted", "delete"}};
    fail(error, WRONG_INPUT, "%s is half-%s", record->name, states[record->state].done);
    return advise(error, "finish that first: make %s name=%s", states[record->state].command,
                  record->name);
}

enum status thing_check_name(const char *name, const char *where, struct error *error)
{
    if (valid_thing_name(name))
        return FINE;
    fail(error, WRONG_INPUT, "%s\"%s\" cannot be the name of a thing", where, name);
    return advise(error, "1 to 64 of letters, digits and : _ -");
}
