/* A thing's package: every file that its board needs, byte for byte ready to copy.
 *
 * sensortypes/<type>/sensors/<thing>/ (0700, files 0600) holds the platform's templates rendered
 * for the thing, the modules of the drivers that it uses, the type's own code/, cert.der, key.der,
 * ca.der, and manifest.json: {"thing": ..., "type": ..., "platform": ..., "needs": ["umqtt.simple",
 * ...], "files": [{"file": ..., "size": bytes, "sha256": lower-case hexadecimal}, ...]}. needs: the
 * MicroPython modules that the board's build does not carry; files: all but itself, sorted. A
 * package appears whole or not at all: it is made in a folder beside, whose name begins with a dot.
 */
#ifndef GENERATOR_THING_PACKAGE_H
#define GENERATOR_THING_PACKAGE_H

#include "common/spec/catalog.h"
#include "common/base/error.h"
#include "common/base/files.h"
#include "common/base/secret.h"
#include "generator/documents/emit.h"
#include "generator/pki/pki.h"
#include "generator/targets/target.h"
#include "record.h"

#include <cjson/cJSON.h>
#include <openssl/evp.h>

/* What all packages of a type share. */
struct package_plan {
    cJSON *model;                     /* of the type */
    const char *platform;             /* its name; belongs to the model */
    enum key_algorithm key_algorithm; /* of the platform's keys, and how its boards read them */
    enum key_encoding key_encoding;
    struct template_set *set;
    struct artifacts shared; /* driver modules, the type's code */
    struct text authority;   /* DER of the certificate that boards check the endpoint's against */
    char *host;              /* the endpoint: where boards connect */
    int port;
};

/* Prepares for the type of model, which the plan takes over (also on failure). */
enum status package_plan_make(const char *templates, const struct catalog *catalog,
                              struct target *target, cJSON *model, struct package_plan *plan,
                              struct error *error);
void package_plan_free(struct package_plan *plan);

/* The kind of key that the platform's boards have: "RSA-2048". */
const char *package_key_title(const struct package_plan *plan);

/* The folder of a thing's package; freed by the caller. */
char *package_folder(const char *type, const char *name);

struct package_size {
    size_t files, bytes;
};

/* Writes the package into its folder beside, with the key in the encoding that the platform needs,
 * and stages the putting in place as the batch's next step. */
enum status package_stage(const struct package_plan *plan, const struct record *record,
                          EVP_PKEY *key, const X509 *certificate, struct batch *batch,
                          struct package_size *size, struct error *error);

/* Removes a package, and what a killed command left of one. */
enum status package_remove(const char *type, const char *name, struct error *error);

#endif
