/* A thing on disk: its folder certificates/<thing>/ (mode 0700) and the record in it.
 *
 *   thing.json      the record (mode 0600: it holds the wifi password, because a package is rebuilt
 *                   from the record alone)
 *   key.pem         the private key (0600), PKCS#8
 *   cert.pem        its certificate
 *   next-key.pem    the next key and its certificate, during a rotation
 *   next-cert.pem
 *
 * The record:
 *
 *   {"version": 1,
 *    "name": "kitchen",
 *    "type": "esp8266temp",
 *    "target": "local",                  where it was made: local or aws
 *    "state": "making",                  making, active, rotating or deleting
 *    "created": "2026-11-21T10:12:00Z",  when the record was first written, UTC
 *    "attributes": {"zone": "1"},
 *    "wifi": {"ssid": "Home", "password": "..."},   and "ssid_base64", of a name that is not UTF-8
 *    "secret": "9b3c...",                64 hexadecimal digits: what updates of its firmware are
 *                                        authenticated with; records of before have none until
 *                                        their next package
 *    "claim": "4F...@2026-...",          remote targets: see struct record
 *    "built": {"version": "9f86d081884c7d65", "measures": ["temperature"]},
 *                                        what its package was made of (package_plan.version), and
 *                                        which measures its board sends; records of before have
 *                                        none until their next package
 *    "serial": "4F...",                  the mark of the certificate, chosen before it is signed
 *    "registration": {...},              remote targets: struct registration
 *    "next_serial", "next_registration"  during a rotation: the same of the next certificate
 *    "strays": [{...}],                  remote targets, while a thing is rotated or deleted: further
 *                                        certificates of it, which were made elsewhere
 *    "retired_mark", "retired_registration", "retired"
 *                                        during a rotation: the same of the old certificate, and its
 *                                        serial number
 *    "certificate": {"serial": "4F...", "fingerprint": "...",
 *                    "not_before": "2026-...", "not_after": "2036-..."}}
 *                                        once it is signed
 *
 * Members that this version does not know are kept: they are written back where they were. A record
 * of a later version, or of a target that this version does not have, is not read at all.
 *
 * A thing is locked by locking its folder (lock_folder). */
#ifndef GENERATOR_THING_RECORD_H
#define GENERATOR_THING_RECORD_H

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/files.h"
#include "common/base/names.h"
#include "common/base/paths.h"
#include "common/base/record_state.h"
#include "common/spec/catalog.h"
#include "generator/pki/pki.h"
#include "generator/targets/attributes.h"
#include "generator/targets/registration.h"
#include "generator/targets/target.h"
#include "wifi.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <time.h>

/* How one certificate of a thing is asked for. It is recorded before the target is asked, so that
 * the certificate can be found again, or revoked, after a kill. */
struct issuance {
    /* Random. On the local target it is the certificate's serial number, on a remote one it stands in
     * the certificate's subject. NULL: no certificate. */
    char *mark;
    struct registration *registration; /* NULL on the local target */
};

enum { RECORD_VERSION = 17 }; /* hexadecimal digits of a version, with the NUL */

/* What the package of a thing was made of. */
struct built {
    char version[RECORD_VERSION]; /* "": not known */
    cJSON *measures;              /* names, a list; NULL: not known */
};

struct record {
    char *name, *type; /* of the thing */
    enum target_kind target;
    enum record_state state;
    time_t created; /* when it was first written; 0: not known */
    struct attributes attributes;
    struct wifi wifi;
    struct secret secret; /* as in the file; .at is NULL until the record is given one */
    struct built built;
    /* Remote targets: random. The thing in the account has it too, so that it is not confused with
     * somebody else's thing of the same name. */
    char *claim;
    struct issuance current; /* of the certificate that the thing has, or is to get */
    struct issuance next;    /* during a rotation; its mark stays until the rotation is finished */
    struct issuance retired; /* during a rotation, once the next certificate has taken over */
    char *retired_serial;    /* of the certificate that is to be revoked; NULL: none */
    struct registration *
        *strays; /* of further certificates that are to be revoked: made elsewhere */
    size_t stray_count, stray_room;
    struct certificate_facts certificate; /* serial is "" until the first one is signed */
    bool elsewhere; /* not in the file: the key of the thing is not on this machine */
    cJSON *others;  /* members that this version does not know, in the shape of the file */
};

/* Records, sorted by name. */
struct records {
    struct record **at;
    size_t count, room;
};

/* Adds a record, which the records take over; records_sort() must follow the last one. */
void records_add(struct records *records, struct record *record);
void records_sort(struct records *records);
struct record *records_find(const struct records *records, const char *name); /* NULL: none */
void records_free(struct records *records);

/* What shall change of a thing; what is NULL stays. */
struct changes {
    const struct attributes *attributes; /* all of them */
    const struct attributes *set; /* those of them that were asked for: of the others the target's
                                     registry knows better; NULL: all were */
    const char *ssid;
    const struct secret *password;
};

/* certificates/<thing>, or a file in it (THING_KEY and the others of paths.h); freed by the caller. */
char *record_folder(const char *name);
char *record_file(const char *name, const char *file);

/* The names of all folders of things, sorted; freed with names_free(). */
struct names *record_names(void);

/* The record of a new thing, in the state RECORD_MAKING. Takes over the attributes and copies the
 * rest. The caller frees it. */
struct record *record_new(const char *name, const char *type, enum target_kind target,
                          struct attributes *attributes, const struct wifi *wifi);

/* Gives the record a secret if it has none. It is in the file once the record is written. */
enum status record_give_secret(struct record *record, struct error *error);

/* Notes what the package was made of. measures: of the model. */
void record_note_built(struct record *record, const char *version, const cJSON *measures);

/* Overwrites what is secret, and frees the record; NULL is fine. */
void record_free(struct record *record);

/* Reads the record of a thing; *record is NULL when it has none. The caller frees it. WRONG_INPUT,
 * with what is wrong, when the file is damaged; REFUSED when it needs a later version of this
 * program. */
enum status record_read(const char *name, struct record **record, struct error *error);

/* Stages the record as the next step of a batch. */
enum status record_stage(const struct record *record, struct batch *batch, struct error *error);

/* Writes the record and waits until it is on the disk. */
enum status record_write(const struct record *record, struct error *error);

/* The record for others to see: as in the file, without the wifi password. The caller deletes it. */
cJSON *record_json(const struct record *record);

/* "2026-11-21T10:12:00Z"; "" for 0, which is a time that is not known. */
void record_time(time_t when, char text[CLOCK_TEXT]);

/* What the certificate is worth at a time. It ends soon in its last 30 days. */
enum certificate_validity {
    CERTIFICATE_VALID,
    CERTIFICATE_NOT_YET_VALID,
    CERTIFICATE_ENDS_SOON,
    CERTIFICATE_ENDED
};
enum certificate_validity record_validity(const struct record *record, time_t now);

/* Whether the certificate is signed. */
bool record_has_certificate(const struct record *record);

/* Takes from the record of a thing that is half-made what its target may know already: marks, claim,
 * registration, and when it was begun. */
void record_resume(struct record *record, struct record *half_made);

/* Takes over copies of the changes. */
void record_change(struct record *record, const struct changes *changes);

/* The next certificate becomes the current one, the current one is retired. */
void record_promote(struct record *record, const struct certificate_facts *next);

/* Whether a rotation has come as far as record_promote(). */
bool record_promoted(const struct record *record);

/* Adds a certificate that is to be revoked with the others. Takes over the registration. */
void record_add_stray(struct record *record, struct registration *stray);

/* Forgets the retired certificate and the strays: the rotation is finished. */
void record_end_rotation(struct record *record);

#endif
