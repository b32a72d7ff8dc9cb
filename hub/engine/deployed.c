#include "deployed.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/log.h"
#include "common/base/paths.h"
#include "common/spec/system.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <uthash.h>

enum { LARGEST_MARK = 1 << 16 /* bytes of deployed.json */ };

/* Seconds until a table that takes no rows is tried again: doubled with each failure. */
static const double shortest_pause = 1, longest_pause = 60;

/* A first level of topics. */
struct level {
    char *name; /* the key; not NUL-terminated in the hash table */
    struct route route;
    UT_hash_handle hh;
};

struct deployed {
    const struct system_topics *notify;
    struct deployed_type *types;
    size_t count, room;   /* of types */
    struct level *levels; /* a hash table */
    size_t level_count;
    struct route any;  /* rules whose filter begins with a wildcard */
    struct route none; /* for a first level that is not in the table */
    double drained;    /* deployed_drained(): the monotonic clock; 0: never */
};

struct deployed *deployed_new(const struct system_topics *notify)
{
    struct deployed *deployed = must_alloc(sizeof *deployed);
    deployed->notify = notify;
    return deployed;
}

/* --- routes --- */

static void forget_routes(struct deployed *deployed)
{
    struct level *level = deployed->levels, *next;
    HASH_CLEAR(hh, deployed->levels); /* frees the table; the levels stay linked */
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

static struct route *route_for(struct deployed *deployed, const char *name, size_t length)
{
    struct level *level = NULL;
    if (*name == '+' || *name == '#')
        return &deployed->any;
    HASH_FIND(hh, deployed->levels, name, length, level);
    if (!level) {
        level = must_alloc(sizeof *level);
        level->name = must_copy_bytes(name, length);
        level->route.id = ++deployed->level_count;
        HASH_ADD_KEYPTR(hh, deployed->levels, level->name, length, level);
    }
    return &level->route;
}

static void add_rule(struct route *route, struct hub_rule *rule)
{
    route->rules = must_grow(route->rules, route->count, &route->room, sizeof(struct hub_rule *));
    route->rules[route->count++] = rule;
}

/* Each rule has a route for its Basic Ingest topics, too. */
static void add_routes(struct deployed *deployed, struct hub_rule *rule)
{
    const char *filter = rule_filter(rule->rule);
    owned char *ingest = must_format(RULE_INGEST "%s", rule->name);
    if (filter)
        add_rule(route_for(deployed, filter, strcspn(filter, "/")), rule);
    add_rule(route_for(deployed, ingest, strlen(ingest)), rule);
}

static void make_routes(struct deployed *deployed)
{
    forget_routes(deployed);
    for (size_t i = 0; i < deployed->count; i++) {
        struct deployed_type *entry = &deployed->types[i];
        struct type *type = entry->type;
        if (!type)
            route_for(deployed, entry->name, strlen(entry->name))->pending = entry;
        for (size_t k = 0; type && k < type->rule_count; k++) {
            type->rules[k].owner = entry;
            add_routes(deployed, &type->rules[k]);
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

/* --- loading --- */

static void forget_type(struct deployed_type *type)
{
    type_free(type->type);
    free(type->name);
    free(type->trouble);
    free(type->refusal);
}

static struct deployed_type *find(const struct deployed *deployed, const char *name)
{
    for (size_t i = 0; i < deployed->count; i++)
        if (strcmp(deployed->types[i].name, name) == 0)
            return &deployed->types[i];
    return NULL;
}

/* Documents are renamed into their folder, so each new document changes the folder. */
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

/* *local: whether the type is deployed to the local system. */
static enum status read_mark(const char *name, bool *local, struct error *error)
{
    owned char *path = must_format(TYPE_MARK, name);
    cJSON *mark = NULL;
    enum status status = json_read(path, LARGEST_MARK, &mark, error);
    enum target_kind target;
    *local =
        system_target_named(json_string(mark, "target", ""), &target) && target == TARGET_LOCAL;
    cJSON_Delete(mark);
    return status;
}

static void log_fault(void *context, const struct hub_rule *rule, const struct action *action)
{
    (void)context, (void)rule;
    log_line("%s: %s cannot run here: %s", action->place, action->name, action->why_not);
}

/* A type without a rule is wrong: its policy lets messages in, and no rule would store them. */
static enum status load_rules(const struct deployed *deployed, const char *name, struct type **made,
                              struct error *error)
{
    enum status status = type_load(name, deployed->notify, made, error);
    if (status || (*made)->rule_count)
        return status;
    type_free(*made);
    *made = NULL;
    fail(error, WRONG_INPUT, "there is no rule in " TYPE_DOCUMENTS, name);
    return advise(error, "make sensortype NAME=%s writes it", name);
}

/* A message that was logged already is not logged again. */
static void note_trouble(struct deployed_type *entry, const struct error *error)
{
    const char *message = text_string(&error->message);
    if (entry->trouble && strcmp(entry->trouble, message) == 0)
        return;
    log_error("type not loaded: ", error);
    log_line(entry->type ? "type %s keeps the documents that were loaded before"
                         : "readings of type %s are set aside until it can be loaded",
             entry->name);
    free(entry->trouble);
    entry->trouble = must_copy(message);
}

static void take_over(struct deployed_type *entry, struct type *made)
{
    log_line("type %s: %zu rules", entry->name, made->rule_count);
    type_faults(made, log_fault, NULL);
    type_free(entry->type);
    entry->type = made;
    free(entry->trouble);
    entry->trouble = NULL;
    entry->again = entry->pause = 0;
}

static struct deployed_type *add(struct deployed *deployed, const char *name)
{
    deployed->types =
        must_grow(deployed->types, deployed->count, &deployed->room, sizeof *deployed->types);
    struct deployed_type *entry = &deployed->types[deployed->count++];
    *entry = (struct deployed_type){.name = must_copy(name)};
    return entry;
}

/* Returns true when the rules of the type changed, or it is new. A type that could not be loaded is
 * tried each time: the stamp does not show that a file can be read again. */
static bool refresh_type(struct deployed *deployed, const char *name)
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
        return false; /* it is not seen, and so forgotten if it was known */
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

/* A folder whose deployed.json cannot be looked at (EACCES, say) may belong to a deployed type. */
static int may_be_deployed(const struct dirent *entry)
{
    owned char *mark = must_format(TYPE_MARK, entry->d_name);
    struct stat facts;
    return *entry->d_name != '.' &&
           (stat(mark, &facts) == 0 || (errno != ENOENT && errno != ENOTDIR));
}

/* Seconds after which the broker has put out the things of a type that is gone, and more. */
static const double leave_seconds = 1;

void deployed_drained(struct deployed *deployed)
{
    deployed->drained = clock_monotonic();
}

/* Whether the type is gone, and nothing that its things had acknowledged is in the spool. */
static bool has_left(const struct deployed *deployed, struct deployed_type *entry)
{
    if (entry->seen) {
        entry->gone = 0;
        return false;
    }
    if (entry->gone == 0)
        entry->gone = clock_monotonic();
    return deployed->drained == 0 || deployed->drained - entry->gone > leave_seconds;
}

static bool forget_unseen(struct deployed *deployed)
{
    size_t kept = 0;
    for (size_t i = 0; i < deployed->count; i++) {
        if (!has_left(deployed, &deployed->types[i])) {
            deployed->types[kept++] = deployed->types[i];
        } else {
            log_line("type %s is not deployed any more", deployed->types[i].name);
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
    int count = scandir(TYPES_FOLDER, &entries, may_be_deployed, alphasort);
    if (count < 0 && errno != ENOENT)
        return false; /* EMFILE, say: nothing is known, so nothing changes */
    for (size_t i = 0; i < deployed->count; i++)
        deployed->types[i].seen = false;
    for (int i = 0; i < count; i++) {
        changed |= refresh_type(deployed, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    changed |= forget_unseen(deployed);
    if (changed)
        make_routes(deployed);
    return changed;
}

/* --- tables --- */

/* A message that was logged already is not logged again. */
static void refuse(struct deployed_type *entry, const struct error *why)
{
    const char *message = text_string(&why->message);
    entry->pause = entry->pause == 0 ? shortest_pause : fmin(2 * entry->pause, longest_pause);
    entry->again = clock_monotonic() + entry->pause;
    if (entry->refusal && strcmp(entry->refusal, message) == 0)
        return;
    log_line("readings of type %s are set aside: %s%s%s", entry->name, message,
             why->advice.length ? "; " : "", text_string(&why->advice));
    free(entry->refusal);
    entry->refusal = must_copy(message);
}

static void attach_action(struct action *action, const char *name, struct store_table *table,
                          bool *used)
{
    if (!action || !action_puts_rows(action) || strcmp(action->resource, name) != 0)
        return;
    action->table = table;
    *used = true;
}

/* Hands the table to the actions that put rows into it. *used: there is one. */
static void attach_table(struct type *type, const char *name, struct store_table *table, bool *used)
{
    *used = false;
    for (size_t i = 0; i < type->rule_count; i++) {
        struct hub_rule *rule = &type->rules[i];
        for (size_t k = 0; k < rule->action_count; k++)
            attach_action(&rule->actions[k], name, table, used);
        attach_action(rule->error_action, name, table, used);
    }
}

static enum status attach_type(struct deployed_type *entry, struct store *store,
                               struct error *error)
{
    struct type *type = entry->type;
    bool refused = false;
    for (size_t i = 0; i < type->table_count; i++) {
        const struct table_definition *definition = &type->tables[i].definition;
        struct store_table *table = NULL;
        bool used;
        enum status status = store_table(store, definition, &table, error);
        if (status && status != WRONG_INPUT)
            return status;
        attach_table(type, definition->name, table, &used);
        if (status && used && !refused)
            refuse(entry, error);
        refused |= status && used;
        error_free(error);
    }
    if (!refused && clock_monotonic() >= entry->again) {
        free(entry->refusal);
        entry->refusal = NULL;
    }
    return FINE;
}

/* due: only the types whose time of the next try has come. */
static enum status attach_types(struct deployed *deployed, bool due, struct store *store,
                                struct error *error)
{
    double now = clock_monotonic();
    enum status status = store_tables_begin(store, error);
    for (size_t i = 0; i < deployed->count && !status; i++) {
        struct deployed_type *entry = &deployed->types[i];
        if (entry->type && (!due || (entry->refusal && now >= entry->again)))
            status = attach_type(entry, store, error);
    }
    return status ? status : store_tables_end(store, error);
}

enum status deployed_attach(struct deployed *deployed, struct store *store, struct error *error)
{
    return attach_types(deployed, false, store, error);
}

enum status deployed_retry(struct deployed *deployed, struct store *store, struct error *error)
{
    double now = clock_monotonic();
    bool due = false;
    for (size_t i = 0; i < deployed->count && !due; i++)
        due = deployed->types[i].refusal && now >= deployed->types[i].again;
    return due ? attach_types(deployed, true, store, error) : FINE;
}

void deployed_refuse(struct deployed *deployed, const char *table, const struct error *why)
{
    for (size_t i = 0; i < deployed->count; i++) {
        struct deployed_type *entry = &deployed->types[i];
        for (size_t k = 0; entry->type && k < entry->type->table_count; k++)
            if (strcmp(entry->type->tables[k].definition.name, table) == 0)
                refuse(entry, why);
    }
}

void deployed_mark(struct deployed *deployed, const struct waiting_list *waiting)
{
    for (size_t i = 0; i < deployed->count; i++) {
        struct deployed_type *entry = &deployed->types[i];
        entry->held = !entry->type || entry->refusal || waiting_of(waiting, entry->name);
        if (!entry->held)
            entry->pause = 0;
    }
}

/* --- finding --- */

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

const struct deployed_type *deployed_named(const struct deployed *deployed, const char *name)
{
    return find(deployed, name);
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
