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

struct plugged {
    const struct settings *settings;
    struct plugged_type *types;
    size_t count, room;
    struct level *levels;
    struct route any, none;
    size_t level_count;
};

struct plugged *plugged_new(const struct settings *settings)
{
    struct plugged *plugged = must_alloc(sizeof *plugged);
    plugged->settings = settings;
    return plugged;
}

/* --- routes --- */

static void forget_routes(struct plugged *plugged)
{
    struct level *level = plugged->levels, *next;
    HASH_CLEAR(hh, plugged->levels); /* which leaves the list of them as it is */
    for (; level; level = next) {
        next = level->hh.next;
        free(level->route.rules);
        free(level->name);
        free(level);
    }
    free(plugged->any.rules);
    plugged->any = (struct route){0};
    plugged->level_count = 0;
}

static struct route *route_for(struct plugged *plugged, const char *filter)
{
    size_t length = strcspn(filter, "/");
    struct level *level = NULL;
    if (*filter == '+' || *filter == '#')
        return &plugged->any;
    HASH_FIND(hh, plugged->levels, filter, length, level);
    if (!level) {
        level = must_alloc(sizeof *level);
        level->name = must_copy_bytes(filter, length);
        level->route.id = ++plugged->level_count; /* 0 is that of none */
        HASH_ADD_KEYPTR(hh, plugged->levels, level->name, length, level);
    }
    return &level->route;
}

static void make_routes(struct plugged *plugged)
{
    forget_routes(plugged);
    for (size_t i = 0; i < plugged->count; i++) {
        struct type *type = plugged->types[i].type;
        if (!type)
            route_for(plugged, plugged->types[i].name)->held = true;
        for (size_t k = 0; type && k < type->rule_count; k++) {
            const char *filter = rule_filter(type->rules[k].rule);
            if (!filter)
                continue;
            struct route *route = route_for(plugged, filter);
            route->rules =
                must_grow(route->rules, route->count, &route->room, sizeof(struct hub_rule *));
            route->rules[route->count++] = &type->rules[k];
        }
    }
}

const struct route *plugged_route(const struct plugged *plugged, const char *level, size_t length)
{
    struct level *found = NULL;
    HASH_FIND(hh, plugged->levels, level, length, found);
    return found ? &found->route : &plugged->none;
}

const struct route *plugged_any(const struct plugged *plugged)
{
    return &plugged->any;
}

const struct plugged_type *plugged_holder(const struct plugged *plugged, const char *level,
                                          size_t length)
{
    for (size_t i = 0; i < plugged->count; i++) {
        const struct plugged_type *plug = &plugged->types[i];
        if (!plug->type && strlen(plug->name) == length && memcmp(plug->name, level, length) == 0)
            return plug;
    }
    return NULL;
}

/* --- looking --- */

static void forget_type(struct plugged_type *type)
{
    type_free(type->type);
    free(type->name);
    free(type->trouble);
}

static struct plugged_type *find(struct plugged *plugged, const char *name)
{
    for (size_t i = 0; i < plugged->count; i++)
        if (strcmp(plugged->types[i].name, name) == 0)
            return &plugged->types[i];
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
static enum status load_rules(const struct plugged *plugged, const char *name, struct type **made,
                              struct error *error)
{
    enum status status = type_load(name, plugged->settings, made, error);
    if (status || (*made)->rule_count)
        return status;
    type_free(*made);
    *made = NULL;
    fail(error, WRONG_INPUT, "there is no rule in " TYPE_DOCUMENTS, name);
    return advise(error, "make sensortype NAME=%s writes it", name);
}

/* The same is said once, however often it is tried. */
static void note_trouble(struct plugged_type *plug, const struct error *error)
{
    const char *message = text_string(&error->message);
    if (plug->trouble && strcmp(plug->trouble, message) == 0)
        return;
    log_error("type not loaded: ", error);
    log_line(plug->type ? "type %s goes on with the documents it had"
                        : "readings of type %s wait in the spool until it can be loaded",
             plug->name);
    free(plug->trouble);
    plug->trouble = must_copy(message);
}

static void take_over(struct plugged_type *plug, struct type *made)
{
    log_line("type %s: %zu rules", plug->name, made->rule_count);
    type_faults(made, say_fault, NULL);
    type_free(plug->type);
    plug->type = made;
    free(plug->trouble);
    plug->trouble = NULL;
}

static struct plugged_type *add(struct plugged *plugged, const char *name)
{
    plugged->types =
        must_grow(plugged->types, plugged->count, &plugged->room, sizeof *plugged->types);
    struct plugged_type *plug = &plugged->types[plugged->count++];
    *plug = (struct plugged_type){.name = must_copy(name)};
    return plug;
}

/* A look at one type; true when its rules changed, or it is new. What is in trouble is tried each
 * time: whether a file can be read is not seen by when it changed. */
static bool look_at(struct plugged *plugged, const char *name)
{
    int64_t stamp[4];
    struct plugged_type *plug = find(plugged, name);
    struct type *made = NULL;
    struct error error = {0};
    bool local, new = !plug;
    take_stamp(name, stamp);
    if (plug && !plug->trouble && memcmp(plug->stamp, stamp, sizeof stamp) == 0) {
        plug->seen = true;
        return false;
    }
    enum status status = read_mark(name, &local, &error);
    if (!status && !local)
        return false; /* and forgotten, if it was there */
    if (new)
        plug = add(plugged, name);
    memcpy(plug->stamp, stamp, sizeof stamp);
    plug->seen = true;
    if (status || load_rules(plugged, name, &made, &error) || !made)
        note_trouble(plug, &error);
    else
        take_over(plug, made);
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

static bool forget_unseen(struct plugged *plugged)
{
    size_t kept = 0;
    for (size_t i = 0; i < plugged->count; i++) {
        if (plugged->types[i].seen) {
            plugged->types[kept++] = plugged->types[i];
        } else {
            log_line("type %s is not plugged in any more", plugged->types[i].name);
            forget_type(&plugged->types[i]);
        }
    }
    bool changed = kept != plugged->count;
    plugged->count = kept;
    return changed;
}

bool plugged_refresh(struct plugged *plugged)
{
    struct dirent **entries = NULL;
    bool changed = false;
    int count = scandir(TYPES_ROOT, &entries, may_be_plugged_in, alphasort);
    if (count < 0 && errno != ENOENT)
        return false; /* for want of descriptors, say: nothing is known, so nothing changes */
    for (size_t i = 0; i < plugged->count; i++)
        plugged->types[i].seen = false;
    for (int i = 0; i < count; i++) {
        changed |= look_at(plugged, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    changed |= forget_unseen(plugged);
    if (changed)
        make_routes(plugged);
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

static enum status attach_type(struct plugged_type *plug, struct store *store, struct error *error)
{
    struct type *type = plug->type;
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

enum status plugged_attach(struct plugged *plugged, struct store *store, struct error *error)
{
    enum status status = store_tables_begin(store, error);
    for (size_t i = 0; i < plugged->count && !status; i++)
        status = attach_type(&plugged->types[i], store, error);
    return status ? status : store_tables_end(store, error);
}

/* --- the rest --- */

const struct hub_rule *plugged_rule(const struct plugged *plugged, const char *name)
{
    for (size_t i = 0; i < plugged->count; i++) {
        const struct type *type = plugged->types[i].type;
        for (size_t k = 0; type && k < type->rule_count; k++)
            if (strcmp(type->rules[k].name, name) == 0)
                return &type->rules[k];
    }
    return NULL;
}

size_t plugged_count(const struct plugged *plugged)
{
    return plugged->count;
}

const struct plugged_type *plugged_at(const struct plugged *plugged, size_t i)
{
    return &plugged->types[i];
}

void plugged_free(struct plugged *plugged)
{
    if (!plugged)
        return;
    forget_routes(plugged);
    for (size_t i = 0; i < plugged->count; i++)
        forget_type(&plugged->types[i]);
    free(plugged->types);
    free(plugged);
}
