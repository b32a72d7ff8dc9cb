#include "package.h"
#include "common/base/calendar.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/paths.h"
#include "common/spec/spec.h"
#include "generator/documents/model.h"
#include "generator/pki/pki.h"

#include <stdlib.h>
#include <string.h>

const char *package_key_title(const struct package_plan *plan)
{
    return key_algorithm_title(plan->key_algorithm);
}

char *package_folder(const char *type, const char *name)
{
    return must_format(TYPE_PACKAGE, type, name);
}

/* Where a package is made. */
static char *temporary_folder(const char *type, const char *name)
{
    return must_format(TYPES_FOLDER "/%s/sensors/.%s", type, name);
}

/* --- the model of one thing --- */

/* The range of times that a board accepts from a time server: from one day before its package was
 * made (the clock of this machine may be fast) to the end of its certificate. */
static void put_times(cJSON *thing, const struct certificate_facts *certificate)
{
    json_put_number(thing, "made", (double)(time(NULL) - DAY));
    json_put_number(thing, "until", (double)certificate->not_after);
}

static cJSON *thing_part(const cJSON *type, const struct record *record,
                         const struct certificate_facts *certificate)
{
    cJSON *thing = json_object(), *attributes = json_array();
    owned char *topic = must_format("%s/%s", json_string(type, "name", ""), record->name);
    owned char *command_topic = must_format("%s/command", topic);
    for (size_t i = 0; i < record->attributes.count; i++) {
        const struct attribute *attribute = &record->attributes.at[i];
        cJSON *item = json_object();
        json_put_string(item, "name", attribute->name);
        json_put_string(item, "value", attribute->value);
        json_put_bool(item, "last", i + 1 == record->attributes.count);
        cJSON_AddItemToArray(attributes, item);
    }
    json_put_string(thing, "name", record->name);
    put_times(thing, certificate);
    json_put(thing, "attributes", attributes);
    json_put_string(thing, "topic", topic);
    json_put_string(thing, "command_topic", json_true(type, "commands") ? command_topic : NULL);
    return thing;
}

/* The type's model with this thing's parts beside it. It borrows the type's parts from the plan and
 * the wifi password from the record. */
static cJSON *model_of_thing(const struct package_plan *plan, const struct record *record,
                             const struct certificate_facts *certificate)
{
    cJSON *model = json_object(), *endpoint = json_object();
    for (cJSON *part = plan->model->child; part; part = part->next)
        cJSON_AddItemReferenceToObject(model, part->string, part);
    json_put_string(endpoint, "host", plan->host);
    json_put_number(endpoint, "port", plan->port);
    json_put(model, "thing", thing_part(json_get(plan->model, "type"), record, certificate));
    json_put(model, "wifi", wifi_json(&record->wifi));
    json_put(model, "endpoint", endpoint);
    return model;
}

/* --- the plan --- */

/* The files of each driver, without its driver.yaml, which is for the generator. */
static enum status add_drivers(const struct catalog *catalog, const cJSON *type,
                               struct artifacts *shared, struct error *error)
{
    const cJSON *module;
    enum status status = FINE;
    cJSON_ArrayForEach(module, json_get(type, "driver_modules"))
    {
        owned char *folder =
            must_format("%s/drivers/%s", catalog->folder, json_string(module, "name", ""));
        if (!status)
            status = template_set_add_folder(shared, folder, "driver.yaml", error);
    }
    return status;
}

static enum status add_endpoint(struct target *target, struct package_plan *plan,
                                struct error *error)
{
    const char *host = NULL;
    enum status status = target->endpoint(target, &host, &plan->port, error);
    if (!status)
        plan->host = must_copy(host);
    return status ? status : target->authority(target, &plan->authority, error);
}

/* The platform's schema has checked both words. */
static void choose_key(const cJSON *key, struct package_plan *plan)
{
    plan->key_algorithm = KEY_RSA_2048;
    plan->key_encoding = KEY_PKCS8;
    key_algorithm_named(json_string(key, "algorithm", ""), &plan->key_algorithm);
    key_encoding_named(json_string(key, "encoding", ""), &plan->key_encoding);
}

static void put_digest(struct text *all, const struct artifact *artifact)
{
    text_add_format(all, "%s %zu\n", artifact->path, artifact->bytes.length);
    text_add(all, text_string(&artifact->bytes), artifact->bytes.length);
}

/* Renders the type's templates for a thing that is the same for all: its name, its wifi, and the
 * endpoint say nothing of the type. */
static enum status render_sample(const struct package_plan *plan, struct artifacts *artifacts,
                                 struct error *error)
{
    static char thing[] = "thing", wifi[] = "wifi", password[] = "password", host[] = "host";
    const cJSON *type = json_get(plan->model, "type"), *attribute;
    const struct certificate_facts none = {0};
    struct package_plan sample = *plan;
    struct record record = {.name = thing, .wifi = {wifi, {password, sizeof password - 1}}};
    sample.host = host;
    sample.port = 8883;
    cJSON_ArrayForEach(attribute, json_get(type, "attributes"))
        attributes_put(&record.attributes, json_string(attribute, "name", ""), "1");
    cJSON *model = model_of_thing(&sample, &record, &none);
    json_put_number(json_get(model, "thing"), "made", 0);
    enum status status = template_set_render(plan->set, model, "", artifacts, error);
    cJSON_Delete(model);
    attributes_free(&record.attributes);
    return status;
}

static enum status find_version(struct package_plan *plan, struct error *error)
{
    struct artifacts rendered = {0};
    struct text all = {0};
    char hexadecimal[65] = "";
    enum status status = render_sample(plan, &rendered, error);
    artifacts_sort(&rendered);
    text_add_format(&all, "format %d\n", plan->format);
    for (size_t i = 0; i < rendered.count; i++)
        put_digest(&all, &rendered.at[i]);
    for (size_t i = 0; i < plan->shared.count; i++)
        put_digest(&all, &plan->shared.at[i]);
    if (!status)
        status = openssl_sha256(text_string(&all), all.length, hexadecimal, error);
    memcpy(plan->version, hexadecimal, sizeof plan->version - 1);
    text_free(&all);
    artifacts_free(&rendered);
    return status;
}

enum status package_plan_make(const char *templates, const struct catalog *catalog,
                              struct target *target, cJSON *model, struct package_plan *plan,
                              struct error *error)
{
    const cJSON *type = json_get(model, "type");
    *plan = (struct package_plan){.model = model, .platform = json_string(type, "platform", "")};
    const cJSON *platform = catalog_platform(catalog, plan->platform);
    const char *base = json_string(platform, "extends", NULL);
    owned char *set = must_format("firmware/%s", plan->platform);
    owned char *base_set = base ? must_format("firmware/%s", base) : NULL;
    owned char *code = must_format(TYPE_CODE, json_string(type, "name", ""));
    choose_key(json_get(platform, "key"), plan);
    plan->compiler = compiler_make(templates, json_get(platform, "compile"));
    plan->format = (int)json_number(json_get(platform, "compile"), "format", 0);
    enum status status = template_set_load(templates, set, base_set, "thing", &plan->set, error);
    if (!status)
        status = add_drivers(catalog, type, &plan->shared, error);
    if (!status) /* without documentation, which no board reads */
        status = template_set_add_folder(&plan->shared, code, ".md", error);
    if (!status)
        status = find_version(plan, error);
    return status || !target ? status : add_endpoint(target, plan, error);
}

void package_plan_free(struct package_plan *plan)
{
    cJSON_Delete(plan->model);
    template_set_free(plan->set);
    artifacts_free(&plan->shared);
    compiler_free(plan->compiler);
    text_free(&plan->authority);
    free(plan->host);
    *plan = (struct package_plan){0};
}

/* --- the files --- */

static void put_copy(struct artifacts *artifacts, const char *path, const char *bytes,
                     size_t length)
{
    struct text copy = {.secret = true}; /* one of them is the key */
    text_add(&copy, bytes, length);
    artifacts_put(artifacts, path, &copy);
}

static enum status put_manifest(struct artifacts *artifacts, const struct package_plan *plan,
                                const struct record *record, bool compiled, struct error *error)
{
    cJSON *manifest = json_object(), *files = json_array(), *needs = json_array();
    const cJSON *module;
    cJSON_ArrayForEach(module, json_get(json_get(plan->model, "type"), "needs"))
    {
        cJSON_AddItemToArray(needs, cJSON_CreateString(json_string(module, "name", "")));
    }
    enum status status = FINE;
    for (size_t i = 0; i < artifacts->count && !status; i++) {
        const struct artifact *artifact = &artifacts->at[i];
        char hexadecimal[65] = "";
        status = openssl_sha256(text_string(&artifact->bytes), artifact->bytes.length, hexadecimal,
                                error);
        cJSON *file = json_object();
        json_put_string(file, "file", artifact->path);
        json_put_number(file, "size", (double)artifact->bytes.length);
        json_put_string(file, "sha256", hexadecimal);
        cJSON_AddItemToArray(files, file);
    }
    json_put_string(manifest, "thing", record->name);
    json_put_string(manifest, "type", record->type);
    json_put_string(manifest, "platform", plan->platform);
    if (compiled)
        json_put_number(manifest, "format", plan->format);
    json_put(manifest, "needs", needs);
    json_put(manifest, "files", files);
    struct text bytes = {0};
    json_compact(manifest, &bytes); /* it is copied to the board, where space is short */
    artifacts_put(artifacts, PACKAGE_MANIFEST, &bytes);
    cJSON_Delete(manifest);
    return status;
}

/* The rendered templates are first, so that a file of the type's own code replaces one of them. */
static enum status collect(const struct package_plan *plan, const struct record *record,
                           const X509 *certificate, const struct secret *key,
                           struct artifacts *artifacts, struct error *error)
{
    struct certificate_facts facts;
    struct text certificate_der = {0};
    enum status status = certificate_describe(certificate, &facts, error);
    if (!status)
        status = certificate_to_der(certificate, &certificate_der, error);
    if (status)
        return status;
    cJSON *model = model_of_thing(plan, record, &facts);
    status = template_set_render(plan->set, model, "", artifacts, error);
    cJSON_Delete(model);
    for (size_t i = 0; i < plan->shared.count && !status; i++)
        put_copy(artifacts, plan->shared.at[i].path, plan->shared.at[i].bytes.at,
                 plan->shared.at[i].bytes.length);
    bool compiled = false;
    if (!status && !plan->as_source)
        status = compiler_run(plan->compiler, artifacts, &compiled, error);
    artifacts_put(artifacts, "cert.der", &certificate_der);
    put_copy(artifacts, "key.der", key->at, key->length);
    put_copy(artifacts, "ca.der", plan->authority.at, plan->authority.length);
    put_copy(artifacts, "secret", record->secret.at, record->secret.length);
    artifacts_sort(artifacts);
    return status ? status : put_manifest(artifacts, plan, record, compiled, error);
}

static enum status write_package(const struct artifacts *artifacts, const char *folder,
                                 struct batch *batch, struct package_size *size,
                                 struct error *error)
{
    enum status status = FINE;
    for (size_t i = 0; i < artifacts->count && !status; i++) {
        const struct artifact *artifact = &artifacts->at[i];
        owned char *path = path_join(folder, artifact->path);
        if (strchr(artifact->path, '/')) {
            owned char *above = path_folder(path);
            status = make_folders(above, FOLDER_SECRET, error);
        }
        if (!status)
            status = batch_write_new(batch, path, text_string(&artifact->bytes),
                                     artifact->bytes.length, FILE_SECRET, error);
        size->files++;
        size->bytes += artifact->bytes.length;
    }
    return status;
}

enum status package_stage(const struct package_plan *plan, struct record *record, EVP_PKEY *key,
                          const X509 *certificate, struct batch *batch, struct package_size *size,
                          struct error *error)
{
    owned char *folder = package_folder(record->type, record->name);
    owned char *making = temporary_folder(record->type, record->name);
    secret_owned struct secret key_der = {0};
    struct artifacts artifacts = {0};
    *size = (struct package_size){0};
    enum status status = record_give_secret(record, error);
    if (!status)
        status = key_to_der(key, plan->key_encoding, &key_der, error);
    if (!status)
        status = remove_tree(making, error);
    if (!status)
        status = make_folders(making, FOLDER_SECRET, error);
    if (!status)
        status = collect(plan, record, certificate, &key_der, &artifacts, error);
    if (!status)
        status = write_package(&artifacts, making, batch, size, error);
    if (!status) {
        record_note_built(record, plan->version,
                          json_get(json_get(plan->model, "type"), "measures"));
        batch_replace_folder(batch, making, folder);
    }
    artifacts_free(&artifacts);
    return status;
}

enum status package_remove(const char *type, const char *name, struct error *error)
{
    owned char *folder = package_folder(type, name), *making = temporary_folder(type, name);
    enum status status = remove_tree(folder, error);
    return status ? status : remove_tree(making, error);
}
