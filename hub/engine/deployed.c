#include "deployed.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/log.h"
#include "common/base/paths.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <uthash.h>

enum { LARGEST_MARK = 1 << 16 };

struct level {
    char *name; /* the key */
    struct route route;
    UT_hash_handle hh;
};

struct deployed {
    const struct settings *settings;
    struct deployed_type *types;
    size_t count, room;
    struct level *levels;
    struct route any, none;
    size_t level_count;
};

struct deployed *deployed_new(const struct settings *settings)
{
    struct deployed *deployed = must_alloc(sizeof *deployed);
    deployed->settings = settings;
    return deployed;
}

/* --- routes --- */

static void forget_routes(struct deployed *deployed)
{
    struct level *level = deployed->levels, *next;
    HASH_CLEAR(hh, deployed->levels); /* which leaves the list of them as it is */
    for (; level; level = next) {
        next = level->hh.next;
        free(level->route.rules);
        free(level->name);
        free(level);
    }
    free(deployed->any.rules);
    deployed->any = (struct route){0};
    deployed->level_count = 0;
}

static struct route *route_for(struct deployed *deployed, const char *filter)
{
    size_t length = strcspn(filter, "/");
    struct level *level = NULL;
    if (*filter == '+' || *filter == '#')
        return &deployed->any;
    HASH_FIND(hh, deployed->levels, filter, length, level);
    if (!level) {
        level = must_alloc(sizeof *level);
        level->name = must_copy_bytes(filter, length);
        level->route.id = ++deployed->level_count; /* 0 is that of none */
        HASH_ADD_KEYPTR(hh, deployed->levels, level->name, length, level);
    }
    return &level->route;
}

static void make_routes(struct deployed *deployed)
{
    forget_routes(deployed);
    for (size_t i = 0; i < deployed->count; i++) {
        struct type *type = deployed->types[i].type;
        if (!type)
            route_for(deployed, deployed->types[i].name)->held = true;
        for (size_t k = 0; type && k < type->rule_count; k++) {
            const char *filter = rule_filter(type->rules[k].rule);
            if (!filter)
                continue;
            struct route *route = route_for(deployed, filter);
            route->rules =
                must_grow(route->rules, route->count, &route->room, sizeof(struct hub_rule *));
            route->rules[route->count++] = &type->rules[k];
        }
    }
}

const struct route *deployed_route(const struct deployed *deployed, const char *level,
                                   size_t length)
{
    struct level *found = NULL;
    HASH_FIND(hh, deployed->levels, level, length, found);
    return found ? &found->route : &deployed->none;
}

const struct route *deployed_any(const struct deployed *deployed)
{
    return &deployed->any;
}

const struct deployed_type *deployed_holder(const struct deployed *deployed, const char *level,
                                            size_t length)
{
    for (size_t i = 0; i < deployed->count; i++) {
        const struct deployed_type *entry = &deployed->types[i];
        if (!entry->type && strlen(entry->name) == length &&
            memcmp(entry->name, level, length) == 0)
            return entry;
    }
    return NULL;
}

/* --- looking --- */

static void forget_type(struct deployed_type *type)
{
    type_free(type->type);
    free(type->name);
    free(type->trouble);
}

static struct deployed_type *find(struct deployed *deployed, const char *name)
{
    for (size_t i = 0; i < deployed->count; i++)
        if (strcmp(deployed->types[i].name, name) == 0)
            return &deployed->types[i];
    return NULL;
}

/* Documents are renamed into their folder, so it changes with each of them. */
static void take_stamp(const char *name, int64_t stamp[4])
{
    owned char *mark = must_format(TYPE_MARK, name);
    owned char *folder = must_format(TYPE_DOCUMENTS, name);
    const char *paths[] = {mark, folder};
    for (int i = 0; i < 2; i++) {
        struct stat facts = {0};
        if (stat(paths[i], &facts))
            facts = (struct stat){0};
        stamp[2 * i] = (int64_t)facts.st_mtim.tv_sec * 1000000000 + facts.st_mtim.tv_nsec;
        stamp[2 * i + 1] = (int64_t)facts.st_ino;
    }
}

/* FINE: it is, or is not, plugged in on this machine. */
static enum status read_mark(const char *name, bool *local, struct error *error)
{
    owned char *path = must_format(TYPE_MARK, name);
    cJSON *mark = NULL;
    enum status status = json_read(path, LARGEST_MARK, &mark, error);
    *local = strcmp(json_string(mark, "target", ""), "local") == 0;
    cJSON_Delete(mark);
    return status;
}

static void say_fault(void *context, const struct hub_rule *rule, const struct action *action)
{
    (void)context, (void)rule;
    log_line("%s: %s cannot run here: %s", action->place, action->name, action->why_not);
}

/* A type without a rule would lose what its policy lets in, without a word. */
static enum status load_rules(const struct deployed *deployed, const char *name, struct type **made,
                              struct error *error)
{
    enum status status = type_load(name, deployed->settings, made, error);
    if (status || (*made)->rule_count)
        return status;
    type_free(*made);
    *made = NULL;
    fail(error, WRONG_INPUT, "there is no rule in " TYPE_DOCUMENTS, name);
    return advise(error, "make sensortype NAME=%s writes it", name);
}

/* The same is said once, however often it is tried. */
static void note_trouble(struct deployed_type *entry, const struct error *error)
{
    const char *message = text_string(&error->message);
    if (entry->trouble && strcmp(entry->trouble, message) == 0)
        return;
    log_error("type not loaded: ", error);
    log_line(entry->type ? "type %s goes on with the documents it had"
                         : "readings of type %s wait in the spool until it can be loaded",
             entry->name);
    free(entry->trouble);
    entry->trouble = must_copy(message);
}

static void take_over(struct deployed_type *entry, struct type *made)
{
    log_line("type %s: %zu rules", entry->name, made->rule_count);
    type_faults(made, say_fault, NULL);
    type_free(entry->type);
    entry->type = made;
    free(entry->trouble);
    entry->trouble = NULL;
}

static struct deployed_type *add(struct deployed *deployed, const char *name)
{
    deployed->types =
        must_grow(deployed->types, deployed->count, &deployed->room, sizeof *deployed->types);
    struct deployed_type *entry = &deployed->types[deployed->count++];
    *entry = (struct deployed_type){.name = must_copy(name)};
    return entry;
}

/* A look at one type; true when its rules changed, or it is new. What is in trouble is tried each
 * time: whether a file can be read is not seen by when it changed. */
static bool look_at(struct deployed *deployed, const char *name)
{
    int64_t stamp[4];
    struct deployed_type *entry = find(deployed, name);
    struct type *made = NULL;
    struct error error = {0};
    bool local, new = !entry;
    take_stamp(name, stamp);
    if (entry && !entry->trouble && memcmp(entry->stamp, stamp, sizeof stamp) == 0) {
        entry->seen = true;
        return false;
    }
    enum status status = read_mark(name, &local, &error);
    if (!status && !local)
        return false; /* and forgotten, if it was there */
    if (new)
        entry = add(deployed, name);
    memcpy(entry->stamp, stamp, sizeof stamp);
    entry->seen = true;
    if (status || load_rules(deployed, name, &made, &error) || !made)
        note_trouble(entry, &error);
    else
        take_over(entry, made);
    error_free(&error);
    return new || made;
}

/* One whose mark cannot be looked at may be plugged in: that is no reason to forget it. */
static int may_be_plugged_in(const struct dirent *entry)
{
    owned char *mark = must_format(TYPE_MARK, entry->d_name);
    struct stat facts;
    return *entry->d_name != '.' &&
           (stat(mark, &facts) == 0 || (errno != ENOENT && errno != ENOTDIR));
}

static bool forget_unseen(struct deployed *deployed)
{
    size_t kept = 0;
    for (size_t i = 0; i < deployed->count; i++) {
        if (deployed->types[i].seen) {
            deployed->types[kept++] = deployed->types[i];
        } else {
            log_line("type %s is not plugged in any more", deployed->types[i].name);
            forget_type(&deployed->types[i]);
        }
    }
    bool changed = kept != deployed->count;
    deployed->count = kept;
    return changed;
}

bool deployed_refresh(struct deployed *deployed)
{
    struct dirent **entries = NULL;
    bool changed = false;
    int count = scandir(TYPES_FOLDER, &entries, may_be_plugged_in, alphasort);
    if (count < 0 && errno != ENOENT)
        return false; /* for want of descriptors, say: nothing is known, so nothing changes */
    for (size_t i = 0; i < deployed->count; i++)
        deployed->types[i].seen = false;
    for (int i = 0; i < count; i++) {
        changed |= look_at(deployed, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    changed |= forget_unseen(deployed);
    if (changed)
        make_routes(deployed);
    return changed;
}

/* --- tables --- */

static void attach_action(const struct type *type, struct action *action, struct store_table **made,
                          const char *const *troubles)
{
    if (action->kind > ACTION_DYNAMODB)
        return;
    action->table = NULL;
    for (size_t i = 0; i < type->table_count && !action->table; i++) {
        if (strcmp(type->tables[i].name, action->resource) != 0)
            continue;
        action->table = made[i];
        action->trouble = troubles[i];
        return;
    }
}

static enum status attach_type(struct deployed_type *entry, struct store *store,
                               struct error *error)
{
    struct type *type = entry->type;
    size_t count = type ? type->table_count : 0;
    owned struct store_table **made = must_array(count, sizeof(struct store_table *));
    owned const char **troubles = must_array(count, sizeof(char *));
    for (size_t i = 0; i < count; i++) {
        enum status status = store_table(store, &type->tables[i], &made[i], error);
        if (status == REFUSED)
            return status;
        if (status) {
            log_error("", error);
            made[i] = NULL;
            troubles[i] = "the database has another kind of table of that name";
        }
    }
    for (size_t i = 0; type && i < type->rule_count; i++) {
        struct hub_rule *rule = &type->rules[i];
        for (size_t k = 0; k < rule->action_count; k++)
            attach_action(type, &rule->actions[k], made, troubles);
        if (rule->error_action)
            attach_action(type, rule->error_action, made, troubles);
    }
    return FINE;
}

enum status deployed_attach(struct deployed *deployed, struct store *store, struct error *error)
{
    enum status status = store_tables_begin(store, error);
    for (size_t i = 0; i < deployed->count && !status; i++)
        status = attach_type(&deployed->types[i], store, error);
    return status ? status : store_tables_end(store, error);
}

/* --- the rest --- */

const struct hub_rule *deployed_rule(const struct deployed *deployed, const char *name)
{
    for (size_t i = 0; i < deployed->count; i++) {
        const struct type *type = deployed->types[i].type;
        for (size_t k = 0; type && k < type->rule_count; k++)
            if (strcmp(type->rules[k].name, name) == 0)
                return &type->rules[k];
    }
    return NULL;
}

size_t deployed_count(const struct deployed *deployed)
{
    return deployed->count;
}

const struct deployed_type *deployed_at(const struct deployed *deployed, size_t i)
{
    return &deployed->types[i];
}

void deployed_free(struct deployed *deployed)
{
    if (!deployed)
        return;
    forget_routes(deployed);
    for (size_t i = 0; i < deployed->count; i++)
        forget_type(&deployed->types[i]);
    free(deployed->types);
    free(deployed);
}
