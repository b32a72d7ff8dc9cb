#include "plugged.h"
#include "../common/catalog.h"
#include "../common/json.h"
#include "../common/memory.h"
#include "journal.h"
#include "places.h"

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
    bool traces;
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
    plugged->traces = false;
    for (size_t i = 0; i < plugged->count; i++) {
        struct type *type = plugged->types[i].type;
        plugged->traces |= type && type->traces;
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

size_t plugged_routes(const struct plugged *plugged)
{
    return plugged->level_count + 1;
}

const struct route *plugged_any(const struct plugged *plugged)
{
    return &plugged->any;
}

bool plugged_traces(const struct plugged *plugged)
{
    return plugged->traces;
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

static bool is_local(const char *name)
{
    owned char *path = must_format(TYPE_MARK, name);
    struct error error = {0};
    cJSON *mark = NULL;
    bool local = json_read(path, LARGEST_MARK, &mark, &error) == FINE &&
                 strcmp(json_string(mark, "target", ""), "local") == 0;
    cJSON_Delete(mark);
    error_free(&error);
    return local;
}

static void say_fault(void *context, const struct hub_rule *rule, const struct action *action)
{
    (void)context, (void)rule;
    say("%s: %s cannot run here: %s", action->place, action->name, action->why_not);
}

static bool load(struct plugged *plugged, struct plugged_type *plug)
{
    struct type *made = NULL;
    struct error error = {0};
    if (type_load(plug->name, plugged->settings, &made, &error)) {
        say_error("type not loaded: ", &error);
        if (plug->type)
            say("type %s goes on with the documents it had", plug->name);
        free(plug->trouble);
        plug->trouble = must_copy(text_string(&error.message));
        error_free(&error);
        return false;
    }
    say("type %s: %zu rules", plug->name, made->rule_count);
    type_faults(made, say_fault, NULL);
    type_free(plug->type);
    plug->type = made;
    free(plug->trouble);
    plug->trouble = NULL;
    return true;
}

/* A look at one type; true when its rules changed. */
static bool look_at(struct plugged *plugged, const char *name)
{
    int64_t stamp[4];
    struct plugged_type *plug = find(plugged, name);
    take_stamp(name, stamp);
    if (plug && memcmp(plug->stamp, stamp, sizeof stamp) == 0) {
        plug->seen = true;
        return false;
    }
    if (!is_local(name))
        return false; /* and forgotten, if it was there */
    if (!plug) {
        plugged->types =
            must_grow(plugged->types, plugged->count, &plugged->room, sizeof *plugged->types);
        plug = &plugged->types[plugged->count++];
        *plug = (struct plugged_type){.name = must_copy(name)};
    }
    memcpy(plug->stamp, stamp, sizeof stamp);
    plug->seen = true;
    return load(plugged, plug);
}

static bool forget_unseen(struct plugged *plugged)
{
    size_t kept = 0;
    for (size_t i = 0; i < plugged->count; i++) {
        if (plugged->types[i].seen) {
            plugged->types[kept++] = plugged->types[i];
        } else {
            say("type %s is not plugged in any more", plugged->types[i].name);
            forget_type(&plugged->types[i]);
        }
    }
    bool changed = kept != plugged->count;
    plugged->count = kept;
    return changed;
}

bool plugged_refresh(struct plugged *plugged)
{
    struct names *names = folders_with(TYPES_ROOT, "deployed.json");
    bool changed = false;
    for (size_t i = 0; i < plugged->count; i++)
        plugged->types[i].seen = false;
    for (size_t i = 0; i < names->count; i++)
        changed |= look_at(plugged, names->at[i]);
    names_free(names);
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
            say_error("", error);
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
