#include "rights.h"
#include "common/base/hex.h"
#include "common/base/paths.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/memory.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { LARGEST_FILE = 64 << 20 };

/* What changes when a file is replaced or written. */
struct version {
    bool there;
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed;
};

struct type_rights {
    char *type; /* its name */
    char *mark; /* path of deployed.json, which shows that the type is deployed */
    char *path; /* of the policy document */
    struct version mark_version, version; /* of the two files when they were read */
    struct policy *policy; /* NULL: the type is not deployed, or its document never was right */
    char *arn;             /* the beginning of the ARNs in the document, up to the account */
    struct type_rights *next;
};

struct rights {
    char *project;   /* its folder */
    char *list_path; /* of the list of revoked certificates */
    struct type_rights *types;
    struct version list_version;
    char **revoked; /* serial numbers, sorted */
    size_t revoked_count;
    bool list_known; /* the list was read once */
    bool changed;    /* since rights_changed() was called last */
};

/* --- files --- */

static struct version look(const char *path)
{
    struct stat facts;
    if (stat(path, &facts))
        return (struct version){0};
    return (struct version){true, facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtim};
}

static bool same(const struct version *one, const struct version *other)
{
    return one->there == other->there && one->device == other->device &&
           one->inode == other->inode && one->size == other->size &&
           one->changed.tv_sec == other->changed.tv_sec &&
           one->changed.tv_nsec == other->changed.tv_nsec;
}

static void complain(void (*say)(const char *line), struct error *error)
{
    owned char *line = must_format("sensorforge: %s", text_string(&error->message));
    say(line);
    error_free(error);
}

/* --- policies --- */

/* The beginning of the document's first resource: "arn:aws:iot:eu-west-1:000000000000:". */
static char *arn_of(const cJSON *document)
{
    const cJSON *statement = cJSON_GetArrayItem(json_get(document, "Statement"), 0);
    const cJSON *resource = json_get(statement, "Resource");
    const char *arn = cJSON_GetStringValue(cJSON_IsArray(resource) ? resource->child : resource);
    const char *end = arn;
    for (int i = 0; end && i < 5; i++) {
        end = strchr(end, ':');
        end = end ? end + 1 : NULL;
    }
    return end ? must_copy_bytes(arn, (size_t)(end - arn)) : must_copy("arn:aws:iot:");
}

/* The file is the input of CreatePolicy; the document is a string in it. */
static enum status read_policy(struct type_rights *type, struct error *error)
{
    cJSON *input = NULL, *document = NULL;
    struct policy *policy = NULL;
    enum status status = json_read(type->path, LARGEST_FILE, &input, error);
    const char *text = status ? "" : json_string(input, "policyDocument", "");
    if (!status)
        status = policy_compile(type->path, text, strlen(text), &policy, error);
    if (!status)
        status = json_parse(type->path, text, strlen(text), &document, error);
    if (!status) {
        policy_free(type->policy);
        free(type->arn);
        type->policy = policy;
        type->arn = arn_of(document);
    } else {
        policy_free(policy);
    }
    cJSON_Delete(document);
    cJSON_Delete(input);
    return status;
}

static void refresh_type(struct rights *rights, struct type_rights *type,
                         void (*say)(const char *line))
{
    struct version mark = look(type->mark), version = look(type->path);
    if (same(&mark, &type->mark_version) && same(&version, &type->version))
        return;
    rights->changed = true;
    struct error error = {0};
    type->mark_version = mark;
    type->version = version;
    if (!mark.there) {
        policy_free(type->policy);
        type->policy = NULL;
    } else if (read_policy(type, &error)) {
        complain(say, &error);
    }
}

static struct type_rights *find_type(const struct rights *rights, const char *name)
{
    struct type_rights *type = rights->types;
    while (type && strcmp(type->type, name) != 0)
        type = type->next;
    return type;
}

bool rights_know(struct rights *rights, const char *name, void (*say)(const char *line))
{
    struct type_rights *type = find_type(rights, name);
    if (!type && valid_type_name(name)) { /* a valid name is safe as a part of a path */
        owned char *mark = must_format(TYPE_MARK, name);
        owned char *path = must_format(TYPE_DOCUMENT, name, "policy");
        type = must_alloc(sizeof *type);
        type->type = must_copy(name);
        type->mark = path_join(rights->project, mark);
        type->path = path_join(rights->project, path);
        type->next = rights->types;
        rights->types = type;
    }
    if (type)
        refresh_type(rights, type, say);
    return type && type->policy;
}

bool rights_allow(struct rights *rights, const struct identity *identity, const char *client_id,
                  enum policy_action action, const char *name, struct text *words)
{
    const struct type_rights *type = find_type(rights, identity->type);
    if (!type || !type->policy) {
        text_add_format(words, "denied: the type %s is not deployed", identity->type);
        return false;
    }
    const struct policy_context context = {.client_id = client_id,
                                           .thing_name = identity->thing,
                                           .thing_type = identity->type,
                                           .thing_attached = true,
                                           .certificate_id = identity->principal};
    const struct policy_request request = {action, type->arn, name};
    struct policy *policies[] = {type->policy};
    struct policy_decision decision = policy_decide(policies, 1, &request, &context);
    if (decision.verdict == POLICY_ALLOWED)
        return true;
    policy_describe(&decision, &request, words);
    return false;
}

/* --- revoked certificates --- */

static int by_text(const void *one, const void *other)
{
    return strcmp(*(char *const *)one, *(char *const *)other);
}

static void drop_list(struct rights *rights)
{
    for (size_t i = 0; i < rights->revoked_count; i++)
        free(rights->revoked[i]);
    free(rights->revoked);
    rights->revoked = NULL;
    rights->revoked_count = 0;
}

static void take_list(struct rights *rights, X509_CRL *list)
{
    STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(list);
    int count = sk_X509_REVOKED_num(entries);
    drop_list(rights);
    rights->revoked = must_array(count > 0 ? (size_t)count : 1, sizeof *rights->revoked);
    for (int i = 0; i < count; i++) {
        const ASN1_INTEGER *serial =
            X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(entries, i));
        size_t length = (size_t)serial->length;
        char *digits = must_alloc(2 * length + 1);
        hex_upper(serial->data, length, digits);
        rights->revoked[rights->revoked_count++] = digits;
    }
    if (count > 0)
        qsort(rights->revoked, rights->revoked_count, sizeof *rights->revoked, by_text);
    rights->list_known = true;
}

static void refresh_list(struct rights *rights, void (*say)(const char *line))
{
    struct version version = look(rights->list_path);
    if (same(&version, &rights->list_version))
        return;
    struct text pem = {0};
    struct error error = {0};
    if (read_file(rights->list_path, LARGEST_FILE, &pem, &error)) {
        complain(say, &error);
        return;
    }
    BIO *bytes = BIO_new_mem_buf(pem.at, (int)pem.length);
    X509_CRL *list = bytes ? PEM_read_bio_X509_CRL(bytes, NULL, NULL, NULL) : NULL;
    BIO_free(bytes);
    text_free(&pem);
    if (!list) {
        say("sensorforge: the list of revoked certificates cannot be read; the last one stays in "
            "force");
        return;
    }
    rights->list_version = version;
    take_list(rights, list);
    rights->changed = true;
    X509_CRL_free(list);
}

bool rights_revoked(struct rights *rights, const char *serial, void (*say)(const char *line))
{
    refresh_list(rights, say);
    if (!rights->list_known)
        return true;
    return rights->revoked_count && bsearch(&serial, rights->revoked, rights->revoked_count,
                                            sizeof *rights->revoked, by_text);
}

/* --- all of it --- */

struct rights *rights_open(const char *project)
{
    struct rights *rights = must_alloc(sizeof *rights);
    rights->project = must_copy(project);
    rights->list_path = path_join(project, REVOCATION_LIST);
    return rights;
}

void rights_close(struct rights *rights)
{
    if (!rights)
        return;
    while (rights->types) {
        struct type_rights *type = rights->types;
        rights->types = type->next;
        policy_free(type->policy);
        free(type->arn);
        free(type->type);
        free(type->mark);
        free(type->path);
        free(type);
    }
    drop_list(rights);
    free(rights->project);
    free(rights->list_path);
    free(rights);
}

void rights_refresh(struct rights *rights, void (*say)(const char *line))
{
    refresh_list(rights, say);
    for (struct type_rights *type = rights->types; type; type = type->next)
        refresh_type(rights, type, say);
}

bool rights_changed(struct rights *rights)
{
    bool changed = rights->changed;
    rights->changed = false;
    return changed;
}
