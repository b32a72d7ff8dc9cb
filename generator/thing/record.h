/* A thing on disk: certificates/<thing>/, a folder of mode 0700.
 *
 *   thing.json      the record (0600: it holds the wifi password, from which a package can be
 * rebuilt) key.pem         the private key (0600), PKCS#8 cert.pem        its certificate
 *   next-key.pem, next-cert.pem   while a rotation is under way
 *
 * The record:
 *   {"version": 1, "name": "kitchen", "type": "esp8266temp", "target": "local",
 *    "state": "making",                 making, active, rotating or deleting
 *    "created": "2026-11-21T10:12:00Z",
 *    "attributes": {"zone": "1"},
 *    "wifi": {"ssid": "Home", "password": "..."},
 *    "serial": "4F...",                 of the certificate; chosen before it is signed
 *    "next_serial": "A0...",            while rotating
 *    "certificate": {"serial": ..., "fingerprint": ..., "not_before": ..., "not_after": ...}} once
 * signed
 *
 * The lock of a thing is its folder's (lock_folder). */
#ifndef GENERATOR_THING_RECORD_H
#define GENERATOR_THING_RECORD_H

#include "common/spec/catalog.h"
#include "common/base/error.h"
#include "common/base/files.h"
#include "generator/pki/pki.h"

#include <cjson/cJSON.h>

#define THINGS_FOLDER "certificates"

/* certificates/<thing>, or a file in it; freed by the caller. */
char *thing_folder(const char *name);
char *thing_file(const char *name, const char *file);

/* *record is NULL when the thing has none. The caller wipes it with json_wipe(). */
enum status record_read(const char *name, cJSON **record, struct error *error);

/* Stages the record as the next step of a batch. */
enum status record_stage(const cJSON *record, struct batch *batch, struct error *error);

/* Writes the record and waits for the disk. */
enum status record_write(const cJSON *record, struct error *error);

const char *record_state(const cJSON *record);

/* Adds "certificate" to the record. */
void record_put_certificate(cJSON *record, const struct certificate_facts *facts);

/* "2026-11-21T10:12:00Z", UTC. */
void format_time(time_t when, char text[32]);

/* The record for others to see: without the wifi password. The caller deletes. */
cJSON *record_public(const cJSON *record);

/* The names of all folders of things, sorted; freed with names_free(). */
struct names *thing_names(void);

#endif
