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
 *    "wifi": {"ssid": "Home", "password": "..."},
 *    "serial": "4F...",                  of the certificate, chosen before it is signed
 *    "next_serial": "A0...",             during a rotation
 *    "certificate": {"serial": ..., "fingerprint": ..., "not_before": ..., "not_after": ...}}
 *                                        once it is signed
 *
 * A thing is locked by locking its folder (lock_folder). */
#ifndef GENERATOR_THING_RECORD_H
#define GENERATOR_THING_RECORD_H

#include "common/spec/catalog.h"
#include "common/base/error.h"
#include "common/base/files.h"
#include "generator/pki/pki.h"

#include <cjson/cJSON.h>

#define THINGS_FOLDER "certificates"

/* certificates/<thing>, or a file in it; freed by the caller. */
char *record_folder(const char *name);
char *record_file(const char *name, const char *file);

/* What a thing shall be: takes over attributes ({"zone": "1"}, complete); copies the rest. */
cJSON *record_new(const char *name, const char *type, const char *target, cJSON *attributes,
                  const char *ssid, const char *password);

/* *record is NULL when the thing has none. The caller wipes it with json_wipe(). */
enum status record_read(const char *name, cJSON **record, struct error *error);

/* Stages the record as the next step of a batch. */
enum status record_stage(const cJSON *record, struct batch *batch, struct error *error);

/* Writes the record and waits for the disk. */
enum status record_write(const cJSON *record, struct error *error);

const char *record_state(const cJSON *record);

/* Adds "certificate" to the record. */
void record_put_certificate(cJSON *record, const struct certificate_facts *facts);

/* What a thing shall have from now on, where it is not NULL. */
struct changes {
    const cJSON *attributes; /* complete: {"zone": "1"} */
    const char *ssid, *password;
};

/* Puts what changes into the record. */
void record_change(cJSON *record, const struct changes *changes);

/* The record for others to see: without the wifi password. The caller deletes. */
cJSON *record_public(const cJSON *record);

/* The names of all folders of things, sorted; freed with names_free(). */
struct names *record_names(void);

#endif
