/* Things, groups and readings: what the engine is fed with.
 *
 * A reading costs a hash lookup of its thing and, for each series, an append to the samples of its
 * group, which the thing remembers from its last reading. Nothing is evaluated here.
 *
 * For silence, things are in a heap by the time at which they are to be looked at. A reading does not
 * touch the heap: when a thing comes to its front, its deadline is computed again from when it was
 * heard last, and it goes back into the heap if that is later. So a thing is moved once in
 * silent_after, however often it is heard. */
#include "parts.h"

#include "common/base/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Makes room for one more item; false: out of memory. */
static bool grow(void *array, size_t count, size_t *room, size_t size)
{
    void **at = array;
    if (count < *room)
        return true;
    size_t wanted = *room ? 2 * *room : 16;
    void *grown = realloc(*at, wanted * size);
    if (!grown)
        return false;
    *at = grown;
    *room = wanted;
    return true;
}

void member_begin(struct member *member, struct watch *watch, const char *name)
{
    member->watch = watch;
    member->name = name;
    member->next_member = watch->members;
    watch->members = member;
}

/* --- the heap --- */

int64_t thing_deadline(const struct thing *thing, int64_t grace)
{
    int64_t from = thing->presence.at.heard ? thing->presence.at.heard : thing->created;
    return (from > grace ? from : grace) + thing->presence.watch->silent_after;
}

static void sift_down(struct automation_type *type, size_t place)
{
    struct thing **heap = type->heap, *sinking = heap[place];
    for (size_t child; (child = 2 * place + 1) < type->heap_count; place = child) {
        if (child + 1 < type->heap_count && heap[child + 1]->deadline < heap[child]->deadline)
            child++;
        if (heap[child]->deadline >= sinking->deadline)
            break;
        heap[place] = heap[child];
    }
    heap[place] = sinking;
}

static void sift_up(struct automation_type *type, size_t place)
{
    struct thing **heap = type->heap, *rising = heap[place];
    for (size_t parent; place && heap[parent = (place - 1) / 2]->deadline > rising->deadline;
         place = parent)
        heap[place] = heap[parent];
    heap[place] = rising;
}

void heap_settle(struct automation_type *type)
{
    sift_down(type, 0);
}

void heap_sort(struct automation_type *type, int64_t grace)
{
    for (size_t i = 0; i < type->heap_count; i++)
        type->heap[i]->deadline = thing_deadline(type->heap[i], grace);
    for (size_t i = type->heap_count / 2; i-- > 0;)
        sift_down(type, i);
}

static void heap_add(struct automation_type *type, struct thing *thing)
{
    type->heap[type->heap_count] = thing;
    sift_up(type, type->heap_count++);
}

static void heap_remove(struct automation_type *type, const struct thing *thing)
{
    size_t place = 0;
    while (place < type->heap_count && type->heap[place] != thing)
        place++;
    if (place == type->heap_count)
        return;
    type->heap[place] = type->heap[--type->heap_count];
    if (place < type->heap_count) {
        sift_down(type, place);
        sift_up(type, place);
    }
}

/* --- things --- */

struct thing *thing_find(const struct automation_type *type, const char *name, size_t length)
{
    struct thing *found;
    HASH_FIND(hh, type->things, name, length, found);
    return found;
}

static void thing_free(struct thing *thing)
{
    free(thing->values);
    free(thing->groups);
    free(thing->name);
    free(thing);
}

static struct thing *thing_new(const struct automation_type *type, const char *name, size_t length)
{
    struct thing *made = calloc(1, sizeof *made);
    if (!made)
        return NULL;
    made->name = strndup(name, length);
    made->length = length;
    made->values = calloc(type->measure_count + 1, sizeof *made->values);
    made->groups = calloc(type->series_count + 1, sizeof(struct group *));
    if (made->name && made->values && made->groups)
        return made;
    thing_free(made);
    return NULL;
}

struct thing *thing_take_up(struct automation_type *type, const char *name, size_t length,
                            int64_t created)
{
    struct thing *thing;
    if (!grow(&type->list, type->list_count, &type->list_room, sizeof *type->list) ||
        !grow(&type->heap, type->heap_count, &type->heap_room, sizeof *type->heap) ||
        !(thing = thing_new(type, name, length)))
        return NULL;
    HASH_ADD_KEYPTR(hh, type->things, thing->name, length, thing);
    if (!thing->hh.tbl) {
        thing_free(thing);
        return NULL;
    }
    thing->index = (uint32_t)type->list_count;
    thing->created = created;
    type->list[type->list_count++] = thing;
    if (!type->presence)
        return thing;
    thing->presence.thing = thing;
    member_begin(&thing->presence, type->presence, thing->name);
    thing->deadline = thing_deadline(thing, type->automation->grace);
    heap_add(type, thing);
    return thing;
}

enum status automation_thing(struct automation_type *type, const char *name, int64_t created,
                             struct error *error)
{
    struct thing *thing = thing_find(type, name, strlen(name));
    if (thing)
        thing->created = created;
    else if (!thing_take_up(type, name, strlen(name), created))
        return fail_memory(error);
    return FINE;
}

static void leave_watch(struct member *member)
{
    struct member **at = &member->watch->members;
    while (*at && *at != member)
        at = &(*at)->next_member;
    if (*at)
        *at = member->next_member;
    member->watch->touched = true;
}

static void forget_group(struct automation_type *type, struct series *series, const char *name)
{
    struct group *group;
    HASH_FIND(hh, series->groups, name, strlen(name), group);
    if (!group)
        return;
    for (size_t i = 0; i < series->watch_count; i++)
        leave_watch(&group->members[i]);
    for (struct group **at = &type->dirty; *at; at = &(*at)->next_dirty)
        if (*at == group) {
            *at = group->next_dirty;
            break;
        }
    HASH_DEL(series->groups, group);
    samples_free(&group->samples);
    free(group->members);
    free(group->name);
    free(group);
}

void automation_forget(struct automation_type *type, const char *name)
{
    struct thing *thing = thing_find(type, name, strlen(name));
    if (!thing)
        return;
    for (size_t i = 0; i < type->series_count; i++)
        if (type->series[i].by == BY_THING)
            forget_group(type, &type->series[i], name);
    if (type->presence) {
        leave_watch(&thing->presence);
        heap_remove(type, thing);
    }
    for (size_t i = 0; i < type->returned_count; i++)
        if (type->returned[i] == thing)
            type->returned[i--] = type->returned[--type->returned_count];
    type->list[thing->index] = NULL;
    HASH_DEL(type->things, thing);
    thing_free(thing);
}

/* --- groups --- */

static struct group *group_new(const struct series *series, const char *name, size_t length)
{
    struct group *made = calloc(1, sizeof *made);
    if (!made)
        return NULL;
    made->name = strndup(name, length);
    made->length = length;
    made->members = calloc(series->watch_count, sizeof *made->members);
    if (made->name && made->members)
        return made;
    free(made->name);
    free(made->members);
    free(made);
    return NULL;
}

struct group *group_take_up(struct automation_type *type, struct series *series, const char *name,
                            size_t length)
{
    struct group *group;
    (void)type;
    HASH_FIND(hh, series->groups, name, length, group);
    if (group)
        return group;
    group = group_new(series, name, length);
    if (!group)
        return NULL;
    HASH_ADD_KEYPTR(hh, series->groups, group->name, length, group);
    if (!group->hh.tbl) {
        free(group->members);
        free(group->name);
        free(group);
        return NULL;
    }
    for (size_t i = 0; i < series->watch_count; i++) {
        group->members[i].group = group;
        member_begin(&group->members[i], series->watches[i], group->name);
    }
    return group;
}

/* The text of a group's name: an attribute's value. Numbers and booleans are written as JSON does. */
static bool group_name(const struct series *series, const struct thing *thing,
                       const struct automation_value *values, char number[32], const char **name,
                       size_t *length)
{
    const struct automation_value *value;
    *name = "";
    *length = 0;
    if (series->by == BY_ALL)
        return true;
    if (series->by == BY_THING) {
        *name = thing->name;
        *length = thing->length;
        return true;
    }
    value = &values[series->by];
    if (value->kind == AUTOMATION_NUMBER) {
        json_format_number(value->number, number);
        *name = number;
        *length = strlen(number);
        return true;
    }
    *name = value->text;
    *length = value->length;
    return value->kind == AUTOMATION_TEXT && value->length <= LONGEST_GROUP;
}

/* False: out of memory. *found is NULL where the reading does not have the attribute. */
static bool find_group(struct automation_type *type, size_t number, struct thing *thing,
                       const struct automation_value *values, struct group **found)
{
    struct series *series = &type->series[number];
    struct group *known = thing->groups[number];
    char digits[32];
    const char *name;
    size_t length;
    *found = NULL;
    if (!group_name(series, thing, values, digits, &name, &length))
        return true;
    if (known && known->length == length && memcmp(known->name, name, length) == 0) {
        *found = known;
        return true;
    }
    *found = thing->groups[number] = group_take_up(type, series, name, length);
    return *found;
}

/* --- readings --- */

static void mark_dirty(struct automation_type *type, struct group *group)
{
    if (group->dirty)
        return;
    group->dirty = true;
    group->next_dirty = type->dirty;
    type->dirty = group;
}

static bool add_sample(struct automation_type *type, size_t number, struct thing *thing,
                       const struct automation_reading *reading)
{
    struct series *series = &type->series[number];
    const struct automation_value *value = &reading->values[series->measure];
    /* A text is counted, and check allows no other statistic of it. */
    double counted = value->kind == AUTOMATION_NUMBER ? value->number : 0;
    struct group *group;
    if (value->kind == AUTOMATION_NONE || !isfinite(counted))
        return true;
    if (!find_group(type, number, thing, reading->values, &group))
        return false;
    if (!group)
        return true;
    mark_dirty(type, group);
    int64_t newest =
        type->automation->ticked > reading->arrived ? type->automation->ticked : reading->arrived;
    return samples_add(&group->samples, reading->time, thing->index, counted, newest - series->span,
                       series->span);
}

static void keep_values(const struct automation_type *type, struct thing *thing,
                        const struct automation_reading *reading)
{
    if (reading->time < thing->read)
        return;
    thing->read = reading->time;
    for (size_t i = 0; i < type->measure_count; i++)
        thing->values[i] =
            reading->values[i].kind == AUTOMATION_NUMBER ? reading->values[i].number : NAN;
}

/* A thing that was silent, or is heard for the first time, is put into a list for the next tick. */
static bool hear(struct automation_type *type, struct thing *thing, int64_t arrived)
{
    struct member *presence = &thing->presence;
    if (arrived <= presence->at.heard)
        return true;
    if (presence->at.is != AUTOMATION_OFF && !thing->returned) {
        if (!grow(&type->returned, type->returned_count, &type->returned_room,
                  sizeof *type->returned))
            return false;
        type->returned[type->returned_count++] = thing;
        thing->returned = true;
    }
    presence->at.heard = presence->next.heard = arrived;
    return true;
}

enum status automation_reading(struct automation_type *type,
                               const struct automation_reading *reading, struct error *error)
{
    struct thing *thing = thing_find(type, reading->thing, reading->thing_length);
    if (!thing && !(thing = thing_take_up(type, reading->thing, reading->thing_length, 0)))
        return fail_memory(error);
    if (type->presence && !hear(type, thing, reading->arrived))
        return fail_memory(error);
    if (!reading->valid)
        return FINE;
    keep_values(type, thing, reading);
    for (size_t i = 0; i < type->series_count; i++)
        if (!add_sample(type, i, thing, reading))
            return fail_memory(error);
    return FINE;
}
