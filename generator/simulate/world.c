#include "world.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/memory.h"

#include <stdlib.h>
#include <string.h>

/* --- kinds and things --- */

struct kind *world_kind(struct world *world, cJSON *model)
{
    const cJSON *type = json_get(model, "type"), *measure;
    const char *name = json_string(type, "name", "");
    for (size_t i = 0; i < world->kind_count; i++) {
        if (strcmp(world->kinds[i]->name, name) == 0) {
            cJSON_Delete(model);
            return world->kinds[i];
        }
    }
    struct kind *kind = must_alloc(sizeof *kind);
    *kind = (struct kind){.model = model,
                          .name = name,
                          .publish_every = json_number(type, "publish_every_seconds", 300),
                          .commands = json_true(type, "commands")};
    int count = cJSON_GetArraySize(json_get(type, "measures"));
    kind->measures = must_array((size_t)count, sizeof *kind->measures);
    cJSON_ArrayForEach(measure, json_get(type, "measures"))
        measure_read(measure, &kind->measures[kind->measure_count++]);
    world->kinds =
        must_grow(world->kinds, world->kind_count, &world->kind_room, sizeof *world->kinds);
    return world->kinds[world->kind_count++] = kind;
}

static void write_members(const struct attributes *attributes, struct text *out)
{
    cJSON *object = attributes_json(attributes);
    for (const cJSON *pair = object->child; pair; pair = pair->next) {
        cJSON *name = cJSON_CreateString(pair->string);
        text_add_char(out, ',');
        json_compact(name, out);
        text_add_char(out, ':');
        json_compact(pair, out);
        cJSON_Delete(name);
    }
    cJSON_Delete(object);
}

void world_add(struct world *world, struct kind *kind, const char *name,
               struct attributes *attributes)
{
    world->actors = must_grow(world->actors, world->count, &world->room, sizeof *world->actors);
    struct actor *actor = &world->actors[world->count++];
    *actor = (struct actor){.name = must_copy(name), .kind = kind, .attributes = *attributes};
    *attributes = (struct attributes){0};
    write_members(&actor->attributes, &actor->members);
    actor->values = must_array(kind->measure_count, sizeof *actor->values);
    for (size_t i = 0; i < kind->measure_count; i++)
        actor->values[i] = kind->measures[i].start;
    kind->things++;
}

void world_free(struct world *world)
{
    for (size_t i = 0; i < world->count; i++) {
        free(world->actors[i].name);
        free(world->actors[i].values);
        attributes_free(&world->actors[i].attributes);
        text_free(&world->actors[i].members);
    }
    for (size_t i = 0; i < world->kind_count; i++) {
        cJSON_Delete(world->kinds[i]->model);
        free(world->kinds[i]->measures);
        free(world->kinds[i]);
    }
    free(world->actors);
    free(world->kinds);
    *world = (struct world){0};
}

/* --- links --- */

char *world_commanded(const char *topic, const char *thing, const struct attributes *attributes)
{
    struct text name = {0};
    const char *at = strchr(topic, '/'), *end = at ? strchr(at + 1, '/') : NULL;
    if (!end)
        return NULL;
    for (at++; at < end; at++) {
        const char *close = *at == '{' ? memchr(at, '}', (size_t)(end - at)) : NULL;
        if (close) {
            owned char *attribute = must_copy_bytes(at + 1, (size_t)(close - at - 1));
            const char *value =
                strcmp(attribute, "thing") == 0 ? thing : attributes_get(attributes, attribute);
            text_add_string(&name, value ? value : "");
            at = close;
        } else {
            text_add_char(&name, *at);
        }
    }
    return text_take(&name);
}

static int by_name(const void *one, const void *other)
{
    return strcmp((*(const struct actor *const *)one)->name,
                  (*(const struct actor *const *)other)->name);
}

/* Cooling is switched on by values that are high. */
static enum direction driven_direction(const cJSON *switch_on)
{
    return json_get(switch_on, "above") || json_get(switch_on, "at_least") ? DRIVEN_DOWN
                                                                           : DRIVEN_UP;
}

static const struct actor *find_actor(const struct actor *const *sorted, size_t count,
                                      const char *name)
{
    const struct actor key = {.name = (char *)name}, *wanted = &key;
    const struct actor *const *found = bsearch(&wanted, sorted, count, sizeof *sorted, by_name);
    return found ? *found : NULL;
}

static void link_actor(struct actor *actor, const struct actor *const *sorted, size_t count)
{
    const cJSON *control;
    cJSON_ArrayForEach(control, json_get(json_get(actor->kind->model, "type"), "control"))
    {
        const cJSON *publish = json_get(control, "publish");
        const char *of = json_string(json_get(control, "measure"), "of", "");
        owned char *name =
            world_commanded(json_string(publish, "topic", ""), actor->name, &actor->attributes);
        const struct actor *by = name ? find_actor(sorted, count, name) : NULL;
        for (size_t i = 0; by && i < actor->kind->measure_count; i++)
            if (strcmp(actor->kind->measures[i].name, of) == 0 && actor->link_count < MOST_LINKS)
                actor->links[actor->link_count++] =
                    (struct link){.measure = i,
                                  .by = by,
                                  .on = json_get(publish, "on"),
                                  .direction = driven_direction(json_get(control, "switch_on"))};
    }
}

void world_link(struct world *world)
{
    const struct actor **sorted = must_array(world->count + 1, sizeof *sorted);
    for (size_t i = 0; i < world->count; i++)
        sorted[i] = &world->actors[i];
    qsort(sorted, world->count, sizeof *sorted, by_name);
    for (size_t i = 0; i < world->count; i++)
        link_actor(&world->actors[i], sorted, world->count);
    free(sorted);
}

/* --- commands --- */

/* Whether a value of a message is one that the measure can have. */
static bool fits(const struct measure *measure, const cJSON *value)
{
    return measure->kind == MEASURE_BOOLEAN
               ? cJSON_IsBool(value)
               : measure->kind != MEASURE_VARCHAR && cJSON_IsNumber(value);
}

static double number_of(const cJSON *value)
{
    return cJSON_IsBool(value) ? cJSON_IsTrue(value) : value->valuedouble;
}

/* What a message says of the measures of a thing. */
struct comparison {
    size_t found;     /* values of the message that are measures */
    size_t different; /* those of them that the thing does not have */
};

/* Compares the values of a message with those of a thing, at every depth; with set it takes them
 * over. */
static void compare(const cJSON *message, const struct kind *kind, double *values, bool set,
                    struct comparison *comparison)
{
    for (const cJSON *item = message ? message->child : NULL; item; item = item->next) {
        for (size_t i = 0; item->string && i < kind->measure_count; i++) {
            if (strcmp(kind->measures[i].name, item->string) != 0 ||
                !fits(&kind->measures[i], item))
                continue;
            comparison->found++;
            comparison->different += values[i] != number_of(item);
            if (set)
                values[i] = number_of(item);
        }
        compare(item, kind, values, set, comparison);
    }
}

/* Whether the driving thing is in the state that its "on" message asks for. */
static bool is_on(const struct link *link)
{
    struct comparison comparison = {0};
    compare(link->on, link->by->kind, link->by->values, false, &comparison);
    return comparison.found && !comparison.different;
}

bool world_obey(struct actor *actor, const char *message, size_t length)
{
    struct comparison comparison = {0};
    struct error ignored = {0}; /* a message that is no JSON is ignored, as a board does */
    cJSON *parsed = NULL;
    if (json_parse("command", message, length, &parsed, &ignored) == FINE)
        compare(parsed, actor->kind, actor->values, true, &comparison);
    cJSON_Delete(parsed);
    error_free(&ignored);
    return comparison.different > 0;
}

/* --- readings --- */

static enum direction direction_of(const struct actor *actor, size_t measure)
{
    for (size_t i = 0; i < actor->link_count; i++)
        if (actor->links[i].measure == measure && is_on(&actor->links[i]))
            return actor->links[i].direction;
    return DRIFTING;
}

void world_read(struct world *world, struct actor *actor, struct text *out)
{
    bool has_artefact = false;
    int64_t now = clock_milliseconds();
    for (size_t i = 0; i < actor->kind->measure_count; i++) {
        const struct measure *measure = &actor->kind->measures[i];
        bool artefact = measure->artefacts > 0 && random_next(&world->random) < measure->artefacts;
        text_add_format(out, "%c\"%s\":", i ? ',' : '{', measure->name);
        measure_write(measure, actor->values[i], artefact, &world->random, out);
        actor->values[i] = measure_step(measure, actor->values[i], direction_of(actor, i));
        has_artefact |= artefact;
    }
    actor->last_time = now > actor->last_time ? now : actor->last_time + 1;
    text_add(out, text_string(&actor->members), actor->members.length);
    text_add_format(out, ",\"time\":%lld}", (long long)actor->last_time);
    actor->kind->artefacts += has_artefact;
}
