/* A type's automation.json, made ready to run. */
#include "parts.h"

#include "common/base/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const kinds[] = {"control", "alert", "presence"};
static const char *const states[] = {"unknown", "off", "on"};
static const char *const statistics[] = {"mean", "min", "max", "last", "count", "sum", "delta"};
static const char *const comparisons[] = {"above", "below", "at_least", "at_most"};

const char *automation_kind_name(enum automation_kind kind)
{
    return kinds[kind];
}

const char *automation_state_name(enum automation_state state)
{
    return states[state];
}

/* Where in the document something is wrong: "automation.json of esp8266temp: watches[1].every_ms". */
struct reader {
    const char *type;
    size_t watch;
    struct error *error;
};

static enum status wrong(struct reader *reader, const char *member, const char *wanted)
{
    return fail(reader->error, WRONG_INPUT, "automation.json of %s: watches[%zu].%s is not %s",
                reader->type, reader->watch, member, wanted);
}

static int find_word(const char *word, const char *const *words, size_t count)
{
    for (size_t i = 0; word && i < count; i++)
        if (strcmp(word, words[i]) == 0)
            return (int)i;
    return -1;
}

static enum status read_word(struct reader *reader, const cJSON *object, const char *member,
                             const char *const *words, size_t count, int *found)
{
    *found = find_word(json_string(object, member, NULL), words, count);
    return *found < 0 ? wrong(reader, member, "one of its words") : FINE;
}

/* Whole milliseconds; null is 0. */
static enum status read_milliseconds(struct reader *reader, const cJSON *object, const char *member,
                                     int64_t least, int64_t *read)
{
    const cJSON *value = json_get(object, member);
    double number = cJSON_IsNumber(value) ? value->valuedouble : 0;
    if (number < (double)least || number > 9e15)
        return wrong(reader, member, "a time in milliseconds");
    *read = (int64_t)number;
    return FINE;
}

/* A copy; *copied stays NULL where the member is missing or null. */
static enum status copy_string(struct reader *reader, const cJSON *object, const char *member,
                               char **copied)
{
    const cJSON *value = json_get(object, member);
    if (!value || cJSON_IsNull(value))
        return FINE;
    if (!cJSON_IsString(value))
        return wrong(reader, member, "a text");
    *copied = strdup(value->valuestring);
    return *copied ? FINE : fail_memory(reader->error);
}

static enum status need_string(struct reader *reader, const cJSON *object, const char *member,
                               char **copied)
{
    enum status status = copy_string(reader, object, member, copied);
    return status || *copied ? status : wrong(reader, member, "a text");
}

static enum status read_limit(struct reader *reader, const cJSON *watch, const char *member,
                              struct limit *limit)
{
    const cJSON *object = json_get(watch, member), *value = json_get(object, "value");
    int comparison = find_word(json_string(object, "compare", NULL), comparisons,
                               sizeof comparisons / sizeof *comparisons);
    if (comparison < 0 || !cJSON_IsNumber(value) || !isfinite(value->valuedouble))
        return wrong(reader, member, "a limit");
    *limit = (struct limit){(enum comparison)comparison, value->valuedouble};
    return FINE;
}

static enum status read_notify(struct reader *reader, const cJSON *json, struct watch *watch)
{
    const cJSON *list = json_get(json, "notify"), *address;
    int count = cJSON_GetArraySize(list);
    if (!count)
        return FINE;
    watch->notify = calloc((size_t)count, sizeof *watch->notify);
    if (!watch->notify)
        return fail_memory(reader->error);
    cJSON_ArrayForEach(address, list)
    {
        if (!cJSON_IsString(address))
            return wrong(reader, "notify", "a list of addresses");
        char *copied = strdup(address->valuestring);
        if (!copied)
            return fail_memory(reader->error);
        watch->notify[watch->notify_count++] = copied;
    }
    return FINE;
}

static enum status copy_payload(struct reader *reader, const cJSON *publish, const char *member,
                                char **copied)
{
    const cJSON *value = json_get(publish, member);
    if (!value)
        return wrong(reader, "publish", "a topic with two messages");
    *copied = cJSON_PrintUnformatted(value);
    return *copied ? FINE : fail_memory(reader->error);
}

static enum status read_publish(struct reader *reader, const cJSON *json, struct watch *watch)
{
    const cJSON *publish = json_get(json, "publish");
    enum status status;
    if (!publish || cJSON_IsNull(publish))
        return FINE;
    if ((status = need_string(reader, publish, "topic", &watch->topic)) ||
        (status = copy_payload(reader, publish, "on", &watch->payload_on)))
        return status;
    return copy_payload(reader, publish, "off", &watch->payload_off);
}

static enum status read_presence(struct reader *reader, const cJSON *json, struct watch *watch)
{
    watch->on_first = json_true(json, "on_first");
    return read_milliseconds(reader, json, "silent_after_ms", 1, &watch->silent_after);
}

/* --- what a condition looks at --- */

static bool find_column(const struct automation_type *type, const char *name, size_t from,
                        size_t until, size_t *found)
{
    for (*found = from; *found < until; ++*found)
        if (strcmp(type->columns[*found], name) == 0)
            return true;
    return false;
}

static struct series *series_of(struct automation_type *type, size_t measure, size_t by)
{
    for (size_t i = 0; i < type->series_count; i++)
        if (type->series[i].measure == measure && type->series[i].by == by)
            return &type->series[i];
    struct series *made = &type->series[type->series_count]; /* there is one for each watch */
    made->watches = calloc(type->watch_count, sizeof(struct watch *));
    if (!made->watches)
        return NULL;
    type->series_count++;
    made->measure = measure;
    made->by = by;
    return made;
}

static enum status join_series(struct reader *reader, struct watch *watch)
{
    struct automation_type *type = watch->type;
    size_t measure, by = BY_ALL;
    if (!find_column(type, watch->of, 0, type->measure_count, &measure))
        return wrong(reader, "of", "one of the measures");
    if (watch->by && strcmp(watch->by, "thing") == 0)
        by = BY_THING;
    else if (watch->by &&
             !find_column(type, watch->by, type->measure_count, type->column_count, &by))
        return wrong(reader, "by", "\"thing\" or one of the attributes");
    watch->series = series_of(type, measure, by);
    if (!watch->series)
        return fail_memory(reader->error);
    watch->place = watch->series->watch_count++;
    watch->series->watches[watch->place] = watch;
    if (watch->window > watch->series->span)
        watch->series->span = watch->window;
    return FINE;
}

static enum status read_condition(struct reader *reader, const cJSON *json, struct watch *watch)
{
    enum status status;
    int statistic, silence = AUTOMATION_UNKNOWN;
    if ((status = need_string(reader, json, "of", &watch->of)) ||
        (status = copy_string(reader, json, "by", &watch->by)) ||
        (status = copy_string(reader, json, "unit", &watch->unit)) ||
        (status = read_word(reader, json, "statistic", statistics,
                            sizeof statistics / sizeof *statistics, &statistic)) ||
        (status = read_limit(reader, json, "on", &watch->on)) ||
        (status = read_limit(reader, json, "off", &watch->off)) ||
        (status = read_milliseconds(reader, json, "every_ms", 1, &watch->every)) ||
        (status = read_milliseconds(reader, json, "window_ms", 1, &watch->window)) ||
        (status = read_milliseconds(reader, json, "for_ms", 0, &watch->hold)) ||
        (status = read_publish(reader, json, watch)))
        return status;
    if (cJSON_IsString(json_get(json, "on_silence")) &&
        (status = read_word(reader, json, "on_silence", states, 3, &silence)))
        return status;
    watch->statistic = (enum statistic)statistic;
    watch->on_silence = (enum automation_state)silence;
    return join_series(reader, watch);
}

static enum status read_watch(struct reader *reader, const cJSON *json, struct watch *watch)
{
    enum status status;
    int kind;
    watch->hold_due = INT64_MAX;
    if ((status = need_string(reader, json, "name", &watch->name)) ||
        (status = read_word(reader, json, "kind", kinds, sizeof kinds / sizeof *kinds, &kind)) ||
        (status = read_notify(reader, json, watch)) ||
        (status = read_milliseconds(reader, json, "remind_every_ms", 0, &watch->remind_every)))
        return status;
    watch->kind = (enum automation_kind)kind;
    return watch->kind == AUTOMATION_PRESENCE ? read_presence(reader, json, watch)
                                              : read_condition(reader, json, watch);
}

/* --- the whole --- */

static enum status add_columns(struct reader *reader, struct automation_type *type,
                               const cJSON *names)
{
    const cJSON *name;
    cJSON_ArrayForEach(name, names)
    {
        char *copied = cJSON_IsString(name) ? strdup(name->valuestring) : NULL;
        if (!copied)
            return cJSON_IsString(name)
                       ? fail_memory(reader->error)
                       : fail(reader->error, WRONG_INPUT,
                              "automation.json of %s: a column's name is not a text", type->name);
        type->columns[type->column_count++] = copied;
    }
    return FINE;
}

static enum status read_columns(struct reader *reader, const cJSON *document,
                                struct automation_type *type)
{
    const cJSON *columns = json_get(document, "columns");
    const cJSON *measures = json_get(columns, "measures");
    const cJSON *attributes = json_get(columns, "attributes");
    size_t count = (size_t)cJSON_GetArraySize(measures) + (size_t)cJSON_GetArraySize(attributes);
    enum status status;
    type->columns = calloc(count + 1, sizeof(char *));
    if (!type->columns)
        return fail_memory(reader->error);
    if ((status = add_columns(reader, type, measures)))
        return status;
    type->measure_count = type->column_count;
    return add_columns(reader, type, attributes);
}

static enum status read_watches(struct reader *reader, const cJSON *document,
                                struct automation_type *type)
{
    const cJSON *list = json_get(document, "watches"), *json;
    type->watch_count = (size_t)cJSON_GetArraySize(list);
    type->watches = calloc(type->watch_count + 1, sizeof *type->watches);
    type->series = calloc(type->watch_count + 1, sizeof *type->series);
    if (!type->watches || !type->series)
        return fail_memory(reader->error);
    for (size_t i = 0; i < type->watch_count; i++)
        type->watches[i].type = type;
    cJSON_ArrayForEach(json, list)
    {
        enum status status = read_watch(reader, json, &type->watches[reader->watch]);
        if (status)
            return status;
        if (type->watches[reader->watch].kind == AUTOMATION_PRESENCE)
            type->presence = &type->watches[reader->watch];
        reader->watch++;
    }
    return FINE;
}

enum status document_read(const cJSON *document, const char *type, struct automation_type **made,
                          struct error *error)
{
    struct reader reader = {.type = type, .error = error};
    struct automation_type *read = calloc(1, sizeof *read);
    enum status status;
    if (!read || !(read->name = strdup(type))) {
        free(read);
        return fail_memory(error);
    }
    if (json_number(document, "version", 0) != 1)
        status = fail(error, WRONG_INPUT,
                      "automation.json of %s has a version that this program does not know", type);
    else if (!(status = read_columns(&reader, document, read)))
        status = read_watches(&reader, document, read);
    if (status)
        type_free(read);
    else
        *made = read;
    return status;
}

/* --- the end --- */

static void watch_free(struct watch *watch)
{
    for (size_t i = 0; i < watch->notify_count; i++)
        free(watch->notify[i]);
    free(watch->notify);
    free(watch->name);
    free(watch->of);
    free(watch->by);
    free(watch->unit);
    free(watch->topic);
    free(watch->payload_on);
    free(watch->payload_off);
}

static void series_free(struct series *series)
{
    struct group *group = series->groups, *next;
    HASH_CLEAR(hh, series->groups);
    for (; group; group = next) {
        next = group->hh.next;
        samples_free(&group->samples);
        free(group->members);
        free(group->name);
        free(group);
    }
    free(series->watches);
}

static void things_free(struct automation_type *type)
{
    struct thing *thing = type->things, *next;
    HASH_CLEAR(hh, type->things);
    for (; thing; thing = next) {
        next = thing->hh.next;
        free(thing->values);
        free(thing->groups);
        free(thing->name);
        free(thing);
    }
}

void type_free(struct automation_type *type)
{
    if (!type)
        return;
    things_free(type);
    for (size_t i = 0; i < type->series_count; i++)
        series_free(&type->series[i]);
    for (size_t i = 0; type->watches && i < type->watch_count; i++)
        watch_free(&type->watches[i]);
    for (size_t i = 0; i < type->column_count; i++)
        free((void *)(uintptr_t)type->columns[i]);
    free(type->columns);
    free(type->series);
    free(type->watches);
    free(type->list);
    free(type->heap);
    free(type->returned);
    free(type->name);
    free(type);
}
