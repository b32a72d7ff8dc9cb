#include "rights.h"
#include "common/base/hex.h"
#include "common/base/paths.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "version.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST_FILE = 64 << 20 };

/* The policy of a type, or of a service. */
struct grant {
    char *key;  /* the type, or SERVICE_UNIT "/" and the service's name */
    char *mark; /* file that is there while the policy holds */
    char *path; /* file with the policy, as the input of CreatePolicy */
    struct version mark_version, version;
    struct policy *policy; /* NULL: not deployed, or its document was never right */
    char *arn;             /* up to the account */
    cJSON *document;       /* of the policy */
    struct grant *next;
};

struct rights {
    char *project, *list_path;
    struct grant *grants;
    struct version list_version;
    struct version list_broken; /* of the list that was complained of */
    char **revoked;             /* serials, sorted */
    size_t revoked_count;
    bool list_known; /* it was read once */
    bool list_lost;  /* it could not be read the last time */
    bool changed;    /* since rights_changed() */
};

/* --- files --- */

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
static enum status read_policy(struct grant *grant, struct error *error)
{
    cJSON *input = NULL, *document = NULL;
    struct policy *policy = NULL;
    enum status status = json_read(grant->path, LARGEST_FILE, &input, error);
    const char *text = status ? "" : json_string(input, "policyDocument", "");
    if (!status)
        status = policy_compile(grant->path, text, strlen(text), &policy, error);
    if (!status)
        status = json_parse(grant->path, text, strlen(text), &document, error);
    if (!status) {
        policy_free(grant->policy);
        free(grant->arn);
        cJSON_Delete(grant->document);
        grant->policy = policy;
        grant->arn = arn_of(document);
        grant->document = document;
        document = NULL;
    } else {
        policy_free(policy);
    }
    cJSON_Delete(document);
    cJSON_Delete(input);
    return status;
}

static void refresh_grant(struct rights *rights, struct grant *grant, void (*say)(const char *line))
{
    struct version mark = version_of(grant->mark), version = version_of(grant->path);
    if (version_same(&mark, &grant->mark_version) && version_same(&version, &grant->version))
        return;
    rights->changed = true;
    struct error error = {0};
    grant->mark_version = mark;
    grant->version = version;
    if (!mark.there) {
        policy_free(grant->policy);
        grant->policy = NULL;
    } else if (read_policy(grant, &error)) {
        complain(say, &error);
    }
}

enum { GRANT_KEY = sizeof SERVICE_UNIT + 65 };

/* No type has a "/" in its name. */
static const char *grant_key(const struct identity *identity, char key[GRANT_KEY])
{
    if (!identity->service)
        return identity->type;
    snprintf(key, GRANT_KEY, SERVICE_UNIT "/%s", identity->thing);
    return key;
}

static struct grant *find_grant(const struct rights *rights, const struct identity *identity)
{
    char room[GRANT_KEY];
    const char *key = grant_key(identity, room);
    struct grant *grant = rights->grants;
    while (grant && strcmp(grant->key, key) != 0)
        grant = grant->next;
    return grant;
}

/* The names become parts of paths; identity_read() has looked at them. */
static struct grant *add_grant(struct rights *rights, const struct identity *identity)
{
    char room[GRANT_KEY];
    const bool service = identity->service;
    owned char *mark = service ? must_format(IDENTITY_FILE, identity->thing)
                               : must_format(TYPE_MARK, identity->type);
    owned char *path = service ? must_format(IDENTITY_FILE, identity->thing)
                               : must_format(TYPE_DOCUMENT, identity->type, "policy");
    struct grant *grant = must_alloc(sizeof *grant);
    grant->key = must_copy(grant_key(identity, room));
    grant->mark = path_join(rights->project, mark);
    grant->path = path_join(rights->project, path);
    grant->next = rights->grants;
    return rights->grants = grant;
}

bool rights_know(struct rights *rights, const struct identity *identity,
                 void (*say)(const char *line))
{
    struct grant *grant = find_grant(rights, identity);
    if (!grant && !identity->service && !valid_type_name(identity->type))
        return false;
    if (!grant)
        grant = add_grant(rights, identity);
    refresh_grant(rights, grant, say);
    return grant->policy;
}

bool rights_allow(struct rights *rights, const struct identity *identity, const char *client_id,
                  enum policy_action action, const char *name, struct text *words)
{
    const struct grant *grant = find_grant(rights, identity);
    const bool thing = !identity->service;
    if (!grant || !grant->policy) {
        text_add_format(words, "denied: %s has no policy here",
                        thing ? identity->type : identity->thing);
        return false;
    }
    struct policy_context context = {.client_id = client_id,
                                     .thing_type = thing ? identity->type : NULL,
                                     .certificate_id = identity->principal};
    /* A certificate is signed for one thing, as it is attached on AWS. */
    const struct policy_attachment own = {.thing = identity->thing, .exclusive = true};
    if (thing)
        policy_associate(&context, &own, 1);
    const struct policy_request request = {action, grant->arn, name};
    struct policy *policies[] = {grant->policy};
    struct policy_decision decision = policy_decide(policies, 1, &request, &context);
    if (decision.verdict == POLICY_ALLOWED)
        return true;
    policy_describe(&decision, &request, words);
    return false;
}

/* --- the topics of a thing --- */

/* The topic of a resource, with the name of the thing in it; NULL where it has wildcards, or is no
 * topic. */
static char *topic_of(const char *resource, const char *thing)
{
    static const char *const variables[] = {"${iot:Connection.Thing.ThingName}", "${iot:ClientId}"};
    const char *at = strstr(resource, ":topic/");
    struct text topic = {0};
    if (!at || strpbrk(resource, "*?"))
        return NULL;
    for (at += strlen(":topic/"); *at;) {
        size_t length = 0;
        for (size_t i = 0; i < sizeof variables / sizeof *variables && !length; i++)
            if (strncmp(at, variables[i], strlen(variables[i])) == 0)
                length = strlen(variables[i]);
        if (length)
            text_add_string(&topic, thing);
        else
            text_add_char(&topic, *at);
        at += length ? length : 1;
    }
    return text_take(&topic);
}

void rights_topics(const struct rights *rights, const struct identity *identity,
                   void (*topic)(const char *topic))
{
    const struct grant *grant = find_grant(rights, identity);
    const cJSON *statement, *resource;
    cJSON_ArrayForEach(statement, json_get(grant ? grant->document : NULL, "Statement"))
    {
        const cJSON *resources = json_get(statement, "Resource");
        resource = cJSON_IsArray(resources) ? resources->child : resources;
        for (; resource; resource = cJSON_IsArray(resources) ? resource->next : NULL) {
            owned char *found =
                cJSON_IsString(resource) ? topic_of(resource->valuestring, identity->thing) : NULL;
            if (found && !strstr(found, "${"))
                topic(found);
        }
    }
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

/* NULL: it cannot be read. */
static X509_CRL *read_list(const char *path, struct error *error)
{
    struct text pem = {0};
    enum status status = read_file(path, LARGEST_FILE, &pem, error);
    BIO *bytes = status ? NULL : BIO_new_mem_buf(pem.at, (int)pem.length);
    X509_CRL *list = bytes ? PEM_read_bio_X509_CRL(bytes, NULL, NULL, NULL) : NULL;
    if (!status && !list)
        fail(error, WRONG_INPUT, "%s is no list of revoked certificates", path);
    BIO_free(bytes);
    text_free(&pem);
    return list;
}

/* A list that cannot be read is tried again each time, and complained of once. */
static void refresh_list(struct rights *rights, void (*say)(const char *line))
{
    struct error error = {0};
    const struct version version = version_of(rights->list_path);
    if (rights->list_known && version_same(&version, &rights->list_version))
        return;
    X509_CRL *list = read_list(rights->list_path, &error);
    if (list) {
        rights->list_version = version;
        rights->list_broken = (struct version){0};
        rights->list_lost = false;
        rights->changed = true;
        take_list(rights, list);
    } else if (!rights->list_lost || !version_same(&version, &rights->list_broken)) {
        rights->list_lost = true;
        rights->list_broken = version;
        owned char *line = must_format("sensorforge: %s; %s", text_string(&error.message),
                                       rights->list_known ? "the last list that was read holds"
                                                          : "nobody is let in");
        say(line);
    }
    error_free(&error);
    X509_CRL_free(list);
}

const char *rights_revoked(struct rights *rights, const char *serial, void (*say)(const char *line))
{
    refresh_list(rights, say);
    if (!rights->list_known)
        return "which certificates were revoked is not known (sensorforge doctor)";
    if (rights->revoked_count &&
        bsearch(&serial, rights->revoked, rights->revoked_count, sizeof *rights->revoked, by_text))
        return "its certificate is revoked";
    return NULL;
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
    while (rights->grants) {
        struct grant *grant = rights->grants;
        rights->grants = grant->next;
        policy_free(grant->policy);
        free(grant->arn);
        cJSON_Delete(grant->document);
        free(grant->key);
        free(grant->mark);
        free(grant->path);
        free(grant);
    }
    drop_list(rights);
    free(rights->project);
    free(rights->list_path);
    free(rights);
}

void rights_refresh(struct rights *rights, void (*say)(const char *line))
{
    refresh_list(rights, say);
    for (struct grant *grant = rights->grants; grant; grant = grant->next)
        refresh_grant(rights, grant, say);
}

bool rights_changed(struct rights *rights)
{
    bool changed = rights->changed;
    rights->changed = false;
    return changed;
}
