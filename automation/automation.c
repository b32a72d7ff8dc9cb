/* The engine's frame: types, states, and what is committed. */
#include "parts.h"

#include "common/base/json.h"

#include <stdlib.h>
#include <string.h>

struct automation *automation_new(void)
{
    return calloc(1, sizeof(struct automation));
}

void automation_free(struct automation *automation)
{
    struct automation_type *type, *next;
    if (!automation)
        return;
    type = automation->types;
    HASH_CLEAR(hh, automation->types);
    for (; type; type = next) {
        next = type->hh.next;
        type_free(type);
    }
    free(automation);
}

struct automation_type *automation_type(struct automation *automation, const char *type)
{
    struct automation_type *found;
    HASH_FIND(hh, automation->types, type, strlen(type), found);
    return found;
}

int64_t automation_history(const struct automation_type *type)
{
    int64_t longest = 0;
    for (size_t i = 0; i < type->series_count; i++)
        if (type->series[i].span > longest)
            longest = type->series[i].span;
    return longest;
}

size_t automation_columns(const struct automation_type *type, const char *const **names)
{
    *names = type->columns;
    return type->column_count;
}

/* --- loading --- */

static struct watch *find_watch(const struct automation_type *type, const char *name)
{
    for (size_t i = 0; i < type->watch_count; i++)
        if (strcmp(type->watches[i].name, name) == 0)
            return &type->watches[i];
    return NULL;
}

static bool groups_alike(const struct watch *one, const struct watch *other)
{
    return one->kind == other->kind && !one->by == !other->by &&
           (!one->by || strcmp(one->by, other->by) == 0);
}

/* Where the state of this group of a watch is kept; NULL: out of memory. */
static struct member *take_up_member(struct watch *watch, const char *name)
{
    struct automation_type *type = watch->type;
    if (watch->kind == AUTOMATION_PRESENCE) {
        struct thing *thing = thing_find(type, name, strlen(name));
        if (!thing)
            thing = thing_take_up(type, name, strlen(name), 0);
        return thing ? &thing->presence : NULL;
    }
    struct group *group = group_take_up(type, watch->series, name, strlen(name));
    return group ? &group->members[watch->place] : NULL;
}

static bool keep_states(const struct watch *from, struct watch *to)
{
    to->incident = to->next_incident = from->incident;
    for (const struct member *member = from->members; member; member = member->next_member) {
        struct member *kept = take_up_member(to, member->name);
        if (!kept)
            return false;
        kept->at = kept->next = member->at;
        if (member->thing && member->thing->returned) /* the next tick says so again */
            kept->at.heard = kept->next.heard = member->at.heard - 1;
    }
    return true;
}

static bool keep_things(const struct automation_type *from, struct automation_type *to)
{
    struct thing *thing;
    for (thing = from->things; thing; thing = thing->hh.next) {
        if (!thing_find(to, thing->name, thing->length) &&
            !thing_take_up(to, thing->name, thing->length, thing->created))
            return false;
    }
    return true;
}

/* The states of the watches that have kept their name. */
static bool take_over(const struct automation_type *from, struct automation_type *to)
{
    if (!keep_things(from, to))
        return false;
    for (size_t i = 0; i < to->watch_count; i++) {
        const struct watch *was = find_watch(from, to->watches[i].name);
        if (was && groups_alike(was, &to->watches[i]) && !keep_states(was, &to->watches[i]))
            return false;
    }
    heap_sort(to, to->automation->grace);
    return true;
}

static void drop_type(struct automation *automation, struct automation_type *type)
{
    if (!type)
        return;
    HASH_DEL(automation->types, type);
    type_free(type);
}

enum status automation_load(struct automation *automation, const char *type, const cJSON *document,
                            struct error *error)
{
    struct automation_type *made = NULL, *was = automation_type(automation, type);
    enum status status;
    automation_abandon(automation);
    if (!document) {
        drop_type(automation, was);
        return FINE;
    }
    if ((status = document_read(document, type, &made, error)))
        return status;
    made->automation = automation;
    if (was && !take_over(was, made)) {
        type_free(made);
        return fail_memory(error);
    }
    drop_type(automation, was);
    HASH_ADD_KEYPTR(hh, automation->types, made->name, strlen(made->name), made);
    if (made->hh.tbl)
        return FINE;
    type_free(made);
    return fail_memory(error);
}

/* --- stored states --- */

static int64_t whole(const cJSON *object, const char *name)
{
    double number = json_number(object, name, 0);
    return number >= 0 && number < 9e15 ? (int64_t)number : 0;
}

static enum automation_state state_named(const char *name)
{
    for (enum automation_state state = AUTOMATION_OFF; state <= AUTOMATION_ON; state++)
        if (strcmp(name, automation_state_name(state)) == 0)
            return state;
    return AUTOMATION_UNKNOWN;
}

static struct state state_from(const cJSON *json)
{
    return (struct state){.is = state_named(json_string(json, "state", "")),
                          .told = state_named(json_string(json, "told", "")),
                          .since = whole(json, "since"),
                          .blind_since = whole(json, "blind_since"),
                          .holds_since = whole(json, "holds_since"),
                          .heard = whole(json, "heard"),
                          .first = json_true(json, "first")};
}

static struct incident incident_from(const cJSON *json)
{
    return (struct incident){.opened = whole(json, "opened"),
                             .due = whole(json, "due"),
                             .pause = whole(json, "pause"),
                             .sent = whole(json, "sent"),
                             .messages = whole(json, "messages"),
                             .passed = whole(json, "passed")};
}

/* Whether a stored state is of a watch with this kind and this grouping; see automation_load(). */
static bool is_of(const cJSON *json, const struct watch *watch)
{
    const char *kind = automation_kind_name(watch->kind);
    return strcmp(json_string(json, "kind", ""), kind) == 0 &&
           strcmp(json_string(json, "by", ""), watch->by ? watch->by : "") == 0;
}

static enum status restore(struct watch *watch, const char *group, const cJSON *json,
                           struct error *error)
{
    if (!is_of(json, watch))
        return FINE;
    if (!group) {
        watch->incident = watch->next_incident = incident_from(json);
        return FINE;
    }
    struct member *member = take_up_member(watch, group);
    if (!member)
        return fail_memory(error);
    watch->touched = true;
    member->at = member->next = state_from(json);
    if (member->thing)
        watch->type->automation->stale_heap = true;
    return FINE;
}

enum status automation_restore(struct automation *automation, const struct automation_key *key,
                               const char *json, struct error *error)
{
    struct automation_type *type = automation_type(automation, key->type);
    struct watch *watch = type ? find_watch(type, key->watch) : NULL;
    if (!watch)
        return FINE;
    cJSON *parsed = cJSON_Parse(json);
    enum status status =
        cJSON_IsObject(parsed)
            ? restore(watch, key->group, parsed, error)
            : fail(error, WRONG_INPUT, "the stored state of %s of %s is no JSON object", key->watch,
                   key->type);
    cJSON_Delete(parsed);
    return status;
}

/* --- committing --- */

static void settle_incidents(struct automation *automation, bool commit)
{
    struct automation_type *type;
    for (type = automation->types; type; type = type->hh.next) {
        for (size_t i = 0; i < type->watch_count; i++) {
            struct watch *watch = &type->watches[i];
            if (commit)
                watch->incident = watch->next_incident;
            else
                watch->next_incident = watch->incident;
            watch->touched = watch->touched || !commit;
        }
    }
}

static void clear_dirty(struct automation_type *type)
{
    for (struct group *group = type->dirty; group; group = group->next_dirty)
        group->dirty = false;
    type->dirty = NULL;
}

/* Removes from the list the things whose return was decided and committed. After an abandoned tick
 * none was. */
static void clear_returned(struct automation_type *type)
{
    size_t kept = 0;
    for (size_t i = 0; i < type->returned_count; i++) {
        struct thing *thing = type->returned[i];
        thing->returned = thing->presence.at.is != AUTOMATION_OFF;
        if (thing->returned)
            type->returned[kept++] = thing;
    }
    type->returned_count = kept;
}

void automation_commit(struct automation *automation)
{
    struct automation_type *type;
    while (automation->changed) {
        struct member *member = automation->changed;
        automation->changed = member->next_changed;
        member->at = member->next;
        member->changed = false;
    }
    settle_incidents(automation, true);
    for (type = automation->types; type; type = type->hh.next) {
        clear_dirty(type);
        clear_returned(type);
    }
    automation->ticked = automation->next_ticked;
}

void automation_abandon(struct automation *automation)
{
    struct automation_type *type;
    while (automation->changed) {
        struct member *member = automation->changed;
        automation->changed = member->next_changed;
        member->next = member->at;
        member->changed = false;
    }
    settle_incidents(automation, false);
    for (type = automation->types; type; type = type->hh.next) {
        for (size_t i = 0; i < type->watch_count; i++)
            type->watches[i].due = 0;
    }
    automation->stale_heap = true;
}
