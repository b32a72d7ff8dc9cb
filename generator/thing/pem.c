#include "pem.h"

#include <string.h>

enum status pem_read_certificate(const char *path, const char *serial, X509 **certificate,
                                 struct error *error)
{
    struct certificate_facts facts;
    X509 *read = NULL;
    enum status status = certificate_read(path, &read, error);
    if (!status)
        status = certificate_describe(read, &facts, error);
    bool wanted = !status && strcmp(facts.serial, serial) == 0;
    *certificate = wanted ? read : NULL;
    if (!wanted)
        X509_free(read);
    return status;
}

enum status pem_find_key(enum key_algorithm algorithm, const char *path, EVP_PKEY **key,
                         struct error *error)
{
    return path_exists(path) ? key_read(path, key, error) : key_make(algorithm, key, error);
}

enum status pem_stage(struct batch *batch, const char *key_path, EVP_PKEY *key,
                      const char *certificate_path, const X509 *certificate, struct error *error)
{
    secret_owned struct secret key_pem = {0};
    struct text pem = {0};
    enum status status = key_to_pem(key, &key_pem, error);
    if (!status)
        status = batch_write(batch, key_path, key_pem.at, key_pem.length, FILE_SECRET, error);
    if (!status)
        status = certificate_to_pem(certificate, &pem, error);
    if (!status)
        status =
            batch_write(batch, certificate_path, text_string(&pem), pem.length, FILE_SECRET, error);
    text_free(&pem);
    return status;
}
