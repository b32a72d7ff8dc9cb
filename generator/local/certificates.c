#include "certificates.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/valid.h"
#include "common/base/paths.h"
#include "generator/pki/pki.h"
#include "generator/targets/target.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    YEARS = 10,                 /* of validity, like a thing's certificate */
    MARGIN = 30 * 24 * 60 * 60, /* seconds: a certificate that expires within them is made again */
    LONGEST_HOST = 253,
    MOST_NAMES = 5,
    LARGEST_IDENTITY = 1 << 16 /* bytes */
};

struct pair {
    const char *key_file, *certificate_file;
    const char *unit, *name;       /* of the subject; no type can have the name of a unit */
    const char *names[MOST_NAMES]; /* of the server; a client has none */
    size_t name_count;
};

/* --- the names of this machine --- */

/* Adds the host name, unless a certificate cannot hold it or the pair has it already. */
static void add_host_name(struct pair *pair, char host[LONGEST_HOST + 1])
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
    if (gethostname(host, LONGEST_HOST) || !*host || strspn(host, letters) != strlen(host))
        return;
    for (size_t i = 0; i < pair->name_count; i++)
        if (strcmp(pair->names[i], host) == 0)
            return;
    pair->names[pair->name_count++] = host;
}

static void add_names(struct pair *pair, const char *host, char own[LONGEST_HOST + 1])
{
    static const char *const always[] = {"localhost", "127.0.0.1", "::1"};
    pair->names[pair->name_count++] = host;
    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        if (strcmp(always[i], host) != 0)
            pair->names[pair->name_count++] = always[i];
    add_host_name(pair, own);
}

/* --- one pair --- */

static bool fits(const struct authority *authority, const struct pair *pair)
{
    X509 *certificate = NULL;
    struct error none = {0};
    EVP_PKEY *key = NULL;
    bool fit = key_read(pair->key_file, &key, &none) == FINE &&
               certificate_read(pair->certificate_file, &certificate, &none) == FINE &&
               server_fits(authority, certificate, key, pair->names, pair->name_count, MARGIN);
    EVP_PKEY_free(key);
    X509_free(certificate);
    error_free(&none);
    return fit;
}

static enum status sign(const struct authority *authority, const struct pair *pair, EVP_PKEY *key,
                        X509 **certificate, struct error *error)
{
    char serial[SERIAL_TEXT];
    const struct certificate_subject subject = {.key = key, .unit = pair->unit, .name = pair->name};
    enum status status = serial_make(serial, error);
    if (status)
        return status;
    return pair->name_count
               ? authority_sign_server(authority, &subject, serial, YEARS, pair->names,
                                       pair->name_count, certificate, error)
               : authority_sign(authority, &subject, serial, YEARS, certificate, error);
}

static enum status write_pair(const struct pair *pair, EVP_PKEY *key, const X509 *certificate,
                              struct error *error)
{
    secret_owned struct secret key_pem = {0};
    struct text pem = {0};
    struct batch batch = {0};
    enum status status = key_to_pem(key, &key_pem, error);
    if (!status)
        status = certificate_to_pem(certificate, &pem, error);
    if (!status)
        status =
            batch_write(&batch, pair->key_file, key_pem.at, key_pem.length, FILE_SECRET, error);
    if (!status)
        status = batch_write(&batch, pair->certificate_file, text_string(&pem), pem.length,
                             FILE_PUBLIC, error);
    if (!status)
        status = batch_commit(&batch, error);
    batch_drop(&batch);
    text_free(&pem);
    return status;
}

/* A kill between the renames of the two files leaves a key and a certificate that do not match.
 * fits() finds that, and both are made again. */
static enum status make_pair(const struct authority *authority, const struct pair *pair,
                             struct error *error)
{
    EVP_PKEY *key = NULL;
    X509 *certificate = NULL;
    enum status status = key_make(KEY_RSA_2048, &key, error);
    if (!status)
        status = sign(authority, pair, key, &certificate, error);
    if (!status)
        status = write_pair(pair, key, certificate, error);
    EVP_PKEY_free(key);
    X509_free(certificate);
    return status;
}

/* --- whom the broker lets in --- */

static enum status describe_identity(const struct pair *pair, const char *policy,
                                     struct text *bytes, struct error *error)
{
    struct certificate_facts facts;
    X509 *certificate = NULL;
    enum status status = certificate_read(pair->certificate_file, &certificate, error);
    if (!status)
        status = certificate_describe(certificate, &facts, error);
    X509_free(certificate);
    if (status)
        return status;
    cJSON *json = json_object();
    json_put_string(json, "fingerprint", facts.fingerprint);
    json_put_string(json, "policyDocument", policy);
    json_layout(json, bytes);
    cJSON_Delete(json);
    return FINE;
}

/* The broker lets a program of the system in by this file. */
static enum status write_identity(const struct pair *pair, const char *policy, struct error *error)
{
    struct text wanted = {0}, there = {0};
    struct error none = {0};
    owned char *path = must_format(IDENTITY_FILE, pair->name);
    enum status status = describe_identity(pair, policy, &wanted, error);
    if (!status)
        status = make_folders(IDENTITIES_FOLDER, FOLDER_SECRET, error);
    if (!status && (read_file(path, LARGEST_IDENTITY, &there, &none) ||
                    strcmp(text_string(&there), text_string(&wanted)) != 0))
        status = write_file(path, text_string(&wanted), wanted.length, FILE_PUBLIC, error);
    text_free(&wanted);
    text_free(&there);
    error_free(&none);
    return status;
}

/* --- both --- */

static const char everything[] =
    "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"Everything\",\"Effect\":\"Allow\","
    "\"Action\":\"iot:*\",\"Resource\":\"*\"}]}";

enum status certificates_renew(const struct system *system, bool *renewed, struct error *error)
{
    char own_name[LONGEST_HOST + 1] = "";
    struct pair broker = {.key_file = BROKER_KEY,
                          .certificate_file = BROKER_CERTIFICATE,
                          .unit = "sensorforge-broker",
                          .name = system->name};
    const struct pair hub = {.key_file = HUB_KEY,
                             .certificate_file = HUB_CERTIFICATE,
                             .unit = SERVICE_UNIT,
                             .name = "sensorhub"};
    struct target target = {0};
    const struct authority *authority = NULL;
    add_names(&broker, system->local.host, own_name);
    enum status status = local_open(system, NULL, &target, error);
    if (!status)
        status = local_serving_authority(&target, &authority, error);
    *renewed = !status && !fits(authority, &broker);
    if (*renewed)
        status = make_pair(authority, &broker, error);
    if (!status && !fits(authority, &hub))
        status = make_pair(authority, &hub, error);
    if (!status)
        status = write_identity(&hub, everything, error);
    target_close(&target);
    return status;
}

time_t certificates_trust_changed(void)
{
    struct stat facts;
    return stat(AUTHORITY_CERTIFICATE, &facts) == 0 ? facts.st_mtime : 0;
}
