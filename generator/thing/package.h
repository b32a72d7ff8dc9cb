/* A thing's package: every file that its board needs, ready to be copied byte for byte.
 *
 * The folder sensortypes/<type>/sensors/<thing>/ (mode 0700, files 0600) holds
 *
 *   the platform's templates, rendered for the thing
 *   the modules of the drivers that the type uses
 *   the type's own code/                                  (all three compiled, where the platform
 *                                                         says so)
 *   cert.der, key.der   the thing's certificate and private key
 *   ca.der              the certificate that the endpoint's is checked against
 *   secret              what updates are authenticated with (record.h)
 *   manifest.json       {"thing": "kitchen", "type": ..., "platform": ...,
 *                        "format": 6,                     of what is compiled (compile.h); none
 *                                                         where all is source
 *                        "needs": ["umqtt.simple", ...],  MicroPython modules that the board's build
 *                                                         does not have
 *                        "files": [{"file": ..., "size": bytes, "sha256": lower-case hexadecimal},
 *                                  ...]}                  all files but this one, sorted
 *
 * A package appears whole or not at all: it is made in a folder beside its place, whose name begins
 * with a dot, and then renamed. */
#ifndef GENERATOR_THING_PACKAGE_H
#define GENERATOR_THING_PACKAGE_H

#include "common/spec/catalog.h"
#include "common/base/error.h"
#include "common/base/files.h"
#include "common/base/secret.h"
#include "generator/documents/emit.h"
#include "generator/documents/template_set.h"
#include "generator/pki/pki.h"
#include "generator/targets/target.h"
#include "compile.h"
#include "record.h"

#include <cjson/cJSON.h>
#include <openssl/evp.h>

#define PACKAGE_MANIFEST "manifest.json"

/* What all packages of a type share. */
struct package_plan {
    cJSON *model;                     /* of the type */
    const char *platform;             /* its name; belongs to the model */
    enum key_algorithm key_algorithm; /* of the platform's keys, and how its boards read them */
    enum key_encoding key_encoding;
    struct template_set *set;
    struct artifacts shared; /* driver modules, the type's code */
    struct compiler *compiler;
    int format;            /* of what it makes; boards must load this one */
    bool as_source;        /* nothing is compiled: for people who edit on the board */
    struct text authority; /* DER of the certificate that boards check the endpoint's against */
    char *host;            /* the endpoint: where boards connect */
    int port;
    /* A checksum of what the type gives its packages: templates as rendered for it, drivers, its own
     * code. Not of what is each thing's own (attributes, wifi, certificate), nor of the endpoint. */
    char version[RECORD_VERSION];
};

/* Makes the plan for the type of the model, which it takes over, also on failure. target: NULL for a
 * plan that is only asked for its version. */
enum status package_plan_make(const char *templates, const struct catalog *catalog,
                              struct target *target, cJSON *model, struct package_plan *plan,
                              struct error *error);
void package_plan_free(struct package_plan *plan);

/* The kind of key that the platform's boards have: "RSA-2048". */
const char *package_key_title(const struct package_plan *plan);

/* The folder of a thing's package; freed by the caller. */
char *package_folder(const char *type, const char *name);

struct package_size {
    size_t files, bytes; /* of all files */
};

/* Writes the package into the folder beside its place, with the key in the encoding that the platform
 * needs. The next step of the batch puts it into its place. *size: what was written. A record without
 * a secret is given one, so the caller stages the record in the same batch. */
enum status package_stage(const struct package_plan *plan, struct record *record, EVP_PKEY *key,
                          const X509 *certificate, struct batch *batch, struct package_size *size,
                          struct error *error);

/* Removes a package, and what a killed command left of one. */
enum status package_remove(const char *type, const char *name, struct error *error);

#endif
