#include "principals.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/paths.h"
#include "common/base/record_state.h"
#include "version.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* uthash ends the program when memory runs out unless it is told otherwise. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

enum { MOST_KEPT = 65536 };

/* What a record says. */
struct holder {
    char *key; /* path of the record, seen from the project's root */
    struct version version;
    const char *refused; /* why no certificate of it is let in; NULL: its certificates are */
    char type[65];       /* of a thing */
    char fingerprint[65];
    char retired[41]; /* serial number of the certificate that is being replaced; "" for none */
    UT_hash_handle hh;
};

struct principals {
    char *project;
    struct holder *holders;
    struct version things, services; /* of their folders */
};

/* --- reading a record --- */

static void copy_string(const cJSON *object, const char *member, char *into, size_t room)
{
    const char *string = json_string(object, member, "");
    *into = '\0';
    if (strlen(string) < room)
        memcpy(into, string, strlen(string) + 1);
}

static void take_thing(struct holder *holder, const cJSON *record)
{
    enum record_state state = RECORD_MAKING;
    copy_string(record, "type", holder->type, sizeof holder->type);
    copy_string(json_get(record, "certificate"), "fingerprint", holder->fingerprint,
                sizeof holder->fingerprint);
    copy_string(record, "retired", holder->retired, sizeof holder->retired);
    if (strcmp(json_string(record, "target", "local"), "local") != 0)
        holder->refused = "its record is of a thing elsewhere";
    else if (!record_state_named(json_string(record, "state", NULL), &state) ||
             state == RECORD_MAKING)
        holder->refused = "its thing is only half-made";
    else
        holder->refused = state == RECORD_DELETING ? "its thing is being deleted" : NULL;
}

static void take_service(struct holder *holder, const cJSON *record)
{
    copy_string(record, "fingerprint", holder->fingerprint, sizeof holder->fingerprint);
    holder->refused = NULL;
}

/* One that cannot be read keeps what it said before. */
static void read_holder(struct holder *holder, const char *path, bool service,
                        void (*say)(const char *line))
{
    struct error error = {0};
    cJSON *record = NULL;
    enum status status = json_read(path, LARGEST_RECORD, &record, &error);
    if (!status && !cJSON_IsObject(record))
        status = fail(&error, WRONG_INPUT, "%s is no record", path);
    if (status) {
        owned char *line = must_format("sensorforge: %s", text_string(&error.message));
        say(line);
        error_free(&error);
    } else if (service) {
        take_service(holder, record);
    } else {
        take_thing(holder, record);
    }
    json_wipe(record); /* it has the wifi password */
}

/* --- the records that were read --- */

static void holder_free(struct holder *holder)
{
    free(holder->key);
    free(holder);
}

static void forget(struct principals *principals, struct holder *holder)
{
    HASH_DEL(principals->holders, holder);
    holder_free(holder);
}

static void forget_all(struct principals *principals)
{
    struct holder *holder = principals->holders, *next;
    HASH_CLEAR(hh, principals->holders);
    for (; holder; holder = next) {
        next = holder->hh.next;
        holder_free(holder);
    }
}

static struct holder *add(struct principals *principals, const char *key)
{
    struct holder *made = must_alloc(sizeof *made), *found = NULL;
    if (HASH_COUNT(principals->holders) >= MOST_KEPT)
        forget_all(principals);
    made->key = must_copy(key);
    made->refused = "its record cannot be read";
    HASH_ADD_KEYPTR(hh, principals->holders, made->key, strlen(made->key), made);
    HASH_FIND_STR(principals->holders, key, found);
    if (found)
        return found;
    free(made->key);
    free(made);
    return NULL;
}

/* What the record of this name says now; NULL when there is none. */
static const struct holder *look_up(struct principals *principals, const char *name, bool service,
                                    void (*say)(const char *line))
{
    char key[128];
    struct holder *holder = NULL;
    snprintf(key, sizeof key, service ? IDENTITY_FILE : THINGS_FOLDER "/%s/" THING_RECORD, name);
    owned char *path = path_join(principals->project, key);
    const struct version version = version_of(path);
    HASH_FIND_STR(principals->holders, key, holder);
    if (!version.there) {
        if (holder)
            forget(principals, holder);
        return NULL;
    }
    if (!holder && !(holder = add(principals, key)))
        return NULL;
    if (!version_same(&version, &holder->version)) {
        holder->version = version;
        read_holder(holder, path, service, say);
    }
    return holder;
}

/* --- questions --- */

const char *principals_refuse(struct principals *principals, const struct identity *identity,
                              void (*say)(const char *line))
{
    const struct holder *holder = look_up(principals, identity->thing, identity->service, say);
    if (!holder)
        return identity->service ? "no program of this system has its name"
                                 : "there is no thing of its name";
    if (holder->refused)
        return holder->refused;
    if (strcmp(holder->fingerprint, identity->principal) == 0 ||
        (*holder->retired && strcmp(holder->retired, identity->serial) == 0))
        return NULL;
    return "its certificate is not the one in the record";
}

bool principals_find(struct principals *principals, const char *thing, struct identity *identity,
                     void (*say)(const char *line))
{
    const struct holder *holder =
        valid_thing_name(thing) ? look_up(principals, thing, false, say) : NULL;
    *identity = (struct identity){0};
    if (!holder || holder->refused)
        return false;
    snprintf(identity->thing, sizeof identity->thing, "%s", thing);
    memcpy(identity->type, holder->type, sizeof identity->type);
    memcpy(identity->principal, holder->fingerprint, sizeof identity->principal);
    return true;
}

static bool folder_changed(const struct principals *principals, const char *folder,
                           struct version *last)
{
    owned char *path = path_join(principals->project, folder);
    const struct version now = version_of(path);
    const bool changed = !version_same(&now, last);
    *last = now;
    return changed;
}

bool principals_changed(struct principals *principals)
{
    const bool things = folder_changed(principals, THINGS_FOLDER, &principals->things);
    const bool services = folder_changed(principals, IDENTITIES_FOLDER, &principals->services);
    return things || services;
}

struct principals *principals_open(const char *project)
{
    struct principals *principals = must_alloc(sizeof *principals);
    principals->project = must_copy(project);
    return principals;
}

void principals_close(struct principals *principals)
{
    if (!principals)
        return;
    forget_all(principals);
    free(principals->project);
    free(principals);
}
